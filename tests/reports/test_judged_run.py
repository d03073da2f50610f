"""A judge's verdicts on runs: at a terminal and as JSON; no figure without the judge's status."""

import dataclasses
import json
from dataclasses import replace

import jsonschema
import pytest

from llmkit.judged_runs import JudgedRun, RawDifference
from llmkit.judgements import Rate
from llmkit.reports.judged_run import judged_runs_document, judged_runs_schema, judged_runs_table
from llmkit.types import Interval, Totals
from tests.reports.records import printed

FOUND = JudgedRun(
    judge="relevance",
    kind="pass_fail",
    source="run 2026-a1 (faq on openai/small)",
    n=1000,
    verdicts={"pass": 790, "fail": 200},
    cannot_tell=7,
    unread=3,
    raw=Rate(0.798, 990, Interval(0.772, 0.822, "wilson")),
    status="calibrated",
    lock="3f9c2a77b1d0",
    corrected=Rate(0.85, 990, Interval(0.78, 0.91, "lang-reiczigel")),
    estimator="lang-reiczigel",
    why="it assumes the TPR and TNR of the labelled items",
    paid=Totals(10, 5, 0, 0, 1000, 1000, 0.42, 0.0),
    notes=("2 samples have no answer, and are not judged",),
)
NONE = replace(
    FOUND, status="uncalibrated", lock=None, corrected=None, estimator=None, why="it was never measured", notes=()
)

BEHIND = RawDifference("2026-a0", 0.85, 0.798, -0.052, Interval(-0.09, -0.014, "t"), 0.0074, "sign-flip", 950)

SAID = """\
relevance  run 2026-a1 (faq on openai/small)  CALIBRATED  lock 3f9c2a77b1d0
  1,000 judged: pass 790, fail 200, 7 cannot tell, 3 unread
  raw rate        0.80 [0.77, 0.82] n=990  calibrated
  corrected rate  0.85 [0.78, 0.91] n=990  calibrated
  by lang-reiczigel: it assumes the TPR and TNR of the labelled items
  $0.4200 paid for 1,000 calls · 10 tokens in, 5 out
  note: 2 samples have no answer, and are not judged

relevance  run 2026-a1 (faq on openai/small)  UNCALIBRATED  no lock
  1,000 judged: pass 790, fail 200, 7 cannot tell, 3 unread
  raw rate        0.80 [0.77, 0.82] n=990  uncalibrated
  no corrected rate: it was never measured
  $0.4200 paid for 1,000 calls · 10 tokens in, 5 out
"""


def test_it_reads_like_this():
    assert printed(judged_runs_table([FOUND, NONE]), width=120) == SAID


@pytest.mark.parametrize("status", ["uncalibrated", "provisional", "refused", "stale"])
def test_every_figure_carries_the_status(status):
    shown = printed(judged_runs_table([replace(FOUND, status=status)]), width=120)
    for line in shown.splitlines():
        if "rate  " in line:
            assert line.endswith(status)


def test_a_later_run_says_how_far_its_raw_figure_is_from_the_first_ones_and_that_nothing_corrects_it():
    shown = printed(judged_runs_table([replace(FOUND, against=BEHIND)]), width=130).splitlines()
    assert "  raw difference  -0.052 [-0.090, -0.014] n=950  p 0.0074 (sign-flip)  calibrated" in shown
    assert any(line.startswith("  to 2026-a0, not corrected: a judge's errors shrink differences") for line in shown)
    none = replace(BEHIND, before=None, after=None, difference=None, interval=None, p_value=None, test=None, n=0)
    assert "  shares no judged sample with 2026-a0\n" in printed(judged_runs_table([replace(FOUND, against=none)]))


def test_grades_have_a_mean_and_no_rate():
    shown = printed(judged_runs_table([replace(FOUND, kind="graded", corrected=None)]), width=120)
    assert "raw mean " in shown and "no corrected mean: " in shown and " rate " not in shown


def test_nothing_of_others_is_obeyed():
    hostile = replace(NONE, source="run \x1b[31m", verdicts={"\x1b]0;x\x07": 1}, why="sk-abcdef1234567890")
    shown = printed(judged_runs_table([hostile]), width=120)
    assert "\x1b" not in shown and "sk-abc" not in shown


def test_the_document_fits_its_schema_and_holds_every_field():
    behind = replace(NONE, against=BEHIND)
    found = json.loads(json.dumps(judged_runs_document([FOUND, behind]), allow_nan=False))
    jsonschema.validate(found, judged_runs_schema())
    assert set(found["runs"][0]) == {field.name for field in dataclasses.fields(JudgedRun)}
    assert found["runs"][1]["corrected"] is None
    assert found["runs"][0]["against"] is None
    against = found["runs"][1]["against"]
    assert (against["difference"], against["ci"], against["p_value"], against["n"]) == (
        -0.052,
        [-0.09, -0.014],
        0.0074,
        950,
    )
