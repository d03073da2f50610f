from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from llmkit.documents import Tagged, parse_foreign_yaml, parse_yaml, parse_yaml_value, read_yaml
from llmkit.errors import DocumentError
from tests.timing import processor_time_below


def fails(text: str) -> str:
    with pytest.raises(DocumentError) as caught:
        parse_yaml(text, path=Path("s.yaml"))
    return str(caught.value)


def value(text: str) -> Any:
    return parse_yaml(f"a: {text}").data["a"]


@pytest.mark.parametrize(
    "word", ["no", "yes", "on", "off", "y", "n", "1:30", "2024-01-01", "1_000", "0b1", "=", "0x", "1e"]
)
def test_what_yaml_1_1_turns_into_something_else_stays_text(word: str) -> None:
    assert value(word) == word


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("true", True), ("False", False), ("TRUE", True), ("null", None), ("~", None), ("", None),
        ("012", 12), ("0o14", 12), ("0xC", 12), ("-3", -3), ("+3", 3), ("1.", 1.0), (".5", 0.5), ("1e3", 1000.0),
        ("'1'", "1"), ('"true"', "true"), ("!!str 1", "1"), ("!!float 1", 1.0), ("18446744073709551615", 2**64 - 1),
    ],
)  # fmt: skip
def test_the_core_schema_of_yaml_1_2_decides_types(word: str, expected: object) -> None:
    assert value(word) == expected
    assert type(value(word)) is type(expected)


@pytest.mark.parametrize("word", [".nan", ".inf", "-.INF", "1e999"])
def test_numbers_that_are_not_finite_are_refused(word: str) -> None:
    assert fails(f"\na: {word}") == "s.yaml:2: not a finite number. NaN and infinity have no place here"


@pytest.mark.parametrize("word", ["18446744073709551616", "-9223372036854775809", "9" * 5000, "0x" + "f" * 5000])
def test_whole_numbers_beyond_64_bits_are_refused(word: str) -> None:
    assert "beyond 64 bits" in fails(f"a: {word}")


def test_a_duplicate_key_names_both_lines() -> None:
    assert fails("a: 1\nb: 2\na: 3") == "s.yaml:3: the key 'a' stands twice, here and in line 1. Remove one of them"


def test_a_duplicate_key_deep_inside_is_found_and_equal_keys_of_siblings_are_not() -> None:
    parse_yaml("l: [{a: 1}, {a: 2}]")
    assert fails("l:\n - a: 1\n   'a': 2").startswith("s.yaml:3: the key 'a' stands twice")


def test_lines_of_keys_and_items_are_known() -> None:
    document = parse_yaml("# c\na:\n  b: 1\n  c:\n    - x\n    - y: 2\n", path=Path("s.yaml"), first_line=10)
    assert [document.lines[k] for k in [("a",), ("a", "b"), ("a", "c", 0), ("a", "c", 1), ("a", "c", 1, "y")]] == [
        11, 12, 14, 15, 15
    ]  # fmt: skip
    assert document.where("a", "c", 1, "y", "z") == "s.yaml:15"


def test_aliases_work_and_share_nothing() -> None:
    data = parse_yaml("a: &x {k: [1]}\nb: *x").data
    assert data["b"] == {"k": [1]}
    data["a"]["k"].append(2)
    assert data["b"] == {"k": [1]}


def test_an_alias_bomb_is_an_error_soon() -> None:
    rows = ["a: &a [x,x,x,x,x,x,x,x,x]"]
    rows += [f"{c}: &{c} [{','.join(['*' + p] * 9)}]" for p, c in zip("abcdefgh", "bcdefghi", strict=True)]
    with processor_time_below(5):
        assert "more than 200,000 values" in fails("\n".join(rows))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: &x [*x]", "s.yaml:1: the alias *x stands inside its own anchor"),
        ("a: *x", "s.yaml:1: the alias *x has no anchor &x above it"),
        ("b: &x 1\n*x : 2", "s.yaml:2: an alias as a key. Write the key out"),
        ("a: !!python/object/apply:os.system [x]", "the tag !!python/object/apply:os.system is not read"),
        ("a: !mine x", "the tag !mine is not read"),
        ("a: !!binary aGk=", "the tag !!binary is not read"),
        ("a: !!int x", "s.yaml:1: 'x' is not of its tag !!int"),
        ("1: x", "s.yaml:1: the key 1 is not text. Quote it: '1'"),
        ("true: x", "the key true is not text"),
        ("? [a]\n: x", "a key that is a list or mapping"),
        ("a: {{name}}", "a key that is a list or mapping. Quote a template such as '{{name}}'"),
        ("x: &b {c: 1}\na:\n  <<: *b", "s.yaml:3: merge keys (<<) are not read"),
        ("a: 1\n---\nb: 2", "s.yaml:2: a second document starts here"),
        ("- a", "s.yaml:1: the top level is a list, not a mapping"),
        ("\nword", "s.yaml:2: the top level is a single value, not a mapping"),
        (
            "a:\n\t- b",
            "s.yaml:2: not YAML: found character '\\t' that cannot start any token. YAML indents with spaces",
        ),
        ("a: b: c", "s.yaml:1: not YAML: mapping values are not allowed here. Quote a value that holds ': '"),
        ("a: 1\nb: 'x\nc: 2", "s.yaml:2: not YAML: found unexpected end of stream. A quote"),
        ("a: [1,\nb", "s.yaml:1: not YAML: expected ',' or ']'"),
        ("a: \x01", "s.yaml:1: the character U+0001 is not allowed in YAML"),
        ('a: "\\ud83d"', "half of a surrogate pair"),
        ("\na:\n  - b\n c: 1", "s.yaml:4: not YAML: "),
    ],
)
def test_what_cannot_be_read_is_one_line_with_its_place(text: str, message: str) -> None:
    assert message in fails(text)
    assert "\n" not in fails(text)


