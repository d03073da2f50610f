"""Which estimator corrects a rate, and that what is printed covers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmkit.stats.correction import (
    FEW,
    Confusion,
    corrected_rate,
    corrected_rate_bounds,
    exact_corrected,
    lang_reiczigel,
    post_stratified,
)

PLENTY = Confusion(45, 5, 6, 24)
SCARCE = Confusion(70, 5, 1, FEW - 2)

cells = st.integers(0, 60)
verdicts = st.integers(1, 2000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def chosen(labels, *, same=False, random=True, passed=300, n=400):
    return corrected_rate(labels, passed, n, same_population=same, random=random)


def test_random_labels_of_the_very_items_are_post_stratified():
    found, plain = chosen(PLENTY, same=True), post_stratified(PLENTY, 300, 400)
    assert (found.estimator, found.value, found.interval, found.se) == ("post-stratified", *plain[:2], plain.se)
    assert "random sample of the very items" in found.why


@pytest.mark.parametrize(("same", "random"), [(False, True), (True, False), (False, False)])
def test_labels_of_other_items_and_enriched_ones_need_equal_error_rates_and_say_so(same, random):
    found = chosen(PLENTY, same=same, random=random)
    assert (found.estimator, found.interval) == ("lang-reiczigel", lang_reiczigel(PLENTY, 300, 400).interval)
    assert "assumes that the judge errs on each class as often here as on the labelled items" in found.why
    assert ("enriched" in found.why) == same


@pytest.mark.parametrize("labels", [SCARCE, Confusion(2, FEW - 3, 0, 300)])
def test_few_labels_of_a_class_are_bounded_exactly(labels):
    found = chosen(labels)
    assert (found.estimator, found.interval) == ("exact-bonferroni", exact_corrected(labels, 300, 400).interval)
    assert "too few labels of a class (15 do)" in found.why


def test_so_is_a_judge_that_one_more_error_makes_no_better_than_chance():
    labels = Confusion(15, 0, 59, 1)
    with pytest.raises(ValueError, match="too few labels"):
        lang_reiczigel(labels, 300, 400)
    assert chosen(labels).estimator == "exact-bonferroni"


@pytest.mark.parametrize(
    ("labels", "why"),
    [
        (Confusion(50, 50, 50, 50), "TPR 0.50 + TNR 0.50 ≤ 1"),
        (Confusion(20, 80, 30, 70), "TPR 0.20 + TNR 0.70 ≤ 1"),
        (Confusion(80, 20, 0, 0), "no labelled item fails"),
        (Confusion(0, 0, 5, 80), "no labelled item passes"),
    ],
)
def test_what_says_nothing_of_other_items_has_no_figure_there(labels, why):
    found = chosen(labels)
    assert found[:4] == (None, None, None, None)
    assert why in found.why
    assert chosen(labels, same=True).interval is not None


def test_impossible_counts_are_an_error_and_not_a_missing_figure():
    with pytest.raises(ValueError, match="there are none"):
        chosen(Confusion(0, 0, 0, 0))
    with pytest.raises(ValueError, match="passed"):
        chosen(PLENTY, passed=401)


@given(st.tuples(cells, cells, cells, cells).filter(any), verdicts, st.booleans(), st.booleans())
def test_many_at_once_are_the_ones_one_by_one(labels, kn, same, random):
    low, high = corrected_rate_bounds(labels, *kn, same_population=same, random=random)
    interval = corrected_rate(Confusion(*labels), *kn, same_population=same, random=random).interval
    if interval is None:
        assert np.isnan(low)
        assert np.isnan(high)
    else:
        assert (low, high) == pytest.approx((interval.low, interval.high), abs=1e-12)


@given(st.integers(50, 500), st.floats(0.1, 0.9), st.floats(0.75, 1), st.floats(0.75, 1), verdicts)
def test_fifty_labels_of_both_classes_and_a_fair_judge_always_have_an_interval(m, share, tpr, tnr, kn):
    yes = min(max(round(share * m), 1), m - 1)
    tp, tn = np.ceil(yes * tpr), np.ceil((m - yes) * tnr)
    for same in (True, False):
        assert corrected_rate(
            Confusion(tp, yes - tp, m - yes - tn, tn), *kn, same_population=same, random=True
        ).interval
