from __future__ import annotations

import json
from pathlib import Path

import pytest

from llmkit.reports.plan_document import plans_schema
from tests.cli.conftest import SUITE, Cli
from tests.cli.test_session import Terminal

PRICED = '[models."scripted/oracle"]\nfile = "answers.jsonl"\nbilled = true\n'
PRICED += '[prices."scripted/oracle"]\ninput = 1000.0\noutput = 1000.0\n'


@pytest.fixture
def unsure(project: Path) -> Path:
    """A model that knows Peru's capital at every second asking only."""
    lines = [json.loads(line) for line in (project / "answers.jsonl").read_text().splitlines()]
    first = {"match": "Peru", "text": "Lima", "times": 1}
    (project / "answers.jsonl").write_text("".join(json.dumps(line) + "\n" for line in [first, *lines]))
    return project


@pytest.mark.usefixtures("project")
def test_a_plan_is_printed_without_a_key_or_a_call(cli: Cli, project: Path) -> None:
    said = cli("plan", "capitals.yaml", "-m", "openai/gpt-4o-mini", "--effect", ".1")
    assert (said.code, said.err) == (0, "")
    assert "capitals on openai/gpt-4o-mini  4 samples, each asked once" in said.out
    assert "assumed: nothing is known, the worst case" in said.out
    assert "Next: llmkit plan capitals.yaml -m openai/gpt-4o-mini --aa" in said.out
    assert not (project / ".llmkit").exists()


@pytest.mark.usefixtures("project")
def test_json_is_one_document_and_nothing_else(cli: Cli) -> None:
    import jsonschema

    said = cli("plan", "capitals.yaml", "-m", "scripted/oracle", "-m", "scripted/echo", "--json")
    jsonschema.validate(said.json, plans_schema())
    assert [plan["model"] for plan in said.json["plans"]] == ["scripted/oracle", "scripted/echo"]
    assert said.err == ""


@pytest.mark.usefixtures("unsure")
def test_an_a_a_run_shows_the_noise_floor_and_plans_with_it(cli: Cli) -> None:
    said = cli("plan", "capitals.yaml", "--aa")
    assert (said.code, said.err) == (0, "")
    assert "1 of 4, 25 %" in said.out
    assert "A/A run" in said.out
    found = cli("plan", "capitals.yaml", "--json").json["plans"][0]
    assert found["metrics"][0]["spread"]["seen"] == 0.25
    assert found["noise"] is None


@pytest.mark.usefixtures("unsure")
def test_an_a_a_runs_document_holds_its_floor(cli: Cli) -> None:
    import jsonschema

    said = cli("plan", "capitals.yaml", "--aa", "--json")
    jsonschema.validate(said.json, plans_schema())
    noise = said.json["plans"][0]["noise"]
    assert (noise["pairs"], noise["same_text"], noise["complete"]) == (4, 3, True)
    assert [run["run_id"] in noise["runs"] for run in cli("runs", "list", "--json").json["runs"]] == [True, True]


@pytest.mark.usefixtures("project")
def test_a_deterministic_model_is_called_so(cli: Cli) -> None:
    said = cli("plan", "capitals.yaml", "--aa")
    assert "no score differed" in said.out
    assert "100 % of them word for word the same" in said.out


@pytest.mark.usefixtures("project")
def test_a_dry_run_shows_both_arms_and_asks_nothing(cli: Cli) -> None:
    said = cli("plan", "capitals.yaml", "--aa", "--dry-run")
    assert said.code == 0
    assert "8 calls in all, at most $0. Nothing was asked." in said.out
    assert "capitals · arm 2 on scripted/oracle" in said.out
    assert cli("runs", "list", "--json").json == {"runs": []}