def test_an_escaped_surrogate_pair_is_one_character() -> None:
    assert value('"\\ud83d\\ude00"') == "😀"


def test_empty_text_is_an_empty_mapping() -> None:
    assert parse_yaml("# nothing\n").data == {}


@pytest.mark.parametrize(
    "text", ["a: " + "[" * 50_000, "a: " + "{a: " * 3000, "\n".join(" " * i + "a:" for i in range(500))]
)
def test_deep_nesting_is_an_error_and_no_crash(text: str) -> None:
    assert "nested more than 100 deep" in fails(text)


def test_a_tag_or_anchor_on_a_key_does_not_pass_unseen() -> None:
    assert "an anchor on a key" in fails("&k a: 1")


def test_a_file_is_read_with_its_path(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_bytes(b"\xef\xbb\xbfname: x\r\nb: 'c\r\n")
    with pytest.raises(DocumentError, match=r"s\.yaml:2: not YAML"):
        read_yaml(tmp_path / "s.yaml")


# YAML 1.2 ends an implicit key after 1,024 characters (§7.4.2), and JSON escapes one character in up to 12.
keys = st.text(max_size=80)
plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=10,
)


@given(st.dictionaries(keys, plain, max_size=4))
def test_what_json_writes_is_read_back(data: dict[str, Any]) -> None:
    import json

    text = json.dumps(data)
    assert parse_yaml(text.replace("\x7f", "\\u007f")).data == data


@given(st.text(alphabet="abk:-[]{}&*!|>'\"#, \n\t1.", max_size=40))
def test_any_text_is_read_like_the_reference_or_refused_in_one_line(text: str) -> None:
    try:
        data = parse_yaml(text).data
    except DocumentError as error:
        assert "\n" not in str(error)
        return
    # BaseLoader leaves every scalar as text: the structure and the keys must agree.
    reference = yaml.load(text, yaml.BaseLoader)
    assert _shape(data) == _shape(reference if isinstance(reference, dict) else {})


def _shape(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _shape(item) for key, item in value.items()}
    return [_shape(item) for item in value] if isinstance(value, list) else None


@pytest.mark.parametrize(
    ("text", "expected"), [("- 1\n- a", [1, "a"]), ("2024-01-01", "2024-01-01"), ("", None), ("a: 1", {"a": 1})]
)
def test_a_value_may_be_of_any_type_at_its_top(text: str, expected: Any) -> None:
    assert parse_yaml_value(text) == expected


def test_a_values_mistakes_have_their_line() -> None:
    with pytest.raises(DocumentError, match="line 2: the key 'a' stands twice"):
        parse_yaml_value("a: 1\na: 2")


def test_a_file_of_another_tool_keeps_its_tags_and_may_be_a_list() -> None:
    data, lines = parse_foreign_yaml("- a: !function utils.score\n- !x 1\n- no\n", path=Path("t.yaml"))
    assert data == [{"a": Tagged("!function", "utils.score")}, Tagged("!x", "1"), "no"]
    assert (lines[0, "a"], lines[(1,)]) == (1, 2)


def test_of_another_tool_too_a_list_under_a_tag_and_broken_yaml_are_refused() -> None:
    for text in ("a: !x [1]", "a: [1", "a: 1\na: 2"):
        with pytest.raises(DocumentError):
            parse_foreign_yaml(text)
