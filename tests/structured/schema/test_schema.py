"""Schemas: what is taken, what is refused and where, where references lead, and what is said of a value."""

from __future__ import annotations

import json
from functools import reduce
from pathlib import Path
from typing import Any

import pytest

from llmkit.errors import DocumentError, UsageError
from llmkit.structured.formats.json import JsonFormat
from llmkit.structured.schema import Schema, load, schema_of
from llmkit.structured.schema.bundle import bundle
from tests.timing import processor_time_below


def refusal(schema: Any, **kwargs: Any) -> str:
    with pytest.raises(DocumentError) as caught:
        schema_of(schema, **kwargs)
    return str(caught.value)


def said(schema: Any, value: Any) -> list[str]:
    return [f"{issue.at}|{issue.rule}|{issue.message}" for issue in schema_of(schema).issues(value)]


# What is no schema.


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ({"type": "strin"}, "not a JSON Schema: #/type must be one of"),
        (
            {"properties": {"a": 5}},
            "not a JSON Schema: #/properties/a must be an object or true or false, not a number",
        ),
        ({"minLength": -1}, "not a JSON Schema: #/minLength must be at least 0"),
        ({"required": "a"}, "not a JSON Schema: #/required must be an array, not a string"),
        ({"pattern": "("}, "the schema's pattern '(' is not a regular expression"),
        ({"patternProperties": {"[": True}}, "the schema's pattern '[' is not a regular expression"),
        ({"$schema": 5}, "not a JSON Schema: $schema must be a string"),
    ],
)
def test_what_is_no_schema_is_refused_with_its_place(schema: Any, message: str) -> None:
    assert message in refusal(schema)


def test_what_is_no_mapping_is_refused() -> None:
    with pytest.raises(UsageError, match="a JSON Schema is a mapping, true or false, not 5"):
        schema_of(5)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("schema", "circle"),
    [
        ({"$ref": "#"}, "# → #"),
        (
            {"allOf": [{"$ref": "#/$defs/a"}], "$defs": {"a": {"anyOf": [{"$ref": "#"}]}}},
            "# → #/allOf/0 → #/$defs/a → #/$defs/a/anyOf/0 → #",
        ),
        ({"if": {"$ref": "#"}}, "# → #/if → #"),
        ({"properties": {"x": {"$ref": "#/properties/x"}}}, "#/properties/x → #/properties/x"),
    ],
)
def test_references_that_go_round_are_named(schema: Any, circle: str) -> None:
    assert f"references go round without reading anything: {circle}. Let the recursion" in refusal(schema)


def test_honest_recursion_is_fine() -> None:
    tree = schema_of({"properties": {"kids": {"items": {"$ref": "#"}}, "n": {"type": "integer"}}})
    assert tree.valid({"kids": [{"kids": [{"n": 1}]}]})
    assert [issue.at for issue in tree.issues({"kids": [{"kids": [{"n": "x"}]}]})] == ["kids[0].kids[0].n"]


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ({"minimum": 3, "maximum": 2}, "minimum 3 and maximum 2 exclude each other"),
        ({"exclusiveMinimum": 3, "maximum": 3}, "exclusiveMinimum 3 and maximum 3 exclude each other"),
        ({"minLength": 2, "maxLength": 1}, "minLength 2 and maxLength 1"),
        ({"minItems": 2, "maxItems": 1}, "minItems 2 and maxItems 1"),
        ({"enum": []}, "enum has no choice"),
        ({"type": "string", "enum": [1, 2]}, "type string and enum exclude each other"),
        ({"type": "string", "const": 1}, "const 1 and type string exclude each other"),
        ({"const": 1, "enum": [2]}, "const 1 is not among enum"),
        ({"required": ["a"], "properties": {"a": False}}, "'a' is required, and properties forbids it"),
        (
            {"required": ["a"], "additionalProperties": False},
            "'a' is required, and additionalProperties (false) forbids",
        ),
        ({"required": ["a", "b"], "maxProperties": 1}, "required names 2 keys and maxProperties allows 1"),
        (
            {"allOf": [{"type": "string"}, {"type": "integer"}]},
            "type integer and allOf[0]: type string exclude each other",
        ),
        ({"allOf": [{"minimum": 5}, {"maximum": 4}]}, "minimum 5 and allOf[1]: maximum 4 exclude each other"),
        (
            {"type": "object", "$ref": "#/$defs/s", "$defs": {"s": {"type": "string"}}},
            "type object and #/$defs/s: type string exclude each other",
        ),
    ],
)
def test_contradictions_are_named(schema: Any, message: str) -> None:
    text = refusal({"properties": {"x": schema}} if "$ref" not in schema else schema)
    assert message in text and "contradicts itself" in text


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "integer", "const": 1.0},
        {"allOf": [{"type": "number"}, {"type": "integer"}]},
        {"type": ["string", "null"], "enum": [None]},
        {"required": ["ab"], "patternProperties": {"^a": True}, "additionalProperties": False},
        {"minimum": 3, "maximum": 3},
        {"anyOf": [{"type": "string"}, {"type": "integer"}]},
    ],
)
def test_what_does_not_contradict_itself_is_taken(schema: Any) -> None:
    schema_of(schema)