def test_a_budget_that_runs_out_exits_3_says_how_to_go_on_and_shows_what_there_is(cli: Cli, project: Path) -> None:
    (project / "llmkit.toml").write_text(PRICED)
    said = cli("plan", "capitals.yaml", "--aa", "--max-cost", "0.05")
    assert said.code == 3
    assert "not complete: these are the pairs so far" in said.out
    assert "go on with: llmkit" in said.err
    assert cli("plan", "capitals.yaml", "--aa", "--max-cost", "5").code == 0
    assert len(cli("runs", "list", "--json").json["runs"]) == 2


def test_a_server_that_fails_exits_4(cli: Cli, project: Path) -> None:
    (project / "answers.jsonl").write_text(json.dumps({"match": "Capital", "fault": "auth"}) + "\n")
    said = cli("plan", "capitals.yaml", "--aa")
    assert said.code == 4
    assert "no pair has a value in both arms" in said.out
    assert said.err.count("scripted fault auth") == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--effect", "1.5"), "--effect 1.5 is out of range. It is a share of the metric's range"),
        (("--n", "1"), "--n 1: a difference needs at least 2 samples"),
        (("--power", "0"), "--power 0 is out of range"),
        (("--metric", "exact_mtch"), "unknown metric 'exact_mtch'. Did you mean 'exact_match'?"),
        (("--aa", "--n", "50"), "--aa asks those that are. Use --limit N"),
        (("--limit", "2"), "--limit means nothing without --aa: a plan makes no calls. To plan with another number"),
        (("--max-cost", "2"), "--max-cost means nothing without --aa"),
        (("--dry-run",), "--dry-run means nothing without --aa"),
        (("--fresh",), "--fresh means nothing without --aa"),
    ],
)
@pytest.mark.usefixtures("project")
def test_what_cannot_be_planned_is_one_line_and_exits_2(cli: Cli, arguments: tuple[str, ...], words: str) -> None:
    said = cli("plan", "capitals.yaml", *arguments)
    assert (said.code, said.out) == (2, "")
    assert words in said.err
    assert said.err.count("\n") == 1


def test_a_cap_on_an_unknown_price_is_refused(cli: Cli, project: Path) -> None:
    (project / "llmkit.toml").write_text('[models."scripted/oracle"]\nfile = "answers.jsonl"\nbilled = true\n')
    said = cli("plan", "capitals.yaml", "--aa", "--max-cost", "1")
    assert said.code == 2
    assert "price of scripted/oracle is not known" in said.err


def test_no_rows_exit_4(cli: Cli, project: Path) -> None:
    (project / "rows.jsonl").write_text("")
    said = cli("plan", "capitals.yaml")
    assert said.code == 4
    assert "there are no rows" in said.err


def test_a_gates_margins_are_planned(cli: Cli, project: Path) -> None:
    text = SUITE.replace(", {numeric: {tolerance: 1}}", "")
    (project / "capitals.yaml").write_text(text + "gate: {exact_match: {max_drop: .2, slices: {continent: .5}}}\n")
    found = cli("plan", "capitals.yaml", "--n", "400", "--json").json["plans"][0]
    assert [(m["slice"], m["part"], m["available"]) for m in found["margins"]] == [
        (None, None, 400),
        ("continent", "America", 100),
    ]
    assert found["margins"][0]["n_max"] <= 400
    assert found["margins"][0]["resolvable"] is None


def test_at_a_terminal_it_asks_before_it_spends(project: Path) -> None:
    declined = Terminal(project, "plan", "capitals.yaml", "--aa", keys="n\n")
    assert (declined.code, declined.out.strip()) == (0, "")
    assert "8 calls in all, at most $0." in declined.err
    assert "Ask this?" in declined.err
    agreed = Terminal(project, "plan", "capitals.yaml", "--aa", keys="y\n")
    assert agreed.code == 0
    assert "Noise floor" in agreed.out


def test_yes_asks_nothing_at_a_terminal(project: Path) -> None:
    said = Terminal(project, "plan", "capitals.yaml", "--aa", "--yes", keys="")
    assert said.code == 0
    assert "Ask this?" not in said.err
    assert "arm 1" in said.err
    assert "arm 2" in said.err
