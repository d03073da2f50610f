"""How many units a gate may ask."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmkit.gate.sizing import Spacing, least_margin, needs_of, units_for
from llmkit.plans import Spread
from llmkit.scoring import parse
from llmkit.stats.sequential.sizing import planned_n, planned_n_graded
from llmkit.suites.gating import Gating

EXACT = Gating("exact_match", "score", 0.05, True, parse("exact_match", "test"))
BLEU = Gating("bleu", "score", 2.0, True, parse("bleu", "test"))
ONE = Spacing(epochs=1, members=1, power=0.82)


def binary(psi, **more):
    return Spread("binary", psi, 0.8, 1.0, 100, "test", **{"seen": psi, **more})


def graded(variance, **more):
    return Spread("graded", variance, 0.8, 1.0, 100, "test", **{"seen": variance, **more})


def test_plain_pairs_need_what_the_formula_says_where_they_are_many():
    assert units_for(EXACT, binary(0.4), 0.05, ONE) == planned_n(0.05, 0.4).n


def test_few_pairs_are_never_fewer_than_the_formula_says():
    assert units_for(EXACT, binary(0.01), 0.05, ONE) >= planned_n(0.05, 0.01).n


def test_a_metric_in_per_cent_is_planned_by_its_share_of_the_span():
    assert units_for(BLEU, graded(100.0), 2.0, ONE) == planned_n_graded(0.02, 0.01).n


@given(st.floats(0.02, 0.3), st.floats(0.02, 0.3))
def test_a_wider_margin_never_needs_more(a, b):
    narrow, wide = sorted((a, b))
    assert units_for(EXACT, graded(0.2), wide, ONE) <= units_for(EXACT, graded(0.2), narrow, ONE)


def test_epochs_help_by_the_noise_within_samples():
    noisy, stable = graded(0.3, within=0.3), graded(0.3, within=0.0)
    four = Spacing(epochs=4, members=1, power=0.82)
    assert units_for(EXACT, noisy, 0.05, four) < units_for(EXACT, noisy, 0.05, ONE)
    assert units_for(EXACT, stable, 0.05, four) == units_for(EXACT, stable, 0.05, ONE)


def test_clusters_are_fewer_than_their_samples_and_more_than_independent_ones_would_be():
    fives = Spacing(epochs=1, members=5, power=0.82)
    alike = units_for(EXACT, Spread("graded", 0.2, 0.8, 5.0, 100, "test"), 0.05, fives)
    independent = units_for(EXACT, Spread("graded", 0.2, 0.8, 1.0, 100, "test"), 0.05, fives)
    single = units_for(EXACT, graded(0.2), 0.05, ONE)
    assert independent < alike == single


def test_the_least_margin_is_what_the_number_of_units_can_decide():
    margin = least_margin(EXACT, graded(0.2), 500, ONE)
    assert units_for(EXACT, graded(0.2), margin * 1.001, ONE) <= 500 < units_for(EXACT, graded(0.2), margin * 0.98, ONE)


@pytest.mark.parametrize("n", [0, 1])
def test_no_margin_can_be_decided_with_next_to_nothing(n):
    assert least_margin(EXACT, binary(0.5), n, ONE) is None


def test_an_undecided_metric_is_told_samples_and_margin():
    needs = needs_of(EXACT, 0.05, binary(0.3), 60, 60, ONE)
    assert needs.samples == planned_n(0.05, 0.3).n
    assert 0.05 < needs.margin < 1
    assert needs.epochs is None


def test_epochs_are_offered_where_the_data_are_too_few_and_noise_is_the_cause():
    needs = needs_of(EXACT, 0.05, graded(0.3, within=0.3), 500, 500, ONE)
    assert needs.samples > 500
    assert needs.epochs in (2, 4, 8, 16)
    assert units_for(EXACT, graded(0.3, within=0.3), 0.05, Spacing(needs.epochs, 1, 0.82)) <= 500
