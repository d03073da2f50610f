"""What a variant does to quality, in words, at a terminal, in Markdown and in JSON."""

from __future__ import annotations

import json
from dataclasses import replace

import jsonschema
import pytest

from llmkit.reports.comparison import comparison_table
from llmkit.reports.comparison_document import comparison_document, comparison_schema
from llmkit.reports.comparison_markdown import comparison_markdown
from llmkit.reports.variant_words import conclusion, failures, same, why
from llmkit.types import Interval
from llmkit.variants import MarginVerdict, Sameness
from tests.reports.comparisons import SAME, comparison
from tests.reports.records import printed

PASS = MarginVerdict(
    "exact_match", 0.05, "pass", 0.8, 0.79, -0.01, Interval(-0.031, 0.009, "exact-walk+tango", 0.9), 200, 3, 1, 196,
    ruled_out=0.031, method="exact-walk+tango",
)  # fmt: skip
FAIL = replace(
    PASS, metric="f1", verdict="fail", b=0.5, difference=-0.3, interval=Interval(-0.36, -0.24, "sign-flip+el", 0.9),
    losses=70, ruled_out=0.36, beyond=True, method="sign-flip+el",
)  # fmt: skip
OPEN = replace(
    PASS, metric="wer", verdict="undecided", needs=383, decidable=0.12, ruled_out=0.11, higher_is_better=False
)
ANSWERS = Sameness(60, 58, 2, 0, 0, 0, 0.125, examples=("s1", "s2"))

TERMINAL = """\
Margins  b may be worse by less than the margin; error 5 % one-sided, for either verdict; 90 % interval
  exact_match   PASS   margin 0.05: a drop of 0.05 is ruled out (any above 0.031 is)
                0.790 → 0.780   -0.010 [-0.031, +0.009] · n=200 · b won 1, lost 3, tied 196 · exact-walk+tango
"""


@pytest.mark.parametrize(
    ("margin", "said"),
    [
        (PASS, "a drop of 0.05 is ruled out (any above 0.031 is)"),
        (
            replace(PASS, within=True, interval=Interval(-0.031, -0.004, "m", 0.9)),
            "a drop of at least 0.004 is proven, but within the margin: a drop of 0.05 is ruled out"
            " (any above 0.031 is)",
        ),
        (FAIL, "a drop of at least 0.24 is proven, which is more than 0.05"),
        (
            replace(FAIL, beyond=False, interval=Interval(-0.1, -0.02, "m", 0.9)),
            "a drop of at least 0.02 is proven, and one of 0.05 is not ruled out",
        ),
        (
            OPEN,
            "no rise is proven, and one of 0.05 is not ruled out (any above 0.11 is); two new runs need 383 samples for"
            " either verdict; these have 200, which decide a margin of 0.12",
        ),
        (
            replace(OPEN, decidable=0.1201),
            "no rise is proven, and one of 0.05 is not ruled out (any above 0.11 is); two new runs need 383 samples for"
            " either verdict; these have 200, which decide a margin of 0.13",
        ),
        (
            replace(OPEN, needs=150),
            "no rise is proven, and one of 0.05 is not ruled out (any above 0.11 is); the truth probably lies between 0"
            " and the margin; near its half, four times as many decide",
        ),
        (replace(OPEN, reason="no pair is scored on both sides"), "no pair is scored on both sides"),
    ],
)
def test_each_verdict_says_what_is_proven_and_what_is_ruled_out(margin, said):
    assert why(margin) == said


def test_failures_say_how_they_are_counted():
    assert failures(PASS) is None
    said = failures(replace(PASS, wrong_b=3, left_out=1, failures_wrong="undecided"))
    assert said == (
        "0 in a and 3 in b unreadable: counted as wrong; 1 pair without a score on both sides: left out; with those as"
        " wrong answers too: NOT ENOUGH EVIDENCE"
    )


def test_the_conclusion_names_what_decides_it_and_the_exit_code():
    assert conclusion([PASS]) == "PASS: b is not worse by its margin in exact_match (exit 0)"
    assert conclusion([PASS, OPEN]) == "NOT ENOUGH EVIDENCE: whether b is worse is open in wer (exit 3)"
    assert conclusion([PASS, FAIL, OPEN]) == "FAIL: b is worse in f1 (exit 1)"


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        (replace(ANSWERS, same=60, tied=0), "60 of 60 are the same"),
        (ANSWERS, "58 of 60 are the same; 2 differ, both from a near tie (within 0.125 nats)"),
        (replace(ANSWERS, same=59, tied=1), "59 of 60 are the same; 1 differs, from a near tie (within 0.125 nats)"),
        (
            replace(ANSWERS, same=50, beyond=1, unknown=7, logged=3),
            "50 of 60 are the same; 10 differ: 2 from a near tie (within 0.125 nats), 1 by more than a near tie (within"
            " 0.125 nats), 4 by an unknown gap: no log-probabilities are stored, 3 by a gap that the stored"
            " log-probabilities do not show (sample s1, s2)",
        ),
        (
            replace(ANSWERS, same=60, tied=0, shared=4),
            "60 of 60 are the same; 4 pairs share one stored answer each and are not counted",
        ),
        (
            replace(ANSWERS, pairs=0, same=0, tied=0, shared=1),
            "1 pair shares one stored answer and is not counted",
        ),
    ],
)
def test_answers_that_differ_are_told_apart(answers, said):
    assert same(answers) == said


def test_the_terminal_shows_them_between_metrics_and_amounts():
    found = comparison(SAME, margins=(replace(PASS, a=0.79, b=0.78),), sameness=ANSWERS)
    shown = printed(comparison_table(found), width=120)
    assert TERMINAL in shown
    assert "\nAnswers  58 of 60 are the same; 2 differ, both from a near tie (within 0.125 nats)\n" in shown


def test_names_of_others_do_nothing_at_a_terminal_nor_in_markdown():
    found = comparison(SAME, margins=(replace(PASS, metric="\x1b[31mx|<b>"),), sameness=replace(ANSWERS, beyond=1))
    assert "\x1b" not in printed(comparison_table(found), width=120)
    assert "<b>" not in comparison_markdown(found)


def test_markdown_has_a_row_a_margin_and_the_verdict_on_all():
    found = comparison_markdown(comparison(SAME, margins=(PASS, FAIL), sameness=ANSWERS))
    assert "**FAIL: b is worse in f1 (exit 1)**\n" in found
    assert "| exact_match: 0.05 | PASS | a drop of 0.05 is ruled out (any above 0.031 is) | 0.800 → 0.790 " in found
    assert "Answers: 58 of 60 are the same; 2 differ, both from a near tie (within 0.125 nats)\n" in found


def test_the_document_has_every_figure_and_keeps_to_its_schema():
    found = comparison_document(comparison(SAME, margins=(PASS, OPEN), sameness=ANSWERS))
    jsonschema.validate(json.loads(json.dumps(found, allow_nan=False)), comparison_schema())
    assert (found["verdict"], [m["verdict"] for m in found["margins"]]) == ("undecided", ["pass", "undecided"])
    assert found["margins"][0]["ci"] == (-0.031, 0.009)
    assert found["sameness"] is not None
    assert (found["sameness"]["tied"], found["sameness"]["tolerance_nats"]) == (2, 0.125)


def test_without_margins_nothing_is_said_of_them():
    found = comparison(SAME)
    assert "Margins" not in printed(comparison_table(found), width=120)
    document = comparison_document(found)
    assert (document["margins"], document["verdict"], document["sameness"]) == ([], None, None)
