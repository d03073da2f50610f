"""The shipped JSON Schemas are what the models say, and accept what people write."""

import json

import jsonschema
import pytest
import yaml
from pydantic import ValidationError

from llmkit import schemas
from llmkit.documents import read_yaml
from llmkit.judges.spec import JudgeSpec
from llmkit.schemas.generate import generate, write
from llmkit.scoring.registry import BUILTIN
from llmkit.suites import builtin_suites
from tests.suites.conftest import ADD


def load(name):
    return json.loads((schemas.FOLDER / f"{name}.schema.json").read_text("utf-8"))


def test_they_are_up_to_date():
    shipped = {path.name: path.read_text("utf-8") for path in schemas.FOLDER.glob("*.schema.json")}
    assert shipped == generate(), "run python -m llmkit.schemas"


@pytest.mark.parametrize("name", ["suite", "prompt", "config", "judge", "search"])
def test_each_is_a_valid_schema_whose_references_resolve(name):
    schema = load(name)
    jsonschema.Draft202012Validator.check_schema(schema)
    text = json.dumps(schema)
    names = {part.split('"')[0] for part in text.split("#/$defs/")[1:]}
    assert names <= set(schema.get("$defs", {}))


@pytest.mark.parametrize("name", ["suite", "config", "judge", "search"])
def test_every_field_is_described(name):
    schema = load(name)

    def described(field):
        part = schema["$defs"].get(field.get("$ref", "").removeprefix("#/$defs/"), {})
        return "description" in field or "description" in part

    assert [key for key, field in schema["properties"].items() if not described(field)] == []


def test_the_suites_schema_knows_every_scorer_and_its_options():
    items = load("suite")["properties"]["scorers"]["anyOf"][0]["items"]["anyOf"]
    assert items[0]["enum"] == sorted(BUILTIN)
    assert sorted(items[2]["properties"]) == sorted([*BUILTIN, "judge"])


@pytest.mark.parametrize("path", builtin_suites().values(), ids=lambda path: path.stem)
def test_it_accepts_every_built_in_suite(path):
    validator = jsonschema.Draft202012Validator(load("suite"))
    assert list(validator.iter_errors(read_yaml(path).data)) == []


@pytest.mark.parametrize(
    ("change", "valid"),
    [
        (("", ""), True),
        (("[exact_match]", "[exact_match, {numeric: {tolerance: 1.0e-6}}, {bleu: null}, somebody_elses]"), True),
        (("data: add.jsonl", "data: {hf: openai/gsm8k, config: main, split: test}"), True),
        (("[exact_match]", "[{numeric: {tolerence: 1}}]"), False),
        (("name: add", "nme: add"), False),
        (("target: answer", "targte: answer"), False),
        (("version: 1", "version: 3"), False),
        (("data: add.jsonl", "data: {hf: gsm8k}"), False),
    ],
)
def test_it_accepts_and_refuses_as_the_reader_does(change, valid):
    data = yaml.safe_load(ADD.replace(*change) if change[0] else ADD)
    assert jsonschema.Draft202012Validator(load("suite")).is_valid(data) is valid


def test_writing_leaves_nothing_aside(tmp_path):
    assert {path.name for path in write(tmp_path)} == {path.name for path in tmp_path.iterdir()}


JUDGE = {
    "version": 1,
    "name": "relevance",
    "criterion": "g.md",
    "kind": "pass_fail",
    "model": "a/b",
    "prompt": "p.prompty",
}


@pytest.mark.parametrize(
    ("change", "valid"),
    [
        ({}, True),
        ({"kind": {"graded": {"min": 1, "max": 5}}}, True),
        ({"kind": {"choices": {"A": 1, "B": 0.5}}, "method": {"samples": 3}}, True),
        ({"labels": {"file": "l.jsonl", "sampling": "random", "population": "run:x"}}, True),
        ({"accept": {"tpr_lower": 0.9}}, True),
        ({"kind": "pass-fail"}, False),
        ({"kind": {"choices": {"A": 2, "B": 0}}}, False),
        ({"labels": {"file": "l.jsonl", "sampling": "balanced"}}, False),
        ({"accept": {"tpr": 0.9}}, False),
        ({"name": "Relevance"}, False),
        ({"version": 2}, False),
    ],
)
def test_the_judges_schema_accepts_and_refuses_as_the_reader_does(change, valid):
    data = {**JUDGE, **change}
    assert jsonschema.Draft202012Validator(load("judge")).is_valid(data) is valid
    try:
        JudgeSpec.model_validate(data)
    except ValidationError:
        assert not valid
    else:
        assert valid


def test_the_searchs_schema_knows_what_may_be_tried():
    validator = jsonschema.Draft202012Validator(load("search"))
    assert validator.is_valid({"model": ["a/b"], "few_shot": [0, 4], "method": [{"samples": 3}]})
    assert not validator.is_valid({"models": ["a/b"]})
    assert not validator.is_valid({"few_shot": [99]})
