"""``llmkit gate`` and ``llmkit baseline`` as a user types them."""

import json
import shlex
from xml.etree import ElementTree

import pytest

from llmkit.cli.main import main
from llmkit.verdicts import GateReport
from tests.gate.conftest import repo  # noqa: F401
from tests.gate.repository import needs_git

pytestmark = needs_git

ROWS = "".join(json.dumps({"id": f"s{n}", "question": f"say {n}", "answer": f"say {n}"}) + "\n" for n in range(80))
PROMPT = "---\nname: add\n---\nuser:\n{{question}}%s\n"


@pytest.fixture
def gated(repo, cli):  # noqa: F811
    """Eighty rows that an echo gets right, committed; the way to run the command line there."""
    repo.git("checkout", "-q", "main")
    repo.write({"suites/sums.jsonl": ROWS, "prompts/add.prompty": PROMPT % "", ".gitignore": ".llmkit\n"})
    repo.commit()
    repo.git("checkout", "-q", "-B", "change")
    return repo


def edit(repo, more):  # noqa: F811
    repo.write({"prompts/add.prompty": PROMPT % more})


def test_nothing_changed_is_a_pass_without_a_call(gated, cli):
    said = cli("gate")
    assert said.code == 0
    assert "no call was made" in said.out


def test_a_drop_exits_with_1_and_shows_what_flipped(gated, cli):
    edit(gated, " please")
    said = cli("gate")
    assert said.code == 1
    assert "FAIL  sums" in said.out
    assert "say 4{+ please+}" in said.out or "{+ please+}" in said.out
    assert "prompts/add.prompty:5" in said.out


def test_json_is_one_document(gated, cli):
    edit(gated, " please")
    document = cli("gate", "--json").json
    assert (document["verdict"], document["exit_code"]) == ("fail", 1)


def test_reports_are_written_to_files(gated, cli):
    edit(gated, " please")
    said = cli("gate", "--junit", "j.xml", "--markdown", "m.md")
    assert said.code == 1
    assert ElementTree.parse("j.xml").getroot().get("failures") == "1"
    assert "FAIL" in (gated.top / "m.md").read_text()


@pytest.mark.parametrize("option", ["--junit", "--markdown"])
def test_a_report_that_cannot_be_written_is_said_before_anything_is_asked(gated, cli, option):
    edit(gated, " please")
    said = cli("gate", option, "nowhere/report")
    assert (said.code, said.out) == (2, "")
    assert said.err == "llmkit: nowhere/report: cannot be written: No such file or directory\n"
    assert not (gated.top / ".llmkit").exists()


def test_a_report_that_cannot_be_written_in_the_end_changes_no_verdict(gated, cli, monkeypatch, tmp_path):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "output"))
    edit(gated, " please")
    said = cli("gate", "--junit", "/dev/full", "--markdown", "m.md")
    assert said.code == 1
    assert said.err == "llmkit: /dev/full: cannot be written: No space left on device\n"
    assert "FAIL" in (gated.top / "m.md").read_text()
    assert "verdict=fail" in (tmp_path / "output").read_text()
    assert "::error file=prompts/add.prompty,line=5" in said.out


def test_list_shows_the_plan_and_stops(gated, cli):
    edit(gated, " please")
    said = cli("gate", "--list")
    assert said.code == 0
    assert "Nothing was asked" in said.out


def test_inside_github_actions_it_annotates_and_summarises(gated, cli, monkeypatch, tmp_path):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    edit(gated, " please")
    said = cli("gate")
    assert "::error file=prompts/add.prompty,line=5" in said.out
    assert "FAIL" in (tmp_path / "summary.md").read_text()


def test_inside_github_actions_json_stays_one_document(gated, cli, monkeypatch, tmp_path):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    edit(gated, " please")
    said = cli("gate", "--json")
    assert said.json["verdict"] == "fail"
    assert "::error" in said.err


