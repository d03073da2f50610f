from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import stat
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from llmkit.runs.lock import RunLock
from llmkit.scoring.base import Item
from llmkit.types import Failure, Score
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


def test_show_wrong_lists_what_was_answered_wrongly(cli: Cli, run_id: str) -> None:
    said = cli("runs", "show", "--wrong")
    assert said.out == "sample pe · epoch 1\n  exact_match: 0\n"
    assert f"One in full: llmkit runs show {run_id} --sample pe" in said.err
    (sample,) = cli("runs", "show", "--wrong", "--json").json["samples"]
    assert (sample["id"], sample["scores"]["exact_match"]["value"]) == ("pe", 0)


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
    assert said.code == 4  # one of the four stored samples has no answer: more than 2 %
    assert "1 of 4 samples failed, more than --max-failures 0.02" in said.err
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


def test_rescore_has_the_exit_codes_of_an_evaluation(cli: Cli) -> None:
    lenient = ("--max-failures", ".5")
    assert cli("rescore", "latest", *lenient).code == 0
    assert cli("rescore", "latest", *lenient, "--min-point", "exact_match=.5").code == 0
    assert cli("rescore", "latest", *lenient, "--min-point", "exact_match=.7").code == 1
    assert cli("rescore", "latest", *lenient, "--min", "exact_match=.6").code == 3
    assert cli("rescore", "latest", "--min", "exact_mach=.6").code == 2
    assert cli("rescore", "latest", "--max-failures", "2").code == 2


def test_rescore_of_an_unknown_metric_scores_nothing(cli: Cli) -> None:
    before = len(cli("runs", "list", "--json").json["runs"])
    assert cli("rescore", "latest", "--scorer", "includes", "--min", "exact_match=.6").code == 2
    assert len(cli("runs", "list", "--json").json["runs"]) == before


def test_rescore_refuses_two_scorers_of_one_name(cli: Cli) -> None:
    said = cli("rescore", "latest", "--scorer", "includes", "--scorer", "{includes: {ignore_case: true}}")
    assert said.code == 2
    assert "--scorer: two scorers give the metric 'includes'" in said.err
    assert said.err.count("\n") == 1


def test_rescore_takes_stored_scores_unless_told_to_score_all(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    from llmkit.scoring.exact_match import ExactMatch

    scored: list[object] = []
    real = ExactMatch.score

    def counting(self: ExactMatch, items: Sequence[Item]) -> Sequence[Score | Failure]:
        scored.extend(items)
        return real(self, items)

    monkeypatch.setattr(ExactMatch, "score", counting)
    cli("rescore", "latest")
    assert scored == []
    cli("rescore", "latest", "--all")
    assert len(scored) == 3


def test_rescore_takes_a_seed(cli: Cli) -> None:
    said = cli("rescore", "latest", "--scorer", "chrf", "--seed", "5", "--json")
    assert "|seed:5" in said.json["runs"][0]["metrics"]["chrf"]["signature"]


def test_a_killed_run_is_shown_as_killed_and_a_live_one_as_running(cli: Cli, project: Path, run_id: str) -> None:
    with contextlib.closing(sqlite3.connect(project / ".llmkit" / "store.sqlite3")) as db, db:
        db.execute("UPDATE runs SET status='running', result=NULL")
    lock = RunLock(project / ".llmkit", run_id)
    assert lock.acquire()
    assert cli("runs", "list", "--json").json["runs"][0]["status"] == "running"
    lock.release()
    assert cli("runs", "list", "--json").json["runs"][0]["status"] == "killed"
    said = cli("runs", "show", run_id)
    assert said.code == 2
    assert "(killed)" in said.err


def test_export_to_standard_output_is_json_lines_alone(cli: Cli, project: Path) -> None:
    said = cli("runs", "export", "-o", "-")
    assert [json.loads(line)["id"] for line in said.out.splitlines()] == ["fr", "it", "jp", "pe"]
    assert (said.code, said.err) == (0, "")
    assert not (project / "-").exists()


def test_export_writes_over_a_file_only_when_told(cli: Cli, project: Path) -> None:
    kept = project / "kept.jsonl"
    kept.write_text("mine")
    said = cli("runs", "export", "-o", "kept.jsonl")
    assert (said.code, kept.read_text()) == (2, "mine")
    assert "--force" in said.err
    assert cli("runs", "export", "-o", "kept.jsonl", "--force").code == 0
    assert len(kept.read_text().splitlines()) == 4


def test_export_keeps_a_link_and_writes_where_it_points(cli: Cli, project: Path) -> None:
    (project / "real.jsonl").write_text("old")
    (project / "link.jsonl").symlink_to("real.jsonl")
    assert cli("runs", "export", "-o", "link.jsonl", "--force").code == 0
    assert (project / "link.jsonl").is_symlink()
    assert len((project / "real.jsonl").read_text().splitlines()) == 4


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_export_writes_into_a_pipe_and_leaves_it_there(cli: Cli, project: Path, form: str) -> None:
    from pyarrow import parquet

    pipe, into = project / "pipe", project / "copy"
    os.mkfifo(pipe)
    with subprocess.Popen(["cp", str(pipe), str(into)]) as reader:  # cp of a pipe reads it to its end
        assert cli("runs", "export", "--format", form, "-o", "pipe").code == 0
        assert reader.wait(30) == 0
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    count = len(into.read_text().splitlines()) if form == "jsonl" else parquet.read_table(into).num_rows
    assert count == 4


def test_export_to_a_folder_is_refused(cli: Cli, project: Path) -> None:
    said = cli("runs", "export", "-o", ".", "--force")
    assert said.code == 2
    assert "is a folder" in said.err


def test_export_to_a_device_leaves_the_device(cli: Cli) -> None:
    before = os.stat("/dev/null")
    assert cli("runs", "export", "-o", "/dev/null").code == 0
    assert os.path.samestat(before, os.stat("/dev/null"))


def test_a_misspelt_latest_is_offered(cli: Cli) -> None:
    assert "Did you mean 'latest'?" in cli("runs", "show", "lates").err
