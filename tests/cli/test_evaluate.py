from __future__ import annotations

import json
from pathlib import Path

import pytest

from llmkit.reports.document import document_schema
from tests.cli.conftest import SUITE, Cli

pytestmark = pytest.mark.usefixtures("project")


def test_the_table_shows_value_interval_n_and_signature(cli: Cli) -> None:
    said = cli("eval", "capitals.yaml")
    assert said.code == 0
    assert "0.75 [0.30, 0.95]  n=4" in said.out
    assert "metric:exact_match|" in said.out


def test_standard_error_is_quiet_when_it_is_no_terminal(cli: Cli) -> None:
    assert cli("eval", "capitals.yaml").err == ""


def test_json_is_one_document_and_nothing_else(cli: Cli) -> None:
    import jsonschema

    said = cli("eval", "capitals.yaml", "--json")
    jsonschema.validate(said.json, document_schema())
    run = said.json["runs"][0]
    assert run["samples"]["total"] == run["samples"]["completed"] == 4
    assert run["samples"]["failed"] == 0
    metric = run["metrics"]["exact_match"]
    assert (metric["value"], metric["n"]) == (0.75, 4)
    assert metric["ci"][0] < 0.75 < metric["ci"][1]
    assert said.err == ""


def test_several_models_stand_side_by_side(cli: Cli) -> None:
    said = cli("eval", "capitals.yaml", "-m", "scripted/oracle", "-m", "scripted/echo")
    assert "scripted/oracle" in said.out.splitlines()[1]
    assert "scripted/echo" in said.out.splitlines()[1]


def test_several_suites_are_several_runs(cli: Cli, project: Path) -> None:
    (project / "again.yaml").write_text(SUITE.replace("capitals", "again").replace(", {numeric: {tolerance: 1}}", ""))
    said = cli("eval", "capitals.yaml", "again.yaml", "--json")
    assert [run["suite"] for run in said.json["runs"]] == ["capitals", "again"]


@pytest.mark.parametrize(
    ("bounds", "code", "word"),
    [
        (("--min", "exact_match=.2"), 0, "pass"),
        (("--min", "exact_match=.99"), 1, "FAIL"),
        (("--min", "exact_match=.75"), 3, "not enough evidence"),
        (("--min-point", "exact_match=.75"), 0, "pass"),
        (("--min-point", "exact_match=.76"), 1, "FAIL"),
        (("--max", "exact_match=.99"), 0, "pass"),
        (("--max", "exact_match=.2"), 1, "FAIL"),
        (("--min", "exact_match=.75", "--min-point", "exact_match=.9"), 1, "FAIL"),
    ],
)
def test_thresholds_pass_fail_or_say_that_evidence_lacks(
    cli: Cli, bounds: tuple[str, ...], code: int, word: str
) -> None:
    said = cli("eval", "capitals.yaml", *bounds)
    assert said.code == code
    assert word in said.err


def test_the_command_line_takes_as_many_epochs_as_a_suite() -> None:
    from llmkit.cli import options
    from llmkit.suites import spec

    assert options.MOST_EPOCHS == spec.MOST_EPOCHS


def test_what_stopped_a_run_is_said_once(cli: Cli, project: Path) -> None:
    (project / "answers.jsonl").write_text(json.dumps({"match": "Capital", "fault": "auth"}) + "\n")
    said = cli("eval", "capitals.yaml")
    assert said.code == 4
    assert "--max-failures" not in said.err
    assert [line.partition(":")[0] for line in said.err.splitlines()] == ["llmkit", "llmkit"]  # what is kept, and why
    assert "go on with: llmkit" in said.err


def test_failures_above_the_share_exit_4(cli: Cli, project: Path) -> None:
    lines = (project / "answers.jsonl").read_text().splitlines()
    lines[0] = json.dumps({"match": "France", "fault": "bad_request"})
    (project / "answers.jsonl").write_text("\n".join(lines) + "\n")
    said = cli("eval", "capitals.yaml")
    assert said.code == 4
    assert "1 of 4 samples failed, more than --max-failures 0.02" in said.err
    assert "1 failed" in said.out
    assert cli("eval", "capitals.yaml", "--max-failures", "0.25").code == 0


def test_answers_that_cannot_be_parsed_are_shown_but_nothing_broke(cli: Cli, project: Path) -> None:
    (project / "capitals.yaml").write_text(SUITE.replace("capital,", "n,").replace("exact_match, ", ""))
    rows = [json.loads(line) for line in (project / "rows.jsonl").read_text().splitlines()]
    (project / "rows.jsonl").write_text("".join(json.dumps({**r, "n": 7}) + "\n" for r in rows))
    said = cli("eval", "capitals.yaml", "--json")
    metric = said.json["runs"][0]["metrics"]["numeric"]
    assert said.code == 0
    assert (metric["value"], metric["n"], metric["failed"], metric["value_failures_wrong"]) == (None, 0, 4, 0.0)


def test_a_dry_run_asks_nothing(cli: Cli, project: Path) -> None:
    said = cli("eval", "capitals.yaml", "--dry-run")
    assert said.code == 0
    assert "4 calls in all, at most $0. Nothing was asked." in said.out
    assert cli("runs", "list", "--json").json == {"runs": []}


