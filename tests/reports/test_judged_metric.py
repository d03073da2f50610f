"""A judged metric in words: raw and corrected apart, and its judge's status always there."""

from __future__ import annotations

import pytest

from llmkit.reports.judged_metric import bills, cell, reasons, unscored
from llmkit.reports.markdown import markdown_table
from llmkit.reports.table import results_table
from llmkit.types import Interval, Judged, Totals
from tests.reports.records import metric, printed, run

LOCK = "3f9c12ab44d0"
CORRECTED = Judged(
    "relevance", "calibrated", LOCK, 0.79, Interval(0.70, 0.86, "lang-reiczigel"), "lang-reiczigel", "assumes | much",
    cannot_tell=2, unread=1,
)  # fmt: skip


def judged(of: Judged, **more):
    return metric("relevance", 0.81, (0.72, 0.88), 100, judged=of, **more)


def lines(of: Judged, **more) -> list[str]:
    return [line for line, _ in cell(judged(of, **more), of)]


def test_raw_corrected_estimator_lock_and_status_stand_under_each_other():
    assert lines(CORRECTED, failed=3) == [
        "raw 0.81 [0.72, 0.88]",
        "corrected 0.79 [0.70, 0.86] lang-reiczigel",
        "calibrated, lock 3f9c12ab44d0",
        "2 cannot tell, 1 without a verdict",
    ]


@pytest.mark.parametrize("status", ["uncalibrated", "refused", "stale", "provisional"])
def test_a_status_that_is_not_calibrated_is_said_with_the_figure(status):
    lock = None if status == "uncalibrated" else LOCK
    first, second = lines(Judged("relevance", status, lock, why="no"))
    assert first == "raw 0.81 [0.72, 0.88]"
    assert second.startswith(status) and second.endswith(": not corrected")


def test_a_provisional_judges_corrected_rate_carries_that_word():
    said = lines(Judged("relevance", "provisional", LOCK, 0.79, Interval(0.6, 0.9, "x"), "x"))
    assert said[2] == "provisional, lock 3f9c12ab44d0"


def test_answers_that_are_missing_are_told_from_what_the_judge_did_not_decide():
    of = Judged("relevance", "uncalibrated", cannot_tell=1)
    assert unscored(judged(of, failed=3), of) == "1 cannot tell, 2 failed: unknown if wrong"
    of = Judged("relevance", "uncalibrated")
    said = unscored(judged(of, failed=2, wrong=0.79, wrong_in=(0.70, 0.86)), of)
    assert said == "2 failed: raw 0.79 [0.70, 0.86] if wrong"
    assert unscored(judged(of), of) is None


def test_why_is_said_once_for_equal_runs():
    one = run("r1", metrics=[judged(CORRECTED)])
    two = run("r2", metrics=[judged(CORRECTED), metric("em", 0.5)])
    assert list(reasons([one, two])) == [("relevance", "calibrated, lock 3f9c12ab44d0: assumes | much")]


def test_a_judges_bill_is_a_line_of_its_own():
    (line,) = bills({"relevance": Totals(900, 80, calls=120, http_attempts=120, cost_usd=0.031)})
    assert line == "judge relevance: $0.0310 paid for 120 calls · 900 tokens in, 80 out"


def test_the_table_says_all_of_it():
    said = printed(results_table([run(metrics=[judged(CORRECTED)], judging={"relevance": Totals(calls=1)})]), width=100)
    for words in ("raw 0.81", "corrected 0.79", "calibrated, lock", "Judges", "assumes | much", "judge relevance: $0"):
        assert words in said


def test_markdown_keeps_a_cell_on_one_line_and_whole():
    said = markdown_table([run(metrics=[judged(CORRECTED)], judging={"relevance": Totals(calls=1)})])
    (row,) = [line for line in said.splitlines() if line.startswith("| relevance")]
    assert row.count("|") == 3
    assert "raw 0.81 \\[0.72, 0.88\\] n=100; corrected 0.79" in row
    assert "judge relevance: $0 paid for 1 call" in said
