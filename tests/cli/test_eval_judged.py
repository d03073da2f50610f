"""Suites with a judge, on the command line: every figure with its status, costs apart, thresholds, rescoring."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from llmkit.cli.main import main
from llmkit.judgements import Counts
from llmkit.judges.load import load_judge
from llmkit.judges.lock import lock_path, write_lock
from llmkit.reports.document import document_schema
from tests.cli.conftest import Cli
from tests.judges.locking import labelled_project, lock_for
from tests.judges.seats import says

ROWS = 100
SUITE = """\
version: 1
name: replies
data: rows.jsonl
map: {id: id, slices: [half]}
messages: [{role: user, content: "Question {{id}}"}]
scorers: [{judge: relevance}]
model: scripted/echo
params: {max_tokens: 8}
"""
CONFIG = """\
[models."scripted/judge"]
file = "verdicts.jsonl"
revision = "1"
[prices."scripted/judge"]
input = 0.0
output = 1000.0
"""
VERDICTS = [
    {"regex": r"(?s)<answer-\w+>\nQuestion 1\d\n", "text": says("fail")},
    {"regex": r"(?s)<answer-\w+>\nQuestion 99\n", "text": says("cannot_tell")},
    {"regex": r"(?s)<answer-\w+>\nQuestion 98\n", "text": "hm"},
    {"match": "<answer-", "text": says("pass")},
]
"""10 fail, one abstention, one answer that cannot be read, 88 pass."""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("LLMKIT_MODEL", "LLMKIT_STORE"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "llmkit.toml").write_text(CONFIG)
    (tmp_path / "verdicts.jsonl").write_text("".join(json.dumps(line) + "\n" for line in VERDICTS))
    rows = [{"id": str(n), "half": "first" if n < 50 else "second"} for n in range(ROWS)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "replies.yaml").write_text(SUITE)
    labelled_project(tmp_path, params={"max_tokens": 50})
    return tmp_path


def lock(folder: Path, **changed: Any) -> str:
    """Write a lock of the judge as it is; returns the first digits of its id."""
    judge = load_judge(str(folder / "judges" / "relevance.yaml"), locked=False)
    path = lock_path(judge.path)
    path.unlink(missing_ok=True)
    today = datetime.now(UTC).date().isoformat()
    how = {
        "served": None,
        "created": today,
        "population": "0" * 64,
        "test": Counts(("pass", "fail"), ((95, 5), (5, 95))),
    }
    return write_lock(path, lock_for(judge, **{**how, **changed})).id


# --- figures ---


def test_an_uncalibrated_judges_figure_never_appears_without_that_word(cli: Cli) -> None:
    said = cli("eval", "replies.yaml")
    assert said.code == 0
    lines = said.out.splitlines()
    figures = [at for at, line in enumerate(lines) if " raw " in line]
    assert len(figures) == 3  # the whole and both slices
    assert all("uncalibrated judge: not corrected" in lines[at + 1] for at in figures)
    assert "relevance: uncalibrated judge: the judge was never measured against people" in said.out
    listed = cli("runs", "list").out
    assert "0.898 (raw, uncalibrated judge)" in " ".join(listed.split())
    assert "uncalibrated" in cli("runs", "show", "latest").out


def test_the_corrected_rate_stands_under_the_raw_one_with_estimator_lock_and_status(cli: Cli, here: Path) -> None:
    locked = lock(here)
    said = cli("eval", "replies.yaml").out
    assert "raw 0.90 [0.82, 0.94]  n=98" in said
    assert "corrected 0.94 [0.85, 1.00] lang-reiczigel" in said
    assert f"calibrated, lock {locked[:12]}" in said
    assert "1 cannot tell, 1 without a verdict" in said
    assert "assumes that the judge errs on each class as often here as on the labelled items" in " ".join(said.split())


def test_the_document_has_raw_and_corrected_apart(cli: Cli, here: Path) -> None:
    locked = lock(here)
    said = cli("eval", "replies.yaml", "--json")
    jsonschema.validate(said.json, document_schema())
    (run,) = said.json["runs"]
    metric = run["metrics"]["relevance"]
    assert (metric["n"], metric["failed"], round(metric["value"], 3)) == (98, 2, 0.898)
    judged = metric["judged"]
    assert (judged["status"], judged["lock"], judged["estimator"]) == ("calibrated", locked, "lang-reiczigel")
    assert (judged["cannot_tell"], judged["unread"]) == (1, 1)
    assert judged["ci"][0] < judged["rate"] < judged["ci"][1]
    assert judged["rate"] != metric["value"]
    assert metric["slices"]["half"]["first"]["judged"]["estimator"] == "lang-reiczigel"


def test_on_the_population_that_was_labelled_the_estimate_is_post_stratified(cli: Cli, here: Path) -> None:
    from llmkit.judges.scorer import JudgeScorer
    from llmkit.judges.subject import Population
    from llmkit.scoring.base import Item
    from llmkit.types import Message

    scorer, population = JudgeScorer(load_judge("relevance")), Population()
    for n in range(ROWS):
        item = Item(f"Question {n}", id=str(n), messages=(Message("user", f"Question {n}"),))
        population.add(scorer.subject(item))
    counts = Counts(("pass", "fail"), ((30, 2), (0, 14)))
    lock(here, population=population.fingerprint(), test=counts)
    metric = cli("eval", "replies.yaml", "--json").json["runs"][0]["metrics"]["relevance"]
    assert metric["judged"]["estimator"] == "post-stratified"
    assert metric["slices"]["half"]["first"]["judged"]["estimator"] != "post-stratified"  # a part is another population


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"status": "refused"}, "refused, lock"),
        ({"status": "provisional"}, "provisional, lock"),
        ({"parser": 99}, "stale, lock"),
        ({"sampling": None}, "how the labelled items were sampled is not stated"),
    ],
)
def test_what_is_not_calibrated_says_what_it_is(cli: Cli, here: Path, changed: dict[str, Any], words: str) -> None:
    lock(here, **changed)
    assert words in cli("eval", "replies.yaml").out


# --- costs ---


def test_the_judge_has_a_cost_line_of_its_own(cli: Cli) -> None:
    said = cli("eval", "replies.yaml")
    (line,) = [line for line in said.out.splitlines() if line.strip().startswith("judge relevance: $")]
    assert "calls" in line
    assert "  $0 paid · 100 calls" in said.out  # the model's own
    (run,) = cli("runs", "show", "latest", "--json").json["runs"]
    assert run["cost_usd"] == 0.0
    assert run["judging"]["relevance"]["calls"] == 101  # the one that could not be read was asked again
    assert run["judging"]["relevance"]["cost_usd"] > 0


def test_a_dry_run_tells_the_judges_calls_apart(cli: Cli) -> None:
    said = cli("eval", "replies.yaml", "--dry-run")
    assert "judge relevance (scripted/judge): at most 200 calls, at most $" in said.out
    assert "300 calls in all" in said.out
    (plan,) = cli("eval", "replies.yaml", "--dry-run", "--json").json["plans"]
    (judge,) = plan["judges"]
    assert (judge["calls"], judge["unknown"]) == (200, None)
    assert judge["worst_case_usd"] > 0


def test_without_max_tokens_the_worst_case_of_the_judge_is_unknown(cli: Cli, here: Path) -> None:
    (here / "replies.yaml").write_text(SUITE.replace("params: {max_tokens: 8}\n", ""))
    said = " ".join(cli("eval", "replies.yaml", "--dry-run").out.split())
    assert "at most unknown: without max_tokens an answer, which is shown to the judge, has no bound" in said


def test_what_a_judge_really_costs_stays_below_the_forecast(cli: Cli) -> None:
    (plan,) = cli("eval", "replies.yaml", "--dry-run", "--json").json["plans"]
    (run,) = cli("eval", "replies.yaml", "--json").json["runs"]
    assert run["judging"]["relevance"]["cost_usd"] <= plan["judges"][0]["worst_case_usd"]


# --- thresholds ---


def test_a_threshold_decides_on_the_corrected_rate(cli: Cli, here: Path) -> None:
    lock(here)
    said = cli("eval", "replies.yaml", "--min", "relevance=.6")
    assert said.code == 0
    assert "pass: replies on scripted/echo: relevance is 0.9422, 95 % interval 0.8519 to 1" in said.err
    assert "corrected from raw 0.898" in said.err
    assert cli("eval", "replies.yaml", "--max", "relevance=.6").code == 1
    assert (
        cli("eval", "replies.yaml", "--min", "relevance=.9").code == 3
    )  # the interval holds it; the raw one does, too


def test_a_raw_rate_decides_nothing(cli: Cli) -> None:
    for option in ("--min", "--min-point"):
        said = cli("eval", "replies.yaml", option, "relevance=.1")
        assert said.code == 3
        assert (
            "not enough evidence: replies on scripted/echo: relevance is not known: raw 0.898 (uncalibrated" in said.err
        )


def test_answers_without_a_verdict_above_two_per_cent_break_the_run(cli: Cli, here: Path) -> None:
    broken = [{"regex": r"(?s)<answer-\w+>\nQuestion 2\d\n", "text": "hm"}, *VERDICTS]
    (here / "verdicts.jsonl").write_text("".join(json.dumps(line) + "\n" for line in broken))
    assert cli("eval", "replies.yaml").code == 4


# --- again ---


def test_another_judge_scores_stored_answers_anew(cli: Cli, here: Path) -> None:
    cli("eval", "replies.yaml")
    (here / "judges" / "guidelines" / "relevance.md").write_text("Whatever is short passes.")
    said = cli("rescore", "latest", "--json")
    (run,) = said.json["runs"]
    assert (run["usage"]["calls"], run["samples"]["from_cache"]) == (0, 100)
    assert run["judging"]["relevance"]["calls"] == 101
    again = cli("rescore", "latest", "--json").json["runs"][0]
    assert "judging" not in again


def test_a_judge_scores_a_run_that_had_none(cli: Cli, here: Path) -> None:
    (here / "replies.yaml").write_text(SUITE.replace("{judge: relevance}", "{regex: {pattern: Question}}"))
    cli("eval", "replies.yaml")
    said = cli("rescore", "latest", "--scorer", "judge:relevance", "--json")
    assert said.json["runs"][0]["metrics"]["relevance"]["n"] == 98


def test_rescoring_keeps_to_a_cap(cli: Cli) -> None:
    cli("eval", "replies.yaml")
    said = cli("rescore", "latest", "--all", "--no-cache", "--max-cost", "0.1")
    assert said.code == 3
    assert "the next call may cost" in said.err
    assert "stopped by the budget" in said.out


def test_a_comparison_says_that_raw_verdicts_are_compared(cli: Cli, here: Path) -> None:
    cli("eval", "replies.yaml")
    cli("eval", "replies.yaml", "-m", "scripted/constant")
    said = cli("compare", "latest~1", "latest")
    assert "relevance: a judge's raw verdicts (uncalibrated) are compared" in " ".join(said.out.split())


def test_an_unknown_judge_is_one_line_with_its_place(cli: Cli, here: Path) -> None:
    (here / "replies.yaml").write_text(SUITE.replace("relevance", "relevanse"))
    said = cli("eval", "replies.yaml")
    assert (said.code, said.out) == (2, "")
    assert "replies.yaml:6: unknown judge 'relevanse'. Did you mean 'relevance'?" in said.err
    assert main(["eval", "replies.yaml"]) == 2
