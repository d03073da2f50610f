import jsonschema
import pytest

from llmkit.documents import schema
from llmkit.prompts.frontmatter import FrontMatter


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"model": {"id": "m", "options": {"maxOutputTokens": 1}}, "inputs": [{"name": "a", "kind": "string"}]},
        {"inputs": {"a": {"kind": "array", "items": {"kind": "string"}}}, "tools": [{"name": "x"}], "displayName": "X"},
    ],
)
def test_the_schema_accepts_what_is_read(data: dict[str, object]) -> None:
    FrontMatter.model_validate(data)
    assert list(jsonschema.Draft202012Validator(schema(FrontMatter)).iter_errors(data)) == []


@pytest.mark.parametrize("data", [{"nme": "x"}, {"model": {"options": {"max_tokens": 1}}}, {"inputs": 3}])
def test_the_schema_refuses_what_is_refused(data: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        FrontMatter.model_validate(data)
    assert not jsonschema.Draft202012Validator(schema(FrontMatter)).is_valid(data)


def test_prompty_s_shorthands_are_in_the_schema_too() -> None:
    data = {
        "model": "openai/gpt-4o",
        "template": {"format": "jinja2", "parser": "prompty"},
        "inputs": {"a": 1, "b": "x"},
    }
    FrontMatter.model_validate(data)
    assert list(jsonschema.Draft202012Validator(schema(FrontMatter)).iter_errors(data)) == []


def test_every_field_is_described() -> None:
    written = schema(FrontMatter)
    assert [name for name, entry in written["properties"].items() if not entry.get("description")] == []