@pytest.mark.parametrize(
    ("schema", "note"),
    [
        ({"minLenght": 3}, "#: 'minLenght' is no keyword of JSON Schema and is ignored; did you mean minLength"),
        ({"properties": {"a": {"nullable": True}}}, "#/properties/a: 'nullable' is no keyword of JSON Schema 2020-12"),
        ({"then": {}}, "#: 'then' is ignored: there is no 'if' beside it"),
        ({"additionalItems": False}, "#: 'additionalItems' is no keyword of JSON Schema 2020-12 and is ignored"),
        ({"format": "email"}, "#: the format 'email' is a hint: it is not checked"),
        ({"$schema": "https://example.com/mine"}, "$schema names 'https://example.com/mine', which is not known"),
    ],
)
def test_what_does_nothing_is_noted(schema: Any, note: str) -> None:
    (only,) = schema_of(schema).notes
    assert only.startswith(note)


def test_annotations_and_extensions_are_not_noted() -> None:
    assert schema_of({"title": "t", "x-order": 1, "examples": [1], "$comment": "c", "default": 1}).notes == ()


def test_older_drafts_are_read_as_they_are() -> None:
    old = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "items": [{"type": "string"}],
        "additionalItems": False,
    }
    schema = schema_of(old)
    assert schema.draft == "draft-07"
    assert schema.valid(["a"]) and not schema.valid(["a", "b"])


# Where references lead.


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    schemas = tmp_path / "schemas"
    (schemas / "deep").mkdir(parents=True)
    files = {
        "user.json": {"properties": {"home": {"$ref": "address.json"}, "id": {"$ref": "deep/ids.json#/$defs/id"}}},
        "address.json": {"type": "object", "required": ["zip"]},
        "deep/ids.json": {"$defs": {"id": {"$ref": "../number.yaml"}}},
        "company.json": {"$id": "https://example.com/company", "properties": {"seat": {"$ref": "place"}}},
        "somewhere.json": {"$id": "https://example.com/place", "type": "string"},
        "out.json": {"$ref": "../secret.json"},
        "typo.json": {"properties": {"a": {"$ref": "addres.json"}}},
    }
    for name, schema in files.items():
        (schemas / name).write_text(json.dumps(schema, indent=1))
    (schemas / "number.yaml").write_text("type: integer\n")
    (tmp_path / "secret.json").write_text("true")
    return schemas


def test_files_of_the_folder_are_found_by_path(folder: Path) -> None:
    user = load(folder / "user.json")
    assert user.valid({"home": {"zip": 1}, "id": 5})
    assert [issue.at for issue in user.issues({"home": {}, "id": "x"})] == ["home.zip", "id"]


def test_files_of_the_folder_are_found_by_their_id(folder: Path) -> None:
    assert [issue.at for issue in load(folder / "company.json").issues({"seat": 1})] == ["seat"]


def test_a_reference_does_not_leave_the_folder(folder: Path) -> None:
    with pytest.raises(
        DocumentError, match=r"out\.json:2: the \$ref '\.\./secret\.json' cannot be resolved\. A schema"
    ):
        load(folder / "out.json")


def test_the_nearest_name_is_offered_with_the_line(folder: Path) -> None:
    with pytest.raises(
        DocumentError, match=r"typo\.json:4: .*'addres\.json' cannot be .* Did you mean 'address\.json'"
    ):
        load(folder / "typo.json")


def test_the_network_is_never_asked() -> None:
    text = refusal({"$ref": "http://127.0.0.1:9/schema.json"})
    assert "'http://127.0.0.1:9/schema.json' cannot be resolved. Nothing is fetched from the network" in text