def test_fresh_is_an_option_of_the_gate(gated, cli, monkeypatch):
    asked = []

    async def gate(options, hooks):
        asked.append(options.fresh)
        return GateReport("pass", 0, (), "a", "b")

    monkeypatch.setattr("llmkit.gate.run.gate", gate)
    cli("gate")
    cli("gate", "--fresh")
    assert asked == [False, True]


def test_a_word_that_no_inconclusive_verdict_can_mean_is_said(gated, cli):
    said = cli("gate", "--on-inconclusive", "explode")
    assert said.code == 2
    assert "fail, warn, pass" in said.err


def test_an_age_that_is_none_is_said(gated, cli):
    said = cli("gate", "--max-age", "a week")
    assert said.code == 2
    assert "--max-age" in said.err
    assert "7d" in said.err


def test_base_and_baseline_exclude_each_other(gated, cli):
    said = cli("gate", "suites/sums.yaml", "--base", "main", "--baseline", "latest")
    assert said.code == 2
    assert "one of them" in said.err


def test_a_baseline_is_saved_and_gated_against(gated, cli):
    assert main(["eval", "suites/sums.yaml"]) == 0
    saved = cli("baseline", "save")
    assert saved.code == 0
    assert "80 answers" in saved.err
    edit(gated, " please")
    (_, *words) = shlex.split(saved.err.partition("next: ")[2])
    said = cli(*words)
    assert words == ["gate", "suites/sums.yaml", "--baseline", "sums.baseline.jsonl"]
    assert said.code == 1
    assert "baseline sums.baseline.jsonl" in said.out


def test_a_baseline_saved_elsewhere_names_no_file_that_is_not_there(gated, cli, monkeypatch):
    assert main(["eval", "suites/sums.yaml"]) == 0
    monkeypatch.chdir(gated.top / "prompts")
    assert "next: llmkit gate SUITE --baseline 'a b.jsonl'\n" in cli("baseline", "save", "-o", "a b.jsonl").err


def test_a_baseline_without_a_suite_says_how(gated, cli):
    main(["eval", "suites/sums.yaml"])
    said = cli("gate", "--baseline", "latest")
    assert said.code == 2
    assert "name the suites" in said.err


def test_a_baseline_of_a_suite_that_is_not_gated_here_is_said(gated, cli):
    main(["eval", "suites/sums.yaml"])
    cli("baseline", "save", "-o", "b.jsonl")
    gated.edit("suites/sums.yaml", "name: sums", "name: other")
    said = cli("gate", "suites/sums.yaml", "--baseline", "b.jsonl")
    assert said.code == 2
    assert "'sums'" in said.err


def test_no_repository_names_the_way_without_one(cli, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    said = cli("gate")
    assert said.code == 2
    assert "--baseline" in said.err
    assert len(said.err.splitlines()) == 1


HOSTILE = "suites/x\n::error file=a::pwned ##[error]pwned \x1b]0;owned\x07.yaml"


@pytest.mark.parametrize("actions", ["true", ""])
def test_a_files_name_is_one_line_of_an_error_and_no_command(gated, cli, monkeypatch, actions):
    monkeypatch.setenv("GITHUB_ACTIONS", actions)
    gated.write({HOSTILE: "gate: x\nscorers: [a]\n"})
    said = cli("gate")
    assert said.code == 2
    assert len(said.err.splitlines()) == 1
    assert "suites/x\\n::error file=a::pwned" in said.err
    assert not set(said.err) & {"\x1b", "\x07"}
    assert ("##[" in said.err) is (actions != "true")


def test_what_was_typed_is_one_line_of_an_error(cli):
    said = cli("gate", "--no\n::error::such")
    assert said.code == 2
    assert len(said.err.splitlines()) == 1


def test_the_list_of_runs_says_which_side_of_a_gate_each_was(gated, cli):
    edit(gated, " please")
    cli("gate")
    said = cli("runs", "list")
    assert "sums (gate base)" in said.out
    assert "sums (gate head)" in said.out
    assert {run["side"] for run in cli("runs", "list", "--json").json["runs"]} == {"gate base", "gate head"}
