# ruff: noqa: E501  (a table's row is one line)
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, field_validator

from llmkit.documents import parse_yaml, validate
from llmkit.errors import DocumentError, UnknownNameError


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Hub(Strict):
    """Rows on the hub.

    Attributes:
        hf: The data set's name.
    """

    hf: str
    split: str = "test"


class Suite(Strict):
    """A suite.

    Attributes:
        data: Where the rows
            come from.
    """

    name: str
    data: str | Hub
    epochs: Annotated[int, Field(ge=1, le=10)] = 1
    kind: Literal["generate", "choice"] = "generate"
    scorers: list[str | dict[str, dict[str, Any]]] = Field(default=["a"], min_length=1)
    parts: list[Hub] = []
    named: dict[str, Hub] = {}
    shuffle: bool = False
    rate: float | None = None
    api_key: int | None = None
    from_: str | None = Field(None, alias="from")

    @field_validator("name")
    @classmethod
    def _name(cls, name: str) -> str:
        if " " in name:
            raise ValueError("a name holds no blanks")
        if name == "exat":
            raise UnknownNameError("scorer", name, ["exact"])
        return name


def fails(text: str) -> str:
    with pytest.raises(DocumentError) as caught:
        validate(Suite, parse_yaml(text, path=Path("s.yaml")))
    return str(caught.value)


BASE = "name: x\ndata: d\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: x\ndta: d", "s.yaml:2: unknown field 'dta'. Did you mean 'data'?"),
        ("name: x", "s.yaml:1: the field 'data' is missing. data: Where the rows come from"),
        (BASE + "form: x", "s.yaml:3: unknown field 'form'. Did you mean 'from'?"),
        (BASE + "zzz: 1", "s.yaml:3: unknown field 'zzz'. Known: api_key, epochs, from, kind, named, parts, rate, scorers, shuffle"),
        ("name: x\ndata: 3", "s.yaml:2: data must be text or a mapping, not the number 3"),
        ("name: x\ndata: []", "s.yaml:2: data must be text or a mapping, not a list of 0"),
        ("name: x\ndata:\n  hf: a\n  splt: b", "s.yaml:4: unknown field 'data.splt'. Did you mean 'split'?"),
        ("name: x\ndata:\n  split: b", "s.yaml:2: the field 'data.hf' is missing. hf: The data set's name"),
        ("name:\ndata: d", "s.yaml:1: name must be text, not nothing"),
        ("name: 1\ndata: d", "s.yaml:1: name must be text, not the number 1"),
        ("name: [a, b]\ndata: d", "s.yaml:1: name must be text, not a list of 2"),
        ("name: {a: 1, b: 2}\ndata: d", "s.yaml:1: name must be text, not a mapping (a, b)"),
        ("name: a b\ndata: d", "s.yaml:1: name: a name holds no blanks"),
        (BASE + "epochs: three", "s.yaml:3: epochs must be a whole number, not the text 'three'"),
        (BASE + "epochs: 1.5", "s.yaml:3: epochs must be a whole number, not the number 1.5"),
        (BASE + "epochs: 0", "s.yaml:3: epochs must be at least 1, not the number 0"),
        (BASE + "epochs: 11", "s.yaml:3: epochs must be at most 10, not the number 11"),
        (BASE + "rate: fast", "s.yaml:3: rate must be a number, not the text 'fast'"),
        (BASE + "shuffle: maybe", "s.yaml:3: shuffle must be true or false, not the text 'maybe'"),
        (BASE + "kind: chioce", "s.yaml:3: kind must be 'generate' or 'choice', not the text 'chioce'. Did you mean 'choice'?"),
        (BASE + "scorers: exact", "s.yaml:3: scorers must be a list, not the text 'exact'"),
        (BASE + "scorers: []", "s.yaml:3: scorers must have at least 1 entries, not 0"),
        (BASE + "scorers:\n- a\n- 5", "s.yaml:5: scorers[1] must be text or a mapping, not the number 5"),
        (BASE + "scorers:\n- a\n- numeric: 5", "s.yaml:5: scorers[1].numeric must be a mapping, not the number 5"),
        (BASE + "parts:\n- hf: a\n- {hf: b, spilt: c}", "s.yaml:5: unknown field 'parts[1].spilt'. Did you mean 'split'?"),
        (BASE + "named:\n  one: {hff: a}", "s.yaml:4: unknown field 'named.one.hff'. Did you mean 'hf'?"),
        (BASE + "epochs: a\nrate: b\nkind: c", "s.yaml:3: epochs must be a whole number, not the text 'a' (and 2 more)"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line_that_says_where_what_and_how(text: str, message: str) -> None:
    assert fails(text) == message


def test_a_long_value_is_shortened() -> None:
    assert len(fails(BASE + f"rate: {'x' * 500}")) < 150


def test_a_value_under_a_name_like_a_secret_is_never_shown() -> None:
    assert "sk-live" not in fails(BASE + "api_key: sk-live-123")


def test_an_error_of_ours_keeps_its_hint() -> None:
    class Named(Strict):
        name: str

        @field_validator("name")
        @classmethod
        def _known(cls, name: str) -> str:
            try:
                raise UnknownNameError("scorer", name, ["exact"])
            except UnknownNameError as error:
                raise ValueError(str(error)) from error

    with pytest.raises(DocumentError, match=r"line 1: name: unknown scorer 'exat'\. Did you mean 'exact'\?"):
        validate(Named, parse_yaml("name: exat"))


def test_an_error_of_ours_raised_in_a_validator_passes_as_it_is() -> None:
    with pytest.raises(UnknownNameError):
        validate(Suite, parse_yaml("name: exat\ndata: d"))


def test_a_part_of_a_document_is_validated_with_its_own_lines() -> None:
    document = parse_yaml("a: 1\nsource:\n  hf: x\n  spilt: y", path=Path("s.yaml"))
    with pytest.raises(DocumentError, match=r"^s\.yaml:4: unknown field 'spilt'"):
        validate(Hub, document, at=("source",))


def test_a_right_document_becomes_an_instance() -> None:
    suite = validate(Suite, parse_yaml("name: x\ndata: {hf: a}\nscorers: [a, {numeric: {tolerance: 0.1}}]\nfrom: z"))
    assert suite.data == Hub(hf="a")
    assert suite.scorers == ["a", {"numeric": {"tolerance": 0.1}}]
    assert suite.from_ == "z"
