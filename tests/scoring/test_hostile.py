"""Every scorer meets every text: an answer is untrusted, and none may crash a batch."""

import math
from functools import cache

import pytest

from llmkit.errors import NoIsolationError
from llmkit.scoring import Item, Scorer, create, known
from llmkit.types import Failure, GenerationFacts, Score

NEEDED = {
    "regex": {"pattern": "[a-z]+"},
    "json_schema": {"schema": {"type": "object"}},
    "math": {"timeout_s": 0.2},
    "checks": {"field": "checks"},
    "code": {"shape": "mbpp"},
}
ROW = {"test_list": ["assert add(1, 2) == 3"]}
OF_ROWS = {"checks", "code", "instructions"}  # what a right answer is stands in the row: their own tests have some
TEXTS = {
    "empty": "",
    "blank": " \t\r\n\u2028",
    "lone surrogate": "a \ud800 b \udfff",
    "nul": "a\x00b\x00",
    "control": "\x1b[31m\x7f\u202e\ufeff",
    "many nines": "9" * 10_000,
    "nan": "NaN",
    "infinity": "-inf and Infinity",
    "mixed scripts": "The кот 猫 قطة बिल्ली 🐈‍⬛ e\u0301 ﬁ Ⅷ ٤٢",
    "one long word": "x" * 300_000,
    "300 kB of words": "ab cd " * 50_000,
    "300 kB of digits": "1 " * 150_000,
    "300 kB of commas": "1,111" + ",111" * 75_000,
    "300 kB of brackets": "[" * 150_000 + "]" * 150_000,
    "300 kB of boxes": "\\boxed{" * 43_000,
    "300 kB of marks": "#### answer is " * 20_000,
    "300 kB of fences": "```\n" * 75_000,
    "300 kB of spaces": "answer" + " " * 300_000 + "is",
}
SMALL = "The answer is 42. (B)"


@cache
def build(name: str) -> Scorer:
    """Return one scorer for all texts: what one of them does to it, the next would show."""
    if name == "bertscore":
        pytest.importorskip("onnxruntime", reason="needs the extra [bertscore]")
    if name == "math":
        pytest.importorskip("math_verify", reason="needs the extra [math]")
    scorer = create(name, NEEDED.get(name))
    if name == "code":
        try:
            scorer.prepare()
        except NoIsolationError as error:
            pytest.skip(str(error))
    return scorer


def sound(result: object) -> bool:
    if isinstance(result, Failure):
        return (
            result.stage == "scorer" and bool(result.kind) and "\n" not in result.message and len(result.message) < 300
        )
    return isinstance(result, Score) and all(map(math.isfinite, (result.value, *result.stats)))


@pytest.mark.parametrize("name", known())
@pytest.mark.parametrize("text", TEXTS)
def test_a_hostile_answer_is_scored_or_failed(name: str, text: str) -> None:
    (result,) = build(name).score([Item(TEXTS[text], (SMALL,), ROW)])
    assert sound(result), result


@pytest.mark.parametrize("name", known())
@pytest.mark.parametrize("text", TEXTS)
def test_a_hostile_reference_is_scored_or_failed(name: str, text: str) -> None:
    scorer, item = build(name), Item(SMALL, (TEXTS[text],), ROW)
    (result,) = scorer.score([item])
    assert sound(result), result
    assert scorer.wrong(item) is None or sound(scorer.wrong(item))


@pytest.mark.parametrize("name", known())
def test_a_batch_is_scored_one_by_one(name: str) -> None:
    scorer = build(name)
    items = [Item("42", ("42",)), Item("no"), Item("the answer is 41", ("42", "43 (B)")), Item("{}", ("{}",))]
    together = list(scorer.score(items))
    assert together == [scorer.score([item])[0] for item in items]
    assert scorer.score([]) == []


@pytest.mark.parametrize("name", sorted(set(known()) - OF_ROWS))
def test_a_missing_reference_is_a_failure_where_one_is_needed(name: str) -> None:
    scorer = build(name)
    (result,) = scorer.score([Item("a", generation=GenerationFacts(1, True, True, 0.0, 0.0))])
    assert isinstance(result, Failure) == scorer.needs_references
    if scorer.needs_references:
        assert result.kind == "no_reference"


@pytest.mark.parametrize("name", sorted(set(known()) - {"retry_cost", "checks", "instructions"}))
def test_a_failure_read_as_wrong_is_as_bad_as_can_be(name: str) -> None:
    scorer = build(name)
    wrong = scorer.wrong(Item("x", ("ab cd",)))
    assert wrong is not None
    assert wrong.value == (0 if scorer.higher_is_better else {"ter": 100, "attempts": 3}.get(name, 1))
    assert bool(wrong.stats) == (scorer.kind == "corpus")
