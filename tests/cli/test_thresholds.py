"""What ``--min``, ``--max`` and ``--min-point`` say of runs."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from llmkit.cli.thresholds import Thresholds, exit_code
from llmkit.errors import UnknownNameError, UsageError
from llmkit.types import Interval, Judged
from tests.cli.conftest import SUITE, Cli
from tests.reports.records import metric, run

RIGHT = metric("em", 0.9, (0.85, 0.93), 200)
SILENT = metric("em", 1.0, (0.84, 1.0), 20, failed=180, wrong=0.1, wrong_in=(0.066, 0.15))
A_FEW = metric("em", 0.9, (0.85, 0.93), 198, failed=2, wrong=0.89, wrong_in=(0.84, 0.92))
UNREADABLE = metric("em", 0.9, (0.85, 0.93), 198, failed=2, wrong=None)


def judged(measured, *, status="completed", **bounds):
    thresholds = Thresholds.parse(*(bounds.get(kind, []) for kind in ("min", "max", "point")))
    (one,) = thresholds.judge([run(metrics=[measured], status=status)])
    return one


@pytest.mark.parametrize(
    ("measured", "bound", "verdict"),
    [
        (RIGHT, "em=.8", "pass"),
        (RIGHT, "em=.9", "undecided"),
        (RIGHT, "em=.95", "fail"),
        (A_FEW, "em=.84", "pass"),
        (A_FEW, "em=.845", "undecided"),
        (A_FEW, "em=.925", "undecided"),
        (A_FEW, "em=.94", "fail"),
        (SILENT, "em=.05", "pass"),
        (SILENT, "em=.8", "undecided"),
        (UNREADABLE, "em=.8", "undecided"),
        (UNREADABLE, "em=.95", "undecided"),
    ],
)
def test_a_minimum_holds_for_both_readings_or_for_none(measured, bound, verdict):
    assert judged(measured, min=[bound]).verdict == verdict


@pytest.mark.parametrize(
    ("bound", "verdict"), [("wer=.05", "fail"), ("wer=.3", "undecided"), ("wer=.96", "pass")]
)  # a failure read as a wrong answer is an error rate of 1
def test_a_maximum_holds_for_both_readings_or_for_none(bound, verdict):
    wer = metric("wer", 0.1, (0.08, 0.12), 20, failed=180, wrong=0.91, wrong_in=(0.87, 0.95))
    assert judged(wer, max=[bound]).verdict == verdict


@pytest.mark.parametrize(("bound", "verdict"), [("em=.1", "pass"), ("em=.8", "undecided"), ("em=1.1", "fail")])
def test_a_plain_comparison_holds_for_both_readings_or_for_none(bound, verdict):
    assert judged(SILENT, point=[bound]).verdict == verdict


def test_where_nothing_was_scored_nothing_is_decided():
    nothing = metric("em", None, None, 0, failed=60, wrong=0.0, wrong_in=(0.0, 0.06))
    one = judged(nothing, min=["em=.8"])
    assert one.verdict == "undecided"
    assert "em has no value; with its 60 failures as wrong answers, it is 0, " in one.line()


@pytest.mark.parametrize("status", ["interrupted", "budget", "failed"])
def test_a_run_that_did_not_end_decides_nothing(status):
    assert judged(RIGHT, status=status, min=["em=.5"]).verdict == "undecided"


def test_the_line_shows_both_readings():
    assert judged(SILENT, min=["em=.8"]).line() == (
        "not enough evidence: quickstart on local/smol: em is 1, 95 % interval 0.84 to 1; with its 180 failures as"
        " wrong answers, it is 0.1, 95 % interval 0.066 to 0.15; asked for at least 0.8"
    )


def test_without_failures_the_line_shows_one_reading():
    assert judged(RIGHT, max=["em=.95"]).line() == (
        "pass: quickstart on local/smol: em is 0.9, 95 % interval 0.85 to 0.93; asked for at most 0.95"
    )


def test_a_failure_comes_before_a_doubt_and_a_doubt_before_a_pass():
    passed, failed, doubt = (judged(RIGHT, min=[f"em={bound}"]) for bound in (0.8, 0.95, 0.9))
    assert [exit_code(some) for some in ([passed, doubt, failed], [passed, doubt], [passed], [])] == [1, 3, 0, 0]


@pytest.mark.parametrize("pair", ["em", "em=", "=.8", "em=high", "em=nan", "em=inf"])
def test_what_is_no_metric_and_number_is_refused(pair):
    with pytest.raises(UsageError, match=r"--max .* is no METRIC=NUMBER"):
        Thresholds.parse([], [pair], [])


def test_a_metric_that_no_suite_has_is_refused_with_the_nearest():
    with pytest.raises(UnknownNameError, match="Did you mean 'exact_match'"):
        Thresholds.parse(["exact_mach=.8"], [], []).check(["exact_match", "f1"])


@pytest.mark.parametrize("kind", ["--min", "--min-point"])
def test_a_model_that_answers_a_tenth_of_the_questions_does_not_pass(cli: Cli, project: Path, kind: str) -> None:
    rows = [{"id": str(n), "country": f"<{n}>", "capital": "7", "continent": "none"} for n in range(40)]
    answers = [{"match": f"<{n}>", "text": "7" if n < 4 else "I cannot say"} for n in range(40)]
    (project / "rows.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    (project / "answers.jsonl").write_text("".join(json.dumps(a) + "\n" for a in answers))
    (project / "capitals.yaml").write_text(SUITE.replace("exact_match, ", ""))
    said = cli("eval", "capitals.yaml", kind, "numeric=.5")
    assert said.code == 3
    assert "with its 36 failures as wrong answers, it is 0.1" in said.err
    assert "36 failed: 0.10 [0.04, 0.23] if wrong" in said.out


# --- metrics that a judge gave ---

CORRECTED = Judged(
    "rel", "calibrated", "3f9c", 0.7, Interval(0.65, 0.75, "lang-reiczigel"), "lang-reiczigel", worst=0.0
)


def by_judge(of, value=0.9, n=100, failed=0, **more):
    return metric("rel", value, (0.85, 0.93), n, failed=failed, judged=of, **more)


@pytest.mark.parametrize(
    ("bounds", "verdict"),
    [
        ({"min": ["rel=.6"]}, "pass"),
        ({"min": ["rel=.7"]}, "undecided"),
        ({"min": ["rel=.8"]}, "fail"),  # the raw rate is above it
        ({"max": ["rel=.8"]}, "pass"),
        ({"point": ["rel=.69"]}, "pass"),
        ({"point": ["rel=.71"]}, "fail"),
    ],
)
def test_a_judged_metric_is_held_to_its_corrected_rate(bounds, verdict):
    assert judged(by_judge(CORRECTED), **bounds).verdict == verdict


@pytest.mark.parametrize("status", ["uncalibrated", "provisional", "refused", "stale"])
@pytest.mark.parametrize("kind", ["min", "max", "point"])
def test_a_judge_that_is_not_calibrated_decides_nothing(status, kind):
    one = judged(by_judge(replace(CORRECTED, status=status)), **{kind: ["rel=.1"]})
    assert one.verdict == "undecided"
    assert f"({status}, lock 3f9c)" in one.line()


def test_a_calibrated_judge_of_which_nothing_can_be_corrected_decides_nothing():
    why = "48 of 240 answers ended without a verdict, more than 2 %"
    one = judged(by_judge(replace(CORRECTED, rate=None, interval=None, estimator=None, why=why)), point=["rel=.1"])
    assert one.verdict == "undecided"
    assert f"decides nothing: {why}" in one.line()


def test_missing_answers_are_wrong_in_a_second_reading_and_what_the_judge_left_open_is_in_none():
    few = by_judge(replace(CORRECTED, cannot_tell=3, unread=2), n=90, failed=10)  # 5 have no answer
    one = judged(few, min=["rel=.63"])
    assert one.verdict == "undecided"  # 0.65 × 90/95 is below it
    assert "missing answers as wrong ones" in one.line()
    assert judged(by_judge(replace(CORRECTED, cannot_tell=5, unread=5), failed=10), min=["rel=.63"]).verdict == "pass"


def test_a_missing_answer_counts_for_the_worst_grade():
    graded = Judged("rel", "calibrated", "3f9c", 4.0, Interval(3.8, 4.2, "t"), "post-stratified", worst=1.0)
    known = by_judge(graded, value=4.1, n=90, failed=10)
    assert judged(known, min=["rel=3.5"]).verdict == "pass"  # 3.8 × .9 + 1 × .1 = 3.52
    assert judged(known, min=["rel=3.55"]).verdict == "undecided"
    unknown = by_judge(replace(graded, worst=None), value=4.1, n=90, failed=10)
    assert judged(unknown, min=["rel=1.5"]).verdict == "undecided"
