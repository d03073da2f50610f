import jsonschema
from pydantic import BaseModel, ConfigDict, Field

from llmkit.documents import schema


class Inner(BaseModel):
    """What is inside.

    Attributes:
        deep: How deep
            it is.
    """

    deep: int


class Outer(BaseModel):
    """A file.

    More about it.

    Attributes:
        inner: Of the docstring.
        named: Of the docstring, and not taken.
    """

    model_config = ConfigDict(extra="forbid")
    inner: Inner
    named: str = Field("x", alias="name", description="Of the field.")


def test_a_schema_names_its_dialect_and_title_and_is_valid() -> None:
    written = schema(Outer)
    assert written["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert written["title"] == "Outer"
    jsonschema.Draft202012Validator.check_schema(written)


def test_descriptions_come_from_fields_then_from_docstrings() -> None:
    written = schema(Outer)
    assert written["description"] == "A file.\n\nMore about it."
    assert written["properties"]["inner"]["description"] == "Of the docstring."
    assert written["properties"]["name"]["description"] == "Of the field."
    assert written["$defs"]["Inner"]["properties"]["deep"]["description"] == "How deep it is."


def test_the_schema_refuses_what_the_model_refuses() -> None:
    validator = jsonschema.Draft202012Validator(schema(Outer))
    assert validator.is_valid({"inner": {"deep": 1}, "name": "a"})
    assert not validator.is_valid({"inner": {"deep": 1}, "nme": "a"})
    assert not validator.is_valid({"inner": {"deep": "x"}})