def test_schemas_given_in_python_and_the_specifications_are_known() -> None:
    given = {"https://example.com/n": {"type": "integer"}}
    assert not schema_of({"$ref": "https://example.com/n"}, schemas=given).valid("x")
    meta = schema_of({"$ref": "https://json-schema.org/draft/2020-12/schema"})
    assert meta.valid({"type": "string"}) and not meta.valid({"type": "strin"})


def test_a_local_name_that_is_not_there() -> None:
    assert "'#/$defs/ab' cannot be resolved. Did you mean '#/$defs/abc'" in refusal(
        {"$ref": "#/$defs/ab", "$defs": {"abc": {}}}
    )
    assert "leads to what is no schema" in refusal({"$ref": "#/$comment", "$comment": "x"})


def test_a_bundle_needs_no_other_document(folder: Path) -> None:
    one = schema_of(bundle(load(folder / "user.json").graph))
    assert [issue.at for issue in one.issues({"home": {}, "id": "x"})] == ["home.zip", "id"]
    assert set(one.document["$defs"]) == {"address", "id", "number_yaml"}  # type: ignore[index, call-overload]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.json", '{\n"type": }', r"a\.json:2: not JSON: expecting value \(column 9\)"),
        ("a.json", '{"a": 1, "a": 2}', "the key 'a' stands twice"),
        ("a.json", "[1]", r"a\.json:1: a JSON Schema is a mapping, true or false, not a list"),
        ("a.json", "[" * 200 + "]" * 200, "nested deeper than 100"),
        ("a.json", '{"minimum": NaN}', "NaN is no number"),
        ("a.yaml", "a: 1\n b: 2", r"a\.yaml:2: not YAML"),
        (
            "a.yaml",
            "type: object\nminProperties: x\n",
            r"a\.yaml:2: not a JSON Schema: #/minProperties must be a whole",
        ),
    ],
)
def test_a_files_mistakes_are_shown_with_their_line(tmp_path: Path, name: str, text: str, message: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(DocumentError, match=message):
        load(tmp_path / name)


# What is said of a value.


@pytest.mark.parametrize(
    ("schema", "value", "message"),
    [
        ({"type": ["string", "null"]}, 5, "|type|must be a string or null, not a number"),
        ({"enum": ["a", "b", None]}, "c", '|enum|must be one of "a", "b", null'),
        ({"const": {"a": 1}}, 1, '|const|must be exactly {"a": 1}'),
        ({"minLength": 3}, "a", "|minLength|must have at least 3 characters; it has 1"),
        ({"maxItems": 1}, [1, 2], "|maxItems|must have at most 1 item; it has 2"),
        ({"multipleOf": 5}, 7, "|multipleOf|must be a multiple of 5"),
        ({"uniqueItems": True}, [1, 1.0], "|uniqueItems|must have no item twice"),
        ({"required": ["a"]}, {}, "a|required|is missing; it is required"),
        (
            {"dependentRequired": {"a": ["b"]}},
            {"a": 1},
            "b|dependentRequired|is missing; other keys of the object need it",
        ),
        (
            {"propertyNames": {"maxLength": 1}},
            {"ab": 1},
            "ab|propertyNames|is a key that is not allowed here: it must have",
        ),
        ({"contains": {"const": 1}}, [2], "|contains|must have an item of the kind that is asked for"),
        ({"contains": True, "maxContains": 1}, [1, 2], "|maxContains|must have at most 1 items of the kind"),
        ({"prefixItems": [True], "items": False}, [1, 2], "|items|has more items than are allowed"),
        ({"not": {"type": "string"}}, "a", "|not|is of a form that is ruled out"),
        ({"properties": {"a": False}}, {"a": 1}, "a|false|is not allowed here"),
        (False, 1, "|false|is not allowed here"),
        ({"oneOf": [{"type": "integer"}, {"minimum": 1}]}, 2, "|oneOf|fits the forms 1 and 2 at once"),
        ({"unevaluatedProperties": False}, {"a": 1}, "a|unevaluatedProperties|is a key that is not allowed here"),
        ({"if": True, "then": {"type": "string"}}, 1, "|type|must be a string, not a number"),
    ],
)
def test_messages_say_what_is_wanted(schema: Any, value: Any, message: str) -> None:
    (only,) = said(schema, value)
    assert only.startswith(message)


ANIMALS = {
    "anyOf": [
        {
            "type": "object",
            "properties": {"kind": {"const": "cat"}, "lives": {"type": "integer"}},
            "required": ["lives"],
        },
        {"type": "object", "properties": {"kind": {"const": "dog"}, "name": {"type": "string"}}, "required": ["name"]},
        {"type": "string"},
    ]
}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"kind": "dog"}, "name|required|is missing; it is required"),
        ({"kind": "cat", "lives": "x"}, "lives|type|must be a whole number, not a string"),
        (5, "|anyOf|must be an object or a string, not a number"),
    ],
)
def test_of_a_union_the_closest_branch_is_explained(value: Any, message: str) -> None:
    assert said(ANIMALS, value) == [message]


