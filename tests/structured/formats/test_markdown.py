# ruff: noqa: E501  (a table's row is one line)
"""Markdown: read, written, and held to by a decoder."""

from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from llmkit.errors import UsageError
from llmkit.structured.format import UnsupportedShape
from llmkit.structured.formats.markdown import MarkdownFormat, markdown_format
from llmkit.structured.registry import Source
from tests.structured.engine import accepts, rejects
from tests.structured.walk import walk
from tests.timing import processor_time_below

REPORT = """# Report on {topic}

## Summary
What happened.

## Findings
<!-- items: 2..4 -->
- One a line.

## Steps
1. Do.

### Prices
<!-- rows: ..3 -->
| product | price |
|---------|-------|

## Settings <!-- optional -->
<!-- parsed -->
```json
```

## Notes <!-- optional -->
<!-- free -->

## Close
{goodbye}

<!-- name: code -->
```
```
"""
GOOD = """# Report on tea

## Summary

All is **well**.

## Findings

- One
- Two

## Steps

1. Boil
2. Pour

### Prices

| product | price |
| --- | --- |
| Pot | 3 |

## Settings

```json
{"a": 1}
```

## Notes

Some text.

- with a list

## Close

Bye

```
x
```"""
VALUE = {
    "topic": "tea",
    "Summary": "All is **well**.",
    "Findings": ["One", "Two"],
    "Steps": ["Boil", "Pour"],
    "Prices": [{"product": "Pot", "price": "3"}],
    "Settings": '{"a": 1}',
    "Notes": "Some text.\n\n- with a list",
    "goodbye": "Bye",
    "code": "x",
}


def form(skeleton: str = REPORT) -> MarkdownFormat:
    return markdown_format(skeleton, Source())


def issues(text: str, skeleton: str = REPORT) -> list[tuple[str, str, str]]:
    parsed = form(skeleton).parse(text)
    assert parsed.value is None
    return [(issue.at, issue.rule, issue.message) for issue in parsed.issues]


def test_an_answer_becomes_a_mapping_in_the_documents_order() -> None:
    parsed = form().parse(GOOD)
    assert (parsed.value, parsed.issues, parsed.repairs) == (VALUE, (), ())
    assert list(parsed.value or {}) == list(VALUE)


def test_what_commonmark_writes_in_other_ways_is_read_alike() -> None:
    text = GOOD.replace("- One\n- Two", "* One\n\n*   Two").replace("1. Boil\n2.", "3) Boil\n3)")
    text = text.replace("## Summary\n\nAll is", "##   Summary ##\nAll\n   is").replace("| Pot | 3 |", "Pot|3")
    text = text.replace('```json\n{"a": 1}\n```', '~~~~ json title=x\n{"a": 1}\n~~~~').replace("\n", "\r\n")
    assert form().parse(text).value == VALUE


def test_an_optional_section_has_no_key() -> None:
    start, end = GOOD.index("## Settings"), GOOD.index("## Close")
    parsed = form().parse(GOOD[:start] + GOOD[end:])
    assert parsed.value == {key: value for key, value in VALUE.items() if key not in ("Settings", "Notes")}


@pytest.mark.parametrize(
    ("before", "after", "repairs"),
    [
        ("```markdown\n", "\n```", ("code fence removed",)),
        ("```\n", "\n```\n", ("code fence removed",)),
        ("````md\n", "\n````", ("code fence removed",)),
        ("Sure:\n\n```markdown\n", "\n```\nBye.", ("code fence removed", "text around the Markdown removed")),
        ("Sure, here it is:\n\n", "", ("text before the first heading removed",)),
        ("---\n\n", "\n\n---\n", ("text before the first heading removed", "rules between sections removed")),
    ],
)  # fmt: skip
def test_what_stands_around_the_sections_is_taken_away(before: str, after: str, repairs: tuple[str, ...]) -> None:
    parsed = form().parse(before + GOOD + after)
    assert (parsed.value, parsed.issues, parsed.repairs) == (VALUE, (), repairs)


def test_an_outer_fence_that_was_cut_off_is_taken_away_too() -> None:
    parsed = form("# A\nx\n").parse("```markdown\n# A\n\nyes")
    assert (parsed.value, parsed.repairs) == ({"A": "yes"}, ("code fence removed",))


