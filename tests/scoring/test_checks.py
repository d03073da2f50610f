"""checks: everything asked of an answer holds, for all rows alike or row by row."""

import json
from typing import Any

import pytest

from llmkit.errors import DocumentError
from llmkit.scoring import create
from llmkit.scoring.check import Check
from tests.scoring.ask import fault, value

SCHEMA = {"type": "object", "required": ["a"]}


def holds(text: str, **check: Any) -> bool:
    return Check.model_validate(check).holds(text)


@pytest.mark.parametrize(
    ("text", "check"),
    [
        ("yes", {"equals": "yes"}),
        ("YES", {"equals": "yes", "ignore_case": True}),
        (" yes\n", {"equals": "yes", "strip": True}),
        ('{"a": 1.0}', {"equals_json": {"a": 1}}),
        ("null", {"equals_json": None}),
        ("a yes b", {"contains": "yes"}),
        ("b", {"contains_any": ["a", "b"]}),
        ("b a", {"contains_all": ["a", "b"]}),
        ("yes!", {"starts_with": "yes"}),
        ("oh yes", {"ends_with": "yes"}),
        ("call 555", {"regex": r"\d+"}),
        ("[1]", {"is_json": True}),
        ('{"a": 1}', {"is_json": SCHEMA}),
        ('so {"b": 1} or {"a": 1}.', {"contains_json": SCHEMA}),
        ("see [1, 2]", {"contains_json": True}),
    ],
)
def test_each_kind_holds_and_its_negation_does_not(text: str, check: dict[str, Any]) -> None:
    assert holds(text, **check)
    assert not holds(text, **{**check, "not": True})


@pytest.mark.parametrize(
    ("text", "check"),
    [
        ("yes ", {"equals": "yes"}),
        ("Yes", {"contains": "yes"}),
        ("a", {"contains_all": ["a", "b"]}),
        ("c", {"contains_any": ["a", "b"]}),
        ("true", {"equals_json": 1}),
        ("{a}", {"is_json": True}),
        ('{"b": 1}', {"is_json": SCHEMA}),
        ("{a} [b", {"contains_json": True}),
    ],
)
def test_each_kind_may_not_hold(text: str, check: dict[str, Any]) -> None:
    assert not holds(text, **check)


def test_all_checks_must_hold() -> None:
    both = [{"contains": "a"}, {"regex": "^b", "not": True}]
    assert value("checks", "xa", all=both) == 1
    assert value("checks", "ba", all=both) == 0
    assert value("checks", "x", all=both) == 0


def test_a_row_may_bring_its_own_checks_as_data_or_as_their_text() -> None:
    checks = [{"starts_with": "Paris"}]
    assert value("checks", "Paris.", field="own", row={"own": checks}) == 1
    assert value("checks", "Rome.", field="own", row={"own": json.dumps(checks)}) == 0


@pytest.mark.parametrize("own", [None, [], "[", "{}", [{}], [{"equals": "a", "contains": "b"}], [{"contians": "a"}], 7])
def test_a_row_whose_checks_are_none_is_a_failure(own: object) -> None:
    assert fault("checks", "a", field="own", row={"own": own}) == "bad_reference"


def test_a_pattern_that_would_never_end_is_a_failure_of_that_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llmkit.scoring.check.SECONDS", 0.05)
    assert fault("checks", "a" * 5000 + "!", all=[{"regex": "(a|a?)+$"}]) == "timeout"


def test_brackets_without_end_are_a_failure_of_that_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llmkit.scoring.check.SECONDS", 0.05)
    assert fault("checks", '["' * 100_000, all=[{"contains_json": True}]) == "timeout"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "give either all or field"),
        ({"all": [{"contains": "a"}], "field": "own"}, "give either all or field"),
        ({"all": [{"regex": "("}]}, "not a regular expression"),
        ({"all": [{"is_json": {"type": 7}}]}, "not a JSON Schema"),
        ({"all": [{"equals": None}]}, "give exactly one of equals"),
    ],
)
def test_options_that_cannot_be_are_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(DocumentError, match=words):
        create("checks", options)


def test_other_checks_have_another_signature() -> None:
    made = [
        {"contains": "a"},
        {"contains": "b"},
        {"contains": "a", "not": True},
        {"contains": "a", "ignore_case": True},
    ]
    signatures = {create("checks", {"all": [check]}).signature for check in made}
    assert len(signatures) == len(made)
    assert create("checks", {"field": "own"}).signature == "metric:checks|checks:row.own|v:1"
