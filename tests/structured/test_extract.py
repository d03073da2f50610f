"""JSON is found in an answer without loss, or not at all."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmkit.errors import MissingExtraError
from llmkit.structured.extract import extract, fence, last_value
from tests.structured.schema.strategies import JSON
from tests.timing import processor_time_below

PROSE = st.text("abc .,:;()\n'é", max_size=30)
CONTAINERS = JSON.filter(lambda value: isinstance(value, (dict, list)))


@given(JSON)
def test_what_is_json_as_a_whole_is_read_and_nothing_is_repaired(value: Any) -> None:
    found = extract(json.dumps(value))
    assert (found.value, found.repairs, found.issues) == (value, (), ())


@given(CONTAINERS, PROSE, PROSE, st.sampled_from(["", "json", "JSON"]), st.booleans())
def test_a_fence_and_the_text_around_it_are_removed(
    value: Any, before: str, after: str, word: str, pretty: bool
) -> None:
    text = json.dumps(value, indent=2 if pretty else None)
    found = extract(f"{before}\n```{word}\n{text}\n```\n{after}")
    assert (found.value, found.text) == (value, text)
    assert found.repairs[0] == "code fence removed"
    assert ("text around it removed" in found.repairs) == bool((before + after).strip())


@given(CONTAINERS, PROSE, PROSE)
def test_the_last_value_in_prose_is_meant(value: Any, before: str, after: str) -> None:
    text = json.dumps(value)
    found = extract(f"x{before}{{}} or {text}{after}.")
    assert (found.value, found.repairs) == (value, ("text around the JSON removed",))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("\ufeff[1]", [1]),
        ("```json\n[1]", [1]),  # a fence that was never closed
        ("I [think] {so}: [1]", [1]),
        ("He's sure: [1]", [1]),
        ('[1 of them] and {"a": 1}', {"a": 1}),
        ("```\na\n```\n```json\n[1]\n```", [1]),
        ("~~~\n[1]\n~~~", [1]),
    ],
)
def test_what_is_no_json_around_it_does_no_harm(text: str, value: object) -> None:
    found = extract(text)
    assert found.value == value and found.repairs


@pytest.mark.parametrize(
    "text",
    [
        '{"a": {"b": 1}, "c":',  # cut off: what is complete in it is not the answer
        '{"a": {"b": 1},}',
        'Sure: {"a": {"b": 1}, "c": x}',
        'Sure: {"a": [1, 2], "c": "never closed}',
        "[[1], [2], ",
        "42 is the answer",
        "no JSON at all",
    ],
)
def test_a_part_of_a_broken_value_is_not_the_answer(text: str) -> None:
    found = extract(text)
    assert found.value is None
    assert [issue.rule for issue in found.issues] == ["syntax"]


@given(CONTAINERS.filter(bool), st.data())
def test_a_value_that_is_cut_off_is_never_read(value: Any, data: st.DataObject) -> None:
    text = json.dumps(value)
    cut = data.draw(st.integers(1, len(text) - 1))
    assert extract(text[:cut]).issues


@pytest.mark.parametrize(
    ("text", "rule", "path", "message"),
    [
        ('{"x": [{"a": 1, "a": 2}]}', "duplicate", ("x", 0), 'has the key "a" twice: write each key once'),
        ("[NaN]", "number", (), "holds NaN, which is no number of JSON: write a number, or null"),
        ("[-Infinity]", "number", (), "holds -Infinity, which is no number of JSON: write a number, or null"),
        ("[1e999]", "number", (), "holds the number 1e999, which is too large: write a smaller one"),
        ("9" * 2000, "number", (), "holds a whole number of 2,000 digits: write a shorter one"),
        (r'{"a": "\ud800"}', "text", ("a",), "holds half of a surrogate pair: write whole characters"),
        ('{"a\ud800": 1}', "text", (), "has a key with half of a surrogate pair: write whole characters"),
        ("[" * 200 + "]" * 200, "depth", (), "is nested deeper than 100: make it flatter"),
        ("", "syntax", (), "is empty: answer with JSON"),
        ("{'a': 1}", "syntax", (), "is not JSON: line 1, column 2: expecting a key in double quotes, at \"'a': 1}\""),
        ('{"a": 1', "syntax", (), "is not complete JSON: it ends where more must follow (expecting ',' delimiter)"),
    ],
)
def test_what_would_lose_or_break_something_is_an_issue(
    text: str, rule: str, path: tuple[Any, ...], message: str
) -> None:
    (issue,) = extract(text).issues
    assert (issue.rule, issue.path, issue.message) == (rule, path, message)


def test_a_whole_surrogate_pair_is_a_character() -> None:
    assert extract(r'["\ud83d\ude00"]').value == ["😀"]


ENDLESS = [
    "{", "[", '{"a":', '[{"a":', "{ ", '"', '{"', "[1,x ", '{"a" ', "`", "```\n", '{"a":1,"b":x}', "\\", '["\\"',
    "[1] ", "{x} ", "[1 see] ", '{"a":1}{', "\n", "```json\n{}\n",
]  # fmt: skip


@pytest.mark.parametrize("piece", ENDLESS)
def test_a_megabyte_of_anything_is_read_soon(piece: str) -> None:
    with processor_time_below(2):
        extract(piece * (1_000_000 // len(piece)))


def test_only_one_fence_is_the_answers() -> None:
    assert fence("```\na\n```") == ("a", False)
    assert fence("```\na\n```\n```\nb\n```") is None
    assert fence("```\na") is None


def test_kinds_say_what_a_value_in_prose_may_be() -> None:
    assert last_value('{"a": 1} [2]', (dict,)) == '{"a": 1}'
    assert last_value('{"a": 1} [2]', (dict, list)) == "[2]"


# Guesses.


@pytest.mark.parametrize(
    ("text", "value"), [('{"a": 1,}', {"a": 1}), ("{'a': 1}", {"a": 1}), ('{"a": [1, 2', {"a": [1, 2]})]
)
def test_guesses_are_made_where_they_are_asked_for_and_say_so(text: str, value: object) -> None:
    pytest.importorskip("json_repair", reason="needs the extra [repair]")
    assert extract(text).issues
    found = extract(text, repair=True)
    assert found.value == value
    assert found.repairs[0].startswith("guessed: what was meant, for the answer is not ")


@pytest.mark.parametrize("text", ["[1]", '{"a": 1, "a": 2}', "[NaN]", "no brackets", "", "x [1] x"])
def test_nothing_is_guessed_where_the_answer_can_be_read_or_holds_nothing(text: str) -> None:
    assert extract(text, repair=True) == extract(text)


def test_without_the_extra_guessing_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llmkit.structured.extract.find_spec", lambda name: None)
    monkeypatch.setitem(sys.modules, "json_repair", None)
    with pytest.raises(MissingExtraError, match=r"llmkit\[repair\]"):
        extract("{'a': 1}", repair=True)


@given(st.text(st.characters()) | st.text("{}[]\",:01ae\\u `\n'", max_size=80))
def test_no_text_raises_even_where_guessing_is_allowed(text: str) -> None:
    found = extract(text, repair=True)
    assert bool(found.issues) == (found.value is None and found.text.strip() != "null")
