"""Kappa of two raters and of several."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import linprog

from llmkit.stats.agreement.categories import nearness
from llmkit.stats.agreement.kappa import cohen_kappa, fleiss_kappa, randolph_kappa

weightings = st.sampled_from(["identity", "linear", "quadratic"])
tables = st.integers(2, 4).flatmap(lambda k: arrays(np.int64, (k, k), elements=st.integers(0, 20)))
mixed_tables = tables.filter(lambda t: ((t.sum(0) > 0).sum() > 1) and ((t.sum(1) > 0).sum() > 1))


def kappa_of(p, near):
    expected = (np.outer(p.sum(1), p.sum(0)) * near).sum() / p.sum() ** 2
    return ((p * near).sum() / p.sum() - expected) / (1 - expected)


def test_cohens_kappa_by_hand():
    found = cohen_kappa([[20, 5], [10, 15]])  # seen .7, by chance .5·.6 + .5·.4 = .5
    assert (found.observed, found.expected, found.value, found.n) == pytest.approx((0.7, 0.5, 0.4, 50))


@given(mixed_tables, weightings)
def test_the_standard_error_is_the_delta_methods(table, weights):
    """Against a numeric gradient of kappa in the cells' shares, of a multinomial."""
    found, near, p, step = cohen_kappa(table, weights), nearness(len(table), weights), table / table.sum(), 1e-6
    slope = np.zeros_like(p)
    for cell in itertools.product(range(len(p)), repeat=2):
        moved = np.zeros_like(p)
        moved[cell] = step
        slope[cell] = (kappa_of(p + moved, near) - kappa_of(p - moved, near)) / (2 * step)
    variance = ((p * slope**2).sum() - (p * slope).sum() ** 2) / table.sum()
    assert found.value == pytest.approx(kappa_of(p, near), abs=1e-12)
    assert found.se**2 == pytest.approx(variance, abs=1e-7)


@given(mixed_tables, weightings)
def test_the_largest_kappa_is_that_of_the_best_table_with_these_margins(table, weights):
    size, near = len(table), nearness(len(table), weights)
    margins = [np.kron(np.eye(size), np.ones(size)), np.kron(np.ones(size), np.eye(size))]
    sums = np.concatenate([table.sum(axis=1), table.sum(axis=0)]) / table.sum()
    best = linprog(-near.ravel(), A_eq=np.vstack(margins), b_eq=sums)
    found = cohen_kappa(table, weights)
    assert found.most == pytest.approx((-best.fun - found.expected) / (1 - found.expected), abs=1e-7)


@given(mixed_tables, weightings)
def test_who_is_called_first_does_not_matter(table, weights):
    one, other = cohen_kappa(table, weights), cohen_kappa(table.T, weights)
    assert (one.value, one.se, one.se0, one.most) == pytest.approx((other.value, other.se, other.se0, other.most))


@given(mixed_tables, weightings, st.randoms(use_true_random=False))
def test_categories_may_come_in_any_order_when_their_scores_do(table, weights, random):
    order = list(range(len(table)))
    random.shuffle(order)
    one = cohen_kappa(table, weights, scores=range(len(table)))
    other = cohen_kappa(table[np.ix_(order, order)], weights, scores=order)
    assert (one.value, one.se, one.most) == pytest.approx((other.value, other.se, other.most))


@given(mixed_tables, weightings)
def test_the_interval_holds_the_value_and_stays_on_the_scale(table, weights):
    found = cohen_kappa(table, weights)
    if found.interval is not None:
        assert -1 <= found.interval.low <= found.value <= found.interval.high <= 1


def test_perfect_agreement_of_few_items_proves_little():
    few, many = cohen_kappa([[5, 0], [0, 5]]), cohen_kappa([[500, 0], [0, 500]])
    assert few.value == many.value == 1
    assert few.interval.high == 1
    # All ten may agree though .31 of all do not, with a chance of .025; on a scale where chance alone brings .5.
    assert few.interval.low == pytest.approx(1 - (1 - 0.025 ** (1 / 10)) / 0.5)
    assert many.interval.low > 0.99


