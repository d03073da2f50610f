"""``init`` writes a project that works as it is."""

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from llmkit.config import load_settings
from llmkit.errors import UnknownNameError, UsageError
from llmkit.suites import gating, init, load_suites
from llmkit.suites.init import examples

FILES = {
    "llmkit.toml",
    "suites/hello.yaml",
    "suites/data/hello.jsonl",
    "prompts/hello.prompty",
    "schemas/suite.schema.json",
    "schemas/prompt.schema.json",
    "schemas/config.schema.json",
    "schemas/judge.schema.json",
    "schemas/search.schema.json",
    ".gitignore",
}


def files(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_it_writes_these_files_and_says_so(tmp_path):
    folder = tmp_path / "new"
    assert {str(path.relative_to(folder)) for path in init(folder)} == FILES == files(folder)


def test_its_suite_loads_passes_its_check_and_renders(tmp_path, monkeypatch):
    init(tmp_path)
    monkeypatch.chdir(tmp_path)
    (suite,) = load_suites("suites/hello.yaml")
    assert suite.check() == 6
    sample = next(suite.samples())
    roles = [message.role for message in suite.prompt.render(sample.row)]
    assert roles == ["system", "user"]


@pytest.mark.parametrize("example", examples())
def test_every_example_loads_passes_its_check_and_its_schemas_accept_it(example, tmp_path, monkeypatch):
    init(tmp_path, example)
    monkeypatch.chdir(tmp_path)
    (path,) = (tmp_path / "suites").glob("*.yaml")
    (suite,) = load_suites(str(path))
    assert suite.check() == sum(1 for _ in suite.samples())
    schema = json.loads((tmp_path / "schemas" / "suite.schema.json").read_text())
    jsonschema.validate(yaml.safe_load(path.read_text()), schema)


def test_the_example_of_the_gate_is_large_enough_for_its_margins(tmp_path):
    init(tmp_path, "cities")
    (suite,) = load_suites(str(tmp_path / "suites" / "cities.yaml"))
    assert [g.name for g in gating(suite)] == ["exact_match", "failures"]
    # With nothing lost, 35 samples rule out a margin of .10.
    assert suite.check() >= 35


def test_an_unknown_example_is_said(tmp_path):
    with pytest.raises(UnknownNameError, match=r"example 'citties'.*'cities'"):
        init(tmp_path, "citties")


def test_its_default_model_is_the_one_that_needs_no_key(tmp_path):
    init(tmp_path)
    assert load_settings(tmp_path, {}).model == "local/smollm2-135m-instruct"


def test_its_schemas_are_where_its_files_say_and_accept_them(tmp_path):
    init(tmp_path)
    suite = tmp_path / "suites" / "hello.yaml"
    (reference,) = [line for line in suite.read_text().splitlines() if line.startswith("# yaml-language-server:")]
    schema = json.loads((suite.parent / reference.partition("$schema=")[2]).read_text())
    jsonschema.validate(yaml.safe_load(suite.read_text()), schema)
    first = (tmp_path / "llmkit.toml").read_text().splitlines()[0]
    assert (tmp_path / first.removeprefix("#:schema ")).is_file()


def test_nothing_is_overwritten_and_all_that_is_there_is_named(tmp_path):
    (tmp_path / "suites").mkdir()
    (tmp_path / "suites" / "hello.yaml").write_text("mine")
    (tmp_path / "llmkit.toml").write_text("mine")
    with pytest.raises(UsageError, match=r"already there: llmkit.toml, suites/hello.yaml"):
        init(tmp_path)
    assert files(tmp_path) == {"llmkit.toml", "suites/hello.yaml"}
    assert (tmp_path / "llmkit.toml").read_text() == "mine"


@pytest.mark.parametrize("content", ["*.pyc", "*.pyc\n"])
def test_a_gitignore_that_is_there_gets_a_line(tmp_path, content):
    (tmp_path / ".gitignore").write_text(content)
    init(tmp_path)
    assert (tmp_path / ".gitignore").read_text() == "*.pyc\n.llmkit/\n"


def test_a_gitignore_that_has_the_line_is_left_alone(tmp_path):
    (tmp_path / ".gitignore").write_text("/.llmkit\n")
    assert tmp_path / ".gitignore" not in init(tmp_path)


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path):
    blocked = tmp_path / "file"
    blocked.touch()
    with pytest.raises(UsageError, match="cannot write"):
        init(blocked / "project")


def test_the_folder_may_be_relative(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert Path("llmkit.toml") in init(Path())