def test_text_after_the_last_section_is_no_repair_for_the_last_section_ends_nowhere() -> None:
    assert issues(GOOD + "\n\nAnything else?")[0][:2] == ("Close", "unexpected")


@pytest.mark.parametrize(
    ("old", "new", "at", "rule", "message"),
    [
        ("# Report on tea", "# Tea", "Report on {topic}", "required", "the heading '# Report on {topic}' is missing"),
        ("## Summary", "### summary:", "Summary", "required", "the heading '## Summary' is missing; write it so, not '### summary:' (line 3)"),
        ("## Summary\n\nAll is **well**.\n\n", "", "Summary", "required", "the heading '## Summary' is missing"),
        ("## Steps", "## More\n\n## Steps", "More", "unexpected", "the heading '## More' is not wanted here (line 12)"),
        ("All is **well**.", "", "Summary", "required", "under '## Summary', one paragraph is wanted, and nothing stands"),
        ("All is", "- All is", "Summary", "shape", "under '## Summary', one paragraph is wanted, not a bullet list (line 5)"),
        ("**well**.", "well.\n\nMore.", "Summary", "unexpected", "under '## Summary', a paragraph follows one paragraph, and"),
        ("- One\n", "", "Findings", "min_items", "at least 2 items are wanted, not 1 (line 9)"),
        ("- One\n", "- One\n" * 4, "Findings", "max_items", "at most 4 items are wanted, not 5 (line 9)"),
        ("- One\n", "- One\n  - nested\n", "Findings[0]", "shape", "item 1 holds more than one paragraph of text (line 9)"),
        ("- One\n", "-\n", "Findings[0]", "shape", "item 1 is empty"),
        ("- One\n- Two", "1. One\n2. Two", "Findings", "shape", "under '## Findings', a bullet list is wanted, not a numbered list"),
        ("| product | price |", "| item | price |", "Prices", "shape", "the table's columns must be product, price, not item, price"),
        ("| Pot | 3 |", "| Pot | 3 | 4 |", "Prices[0]", "shape", "row 1 has 3 cells, and 2 are wanted (line 21)"),
        ("| Pot | 3 |", "| Pot |", "Prices[0]", "shape", "row 1 has 1 cells, and 2 are wanted (line 21)"),
        ("| Pot | 3 |", "| Pot | 3 |\n" * 4, "Prices", "max_rows", "at most 3 rows are wanted, not 4 (line 19)"),
        ("```json", "```yaml", "Settings", "shape", "the fenced block's language must be 'json', not 'yaml' (line 25)"),
        ("```json", "```", "Settings", "shape", "the fenced block's language must be 'json', and none is given (line 25)"),
        ('{"a": 1}', '{"a": 1', "Settings", "json", "the fenced block must hold JSON: Expecting ',' delimiter"),
        ("Some text.\n\n- with a list", "", "Notes", "required", "under '## Notes', text is wanted, and nothing stands there"),
        ("```\nx\n```", "```\nx", "code", "shape", "the fenced block is not closed (line 39)"),
        ("```\nx\n```", "", "code", "required", "under '## Close', a fenced block is wanted, and nothing stands there (line 35)"),
        ("Bye", "> Bye", "goodbye", "shape", "under '## Close', one paragraph is wanted, not a quote (line 37)"),
    ],
)  # fmt: skip
def test_each_issue_names_section_and_line(old: str, new: str, at: str, rule: str, message: str) -> None:
    assert old in GOOD
    found = issues(GOOD.replace(old, new, 1))
    assert found[0][:2] == (at, rule)
    assert found[0][2].startswith(message)
    assert "\n" not in found[0][2]
    if "Report" not in old:
        assert len(found) == 1


def test_a_section_in_the_wrong_place_is_told_so() -> None:
    skeleton = "# A\nx\n\n# B\ny\n"
    assert issues("# B\n\ny\n\n# A\n\nx", skeleton) == [
        ("B", "unexpected", "the heading '# B' is not wanted here (line 1)"),
        ("B", "order", "the heading '# B' stands in the wrong place (line 1)"),
    ]


def test_lines_are_those_of_the_answer() -> None:
    text = "So:\n```markdown\n" + GOOD.replace("- One\n", "") + "\n```"
    assert issues(text)[0][2] == "at least 2 items are wanted, not 1 (line 11)"


