"""XML: read, written, and held to by a decoder."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llmkit.errors import UsageError
from llmkit.structured.format import Context, UnsupportedShape
from tests.structured.engine import accepts
from tests.structured.xml.order import GOOD, ORDER, VALUE, XML_TEXT, form
from tests.timing import processor_time_below


def issues(text: str, spec: Mapping[str, Any] = ORDER, **context: Any) -> list[tuple[str, str, str]]:
    parsed = form(spec).parse(text, Context(**context))
    assert parsed.value is None
    return [(issue.at, issue.rule, issue.message) for issue in parsed.issues]


def test_an_answer_becomes_a_mapping() -> None:
    parsed = form().parse(GOOD)
    assert (parsed.value, parsed.issues, parsed.repairs, parsed.text) == (VALUE, (), (), GOOD)


@pytest.mark.parametrize(
    ("before", "after", "repairs"),
    [
        ("```xml\n", "\n```\n", ("code fence removed",)),
        ("```\n", "\n```", ("code fence removed",)),
        ("```xml\n", "", ("code fence removed",)),
        ("Here it is:\n```xml\n", "\n```\nAnything else?", ("code fence removed", "text around the XML removed")),
        ("Sure. ", " Bye", ("text around the XML removed",)),
        ('<?xml version="1.0" encoding="latin-1"?>\n', "\n", ()),
        ("<!-- mine -->", "<!-- end -->", ()),
        ("\ufeff\n  ", "\n", ("text around the XML removed",)),
    ],
)  # fmt: skip
def test_what_stands_around_the_element_is_taken_away(before: str, after: str, repairs: tuple[str, ...]) -> None:
    parsed = form().parse(before + GOOD + after)
    assert (parsed.value, parsed.issues, parsed.repairs, parsed.text) == (VALUE, (), repairs, GOOD)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("\n  two\n  lines \n", "two\n  lines"),
        ("&#32;a&#32;", " a "),
        ("<![CDATA[ a < b & c ]]>", " a < b & c "),
        ("a<!-- comment -->b", "ab"),
        ("&#x1F600;&quot;&apos;", "😀\"'"),
        ("a\r\nb", "a\nb"),
    ],
)
def test_blanks_at_the_ends_are_layout_unless_they_are_escaped(written: str, value: str) -> None:
    assert form({"a": "string"}).parse(f"<a>{written}</a>").value == {"a": value}


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("integer", {"1": 1, " -07 ": -7, "+3": 3}, ["1.0", "", "1e3", "١", "1_0", "9" * 301]),
        ("number", {"1": 1, "1.50": 1.5, ".5": 0.5, "-2e3": -2000.0, "-0.0": 0.0}, ["NaN", "1e300", "1e999999999"]),
        ("boolean", {"true": True, "0": False}, ["True", "yes", ""]),
        ("date", {"2024-02-29": "2024-02-29"}, ["2023-02-29", "20240229", "2024-W01-1", "0000-01-01", "1.1.2024"]),
        ("empty", {"": None, " \n": None}, []),
    ],
)  # fmt: skip
def test_types_are_read_as_xml_schema_writes_them(kind: str, good: dict[str, Any], bad: list[str]) -> None:
    spec = {"a": kind}
    assert {text: form(spec).parse(f"<a>{text}</a>").value for text in good} == {t: {"a": v} for t, v in good.items()}
    assert [issues(f"<a>{text}</a>", spec)[0][:2] for text in bad] == [("a", "type")] * len(bad)


@pytest.mark.parametrize(
    ("old", "new", "at", "rule", "message"),
    [
        (' id="3"', "", "order.@id", "required", "the attribute 'id' of <order> is missing (line 1)"),
        ('id="3"', 'id="x"', "order.@id", "type", "must be a whole number (line 1)"),
        ('id="3"', 'id="3" a="1"', "order.@a", "unexpected", "<order> has no attribute 'a'; it has id, lang (line 1)"),
        ("a&amp;b@", "A@", "order.email", "pattern", r"must match the pattern [a-z.&]+@[a-z]+\.[a-z]{2,} (line 2)"),
        ("<price>10", "<price>-1", "order.item[1].price", "minimum", "must be at least 0 (line 9)"),
        ("    <price>10</price>\n", "", "order.item[1].price", "required", "<price> is missing in <item> (line 7)"),
        (">blue<", ">much too long<", "order.item[1].note", "max_length", "must have at most 8 characters, not 13"),
        ('sku="A"', 'sku=""', "order.item[0].@sku", "min_length", "must have at least 1 character, not 0 (line 3)"),
        ("<size>S", "<size>XS", "order.size", "enum", "must be one of S,"),
        ("<name>Pot", "<b/><name>Pot", "order.item[1].b", "unexpected", "<b> has no place in <item>, which holds"),
        ("<ok>true</ok>", "<ok>true</ok><ok>1</ok>", "order.ok", "unexpected", "only one <ok> is wanted in <order>"),
        ("  <ok>", "  and <ok>", "order", "mixed", "text has no place in <order>, which holds elements only (line 1)"),
        ("  <ok>", "  <gift/><ok>", "order.gift", "order", "<gift> must stand before <day>: the order is email, item"),
        ("  <ok>", "  <age>1</age><age>2</age><age>3</age><age>4</age><ok>", "order.age", "max", "at most 3 <age> may"),
    ],
)  # fmt: skip
def test_each_issue_says_where_and_what_is_wanted(old: str, new: str, at: str, rule: str, message: str) -> None:
    assert old in GOOD
    found = issues(GOOD.replace(old, new, 1))
    assert [each[:2] for each in found] == [(at, rule)]
    assert found[0][2].startswith(message)


def test_an_issue_holds_the_offending_value() -> None:
    (issue,) = form().parse(GOOD.replace(">10<", ">ten<")).issues
    assert issue.value == "ten"


def test_lines_are_those_of_the_answer() -> None:
    assert issues("One\ntwo\n```xml\n" + GOOD.replace(">10<", ">ten<") + "\n```")[0][2] == "must be a number (line 12)"


def test_any_order_is_any_order() -> None:
    children = {"a": "integer", "b": {"many": True}, "c": {"optional": True}}
    spec = {"r": {"order": "any", "children": children}}
    parsed = form(spec).parse("<r><b>x</b><c/><a>1</a><b>y</b></r>")
    assert parsed.value == {"r": {"a": 1, "b": ["x", "y"], "c": ""}}
    assert [each[1] for each in issues("<r><b>x</b><a>1</a></r>", {"r": {"children": children}})] == ["order"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "one element <order> is wanted, and the answer holds no XML"),
        ("I cannot help.", "one element <order> is wanted, and the answer holds no XML"),
        ("<orders></orders>", "one element <order> is wanted, and the answer begins with <orders>"),
        ("<order><a>", "the XML ends before <a> is closed"),
        ("```xml\n<order>\n<item>\n```", "the XML ends before <item> is closed"),
        ("<order>\n<a></b></order>", "an end tag on line 2 is not that of <a>"),
        ("<order/><order/>", "only one <order> is wanted, and more follows on line 1"),
        ("<order>\n&nbsp;</order>", "an entity on line 2 is unknown: there are &amp; &lt; &gt; &quot; &apos;"),
        ("<order>\n<email>a & b</email></order>", "not XML on line 2, in <email>: not well-formed (invalid token)"),
        ('<order a="1" a="2"/>', "an attribute stands twice in a tag on line 1"),
        ("<order><![CDATA[</order>", "a CDATA section on line 1 is not closed"),
        ("<order>\n\x00</order>", "the character U+0000 on line 2 has no place in XML"),
        ("<order>\ud800</order>", "the character U+D800 on line 1 has no place in XML"),
        ("<order><?php x ?></order>", "a processing instruction (<?…?>) on line 1 is not accepted; leave it out"),
        ("<?php x ?><order/>", "a processing instruction (<?…) is not accepted; leave it out"),
        ('<!DOCTYPE order SYSTEM "file:///etc/passwd"><order/>', "a document type (<!DOCTYPE…) is not accepted; leave"),
        ('<!DOCTYPE a [<!ENTITY x "y">]><order>&x;</order>', "a document type (<!DOCTYPE…) is not accepted; leave"),
        ('<!ENTITY x "y"><order>&x;</order>', "a document type (<!ENTITY…) is not accepted; leave"),
        ("<order" + "><a" * 200, "elements are nested more than 100 deep on line 1"),
    ],
)  # fmt: skip
def test_what_is_not_xml_is_an_issue_that_helps(text: str, message: str) -> None:
    ((at, rule, said),) = issues(text)
    assert (at, rule) == ("", "syntax")
    assert said.startswith(message)
    assert "\n" not in said


def test_a_stray_ampersand_is_mended_where_guesses_are_allowed() -> None:
    spec, text = {"a": "string"}, "<a>salt & pepper &lt; <!-- & --></a>"
    assert issues(text, spec)[0][1] == "syntax"
    parsed = form(spec).parse(text, Context(repair=True))
    assert (parsed.value, parsed.repairs) == ({"a": "salt & pepper <"}, ("guessed: & written as &amp;",))
    assert issues("<a>x & y</b>", spec, repair=True)[0][2].startswith("not XML on line 1, in <a>")


MEGABYTE = 1 << 20
HOSTILE = {
    "deep": "<order>" * 10_000,
    "deep and closed": "<order>" + "<a>" * 10_000 + "</a>" * 10_000 + "</order>",
    "wide": "<order>" + "<item/>" * (MEGABYTE // 7) + "</order>",
    "wide and unknown": "<order>" + "<x/>" * (MEGABYTE // 4) + "</order>",
    "text": "<order>" + "x" * MEGABYTE + "</order>",
    "references": "<order>" + "&lt;" * (MEGABYTE // 4) + "</order>",
    "blanks": "<order>" + "\n " * (MEGABYTE // 2),
    "starts": "<order " * (MEGABYTE // 7),
    "ends": "<order>" + "</order " * (MEGABYTE // 8),
    "comments": "<!--" * (MEGABYTE // 8) + "<order>" + "<!--" * (MEGABYTE // 8),
    "fences": "```\n" * (MEGABYTE // 4) + "<order>\n" + "```\n" * 9,
    "quotes": "<order " + "\"'" * (MEGABYTE // 2),
    "attributes": "<order " + " ".join(f'a{n}=""' for n in range(MEGABYTE // 10)) + "/>",
    "declarations": "<?xml " * (MEGABYTE // 6) + "<order/>",
    "huge": "<order>" + "x" * (5 << 20) + "</order>",
    "laughs": "<!DOCTYPE l [<!ENTITY a 'ha'>"
    + "".join(f"<!ENTITY {b} '{f'&{a};' * 10}'>" for a, b in zip("abcdefgh", "bcdefghi", strict=True))
    + "]><order>&i;</order>",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_answer_is_an_ordinary_issue_and_soon(name: str) -> None:
    one, text = form(), HOSTILE[name]
    with processor_time_below(2):
        parsed = one.parse(text)
    assert 1 <= len(parsed.issues) <= 31
    assert all(len(issue.message) < 500 for issue in parsed.issues)


def test_a_catastrophic_pattern_is_an_ordinary_issue_and_soon() -> None:
    spec = {"r": {"children": {"a": {"many": True, "pattern": "(a|aa)+b"}}}}
    with processor_time_below(1):
        found = issues("<r>" + f"<a>{'a' * 40}</a>" * 50 + "</r>", spec)
    assert found[-1][2].startswith("its pattern takes too long on this text")


NUMBERS = st.one_of(st.integers(-(10**30), 10**30), st.floats(-1e299, 1e299, allow_nan=False))


def optional(name: str, values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.one_of(st.just({}), values.map(lambda value: {name: value}))


def merged(*parts: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.tuples(*parts).map(lambda found: {key: value for part in found for key, value in part.items()})


ITEMS = merged(
    st.fixed_dictionaries({"@sku": XML_TEXT.map(lambda text: text[:5] or "x"), "name": XML_TEXT}),
    st.fixed_dictionaries({"price": NUMBERS.map(abs)}),
    optional("note", XML_TEXT),
)
ORDERS = merged(
    st.fixed_dictionaries({"@id": st.integers(-(10**99), 10**99)}),
    optional("@lang", st.from_regex("[a-z]{2}", fullmatch=True)),
    st.fixed_dictionaries(
        {
            "email": st.from_regex(r"[a-z.&]{1,5}@[a-z]{1,5}\.[a-z]{2,5}", fullmatch=True),
            "item": st.lists(ITEMS, min_size=1, max_size=3),
            "size": merged(
                st.fixed_dictionaries({"#text": st.sampled_from(["S", " M & L ", ""])}),
                optional("@unit", st.sampled_from(["cm", '"'])),
            ),
            "day": st.dates().map(lambda day: day.isoformat()),
            "age": st.lists(st.integers(-5, 120), max_size=3),
            "ok": st.booleans(),
        }
    ),
    optional("gift", st.none()),
).map(lambda value: {"order": value})


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ORDERS)
def test_what_is_written_is_read_back_and_admitted_by_the_grammar(value: dict[str, Any]) -> None:
    one = form()
    text = one.render(value)
    assert one.parse(text).value == value
    assert accepts(one.grammar(), text)


@settings(max_examples=200, deadline=None)
@given(XML_TEXT)
def test_texts_in_fences_are_read_back(text: str) -> None:
    one = form({"a": {"attributes": {"b": "string"}}})
    value = {"a": {"@b": text, "#text": text}}
    assert one.parse(f"So:\n```xml\n{one.render(value)}\n```").value == value


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, "the value must be a mapping with the one key 'order'"),
        ({"order": {**VALUE["order"], "@id": "3"}}, "order.@id: '3' must be a whole number"),
        ({"order": {**VALUE["order"], "more": 1}}, "order must be a mapping with keys of"),
        ({"order": {**VALUE["order"], "item": "x"}}, "order.item must be a list"),
        ({"order": {**VALUE["order"], "item": []}}, "the value is not of the form: order.item: at least 1 <item> must"),
        ({"order": {**VALUE["order"], "email": "\x00"}}, "order.email: XML cannot hold the character U+0000"),
        ({"order": {**VALUE["order"], "gift": 1}}, "order.gift is empty: its value is None, not 1"),
    ],
)  # fmt: skip
def test_a_value_that_is_not_of_the_form_is_not_written(value: Any, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        form().render(value)
    assert str(caught.value).startswith(message)


def test_the_description_shows_the_shape_and_says_the_limits() -> None:
    text = form().describe()
    assert '<item sku="TEXT">' in text
    assert "- order.item[].note: may be left out; at most 8 characters" in text
    assert "- order.age: 0 to 3 times; -5 to 120" in text


def test_no_provider_guarantees_xml() -> None:
    with pytest.raises(UnsupportedShape, match="openai has structured output for JSON alone"):
        form().native("openai")
