"""Tests of paired yes/no outcomes, and Fisher's of unpaired ones."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from llmkit.stats.mcnemar import fisher_exact, mcnemar_chi2, mcnemar_exact, mcnemar_midp

counts = st.integers(0, 300)
alternatives = st.sampled_from(["two-sided", "greater", "less"])


@given(counts, counts, alternatives)
def test_the_exact_test_is_the_binomial_one(won, lost, alternative):
    expected = stats.binomtest(won, won + lost, 0.5, alternative).pvalue if won + lost else 1.0
    assert mcnemar_exact(won, lost, alternative) == pytest.approx(expected, rel=1e-9, abs=1e-300)


@given(counts, counts)
def test_the_mid_p_counts_half_of_what_was_seen(won, lost):
    pairs = won + lost
    chances = stats.binom.pmf(range(pairs + 1), pairs, 0.5)
    further = sum(p for k, p in enumerate(chances) if abs(2 * k - pairs) > abs(won - lost))
    as_far = sum(p for k, p in enumerate(chances) if abs(2 * k - pairs) == abs(won - lost))
    assert mcnemar_midp(won, lost) == pytest.approx(further + as_far / 2, rel=1e-9)


@given(counts, counts)
def test_one_sided_mid_p_values_make_one(won, lost):
    assert mcnemar_midp(won, lost, "greater") + mcnemar_midp(won, lost, "less") == pytest.approx(1)


@given(counts, counts, alternatives)
def test_swapping_the_sides_swaps_the_alternatives(won, lost, alternative):
    other = {"greater": "less", "less": "greater"}.get(alternative, alternative)
    for test in (mcnemar_exact, mcnemar_midp):
        assert test(won, lost, alternative) == pytest.approx(test(lost, won, other), rel=1e-9)
    assert mcnemar_chi2(won, lost, alternative).p_value == pytest.approx(mcnemar_chi2(lost, won, other).p_value)


@given(counts, counts)
def test_chi_square_has_one_degree_of_freedom(won, lost):
    statistic, p_value = mcnemar_chi2(won, lost)
    assert p_value == pytest.approx(stats.chi2.sf(statistic, 1), rel=1e-9)


def test_the_corrected_statistic_by_hand():
    assert mcnemar_chi2(15, 5).statistic == pytest.approx(81 / 20)
    assert mcnemar_chi2(15, 5, "greater").p_value == pytest.approx(mcnemar_chi2(15, 5).p_value / 2)


def test_no_pair_that_differs_is_no_evidence():
    assert [mcnemar_exact(0, 0, side) for side in ("two-sided", "greater", "less")] == [1, 1, 1]
    assert mcnemar_chi2(0, 0) == (0, 1)
    assert mcnemar_chi2(0, 0, "less").p_value == 0.5


@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 60), st.integers(0, 60), alternatives)
def test_fishers_test_is_scipys(right1, wrong1, right2, wrong2, alternative):
    expected = stats.fisher_exact([[right2, wrong2], [right1, wrong1]], alternative).pvalue
    found = fisher_exact(right1, right1 + wrong1, right2, right2 + wrong2, alternative)
    assert found == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize(
    "call",
    [
        lambda: mcnemar_exact(-1, 3),
        lambda: mcnemar_midp(3, -1),
        lambda: mcnemar_chi2(-2, -2),
        lambda: fisher_exact(5, 4, 0, 1),
        lambda: fisher_exact(0, 4, -1, 1),
    ],
)
def test_counts_that_cannot_be_are_refused(call):
    with pytest.raises(ValueError, match="not"):
        call()


def test_an_alternative_of_another_name_is_refused():
    with pytest.raises(ValueError, match="two-sided, greater or less, not 'both'"):
        mcnemar_exact(3, 1, "both")
