"""Samples that a difference needs, and differences that samples show."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from llmkit.stats.mcnemar import mcnemar_midp
from llmkit.stats.power import (
    binary_effect,
    binary_n,
    cohen_h,
    mean_effect,
    mean_epochs,
    mean_n,
    paired_t_effect,
    paired_t_n,
    paired_t_power,
    paired_variance,
    unpaired_effect,
    unpaired_n,
)

effects = st.floats(0.005, 0.9)
sides = st.sampled_from([1, 2])


def test_millers_example():
    """arXiv 2411.00640, §4: ω² = 1/9, one answer without noise, an effect of 3 points: 969 questions."""
    assert math.ceil(mean_n(0.03, paired_variance(1 / 9))) == 969


@given(effects, st.floats(0.01, 1), sides)
def test_a_means_n_and_effect_are_each_others_inverse(effect, variance, side):
    assert mean_effect(mean_n(effect, variance, sides=side), variance, sides=side) == pytest.approx(effect)


@given(effects, st.floats(0, 1), sides)
def test_a_proportions_n_and_effect_are_each_others_inverse(effect, discordance, side):
    n = binary_n(effect, discordance, sides=side)
    assert binary_effect(n, discordance, sides=side) == pytest.approx(effect, rel=1e-6)


@given(st.floats(0.1, 3), sides)
def test_the_t_tests_n_and_effect_are_each_others_inverse(effect, side):
    n = paired_t_n(effect, sides=side)
    if n > 2:
        assert paired_t_effect(n, sides=side) == pytest.approx(effect, rel=1e-4)
        assert paired_t_power(n, effect, sides=side) == pytest.approx(0.8, abs=1e-4)


@given(st.floats(0.3, 0.99), st.floats(0.05, 0.29), sides)
def test_unpaired_n_and_effect_are_each_others_inverse(p1, p2, side):
    assert unpaired_effect(unpaired_n(p1, p2, sides=side), p1, sides=side) == pytest.approx(p2)


def test_epochs_divide_the_noise_alone():
    assert paired_variance(0.1, 0.04, 0.06, 2, 3) == pytest.approx(0.1 + 0.02 + 0.02)


def test_the_epochs_that_a_data_set_needs():
    omega2, sigma2, effect, n = 0.02, 0.2, 0.03, 400
    epochs = mean_epochs(effect, n, omega2, sigma2)
    assert mean_n(effect, paired_variance(omega2, sigma2 / 2, sigma2 / 2, epochs, epochs)) == pytest.approx(n)
    assert mean_epochs(0.2, n, omega2, sigma2) == 1
    assert mean_epochs(0.01, n, omega2, sigma2) is None


def test_one_side_needs_less():
    assert mean_n(0.03, 0.1, sides=1) < mean_n(0.03, 0.1)
    assert binary_n(0.03, 0.1, sides=1) < binary_n(0.03, 0.1)
    assert paired_t_n(0.3, sides=1) < paired_t_n(0.3)
    assert unpaired_n(0.9, 0.8, sides=1) < unpaired_n(0.9, 0.8)


def test_connors_n_by_hand():
    z_alpha, z_beta = stats.norm.ppf([0.975, 0.8])
    expected = (z_alpha * math.sqrt(0.2) + z_beta * math.sqrt(0.2 - 0.01)) ** 2 / 0.01
    assert binary_n(0.1, 0.2) == pytest.approx(expected)
    assert binary_n(-0.1, 0.2) == binary_n(0.1, 0.2)


def test_an_effect_brings_its_own_discordance():
    assert binary_n(0.3, 0.1) == binary_n(0.3, 0.3)


def test_where_not_even_a_difference_of_one_is_found():
    assert binary_effect(3, 0.1) is None
    assert binary_effect(4, 0.1) is not None
    assert unpaired_effect(2, 0.5) is None


def test_connors_n_has_the_power_that_it_promises():
    """McNemar's mid-p test at the planned n, over all outcomes of the trinomial: the formula is for no exact test."""
    effect, discordance = 0.1, 0.2
    n = math.ceil(binary_n(effect, discordance))
    power = 0.0
    for differ in range(n + 1):
        weight = stats.binom.pmf(differ, n, discordance)
        if weight > 1e-9:
            chance = stats.binom.pmf(range(differ + 1), differ, (discordance + effect) / (2 * discordance))
            power += weight * sum(p for k, p in enumerate(chance) if mcnemar_midp(k, differ - k) <= 0.05)
    assert power == pytest.approx(0.8, abs=0.02)


def test_the_t_tests_power_is_seen_in_simulation():
    random, runs, n, effect = np.random.default_rng(0), 20_000, 20, 0.5
    data = random.normal(effect, 1, (runs, n))
    seen = (stats.ttest_1samp(data, 0, axis=1).pvalue <= 0.05).mean()
    assert paired_t_power(n, effect) == pytest.approx(seen, abs=3 * math.sqrt(0.25 / runs))


def test_cohens_h():
    assert cohen_h(1, 0) == pytest.approx(math.pi)
    assert cohen_h(0.3, 0.3) == 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: mean_n(0, 0.1), "effect of 0"),
        (lambda: mean_n(0.1, -0.1), "variance"),
        (lambda: mean_n(0.1, 0.1, alpha=1), "alpha and power"),
        (lambda: mean_n(0.1, 0.1, sides=3), "one side or two"),
        (lambda: mean_effect(0, 0.1), "samples"),
        (lambda: paired_variance(0.1, epochs_a=0), "once at least"),
        (lambda: binary_n(1.5, 0.1), "difference of proportions"),
        (lambda: binary_n(0.1, 1.1), "discordance"),
        (lambda: paired_t_n(0), "effect of 0"),
        (lambda: paired_t_power(1, 0.5), "two pairs"),
        (lambda: unpaired_n(0.4, 0.4), "effect of 0"),
        (lambda: cohen_h(1.2, 0), "proportion"),
    ],
)
def test_what_cannot_be_planned_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
