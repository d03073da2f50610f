"""Which formulas are equal: cases of Math-Verify, lighteval and the MATH paper; MATH-500's references themselves."""

import json
import os
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from llmkit.scoring import Item, create
from llmkit.types import Failure, Score
from tests.conformance.conftest import ROOT, Vectors

pytest.importorskip("math_verify", reason="needs the extra [math]")

ALL = os.environ.get("LLMKIT_CODE") == "all"  # the same switch as for code; all 1,319 by math take seconds
OUTDATED = "its source's older rules; since Math-Verify 0.6 boxes with a word like `and` between them are one answer"
REJECTED = {"136": OUTDATED}  # of lighteval's cases
DECIMAL_COMMA = {"1000,99", "Soucis : 2,74 $ a.."}  # upstream guesses the mark; `numeric` is told
NOTATION = {"'latex'": "latex", "'expr'": "plain", "'latex', 'expr'": "any", "'NativeLetters'": "letters"}


def options(case: dict[str, Any]) -> dict[str, Any]:
    """Upstream's arguments as options of the scorer."""
    kinds = re.search(r"match_types=\[(.*?)\]", case["check"])
    precision = re.search(r"precision=(\d+)", case["check"])
    found = {"notation": NOTATION[kinds[1]] if kinds else "any"}
    if precision or "precision" in case:
        found["rounding"] = int(precision[1]) if precision else case["precision"]
    if "strict" in case:
        found["strict"] = case["strict"]
    if "allow_set_relation_comp" in case:
        found["relations_as_sets"] = case["allow_set_relation_comp"]
    return found


def scored(cases: dict[str, dict[str, Any]]) -> dict[str, float]:
    """Score all cases, those of the same options in one batch. Upstream scores 0 what it cannot read."""
    batches: dict[str, list[str]] = defaultdict(list)
    for key, case in cases.items():
        batches[json.dumps(options(case), sort_keys=True)].append(key)
    values = {}
    for written, keys in batches.items():
        chosen = json.loads(written)
        scorer = create("choice") if chosen["notation"] == "letters" else create("math", chosen)
        items = [Item(cases[key]["pred"], (cases[key]["gold"],)) for key in keys]
        for key, result in zip(keys, scorer.score(items), strict=True):
            assert isinstance(result, Score) or result.kind == "unparsable", (key, result)
            values[key] = result.value if isinstance(result, Score) else 0.0
    return values


def wanted(cases: dict[str, dict[str, Any]]) -> dict[str, float]:
    return {key: case.get("expected", case.get("result")) for key, case in cases.items()}


def test_math_verify(vectors: Vectors) -> None:
    cases = vectors.cases("metrics/math_equiv_math_verify.json")
    assert len(cases) == 179
    some = dict([*cases.items()][:: 1 if ALL else 3])
    assert scored(some) == wanted(some)


def test_lighteval(vectors: Vectors) -> None:
    cases = vectors.cases("metrics/extractive_match_lighteval.json")
    found, expected = scored(cases), wanted(cases)
    assert len(cases) == 137
    assert {key for key in cases if found[key] != expected[key]} == set(REJECTED)


def test_lightevals_numbers_by_numeric(vectors: Vectors) -> None:
    cases = vectors.cases("metrics/extractive_match_lighteval.json").values()
    numbers = [case for case in cases if case["test"] in ("test_number_extraction", "test_simple_fraction_notation")]
    for case in numbers:
        mark = {"decimal": ","} if case["pred"] in DECIMAL_COMMA else {}
        (score,) = create("numeric", mark).score([Item(case["pred"], (case["gold"],))])
        assert (0 if isinstance(score, Failure) else score.value) == case["expected"], (case, score)
    assert len(numbers) == 13


def test_hendrycks(vectors: Vectors) -> None:
    cases = vectors.load("metrics/math_equiv_hendrycks.json")["cases"]
    scores = create("math", {"compare": "string", "extract": "whole"}).score(
        [Item(case["a"], (case["b"],)) for case in cases]
    )
    assert [score.value == 1 for score in scores] == [case["expected"] for case in cases]
    assert len(cases) == 11


def rows(name: str) -> list[dict[str, Any]]:
    folder = Path(os.environ.get("LLMKIT_DATA") or ROOT / "../shared/data").resolve()
    path = folder / f"benchmarks/{name}.jsonl"
    if not path.is_file():
        pytest.skip(f"no {path}; set LLMKIT_DATA to the folder that holds benchmarks/")
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("compare", ["symbolic", "string"])
def test_every_reference_of_math500_equals_itself_and_the_box_of_its_solution(compare: str) -> None:
    scorer = create("math", {"compare": compare})
    pairs = [(row[field], row["answer"]) for row in rows("math500") for field in ("answer", "solution")]
    results = scorer.score([Item(text, (reference,)) for text, reference in pairs])
    assert [pair for pair, result in zip(pairs, results, strict=True) if getattr(result, "value", 0) != 1] == []
    assert len(results) == 1000


@pytest.mark.parametrize(("scorer", "each"), [("math", 1 if ALL else 8), ("numeric", 1)])
def test_the_solutions_of_gsm8k_equal_their_answers_and_themselves(scorer: str, each: int) -> None:
    some = rows("gsm8k_test")[::each]
    pairs = [(row["solution"], row[field]) for row in some for field in ("answer", "solution")]
    results = create(scorer).score([Item(text, (reference,)) for text, reference in pairs])
    assert [pair for pair, result in zip(pairs, results, strict=True) if getattr(result, "value", 0) != 1] == []
    assert len(results) == 2 * -(-1319 // each)