QUARTER = 1 << 18
HOSTILE = {
    "a megabyte": "# Report on x\n" + "x" * (1 << 20),
    "a megabyte of lines": "# Report on x\n" + "a\n" * (1 << 19),
    "items": "## Findings\n" + "- a\n" * 9_500,
    "headings": "# a\n" * 9_500,
    "paragraphs": "a\n\n" * 9_000,
    "table": "| product | price |\n|---|---|\n" + "|1|\n" * 9_500,
    "nested quotes": "# Report on x\n" + ">" * 10_000,
    "nested lists": "# Report on x\n\n## Summary\n\n" + "- " * 10_000,
    "indented lists": "".join(" " * depth + "- a\n" for depth in range(700)),
    "brackets": "# Report on x\n\n## Summary\n\n" + "[" * (QUARTER - 100),
    "stars": "# Report on x\n\n## Summary\n\n" + "*a " * (QUARTER // 4),
    "slashes": "# Report on x\n\n## Summary\n\n" + "\\" * (QUARTER - 100),
    "digits": "# Report on x\n\n## Summary\n\n" + "1" * (QUARTER - 100),
    "pipes": "# Report on x\n\n### Prices\n\n" + "|" * 9_000 + "\n" + "|-" * 9_000,
    "comments": "<!--" * 60_000,
    "fences": "```\n" * 9_500,
    "NUL": "# Report on \x00",
    "surrogate": "# Report on \ud800",
    "deep JSON": GOOD.replace('{"a": 1}', "[" * 10_000),
    "nothing": "",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_answer_is_an_ordinary_issue_and_soon(name: str) -> None:
    one, text = form(), HOSTILE[name]
    with processor_time_below(2):
        parsed = one.parse(text)
    assert 1 <= len(parsed.issues) <= 31
    assert all(len(issue.message) < 500 for issue in parsed.issues)


CHARACTERS = st.one_of(
    st.sampled_from("#>-+*_`~|\\1.): ab{}<![]"), st.characters(codec="utf-8", exclude_characters="\n\r\x00")
)
TEXT = st.text(CHARACTERS, min_size=1, max_size=12).map(str.strip).filter(bool)
STARTS = st.sampled_from(
    ["# a", "> a", "- a", "1. a", "12) b", "```", "~~~", "---", "***", "|-|", "\\# a", "\\- b", "+"]
)
LINE = st.one_of(TEXT, STARTS)
CELL = st.one_of(st.just(""), TEXT)
CODE = st.lists(st.one_of(st.text(CHARACTERS, max_size=8), STARTS, st.just("````"), st.just("")), max_size=4).map(
    "\n".join
)
FREE = st.lists(
    st.one_of(TEXT, st.sampled_from(["", "- a\n  - b", "```sh\n# x\n\n\n```", "~~~\n```\n~~~", "#tag", "| a |", "    x"])),
    min_size=1, max_size=4,
).map("\n\n".join)  # fmt: skip
REPORTS = st.fixed_dictionaries(
    {
        "topic": TEXT,
        "Summary": LINE,
        "Findings": st.lists(LINE, min_size=2, max_size=4),
        "Steps": st.lists(LINE, min_size=1, max_size=12),
        "Prices": st.lists(st.fixed_dictionaries({"product": CELL, "price": CELL}), max_size=3),
        "goodbye": LINE,
        "code": CODE,
    },
    optional={"Settings": st.sampled_from(['{"a": [1]}', "[\n\n 1]", "null"]), "Notes": FREE},
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(REPORTS)
def test_what_is_written_is_read_back_and_admitted_by_the_grammar(value: dict[str, Any]) -> None:
    one = form()
    try:
        text = one.render(value)
    except UsageError as error:
        # What Markdown cannot hold: a heading's last #s, free text with a heading or an open fence.
        assert "'topic'" in str(error) or "Notes" in str(error)
        assume(False)
    assert one.parse(text).value == value
    assert accepts(one.grammar(), text)


@settings(max_examples=300, deadline=None)
@given(LINE, CODE)
def test_any_line_and_any_code_can_be_written(line: str, code: str) -> None:
    value = {"A": line, "B": [line], "C": code}
    one = form("# A\nx\n# B\n- x\n# C\n```\n```\n")
    assert one.parse("Here:\n\n" + one.render(value)).value == value


@pytest.mark.parametrize(
    ("skeleton", "likely"),
    [
        ("# A\nx\n\n# B\nx\n", b"\n\n##-- |`>.1a:_*~\\+=)"),
        ("# A\n<!-- items: ..3 -->\n- x\n\n# B\n<!-- items: 2 -->\n1. x\n", b"\n\n#-- |`>.1a*\\+)"),
        ("# A\n<!-- rows: ..3 -->\n| x | y |\n|---|---|\n\n# B\n", b"\n|||  \\a#-"),
        ("# A {n}\n<!-- name: c -->\n```js\n```\n# No. {m}!\n{d}\n", b"\n\n\n`````````!!!!"),
        ("# A\n## B <!-- optional -->\nx\n## C <!-- optional -->\n{d}\n\n<!-- name: e -->\n* x\n", b"\n#-- CBa"),
    ],
)
def test_all_that_the_grammar_admits_is_valid(skeleton: str, likely: bytes) -> None:
    one, random = form(skeleton), Random(1)
    grammar = one.grammar()
    loose = {"text"} if grammar.unenforced else set()
    written = [text for _ in range(150) if (text := walk(grammar, random, likely, longest=200)) is not None]
    assert len(set(written)) >= 40
    for text in written:
        assert {issue.rule for issue in one.parse(text).issues} <= loose, text


def test_the_grammar_holds_to_the_shape() -> None:
    one = form()
    grammar = one.grammar()
    assert grammar.unenforced == ("Settings: json", "Notes: text")
    assert set(grammar.unenforced) <= set(one.rules)
    assert accepts(grammar, GOOD)
    for bad in (
        GOOD.replace("- One\n", ""), GOOD.replace("Report on", "On"), GOOD[:-1], GOOD + "\n", "x\n" + GOOD,
        GOOD.replace("All is", "- All is"), GOOD.replace("| Pot", "| Pot |"), GOOD.replace("json", "yaml"),
        GOOD.replace("Some text.", "# Some text."),
    ):  # fmt: skip
        assert rejects(grammar, bad)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"Summary": 1}, "Summary must be text, not 1"),
        ({"Summary": "a\n\nb"}, "the value is not of the form: Summary: under '## Summary', a paragraph follows"),
        ({"Summary": " a"}, "Markdown cannot hold the value of 'Summary': it would be read otherwise"),
        ({"topic": "x #"}, "Markdown cannot hold the value of 'topic'"),
        ({"Findings": ["one"]}, "the value is not of the form: Findings: at least 2 items"),
        ({"Findings": "one"}, "Findings must be a list"),
        ({"Prices": [{"product": "x"}]}, "a row of Prices must have the keys product, price"),
        ({"Prices": [{"product": "x\ny", "price": ""}]}, "the value is not of the form: Prices"),
        ({"code": "``````"}, "code holds a fence of more than 4 backticks"),
        ({"Notes": "# x"}, "the value is not of the form: "),
        ({"More": "x"}, "the value has the key 'More', for which there is no place"),
    ],
)  # fmt: skip
def test_a_value_that_the_form_cannot_hold_is_not_written(change: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        form().render({**VALUE, **change})
    assert str(caught.value).startswith(message)


def test_rules_are_the_shape_and_each_limit() -> None:
    assert form().rules == (
        "shape", "Findings: min_items", "Findings: max_items", "Steps: min_items", "Prices: min_rows",
        "Prices: max_rows", "Settings: json", "Notes: text",
    )  # fmt: skip


def test_the_description_shows_the_skeleton_and_says_the_limits() -> None:
    text = form().describe()
    assert "# Report on {topic}" in text
    assert "- {2 to 4 items, each one line: One a line.}" in text
    assert "| product | price |\n| --- | --- |\n{0 to 3 rows}" in text
    assert text.endswith("May be left out: ## Settings, ## Notes")


def test_definitions_differ_where_the_form_does_and_not_by_hints() -> None:
    definition = form().definition()
    assert form(REPORT.replace("What happened.", "Why.")).definition() == definition
    for old, new in (
        ("2..4", "2..5"),
        ("price", "cost"),
        ("json", "yaml"),
        ("1. Do", "- Do"),
        (" <!-- optional -->", ""),
    ):
        assert form(REPORT.replace(old, new, 1)).definition() != definition


def test_no_provider_guarantees_markdown() -> None:
    with pytest.raises(UnsupportedShape, match="openai has structured output for JSON alone"):
        form().native("openai")