def test_a_dry_run_says_where_the_model_and_each_parameter_come_from(cli: Cli) -> None:
    said = cli("eval", "capitals.yaml", "--dry-run", "-M", "temperature=0")
    assert "model from suite capitals.yaml:7" in said.out
    assert "max_tokens = 8 from suite capitals.yaml:8" in said.out
    assert "temperature = 0" in said.out
    assert "from -M" in said.out


def test_a_run_says_where_its_model_and_each_parameter_came_from_also_later(cli: Cli) -> None:
    command = ("eval", "capitals.yaml", "-m", "scripted/oracle", "-M", "temperature=0")
    origins = {
        "model": "-m", "max_tokens": "suite capitals.yaml:8", "temperature": "-M", "file": "llmkit.toml:2",
    }  # fmt: skip
    for run in (cli(*command, "--json").json["runs"][0], cli("runs", "show", "--json").json["runs"][0]):
        assert run["origins"] == origins
        assert run["params"] == {"max_tokens": 8, "temperature": 0}
    line = "model from -m · max_tokens=8 from suite capitals.yaml:8 · temperature=0.0 from -M · file from llmkit.toml:2"
    assert line in cli("runs", "show").out


def test_samples_are_shown_before_the_rest_and_not_paid_twice(cli: Cli) -> None:
    said = cli("eval", "capitals.yaml", "--sample", "2", "--json")
    assert "Capital of France?" in said.err
    assert "Capital of Italy?" in said.err
    assert "Capital of Japan?" not in said.err
    assert said.json["runs"][0]["samples"]["completed"] == said.json["runs"][0]["metrics"]["exact_match"]["n"] == 4
    assert said.json["runs"][0]["usage"]["calls"] == 4
    assert said.json["runs"][0]["samples"]["from_cache"] == 0


def test_slices_are_reported(cli: Cli) -> None:
    run = cli("eval", "capitals.yaml", "--json").json["runs"][0]
    parts = run["metrics"]["exact_match"]["slices"]["continent"]
    assert {name: (part["value"], part["n"]) for name, part in parts.items()} == {
        "Europe": (1.0, 2),
        "Asia": (1.0, 1),
        "America": (0.0, 1),
    }


def test_a_price_that_is_unknown_with_a_cap_is_said_before_anything_runs(
    cli: Cli, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "x")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1/v1")
    said = cli("eval", "capitals.yaml", "-m", "openai/nobody-knows", "--max-cost", "1")
    assert said.code == 2
    assert said.out == ""
    assert '[prices."openai/nobody-knows"]' in said.err
    assert not (project / ".llmkit").exists()


def test_what_a_schema_of_a_suite_says_to_no_effect_is_told_once_on_standard_error(cli: Cli, project: Path) -> None:
    schema = "format:\n  json: {type: string, format: email}\n"
    (project / "capitals.yaml").write_text((project / "capitals.yaml").read_text() + schema)
    said = cli("eval", "capitals.yaml", "-m", "scripted/oracle", "-m", "scripted/echo")
    assert said.err.count("the format 'email' is a hint: it is not checked") == 1


def test_pass_at_k_is_made_of_the_answers_of_the_epochs(cli: Cli) -> None:
    metrics = cli("eval", "capitals.yaml", "--epochs", "3", "--pass-k", "3,2,9", "--json").json["runs"][0]["metrics"]
    names = ["exact_match", "exact_match_pass@2", "exact_match_pass@3", "exact_match_pass^2", "exact_match_pass^3"]
    assert list(metrics) == names
    assert [metric["n"] for metric in metrics.values()] == [4] * 5


def test_a_rescored_run_keeps_its_k_and_may_have_others(cli: Cli) -> None:
    run = cli("eval", "capitals.yaml", "--epochs", "3", "--pass-k", "2", "--json").json["runs"][0]["run_id"]
    again = cli("rescore", run, "--json").json["runs"][0]["metrics"]
    assert list(again) == ["exact_match", "exact_match_pass@2", "exact_match_pass^2"]
    other = cli("rescore", run, "--pass-k", "3", "--min-point", "exact_match_pass^3=0.5")
    assert "exact_match_pass^3 is 0.75" in other.err


@pytest.mark.parametrize("given", ["0", "1,", "a", "1;2", "9" * 400, "²"])
def test_what_is_no_k_is_one_line(cli: Cli, given: str) -> None:
    said = cli("eval", "capitals.yaml", "--pass-k", given)
    assert (said.code, said.err.count("\n")) == (2, 1)
    assert said.err.startswith("llmkit: --pass-k: ")


def test_runs_with_pass_at_k_are_compared_in_what_each_sample_has(cli: Cli) -> None:
    for _ in range(2):
        cli("eval", "capitals.yaml", "--epochs", "3", "--pass-k", "2", "--fresh")
    runs = [run["run_id"] for run in cli("runs", "list", "--json").json["runs"]]
    said = cli("compare", *runs)
    assert said.code == 0, said.err
    assert "exact_match" in said.out
    assert "pass@2" not in said.out