def test_a_union_of_constants_reads_as_one_list() -> None:
    assert said({"oneOf": [{"const": "a"}, {"enum": ["b", "c"]}]}, "x") == ['|oneOf|must be one of "a", "b", "c"']


def test_issues_are_bounded() -> None:
    assert len(schema_of({"items": {"type": "string"}}).issues([1] * 10_000)) == 32
    assert len(schema_of({"items": {"anyOf": [{"minimum": 2}, {"minimum": 3}]}}).issues([1] * 10_000)) == 32


def test_messages_do_not_grow_with_the_value() -> None:
    (issue,) = schema_of({"type": "integer"}).issues("x" * 10**6)
    assert len(issue.message) < 100


def test_what_nests_deeper_than_the_schema_can_follow_is_an_issue() -> None:
    value: Any = 1
    for _ in range(5000):
        value = [value]
    (issue,) = schema_of({"items": {"$ref": "#"}}).issues(value)
    assert issue.rule == "depth"


def test_a_lenient_schema_refuses_what_it_refuses() -> None:
    assert not Schema({"enum": []}, lenient=True).valid(1)


def test_definitions_that_multiply_are_handled_soon() -> None:
    both = {f"d{i}": {"properties": {key: {"$ref": f"#/$defs/d{i + 1}"} for key in "ab"}} for i in range(40)}
    each = {f"d{i}": {"allOf": [{"$ref": f"#/$defs/d{i + 1}"}] * 2} for i in range(40)}
    with processor_time_below(5):
        for defs in (both, each):
            form = JsonFormat.of(
                {"type": "object", "$ref": "#/$defs/d0", "$defs": {**defs, "d40": {"maxProperties": 9}}}
            )
            form.describe()
            form.grammar()
            form.native("openai")
            assert form.render({"a": {"b": 1}}) == '{"a":{"b":1}}'
            assert len(form.parse('{"a": {}}').issues) <= 1


def test_of_a_document_that_is_there_the_definitions_are_named(tmp_path: Path) -> None:
    (tmp_path / "other.json").write_text('{"$defs": {"y": {"type": "string"}}}')
    (tmp_path / "one.json").write_text('{"$ref": "other.json#/$defs/x"}')
    with pytest.raises(DocumentError, match=r"other\.json has no #/\$defs/x\. Did you mean '#/\$defs/y'\?") as refused:
        load(tmp_path / "one.json")
    assert "network" not in str(refused.value)


def test_a_bound_of_draft_4_is_told_as_it_is_meant() -> None:
    bounds = {"minimum": 1, "exclusiveMinimum": True, "maximum": 3, "exclusiveMaximum": False}
    schema = schema_of({"$schema": "http://json-schema.org/draft-04/schema#", **bounds})
    assert [issue.message for value in (1, 4) for issue in schema.issues(value)] == [
        "must be more than 1", "must be at most 3",
    ]  # fmt: skip
    bundled = bundle(schema.graph)
    assert (bundled["exclusiveMinimum"], bundled["maximum"]) == (1, 3)
    assert not {"minimum", "exclusiveMaximum"} & set(bundled)


@pytest.mark.parametrize("levels", [3, 10, 90])
def test_however_deep_a_union_refers_to_itself_what_is_wanted_is_said(levels: int) -> None:
    node = {"anyOf": [{"type": "null"}, {"type": "object", "properties": {"a": {"$ref": "#/$defs/n"}}}]}
    schema, value = (
        schema_of({"$ref": "#/$defs/n", "$defs": {"n": node}}),
        reduce(lambda v, _: {"a": v}, range(levels), 1),
    )
    assert [issue.message for issue in schema.issues(value)] == ["must be null or an object, not a number"]
