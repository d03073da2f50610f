"""YAML of JSON's types, free or under a schema."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmkit.structured.format import Context
from llmkit.structured.formats.yaml import YamlFormat
from llmkit.structured.registry import Source, create
from llmkit.structured.schema import Schema, schema_of
from tests.structured.engine import accepts
from tests.structured.schema.strategies import JSON, PAIRS, Pair
from tests.timing import processor_time_below

FREE = YamlFormat(Schema(True))
EVENT = YamlFormat(
    schema_of(
        {
            "type": "object",
            "properties": {"day": {"type": "string"}, "n": {"type": "integer", "minimum": 1}},
            "required": ["day"],
        }
    )
)


@given(JSON)
def test_any_json_is_read_as_it_is_rendered(value: Any) -> None:
    assert FREE.parse(FREE.render(value)).value == value


@settings(deadline=None)
@given(PAIRS, st.data())
def test_what_is_rendered_is_read_again_and_the_decoder_can_write_it(pair: Pair, data: st.DataObject) -> None:
    schema, values = pair
    form, value = YamlFormat(schema_of(schema)), data.draw(values)
    parsed = form.parse(form.render(value))
    assert (parsed.value, parsed.issues) == (value, ())
    assert accepts(form.grammar(), form.render(value))


@pytest.mark.parametrize(
    ("text", "repairs"),
    [
        ("day: 2024-01-01\nn: 1", ()),
        ("\ufeffday: 2024-01-01\nn: 1", ("byte order mark removed",)),
        ("```yaml\nday: 2024-01-01\nn: 1\n```", ("code fence removed",)),
        ("Here:\n```\nday: 2024-01-01\nn: 1\n```", ("code fence removed", "text around it removed")),
        ('{"day": "2024-01-01", "n": 1}', ()),
    ],
)
def test_dates_stay_text_and_fences_go(text: str, repairs: tuple[str, ...]) -> None:
    parsed = EVENT.parse(text)
    assert (parsed.value, parsed.repairs) == ({"day": "2024-01-01", "n": 1}, repairs)


def test_the_schema_speaks_as_for_json() -> None:
    (issue,) = EVENT.parse("day: no\nn: 0").issues
    assert (issue.at, issue.rule, issue.message) == ("n", "minimum", "must be at least 1")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("a: 1\na: 2", "line 2: the key 'a' stands twice"),
        ("a: !!python/object/apply:os.system [id]", "the tag !!python/object/apply:os.system is not read"),
        ("<<: {a: 1}", "merge keys"),
        ("a: .nan", "not a finite number"),
        ("a: [", "line 1: not YAML"),
        ("", "the answer is empty"),
        ("a: \x00", r"U+0000 is not allowed"),
        ("a: \ud800", "U+D800 is not allowed"),
        ('{"a": 1, "a": 2}', 'has the key "a" twice'),
        ("- " * 200, "nested more than 100 deep"),
        ("x" * 70_000, "longer than 60,000 characters"),
    ],
)
def test_what_is_not_read_is_an_issue(text: str, what: str) -> None:
    (issue,) = FREE.parse(text).issues
    assert issue.rule in ("syntax", "duplicate") and what in issue.message


def test_a_bomb_of_aliases_is_an_issue_soon() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 30)]
    with processor_time_below(3):
        (issue,) = FREE.parse("\n".join(lines)).issues
        assert "aliases written out" in issue.message


@given(st.text(st.characters()) | st.text('{}[]",:01ae-&*!|>#?\n ', max_size=60))
def test_no_text_raises(text: str) -> None:
    FREE.parse(text, Context())


def test_by_name(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text("type: array\n")
    form = create("yaml:s.yaml", Source(tmp_path))
    assert form.describe() == "Answer with YAML of this form and nothing else:\n[<anything>, …]"
    assert form.parse("- 1").value == [1] and not form.parse("a: 1").valid
    assert create("yaml", Source(tmp_path)).definition() == {"format": "yaml", "schema": True}
