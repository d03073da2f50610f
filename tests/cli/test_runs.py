from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Cli


@pytest.fixture(autouse=True)
def run_id(project: Path, cli: Cli) -> str:
    """One stored run, with one failed sample."""
    lines = (project / "answers.jsonl").read_text().splitlines()
    lines[2] = json.dumps({"match": "Japan", "text": ""})
    (project / "answers.jsonl").write_text("\n".join(lines) + "\n")
    found: str = cli("eval", "capitals.yaml", "--json").json["runs"][0]["run_id"]
    return found


def test_list_shows_runs_with_status_and_first_metric(cli: Cli, run_id: str) -> None:
    said = cli("runs", "list")
    assert run_id in said.out
    assert "3/4" in said.out
    assert "exact_match 0.667" in said.out


def test_list_keeps_to_a_suite_and_a_status(cli: Cli, project: Path, run_id: str) -> None:
    (project / "again.yaml").write_text((project / "capitals.yaml").read_text().replace("capitals", "again"))
    (project / "answers.jsonl").write_text(json.dumps({"match": "Capital", "fault": "auth"}) + "\n")
    (failed,) = cli("eval", "again.yaml", "--no-cache", "--json").json["runs"]

    def listed(*arguments: str) -> list[str]:
        return [run["run_id"] for run in cli("runs", "list", "--json", *arguments).json["runs"]]

    assert listed() == [failed["run_id"], run_id]
    assert listed("--suite", "capitals", "--limit", "1") == [run_id]
    assert listed("--status", "failed") == [failed["run_id"]]
    assert listed("--status", "completed", "--suite", "again") == []
    assert cli("runs", "list", "--status", "done").code == 2


def test_show_repeats_the_stored_result(cli: Cli) -> None:
    shown, evaluated = cli("runs", "show", "latest", "--json").json, cli("eval", "capitals.yaml", "--json").json
    assert shown["runs"][0]["metrics"]["exact_match"] == evaluated["runs"][0]["metrics"]["exact_match"]


def test_show_failed_shows_only_what_failed_and_why(cli: Cli) -> None:
    said = cli("runs", "show", "--failed")
    assert "Capital of Japan?" in said.out
    assert "failed: provider/empty" in said.out
    assert "France" not in said.out


def test_one_sample_as_a_transcript(cli: Cli) -> None:
    said = cli("runs", "show", "--sample", "pe")
    assert "Capital of Peru?" in said.out
    assert "Cusco" in said.out
    assert "reference: Lima" in said.out


def test_one_sample_as_a_test_case_is_a_row_of_a_data_set(cli: Cli, project: Path) -> None:
    said = cli("runs", "show", "--sample", "pe", "--as", "test")
    (project / "rows.jsonl").write_text(said.out)
    assert cli("eval", "capitals.yaml", "--json").json["runs"][0]["samples"]["from_cache"] == 1


def test_a_sample_of_a_model_in_process_has_no_curl_command(cli: Cli) -> None:
    said = cli("runs", "show", "--sample", "pe", "--as", "curl")
    assert (said.code, said.out) == (2, "")
    assert "answers in process" in said.err


def test_an_unknown_sample_offers_the_nearest(cli: Cli) -> None:
    said = cli("runs", "show", "--sample", "pee")
    assert said.code == 2
    assert "'pe'" in said.err


def test_an_unknown_run_is_one_line(cli: Cli) -> None:
    said = cli("runs", "show", "20990101-000000-ffff")
    assert said.code == 2
    assert said.err.count("\n") == 1


def test_export_writes_json_lines(cli: Cli, project: Path, run_id: str) -> None:
    said = cli("runs", "export", "-o", "out.jsonl")
    rows = [json.loads(line) for line in (project / "out.jsonl").read_text().splitlines()]
    assert said.err == "llmkit: wrote 4 samples to out.jsonl\n"
    assert [row["id"] for row in rows] == ["fr", "it", "jp", "pe"]
    assert [row["scores"].get("exact_match") for row in rows] == [1.0, 1.0, None, 0.0]
    assert rows[2]["failures"][0]["kind"] == "empty"
    assert {row["run_id"] for row in rows} == {run_id}


def test_export_writes_parquet(cli: Cli, project: Path) -> None:
    from pyarrow import parquet

    cli("runs", "export", "--format", "parquet", "-o", "out.parquet")
    table = parquet.read_table(project / "out.parquet").to_pylist()
    assert json.loads(table[0]["scores"]) == {"exact_match": 1.0}


def test_rescore_makes_a_run_of_its_own_with_no_calls(cli: Cli, run_id: str) -> None:
    said = cli("rescore", run_id, "--scorer", "includes", "--scorer", "{exact_match: {ignore_case: true}}", "--json")
    run = said.json["runs"][0]
    assert said.code == 0
    assert run["run_id"] != run_id
    assert run["usage"]["calls"] == 0
    assert set(run["metrics"]) == {"includes", "exact_match"}


def test_without_a_store_one_line_says_what_makes_one(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    (tmp_path / "empty" / "llmkit.toml").write_text("")
    said = cli("runs", "list")
    assert said.code == 4
    assert "there is no store yet" in said.err
