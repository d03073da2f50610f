"""Two configurations of one model, each by an alias of its own: asked, told apart, and compared."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from llmkit.runs.store import Store
from tests.cli.conftest import ROWS, Cli

TOML = """\
[aliases]
plain = "scripted/oracle"
better = "scripted/oracle"
same = "plain"

[models.better]
file = "better.jsonl"
temperature = 0.5

[models."scripted/oracle"]
file = "answers.jsonl"
"""


@pytest.fixture(autouse=True)
def configured(project: Path) -> Path:
    lines = [json.dumps({"match": r["country"], "text": r["capital"]}) for r in ROWS]
    (project / "better.jsonl").write_text("\n".join(lines))
    (project / "llmkit.toml").write_text(TOML)
    return project


def test_both_are_columns_of_the_table_and_compared_at_its_end(cli: Cli) -> None:
    said = cli("eval", "capitals.yaml", "-m", "plain", "-m", "better")
    assert said.code == 0
    header = said.out.splitlines()[1].split()
    assert header == ["plain", "better"]
    assert "capitals · scripted/oracle (better)" in said.out
    assert "differ in temperature: not set → 0.5 · file: answers.jsonl → better.jsonl" in said.out
    assert "0.750 → 1.000" in said.out


def test_json_says_alias_and_model(cli: Cli) -> None:
    found = cli("eval", "capitals.yaml", "-m", "plain", "-m", "better", "--json").json
    assert [(run["model"], run["alias"]) for run in found["runs"]] == [
        ("scripted/oracle", "plain"),
        ("scripted/oracle", "better"),
    ]
    assert found["runs"][1]["origins"]["temperature"] == "llmkit.toml:8"
    (comparison,) = found["comparisons"]
    assert (comparison["a"]["alias"], comparison["b"]["alias"]) == ("plain", "better")


def test_a_model_called_by_its_name_has_no_alias(cli: Cli) -> None:
    found = cli("eval", "capitals.yaml", "-m", "scripted/oracle", "-m", "better", "--json").json
    assert "alias" not in found["runs"][0] and "alias" not in found["comparisons"][0]["a"]
    assert cli("runs", "show", "latest~1").out.splitlines()[1].split() == ["scripted/oracle"]


def test_the_list_of_runs_tells_them_apart(cli: Cli) -> None:
    cli("eval", "capitals.yaml", "-m", "plain", "-m", "better")
    listed = cli("runs", "list").out
    assert "scripted/oracle (plain)" in listed and "scripted/oracle (better)" in listed
    assert {run["alias"] for run in cli("runs", "list", "--json").json["runs"]} == {"plain", "better"}


def test_an_export_of_a_run_is_compared_by_its_options_too(cli: Cli, tmp_path: Path) -> None:
    cli("eval", "capitals.yaml", "-m", "plain", "-m", "better")
    cli("runs", "export", "latest~1", "-o", "one.jsonl")
    said = cli("compare", "one.jsonl", "latest")
    assert "scripted/oracle (plain)" in said.out
    assert "file: answers.jsonl → better.jsonl" in said.out


def test_names_of_one_configuration_share_answers_and_are_not_compared(cli: Cli) -> None:
    said = cli("eval", "capitals.yaml", "-m", "plain", "-m", "same", "--json")
    assert "comparisons" not in said.json
    assert [run["samples"]["from_cache"] for run in said.json["runs"]] == [0, 4]
    assert said.err == (
        "llmkit: capitals: scripted/oracle (plain) and scripted/oracle (same) are not compared:"
        " nothing that decides an answer differs between them\n"
    )


def test_what_an_alias_is_called_is_no_part_of_what_decides_a_run(cli: Cli, project: Path) -> None:
    cli("eval", "capitals.yaml", "-m", "plain")
    cli("eval", "capitals.yaml", "-m", "scripted/oracle")
    with Store(project / ".llmkit") as store:
        named, called = store.runs()
    assert named.digest == called.digest
    assert (named.alias, called.alias) == (None, "plain")


def test_a_forecast_names_them(cli: Cli) -> None:
    said = cli("eval", "capitals.yaml", "-m", "plain", "-m", "better", "--dry-run")
    assert "capitals on scripted/oracle (better)" in said.out
    assert "  file from llmkit.toml:7\n" in said.out
    assert cli("eval", "capitals.yaml", "-m", "better", "--dry-run", "--json").json["plans"][0]["alias"] == "better"


def test_a_threshold_names_the_one_it_is_held_against(cli: Cli) -> None:
    said = cli("eval", "capitals.yaml", "-m", "plain", "-m", "better", "--min-point", "exact_match=0.9")
    assert said.code == 1
    assert "FAIL: capitals on scripted/oracle (plain): " in said.err
    assert "pass: capitals on scripted/oracle (better): " in said.err


def test_an_alias_that_nothing_explains_is_one_line(cli: Cli, project: Path) -> None:
    (project / "llmkit.toml").write_text(TOML.replace("[models.better]", "[models.beter]"))
    said = cli("eval", "capitals.yaml", "-m", "plain")
    assert (said.code, said.err) == (2, "llmkit: llmkit.toml:6: unknown alias 'beter'. Did you mean 'better'?\n")
