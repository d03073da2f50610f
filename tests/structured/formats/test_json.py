"""JSON under a schema, a model, a type: what is read, what is told, and what decoders and providers are held to."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)
from typing_extensions import TypedDict

from llmkit.errors import DocumentError, UsageError
from llmkit.generations import MISSING, Issue
from llmkit.structured.format import Context, UnsupportedShape
from llmkit.structured.formats.json import NO_CONTEXT, JsonFormat, json_format, pydantic_format
from llmkit.structured.registry import Source, create, format_of
from llmkit.structured.validators import ValidatorCrash
from tests.structured.engine import accepts
from tests.structured.schema.strategies import JSON, OBJECTS, PAIRS, Pair
from tests.timing import processor_time_below

USER = {
    "type": "object",
    "properties": {
        "username": {"type": "string", "pattern": "^[a-z]{3,8}$"},
        "age": {"type": "integer", "minimum": 0},
        "nick": {"type": "string"},
    },
    "required": ["username", "age"],
    "additionalProperties": False,
}


class Address(BaseModel):
    street: str = Field(min_length=2)
    zip: str


def _tidy(value: str) -> str:
    if not value.islower():
        raise ValueError("write it in small letters")
    return value


class User(BaseModel):
    """A user, as one writes them for Instructor."""

    model_config = ConfigDict(extra="forbid")

    username: Annotated[str, AfterValidator(_tidy)]
    email: str
    age: int = Field(ge=0, le=120)
    color: Literal["red", "green"] = "red"
    address: Address | None = None
    tags: list[str] = Field(default_factory=list, max_length=2)

    @field_validator("email")
    @classmethod
    def _has_at(cls, value: str) -> str:
        if "@" not in value:
            raise ValueError("must hold an @")
        return value

    @model_validator(mode="after")
    def _not_itself(self) -> User:
        if self.email.startswith(f"{self.username}@"):
            raise ValueError("email must not start with the username")
        return self


GOOD = {"username": "bob", "email": "x@y.z", "age": 3}


def issues(form: JsonFormat[Any], value: object, context: Context = NO_CONTEXT) -> list[tuple[str, str, str]]:
    text = value if isinstance(value, str) else json.dumps(value)
    return [(issue.at, issue.rule, issue.message) for issue in form.parse(text, context).issues]


# A schema.


def test_a_valid_answer_is_its_value() -> None:
    parsed = JsonFormat.of(USER).parse('{"username": "bob", "age": 3}')
    assert (parsed.value, parsed.issues, parsed.repairs) == ({"username": "bob", "age": 3}, (), ())


def test_each_mistake_is_an_issue_with_path_value_and_keyword() -> None:
    parsed = JsonFormat.of(USER).parse('Sure!\n```json\n{"username": "B", "zip": 1}\n```')
    assert parsed.value is None
    assert parsed.repairs == ("code fence removed", "text around it removed")
    assert set(parsed.issues) == {
        Issue("must match the pattern ^[a-z]{3,8}$", ("username",), "B", "pattern"),
        Issue("is missing; it is required", ("age",), MISSING, "required"),
        Issue(
            "is a key that is not allowed here; the keys are username, age, nick", ("zip",), 1, "additionalProperties"
        ),
    }


def test_rules_name_the_skeleton_and_each_constraint() -> None:
    assert JsonFormat.of(USER).rules == ("shape", "username: pattern", "age: minimum")


def test_where_an_object_is_wanted_a_citation_is_none() -> None:
    parsed = JsonFormat.of(USER).parse('{"username": "bob", "age": 3} as in [1]')
    assert parsed.value == {"username": "bob", "age": 3}


def test_a_form_is_drawn_in_the_prompt() -> None:
    assert JsonFormat.of(USER).describe() == (
        "Answer with JSON of this form and nothing else:\n"
        "{\n"
        '  "username": <string, matching ^[a-z]{3,8}$>,\n'
        '  "age": <whole number, at least 0>,\n'
        '  "nick": <string>  (may be left out)\n'
        "}\n"
        "No other keys are allowed."
    )


def test_what_cannot_be_drawn_is_shown_as_schema_without_its_noise() -> None:
    tree = {"title": "Tree", "type": "object", "properties": {"next": {"$ref": "#"}}, "not": {"required": ["x"]}}
    assert (
        JsonFormat.of(tree)
        .describe()
        .endswith('{"type":"object","properties":{"next":{"$ref":"#"}},"not":{"required":["x"]}}')
    )


@given(JSON)
def test_any_json_is_read_as_it_is_rendered(value: Any) -> None:
    form = JsonFormat.of(True)
    assert form.parse(form.render(value)).value == value


@settings(deadline=None)
@given(PAIRS, st.data())
def test_what_is_rendered_is_read_again_and_the_decoder_can_write_it(pair: Pair, data: st.DataObject) -> None:
    schema, values = pair
    form, value = JsonFormat.of(schema), data.draw(values)
    parsed = form.parse(form.render(value))
    assert (parsed.value, parsed.issues) == (value, ())
    assert accepts(form.grammar(), form.render(value))


def test_the_grammar_leaves_out_what_the_engine_does_not_know_and_says_so() -> None:
    schema = {
        "type": "object",
        "properties": {
            "a": {"type": "array", "items": {"type": "integer"}, "uniqueItems": True, "maxItems": 2},
            "b": {"type": "string", "pattern": "^(?!x)"},
        },
        "required": ["a"],
    }
    grammar = JsonFormat.of(schema).grammar()
    assert grammar.unenforced == ("a: uniqueItems", "b: pattern")
    assert accepts(grammar, '{"a":[1,1]}') and not accepts(grammar, '{"a":[1,1,1]}')


def test_a_schema_that_the_engine_knows_is_exact() -> None:
    form = JsonFormat.of(USER)
    assert form.grammar().exact
    assert not accepts(form.grammar(), '{"username":"B","age":3}')


def test_an_older_draft_is_held_to_its_own_keywords() -> None:
    dialect = "http://json-schema.org/draft-07/schema#"
    pair = {"$schema": dialect, "items": [{"$ref": "#/definitions/s"}], "additionalItems": False, "type": "array"}
    form = JsonFormat.of({**pair, "definitions": {"s": {"type": "string"}}})
    assert form.parse('["a"]').valid and not form.parse('["a", "b"]').valid
    assert accepts(form.grammar(), '["a"]') and not accepts(form.grammar(), '["a","b"]')


def test_one_of_is_exact_only_where_its_branches_exclude_each_other() -> None:
    kinds = [{"type": "object", "properties": {"k": {"const": k}}, "required": ["k"]} for k in "ab"]
    assert JsonFormat.of({"oneOf": kinds}).grammar().exact
    assert JsonFormat.of({"oneOf": [{"type": "string"}, {"maxLength": 3}]}).grammar().unenforced == ("oneOf",)


def test_no_grammar_admits_what_nothing_satisfies() -> None:
    with pytest.raises(UnsupportedShape, match="no answer is valid"):
        JsonFormat.of(False).grammar()


# A model.


def test_a_model_is_its_instance() -> None:
    parsed = JsonFormat.of(User).parse(json.dumps(GOOD))
    assert parsed.value == User(username="bob", email="x@y.z", age=3)


@pytest.mark.parametrize(
    ("change", "want"),
    [
        ({"age": -1}, ("age", "minimum", "must be greater than or equal to 0")),
        ({"age": None}, ("age", "type", "must be a valid integer, not null")),
        ({"username": "BOB"}, ("username", "validator", "write it in small letters")),
        ({"email": "bob"}, ("email", "validator", "must hold an @")),
        ({"email": "bob@y.z"}, ("", "validator", "email must not start with the username")),
        ({"color": "blue"}, ("color", "enum", "must be one of 'red' or 'green'")),
        ({"address": {"street": "ab"}}, ("address.zip", "required", "is missing; it is required")),
        ({"tags": [1]}, ("tags[0]", "type", "must be a valid string, not a number")),
        ({"phone": 1}, ("phone", "additionalProperties", "is a key that is not allowed here")),
    ],
)
def test_pydantics_errors_are_issues(change: dict[str, Any], want: tuple[str, str, str]) -> None:
    assert issues(JsonFormat.of(User), {**GOOD, **change}) == [want]


def test_a_models_own_validators_are_rules_that_no_grammar_and_no_provider_enforces() -> None:
    form = JsonFormat.of(User)
    own = {"username: validator", "email: validator", "validator"}
    assert own <= set(form.rules)
    assert own <= set(form.grammar().unenforced)
    assert own <= set(form.native("openai").unenforced)


def test_validators_see_the_callers_data() -> None:
    class Quote(BaseModel):
        text: str

        @field_validator("text")
        @classmethod
        def _in_source(cls, value: str, info: ValidationInfo) -> str:
            if value not in info.context["source"]:
                raise ValueError("is not in the source")
            return value

    form = JsonFormat.of(Quote)
    assert form.parse('{"text": "a"}', Context(data={"source": "abc"})).valid
    assert issues(form, {"text": "z"}, Context(data={"source": "abc"})) == [
        ("text", "validator", "is not in the source")
    ]


def test_a_validator_that_crashes_is_no_verdict() -> None:
    class Broken(BaseModel):
        a: int

        @field_validator("a")
        @classmethod
        def _crash(cls, value: int) -> int:
            raise KeyError("oops")

    with pytest.raises(ValidatorCrash, match="Broken crashed: KeyError"):
        JsonFormat.of(Broken).parse('{"a": 1}')


def test_lax_or_strict_is_the_models_word() -> None:
    class Strict(BaseModel):
        model_config = ConfigDict(strict=True)
        a: int

    class Lax(BaseModel):
        a: int

    assert JsonFormat.of(Lax).parse('{"a": "5"}').value == Lax(a=5)
    assert issues(JsonFormat.of(Strict), {"a": "5"})[0][1] == "type"


class Aliased(BaseModel):
    model_config = ConfigDict(populate_by_name=False)
    first: str = Field(alias="firstName")
    last: str = Field(validation_alias=AliasChoices("lastName", "surname"), serialization_alias="LAST")
    inner: list[Aliased] = []


def test_aliases_are_what_is_read_told_and_written() -> None:
    form = JsonFormat.of(Aliased)
    value = Aliased(firstName="A", lastName="B", inner=[Aliased(firstName="C", lastName="D")])
    assert '"firstName"' in form.describe()
    assert form.parse(form.render(value)).value == value
    assert issues(form, {"firstName": "A"})[0][0] == "lastName"


def test_of_a_union_the_closest_branch_is_explained() -> None:
    class Cat(BaseModel):
        kind: Literal["cat"]
        lives: int

    class Dog(BaseModel):
        kind: Literal["dog"]
        name: str

    for union in (Cat | Dog, Annotated[Cat | Dog, Field(discriminator="kind")]):
        assert [found[0] for found in issues(JsonFormat.of(union), {"kind": "dog"})] == ["name"]
    assert issues(JsonFormat.of(dict[int, list[int]]), {"1": ["x"]})[0][0] == "1[0]"
    assert issues(JsonFormat.of(list[int | str]), [None])[0][2] == "must be a valid integer or a valid string, not null"


class Point(TypedDict):
    x: int


@dataclass
class Pixel:
    x: int
    color: str = "red"


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (list[int], [1, 2]),
        (dict[str, int], {"a": 1}),
        (tuple[int, str], (1, "a")),
        (int | None, None),
        (Point, {"x": 1}),
        (Pixel, Pixel(3)),
        (date, date(2024, 2, 29)),
        (Literal["a", "b"], "a"),
        (Annotated[int, Field(gt=3)], 4),
        (User, User(username="bob", email="x@y.z", age=3, address=Address(street="ab", zip="1"))),
    ],
)
def test_types_are_read_as_rendered_and_the_decoder_can_write_them(kind: Any, value: object) -> None:
    form = JsonFormat.of(kind)
    assert form.parse(form.render(value)).value == value
    assert accepts(form.grammar(), form.render(value))


def test_instructors_models_run_unchanged() -> None:
    instructor = pytest.importorskip("instructor", reason="needs the extra [instructor]")

    class Reader(instructor.OpenAISchema):  # type: ignore[misc, name-defined]
        name: str
        age: Annotated[int, AfterValidator(lambda age: age)]

        @field_validator("name")
        @classmethod
        def _upper(cls, value: str) -> str:
            if value != value.upper():
                raise ValueError("name must be in capitals")
            return value

    form = JsonFormat.of(Reader)
    assert form.parse('{"name": "ANN", "age": 3}').value == Reader(name="ANN", age=3)
    assert issues(form, {"name": "ann", "age": 3}) == [("name", "validator", "name must be in capitals")]


def test_what_is_no_type_is_one_line() -> None:
    class Plain:
        pass

    with pytest.raises(UsageError, match=r"Plain.* is no type that an answer can have"):
        JsonFormat.of(Plain)


# By name.


def test_by_file_by_text_by_mapping_and_free(tmp_path: Path) -> None:
    (tmp_path / "s.json").write_text(json.dumps(USER))
    (tmp_path / "s.yaml").write_text("type: object\nrequired: [a]\n")
    source = Source(tmp_path)
    assert create("json:s.json", source).rules == JsonFormat.of(USER).rules
    assert not create("json:s.yaml", source).parse("{}").valid
    assert not create({"json": {"type": "array"}}, source).parse("{}").valid
    assert not create('json:{"type": "array"}', source).parse("{}").valid
    assert create("json", source).parse("5").value == 5
    assert format_of(User).rules == JsonFormat.of(User).rules


def test_a_schemas_mistake_is_shown_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "s.json").write_text('{\n\t"properties": {\n\t\t"a": {\n\t\t\t"type": "strin"}}}')
    with pytest.raises(DocumentError, match=r"s\.json:4: not a JSON Schema: #/properties/a/type must be one of"):
        json_format("s.json", Source(tmp_path))


def test_a_suite_reads_below_its_folder_and_imports_nothing(tmp_path: Path) -> None:
    (tmp_path / "s.json").write_text("true")
    (tmp_path / "in").mkdir()
    confined = Source(tmp_path / "in", confined=True, where="suite.yaml:3")
    with pytest.raises(DocumentError, match=r"suite\.yaml:3: '\.\./s\.json' leads out of"):
        json_format("../s.json", confined)
    with pytest.raises(UsageError, match=r"suite\.yaml:3: the type .* may not be imported"):
        pydantic_format("tests.structured.formats.test_json:User", confined)


def test_pydantic_by_name() -> None:
    assert create("pydantic:tests.structured.formats.test_json:User").parse(json.dumps(GOOD)).value == User(**GOOD)
    with pytest.raises(UsageError, match=r"pydantic takes package\.module:Model, not 'User'"):
        create("pydantic:User")
    with pytest.raises(UsageError, match=r"has no 'Usr'\. Did you mean 'User'"):
        create("pydantic:tests.structured.formats.test_json:Usr")


def test_equal_definitions_are_equal_formats() -> None:
    assert JsonFormat.of(USER).definition() == JsonFormat.of(json.loads(json.dumps(USER))).definition()
    assert JsonFormat.of(USER).definition() != JsonFormat.of({**USER, "required": []}).definition()


# Hostile answers.

HOSTILE = {
    "1 MB": "[" + "1," * 500_000 + "]",
    "deep": "[" * 10_000 + "]" * 10_000,
    "deep objects": '{"a":' * 10_000 + "1" + "}" * 10_000,
    "open braces": "{" * 1_000_000,
    "broken objects": '{"a": x} ' * 100_000,
    "NUL": '{"username": "a\x00b"}',
    "lone surrogate": '{"username": "\ud800", "age": 1}',
    "escaped surrogate": '{"username": "\\ud800", "age": 1}',
    "long number": '{"username": "bob", "age": ' + "9" * 100_000 + "}",
    "NaN": '{"username": "bob", "age": NaN}',
    "many keys": json.dumps({f"k{i}": i for i in range(50_000)}),
    "twice": '{"username": "bob", "age": 1, "age": 2}',
    "nothing": "",
}


@pytest.mark.parametrize("kind", [USER, User], ids=["schema", "model"])
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_answer_is_an_ordinary_issue_soon(kind: Any, text: str) -> None:
    form = JsonFormat.of(kind)
    with processor_time_below(2):
        parsed = form.parse(text)
    assert parsed.value is None and 0 < len(parsed.issues) <= 32
    assert all(len(issue.message) < 1000 for issue in parsed.issues)


@pytest.mark.parametrize("keyword", ["pattern", "patternProperties"])
def test_a_catastrophic_pattern_meets_its_deadline(keyword: str) -> None:
    bad = "^(a|aa)+$"
    schema = {"pattern": bad} if keyword == "pattern" else {"patternProperties": {bad: True}}
    text = json.dumps("a" * 100 + "!" if keyword == "pattern" else {"a" * 100 + "!": 1})
    with processor_time_below(1):
        assert [issue.rule for issue in JsonFormat.of(schema).parse(text).issues] == ["time"]


@given(st.text(st.characters()) | st.text('{}[]",:01ae\\u ', max_size=60))
def test_no_text_raises(text: str) -> None:
    parsed = JsonFormat.of(USER).parse(text, Context())
    assert parsed.valid == (not parsed.issues)


# Providers.


@settings(deadline=None)
@given(OBJECTS, PAIRS, st.sampled_from(["openai", "anthropic"]), st.data())
def test_what_a_provider_lets_pass_breaks_only_what_it_is_said_not_to_enforce(
    pair: Pair, other: Pair, provider: str, data: st.DataObject
) -> None:
    form = JsonFormat.of(pair[0])
    try:
        native = form.native(provider)
    except UnsupportedShape:
        return
    if not native.shape:
        return
    sent = JsonFormat.of(native.params["structured"]["json_schema"])
    value = data.draw(pair[1])
    for name in data.draw(st.sets(st.sampled_from(sorted(value)), max_size=2) if value else st.just(set())):
        value = {**value, name: data.draw(other[1])}
    if sent.schema.valid(value):
        loose = {rule.rsplit(": ", 1)[-1] for rule in native.unenforced}
        assert {issue.rule for issue in form.schema.issues(value)} <= loose | ({"anyOf"} if loose else set())