def test_a_rater_who_always_says_the_same_agrees_by_chance_alone_and_no_interval_is_known():
    found = cohen_kappa([[7, 3], [0, 0]])
    assert (found.value, found.se, found.z, found.interval) == (pytest.approx(0), 0, None, None)


def test_one_category_only_is_undefined():
    assert cohen_kappa([[9, 0], [0, 0]]) is None
    assert cohen_kappa([[9]]) is None
    assert cohen_kappa([[0, 0, 0], [0, 0, 0], [0, 0, 4]], "quadratic") is None


def test_a_higher_confidence_is_wider():
    narrow, wide = (cohen_kappa([[20, 5], [10, 15]], confidence=c).interval for c in (0.9, 0.99))
    assert wide.low < narrow.low < narrow.high < wide.high


def test_the_interval_holds_the_true_kappa_as_often_as_it_says():
    random, p = np.random.default_rng(0), np.array([[0.45, 0.1], [0.1, 0.35]])
    truth = kappa_of(p, np.eye(2))
    drawn = [cohen_kappa(random.multinomial(200, p.ravel()).reshape(2, 2)).interval for _ in range(1_000)]
    assert 0.93 <= np.mean([one.low <= truth <= one.high for one in drawn]) <= 0.97


counts_of_even_raters = st.tuples(st.integers(2, 5), st.integers(2, 4)).flatmap(
    lambda shape: st.lists(
        st.lists(st.integers(0, shape[1] - 1), min_size=shape[0], max_size=shape[0]).map(
            lambda row: np.bincount(row, minlength=shape[1])
        ),
        min_size=1,
        max_size=12,
    ).map(np.array)
)


@given(counts_of_even_raters)
def test_kappas_of_several_raters_are_those_of_all_pairs(counts):
    rows = [np.repeat(np.arange(len(row)), row) for row in counts]
    agree = np.mean([np.mean([a == b for a, b in itertools.combinations(row, 2)]) for row in rows])
    shares = counts.sum(axis=0) / counts.sum()
    expected = (shares**2).sum()
    if expected < 1:
        assert fleiss_kappa(counts) == pytest.approx((agree - expected) / (1 - expected))
    else:
        assert fleiss_kappa(counts) is None
    free = 1 / counts.shape[1]
    assert randolph_kappa(counts) == pytest.approx((agree - free) / (1 - free))


def test_a_category_that_nobody_used_counts_for_randolph_alone():
    with_unused = [[2, 0, 0], [1, 1, 0]]
    without = [[2, 0], [1, 1]]
    assert fleiss_kappa(with_unused) == fleiss_kappa(without)
    assert randolph_kappa(with_unused) > randolph_kappa(without)


def test_one_category_leaves_nothing_to_agree_on():
    assert randolph_kappa([[2], [2]]) is None
    assert fleiss_kappa([[3, 0], [3, 0]]) is None


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: cohen_kappa([[1, 2, 3], [1, 2, 3]]), "square"),
        (lambda: cohen_kappa([[0, 0], [0, 0]]), "0 items"),
        (lambda: cohen_kappa([[1, -1], [0, 2]]), "whole numbers"),
        (lambda: cohen_kappa([[1, 0.5], [0, 2]]), "whole numbers"),
        (lambda: cohen_kappa([1, 2]), "items by categories"),
        (lambda: fleiss_kappa([[2, 0], [1, 2]]), "2 to 3; Krippendorff"),
        (lambda: randolph_kappa([[1, 0], [0, 1]]), "two or more, not 1"),
        (lambda: fleiss_kappa(np.zeros((0, 2))), "at least one of each"),
    ],
)
def test_what_is_undefined_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_effective_counts_are_counts_of_their_size() -> None:
    whole = cohen_kappa([[20, 5], [10, 15]])
    half = cohen_kappa([[10, 2.5], [5, 7.5]], effective=True)
    assert whole is not None
    assert half is not None
    assert half.value == pytest.approx(whole.value)
    assert half.se == pytest.approx(whole.se * 2**0.5)
    with pytest.raises(ValueError, match="not negative"):
        cohen_kappa([[1, -0.5], [0, 2]], effective=True)
