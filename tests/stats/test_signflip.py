"""The sign-flip test."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from llmkit.stats.mcnemar import mcnemar_exact
from llmkit.stats.signflip import sign_flip

few = arrays(np.float64, st.integers(2, 10), elements=st.integers(-5, 5).map(float))
many = arrays(np.float64, st.integers(1, 60), elements=st.integers(-5, 5).map(float))
alternatives = st.sampled_from(["two-sided", "greater", "less"])


@settings(max_examples=40)
@given(few, alternatives)
def test_few_differences_are_counted_as_scipy_does(differences, alternative):
    expected = stats.permutation_test(
        (differences,),
        lambda x, axis=-1: x.sum(axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=np.inf,
        alternative=alternative,
    ).pvalue
    tested = sign_flip(differences, alternative=alternative)
    assert tested.exact
    assert tested.p_value == pytest.approx(expected)


def test_many_differences_are_drawn_and_agree_with_the_exact_test_of_signs():
    differences = np.array([1.0] * 40 + [-1.0] * 22 + [0.0] * 300)
    tested = sign_flip(differences, resamples=40_000, seed=2)
    exact = mcnemar_exact(40, 22)
    assert not tested.exact
    assert tested.p_value == pytest.approx(exact, abs=3 * math.sqrt(exact * (1 - exact) / 40_000))


def test_sums_that_tie_are_reached_though_rounding_parts_them():
    differences = np.array([0.1, 0.2, 0.3])  # 0.1 + 0.2 - 0.3 is not 0 in binary
    assert sign_flip(-differences + np.array([0, 0, 0.6])).p_value == pytest.approx(1.0)
    assert sign_flip(differences).p_value == 2 / 8


@settings(max_examples=30)
@given(many, st.randoms(use_true_random=False))
def test_neither_order_nor_the_sign_of_all_matters(differences, random):
    order = list(range(len(differences)))
    random.shuffle(order)
    once = sign_flip(differences, resamples=200)
    assert sign_flip(differences[order], resamples=200) == once
    assert sign_flip(-differences, resamples=200) == once


@given(many)
def test_one_sided_tests_look_at_their_side(differences):
    up, down = (sign_flip(differences, alternative=side, resamples=200).p_value for side in ("greater", "less"))
    if differences.sum() > 0:
        assert up <= down
    assert up + down >= 1 - 1e-12


def test_clusters_flip_together():
    differences = np.array([1.0] * 6 + [-1.0] * 2)
    clusters = np.array([0, 0, 0, 0, 0, 0, 1, 1])
    assert sign_flip(differences).p_value == pytest.approx(mcnemar_exact(6, 2))
    assert sign_flip(differences, clusters).p_value == 1.0  # sums 6 and −2: all four patterns reach 4


def test_members_that_agree_add_no_evidence():
    once = np.array([0.3, -0.1, 0.4, 0.2, 0.6])
    often = sign_flip(np.repeat(once, 50), np.repeat(np.arange(5), 50))
    assert often == sign_flip(once)


def test_nothing_that_differs_is_no_evidence():
    for side in ("two-sided", "greater", "less"):
        assert sign_flip(np.zeros(40), alternative=side) == (1.0, True)


def test_the_level_is_kept_where_clusters_are_heeded_and_lost_where_not():
    random = np.random.default_rng(4)
    clusters, found, naive, runs = np.repeat(np.arange(20), 5), 0, 0, 400
    for run in range(runs):
        data = random.normal(size=20)[clusters] + random.normal(size=100)
        found += sign_flip(data, clusters, resamples=499, seed=run).p_value <= 0.05
        naive += sign_flip(data, resamples=499, seed=run).p_value <= 0.05
    assert found / runs <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / runs)
    assert naive / runs > 0.15


def test_another_alternative_is_refused():
    with pytest.raises(ValueError, match="alternative"):
        sign_flip(np.ones(3), alternative="both")
