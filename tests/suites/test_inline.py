from __future__ import annotations

import pytest

from llmkit.errors import UsageError
from llmkit.suites.inline import make_suite
from llmkit.types import Sample

ROWS = [{"q": "2 + 2", "a": "4", "topic": "sum"}, {"q": "3 - 1", "a": "2", "topic": "difference"}]
ASK = [{"role": "user", "content": "{{q}} ="}]


def suite(**more: object) -> object:
    return make_suite("arithmetic", ROWS, **{"messages": ASK, "scorers": ["exact_match"], "target": "a", **more})  # type: ignore[arg-type]


def test_records_become_samples() -> None:
    made = make_suite("arithmetic", ROWS, messages=ASK, scorers=["exact_match"], target="a", slices=["topic"])
    samples = list(made.samples())
    assert [s.references for s in samples if isinstance(s, Sample)] == [("4",), ("2",)]
    assert [dict(s.slices) for s in samples if isinstance(s, Sample)] == [{"topic": "sum"}, {"topic": "difference"}]
    assert made.prompt.render(ROWS[0])[0].content == "2 + 2 ="


def test_changed_records_change_the_fingerprint() -> None:
    other = [{**ROWS[0], "a": "5"}, ROWS[1]]
    before, after = (make_suite("s", rows, messages=ASK, scorers=["exact_match"], target="a") for rows in (ROWS, other))
    assert before.fingerprints()["data"] != after.fingerprints()["data"]
    assert before.fingerprints()["prompt"] == after.fingerprints()["prompt"]


def test_a_row_is_named_by_its_place_in_the_list() -> None:
    made = make_suite("s", ROWS, messages=ASK, scorers=["exact_match"], target="a")
    assert [s.where for s in made.samples()] == ["s[0]", "s[1]"]


@pytest.mark.parametrize("more", [{"messages": None}, {"messages": []}])
def test_a_suite_needs_a_prompt(more: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        suite(**more)


def test_rows_that_json_cannot_hold_are_refused() -> None:
    made = make_suite("s", [{"q": float("nan"), "a": "1"}], messages=ASK, scorers=["exact_match"], target="a")
    with pytest.raises(UsageError, match="rows of s"):
        made.fingerprints()


def test_two_scorers_of_one_name_are_refused() -> None:
    twice = [{"numeric": {"tolerance": 1}}, {"numeric": {"tolerance": 5}}]
    with pytest.raises(UsageError, match=r"suite s: two scorers give the metric 'numeric'\. .*\{numeric: \{name:"):
        make_suite("s", ROWS, messages=ASK, scorers=twice, target="a")
    named = [twice[0], {"numeric": {"tolerance": 5, "name": "loose"}}]
    assert [s.name for s in make_suite("s", ROWS, messages=ASK, scorers=named, target="a").scorers] == [
        "numeric",
        "loose",
    ]


def test_records_may_be_compared() -> None:
    rows = [{"q": "2 + 2", "options": ["4", "5"], "a": 0}]
    made = make_suite("sums", rows, messages=ASK, scorers=["likelihood"], target="a", likelihood={"choices": "options"})
    assert made.check() == 1
    assert made.likelihood is not None
    assert [each.text for each in made.likelihood.of(rows[0], made.prompt.render(rows[0])).texts] == ["4", "5"]


def test_what_is_compared_has_no_form() -> None:
    with pytest.raises(UsageError, match="nothing is generated; remove format"):
        suite(format="choice:4,5", likelihood={"choices": "options"})
