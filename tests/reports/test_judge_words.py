"""The words and figures of judges."""

import pytest

from llmkit.judgements import Counts, Probe, Rate
from llmkit.reports import judge_words as words
from llmkit.types import Interval, Totals


@pytest.mark.parametrize(
    ("rate", "said"),
    [
        (None, "–"),
        (Rate(None, 0), "unknown (n=0)"),
        (Rate(0.5, 4), "0.500 [no interval] n=4"),
        (Rate(0.5, 1200, Interval(0.47, 0.53, "wilson")), "0.50 [0.47, 0.53] n=1,200"),
    ],
)
def test_a_rate_says_its_interval_and_n_or_that_there_is_none(rate, said):
    assert words.rate(rate) == said


@pytest.mark.parametrize(
    ("probe", "said"),
    [
        (Probe("repeat", None, 0, ""), "not run"),
        (Probe("repeat", 0.2, 9, "", limit=0.1, passed=False, flagged=True), "✗ above its limit"),
        (Probe("order", 0.05, 9, "", limit=0.1, passed=True, flagged=True), "! systematic"),
        (Probe("repeat", 0.0, 9, "", limit=0.1, passed=True), "✓"),
        (Probe("length", 0.0, 9, ""), "shown only"),
        (Probe("repeat", None, 0, "", limit=0.1, passed=False), "✗ above its limit"),
    ],
)
def test_what_a_probe_comes_to_needs_no_colour(probe, said):
    assert words.probe_verdict(probe) == said


@pytest.mark.parametrize(
    ("needs", "said"),
    [
        ({}, ""),
        ({"pass": 3, "fail": 0}, "3 more of pass"),
        ({"pass": 3, "fail": 1200}, "3 more of pass, 1,200 more of fail"),
        ({"items": 40}, "40 more"),
    ],
)
def test_needs_name_the_class(needs, said):
    assert words.needs(needs) == said


def test_many_labels_show_the_rows_that_people_used():
    counts = Counts(("a", "b", "c", "d"), ((1, 0, 0, 0), (0, 0, 0, 0), (0, 0, 0.5, 0), (0, 0, 0, 0)))
    heads, rows = words.confusion(counts)
    assert heads == ["people \\ judge", "a", "b", "c", "d", "all"]
    assert rows == [["a", "1", "0", "0", "0", "1"], ["c", "0", "0", "0.5", "0", "0.5"]]


def test_a_bill_says_what_is_unknown():
    assert words.paid(Totals(calls=1, cost_usd=None, cached_cost_usd=None, input=None)) == (
        "cost unknown for 1 call · what the store saved is unknown · unknown tokens in, 0 out"
    )
