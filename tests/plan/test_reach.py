"""What samples can show, and how many an effect needs: by hand, and as properties."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmkit.plan.reach import Design, least_margin, metric_plan, samples_for, sizes, visible
from llmkit.plans import Spread
from llmkit.stats.sequential.sizing import metric_power, planned_n

Z_ALPHA, Z_BETA = 1.959964, 0.841621


def spread(kind="binary", value=0.2, **more):
    return Spread(kind, value, None, **{"deff": 1.0, "n": 100, "source": "here", "seen": value, **more})


def test_millers_example_needs_969_samples():
    # ω² = 1/9 and an effect of .03: (1.96 + .84)² / 9 / .0009 (Miller, arXiv 2411.00640).
    assert samples_for(0.03, spread("graded", 1 / 9), 1, 0.8) == 969


def test_the_difference_seen_in_graded_scores_is_the_normal_one():
    expected = (Z_ALPHA + Z_BETA) * math.sqrt(0.2 / 200)
    assert visible(spread("graded"), 200, 1, 0.8) == pytest.approx(expected, rel=1e-5)


def connor(effect, psi):
    return (Z_ALPHA * math.sqrt(psi) + Z_BETA * math.sqrt(psi - effect**2)) ** 2 / effect**2


def test_binary_scores_asked_once_are_planned_by_connors_formula_and_what_the_exact_test_costs():
    effect = visible(spread(), 200, 1, 0.8)
    assert connor(effect, 0.2) + 1.5 / effect == pytest.approx(200, rel=1e-4)
    assert samples_for(0.05, spread(), 1, 0.8) == math.ceil(connor(0.05, 0.2) + 30)


def test_clusters_multiply_the_samples_by_their_design_effect():
    assert samples_for(0.03, spread("graded", 0.2, deff=4.0), 1, 0.8) == pytest.approx(
        4 * samples_for(0.03, spread("graded", 0.2), 1, 0.8), abs=4
    )


def test_an_effect_is_a_share_of_the_span():
    # BLEU from 0 to 100, differences with SD 30: as .3 on a metric from 0 to 1.
    of_hundred = samples_for(0.03, spread("graded", 900.0), 1, 0.8, span=100)
    assert of_hundred == samples_for(0.03, spread("graded", 0.09), 1, 0.8)
    assert visible(spread("graded", 900.0), 50, 1, 0.8, span=100) == pytest.approx(
        100 * visible(spread("graded", 0.09), 50, 1, 0.8)
    )


def test_too_few_samples_show_no_difference_at_all():
    assert visible(spread("graded", 0.5), 2, 1, 0.8) is None
    assert least_margin(spread("binary", 0.5), 2, Design()) is None


def test_where_nothing_varies_a_difference_brings_a_spread_of_its_own():
    # A change of .03 that takes 3 % of the samples from 0 to 1: (1.96 + .84)² / .03.
    assert samples_for(0.03, spread("graded", 1e-6), 1, 0.8) == math.ceil((Z_ALPHA + Z_BETA) ** 2 / 0.03)


def test_a_gates_samples_are_those_of_its_formula():
    assert sizes(0.02, spread(), Design()).n == planned_n(0.02, 0.2).n == 3550


def test_several_metrics_need_more_samples_each():
    shared = Design(power=metric_power(4), share=1 / 4)
    assert sizes(0.05, spread(), shared).n > sizes(0.05, spread(), Design()).n


def test_whole_clusters_that_are_all_alike_need_their_size_in_samples():
    whole = sizes(0.05, spread(deff=4.0), Design(members=4.0))
    alone = sizes(0.05, spread("graded", 0.2), Design())
    assert whole.n == 4 * alone.n


def test_epochs_are_listed_where_noise_is_known_to_be_averaged_out():
    assert [r.epochs for r in metric_plan("m", spread(), 100, Design()).reach] == [1]
    assert [r.epochs for r in metric_plan("m", spread(within=0.0), 100, Design()).reach] == [1]
    known = metric_plan("m", spread(within=0.2), 100, Design(epochs=3), effect=0.05)
    assert [r.epochs for r in known.reach] == [1, 2, 3, 4, 8]
    assert [r.needed for r in known.reach] == sorted((r.needed for r in known.reach), reverse=True)
    assert [r.difference for r in known.reach] == sorted((r.difference for r in known.reach), reverse=True)


KINDS = st.sampled_from(["binary", "graded"])
SPREADS = st.floats(0.01, 1)


@given(KINDS, SPREADS, st.floats(0.005, 0.4), st.floats(0.005, 0.4))
def test_a_smaller_effect_never_needs_fewer_samples(kind, value, one, other):
    small, large = sorted((one, other))
    assert samples_for(small, spread(kind, value), 1, 0.8) >= samples_for(large, spread(kind, value), 1, 0.8)


@given(KINDS, SPREADS, st.integers(20, 5000))
def test_what_n_samples_show_needs_n_samples(kind, value, n):
    effect = visible(spread(kind, value), n, 1, 0.8)
    if effect is not None and effect < 0.99:
        assert samples_for(effect, spread(kind, value), 1, 0.8) == pytest.approx(n, abs=1)


@given(KINDS, SPREADS, st.integers(50, 5000), st.integers(50, 5000))
def test_more_samples_never_decide_less(kind, value, one, other):
    few, many = sorted((one, other))
    at_few, at_many = (least_margin(spread(kind, value), n, Design()) for n in (few, many))
    assert at_few is None or at_many <= at_few + 1e-6
