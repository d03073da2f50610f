"""A judged metric of a gate in every report: raw and corrected, what it is divided by, the lock, what was left out."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from xml.etree import ElementTree

import jsonschema
import pytest
from rich.console import Console

from llmkit.judgements import Rate
from llmkit.reports.gate import print_gate
from llmkit.reports.gate_document import gate_document, gate_schema
from llmkit.reports.gate_markdown import gate_markdown
from llmkit.reports.github import commands
from llmkit.reports.junit import junit
from llmkit.reports.verdicts import conclusion
from llmkit.types import Interval
from llmkit.verdicts import JudgedVerdict, JudgeSpent, Unjudged
from tests.reports import verdicts as v

TPR = Rate(0.92, 60, Interval(0.83, 0.97, "clopper-pearson"))
TNR = Rate(0.83, 40, Interval(0.69, 0.92, "clopper-pearson"))
JUDGED = JudgedVerdict(
    "relevance", "calibrated", "3f9c2a1b0d4e", -0.09, TPR, TNR, 0.75,
    Unjudged(300, 2, 1), Unjudged(300, 9, 0), "equal errors on both sides are assumed",
)  # fmt: skip
METRIC = v.verdict("relevance", "fail", difference=-0.12, interval=(-0.2, -0.04), base=0.81, head=0.72, judged=JUDGED)
STALE = "the judge relevance is stale: prompt: prompts/relevance.prompty changed"
REFUSED = v.verdict(
    "relevance", "undecided", difference=None, interval=None, base=None, head=None, n=0, look=0, reason=STALE,
    judged=JudgedVerdict("relevance", "stale", "3f9c2a1b0d4e", refused=STALE), gains=0, losses=0, ties=0,
)  # fmt: skip
DECIDED = v.report(v.suite("fail", (METRIC,), judges=(JudgeSpent("relevance", "openai/judge", 120, 0.25),)))
UNTOLD = v.report(v.suite("undecided", (REFUSED,), exit_code=3), on_inconclusive="pass")


def terminal(report):
    stream = io.StringIO()
    print_gate(report, Console(file=stream, width=300))
    return stream.getvalue()


def written(render):
    return {
        "terminal": terminal,
        "markdown": lambda report: gate_markdown(report).replace("&#91;", "[").replace("&#93;", "]"),
        "junit": lambda report: "".join(ElementTree.fromstring(junit(report)).itertext()),
    }[render]


@pytest.mark.parametrize("render", ["terminal", "markdown", "junit"])
def test_raw_and_corrected_difference_stand_beside_what_made_them(render):
    text = written(render)(DECIDED)
    assert "-0.12 [-0.20, -0.04]" in text
    assert "judged by relevance (calibrated, lock 3f9c2a1b0d4e): raw 0.81 → 0.72, -0.09; corrected: that ÷ 0.75" in text
    assert "TPR 0.92 [0.83, 0.97] n=60, TNR 0.83 [0.69, 0.92] n=40" in text


@pytest.mark.parametrize("render", ["terminal", "markdown", "junit"])
def test_what_has_no_verdict_is_counted_a_side(render):
    text = written(render)(DECIDED)
    assert "base 3 of 300 (2 cannot tell, 1 unread); head 9 of 300 (9 cannot tell, 0 unread)" in text


def test_each_sides_rate_says_that_it_is_raw():
    assert "0.81" in terminal(DECIDED)
    assert "raw 0.81" in terminal(DECIDED) or "0.810 raw" in terminal(DECIDED)


def test_the_judges_calls_have_a_line_of_their_own():
    assert "judge relevance: openai/judge · 120 calls · $0.2500 paid" in terminal(DECIDED)


def test_the_plan_names_the_judges_calls():
    planned = replace(v.PLANNED, judge_calls={"relevance": 2400})
    text = terminal(v.report(v.suite("undecided", (), planned=planned), listed=True))
    assert "2,400 calls of the judge relevance" in text


def test_an_annotation_holds_raw_divisor_and_lock():
    assert any("(raw -0.09 ÷ 0.75, lock 3f9c2a1b0d4e)" in line for line in commands(DECIDED))


@pytest.mark.parametrize("render", ["terminal", "markdown", "junit"])
def test_a_judge_that_may_not_decide_says_why(render):
    assert STALE in written(render)(UNTOLD).replace("`", "")


def test_an_annotation_says_why_a_judge_may_not_decide():
    assert any(
        line.startswith("::warning") and "prompts/relevance.prompty changed" in line for line in commands(UNTOLD)
    )


def test_junit_has_an_error_whatever_undecided_means():
    case = ElementTree.fromstring(junit(UNTOLD)).find(".//testcase[@name='relevance']/error")
    assert STALE in case.get("message")


def test_the_conclusion_says_that_the_option_does_not_hold_for_it():
    assert conclusion(UNTOLD).endswith("but not where a judge may not decide (exit 3)")


def test_the_document_has_all_of_it():
    document = json.loads(json.dumps(gate_document(DECIDED), allow_nan=False))
    jsonschema.validate(document, gate_schema())
    judged = document["suites"][0]["metrics"][0]["judged"]
    assert (judged["lock"], judged["raw_difference"], judged["youden"]) == ("3f9c2a1b0d4e", -0.09, 0.75)
    assert judged["tpr"] == {"value": 0.92, "n": 60, "ci": [0.83, 0.97], "confidence": 0.95}
    assert judged["head"] == {"asked": 300, "cannot_tell": 9, "unread": 0}
    assert document["suites"][0]["judges"] == [
        {"judge": "relevance", "model": "openai/judge", "calls": 120, "cost_usd": 0.25}
    ]


def test_a_slice_has_its_own_raw_difference_and_not_the_labels_again():
    text = terminal(v.report(v.suite("fail", (replace(METRIC, slice=("topic", "add")),))))
    assert "raw 0.81 → 0.72" in text
    assert "TPR 0.92" not in text


def test_hostile_names_stay_data():
    hostile = replace(JUDGED, judge=v.HOSTILE, lock="\x1b[31m", errors=v.HOSTILE, refused=v.HOSTILE)
    shown = v.report(v.suite("fail", (replace(METRIC, judged=hostile),)))
    assert "\x1b" not in terminal(shown)
    assert "<script>" not in gate_markdown(shown)
    ElementTree.fromstring(junit(shown))
    assert not any("\n" in line for line in commands(shown))
