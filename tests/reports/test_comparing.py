"""The words and figures of a comparison."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmkit.comparisons import AmountDifference
from llmkit.reports import comparing
from llmkit.types import Interval
from tests.reports.comparisons import BETTER, SAME, SLICES, UNKNOWN, WHOLE, WORSE, comparison, metric


def test_the_verdict_follows_the_metrics_direction():
    assert comparing.verdict(WORSE, 0.95) == "▼ b is worse"
    assert comparing.verdict(BETTER, 0.95) == "▲ b is better"  # an error rate that falls


def test_nothing_is_shown_where_interval_or_test_disagree():
    assert comparing.verdict(SAME, 0.95) == "no difference shown"
    assert comparing.verdict(replace(WORSE, p_value=0.06), 0.95) == "no difference shown"
    assert comparing.verdict(replace(WORSE, interval=Interval(-0.2, 0.0, "tango")), 0.95) == "no difference shown"
    assert comparing.verdict(replace(WORSE, interval=None), 0.95) == "no difference shown"


def test_a_slice_is_judged_by_its_adjusted_p_value():
    part = replace(SLICES["topic"]["add"], interval=Interval(-0.21, -0.01, "tango"))
    assert (part.p_value, part.p_adjusted) == (0.04, 0.08)
    assert comparing.verdict(part, 0.95) == "no difference shown"
    assert comparing.verdict(replace(part, p_adjusted=None), 0.95) == "▼ b is worse"


def test_what_has_no_figure_says_why():
    assert comparing.verdict(UNKNOWN, 0.95) == "unknown: its statistics were not exported"
    assert comparing.verdict(metric("em", None, None, None, None), 0.95) == "no pair is scored on both sides"
    assert comparing.verdict(metric("wer", None, 0.5, None, None, (0, 0, 3)), 0.95) == "no value"


@pytest.mark.parametrize(
    ("interval", "shown"),
    [
        ((-0.2134, -0.0866), "-0.150 [-0.213, -0.087]"),
        (None, "-0.1500 [no interval]"),
        ((-0.3, -0.0004), "-0.1500 [-0.3000, -0.0004]"),  # a bound that is not 0 is not shown as 0
        ((-0.3, 0.0), "-0.150 [-0.300, 0.000]"),
    ],
)
def test_a_difference_shows_its_sign_and_its_interval(interval, shown):
    assert comparing.change(metric("em", 0.85, 0.7, interval)) == shown


def test_a_rise_has_a_plus():
    assert comparing.change(SAME) == "+0.0040 [-0.0121, +0.0202]"


@pytest.mark.parametrize(
    ("p", "shown"), [(0.00002, "<0.0001"), (0.0001, "0.0001"), (0.0123, "0.012"), (0.63, "0.63"), (1.0, "1.00")]
)
def test_p_values_have_two_digits(p, shown):
    assert comparing.probability(p) == shown


def test_the_test_names_its_method_and_of_slices_holms_p_value():
    assert comparing.test(BETTER) == "p 0.0012 (paired-randomisation)"
    assert comparing.test(SLICES["topic"]["add"]) == "p 0.04, 0.08 by Holm (mcnemar-exact)"
    assert comparing.test(UNKNOWN) == "no p-value"


def test_the_tally_counts_clusters_and_failures():
    assert comparing.tally(WORSE) == (
        "b won 5, lost 35, tied 160 · n=200 · failed 0 in a, 3 in b: left out on both sides"
    )
    assert comparing.tally(replace(SAME, clusters=12)) == "b won 20, lost 18, tied 162 · n=200 in 12 clusters"


@pytest.mark.parametrize(
    ("amount", "values", "ratio"),
    [
        (
            AmountDifference("cost_usd", "mean", 0.5, 1.5, 3.0, Interval(2.9, 3.1, "bca"), 9),
            "$0.5000 → $1.50",
            "× 3.00 [2.90, 3.10]",
        ),
        (AmountDifference("cost_usd", "mean", 0.0, 0.1, None, None, 9), "$0 → $0.1000", ""),
        (AmountDifference("latency_s", "p95", 0.85, 61.0, 71.8, None, 9), "850 ms → 1 min 01 s", "× 71.80"),
        (AmountDifference("latency_s", "p95", None, None, None, None, 0, "why"), "unknown: why", ""),
    ],
)  # fmt: skip
def test_amounts_are_written_in_their_unit(amount, values, ratio):
    assert comparing.amount_values(amount) == values
    assert comparing.amount_ratio(amount) == ratio


def test_the_title_counts_what_flipped_and_what_is_shown():
    assert comparing.flips_title(WHOLE) == (
        "Flipped in exact_match: 40 samples differ; the worst loss, then the greatest gain"
    )
    losses = replace(WHOLE, flips=WHOLE.flips[:1] * 2, flipped=1)
    assert comparing.flips_title(losses) == "Flipped in exact_match: 1 sample differs; the 2 worst losses"


def test_the_next_command_names_sides_of_the_store_alone():
    odd = replace(WHOLE, a=replace(WHOLE.a, stored=False), flips=WHOLE.flips[1:])
    assert comparing.commands(odd) == ["llmkit runs show 20261122-0504-a1b2 --sample 's 8'"]
    assert comparing.commands(comparison(WORSE)) == []


def test_signatures_say_the_method_and_both_sides_where_they_differ():
    assert list(comparing.signatures(SAME, WHOLE)) == ["metric:f1|v:1|ci:t|test:sign-flip|seed:0"]
    both = list(comparing.signatures(replace(SAME, signature_a="old"), WHOLE))
    assert both == ["old|ci:t|test:sign-flip|seed:0 (a)", "metric:f1|v:1|ci:t|test:sign-flip|seed:0 (b)"]


BOUND = st.floats(-1, 1).filter(lambda x: x == 0 or abs(x) > 1e-5)


@given(BOUND, BOUND)
def test_no_bound_is_rounded_to_the_other_side_of_zero_or_onto_it(one, two):
    low, high = sorted((one, two))
    text = comparing.change(metric("em", 0.5, 0.5 + (low + high) / 2, (low, high)))
    shown = [float(part) for part in text.partition("[")[2].rstrip("]").split(", ")]
    for bound, written in zip((low, high), shown, strict=True):
        assert (bound > 0) == (written > 0)
        assert (bound < 0) == (written < 0)
