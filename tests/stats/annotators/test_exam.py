"""An exam of annotators."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from llmkit.stats.annotators.exam import LEAST_ANSWERS, exam
from llmkit.stats.multiplicity import holm
from tests.simulations import runs

counts = st.lists(st.integers(0, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), max_size=8)


@given(counts, st.floats(0.05, 0.95))
def test_the_p_value_is_the_binomial_tests(rows, required):
    exams = exam([k for k, _ in rows], [n for _, n in rows], required)
    for (k, n), found in zip(rows, exams, strict=True):
        expected = stats.binomtest(k, n, required, "less").pvalue if n else None
        assert found.p_value == (pytest.approx(expected, rel=1e-7, abs=1e-12) if n else None)


@given(counts, st.floats(0.05, 0.95))
def test_only_those_who_answered_enough_are_tested_and_holms_family_is_theirs(rows, required):
    found = exam([k for k, _ in rows], [n for _, n in rows], required)
    family = [one.p_value for one in found if one.answered >= LEAST_ANSWERS]
    assert [one.adjusted for one in found if one.answered >= LEAST_ANSWERS] == holm(family).tolist()
    assert all(one.adjusted is None and not one.flagged for one in found if one.answered < LEAST_ANSWERS)
    assert all(one.flagged == (one.adjusted <= 0.05) for one in found if one.adjusted is not None)


def test_nobody_is_flagged_on_fewer_than_ten_answers():
    few, enough = exam([0, 0], [9, 10], 0.9)
    assert not few.flagged and few.p_value < 1e-8
    assert enough.flagged


def test_one_who_answered_nothing_is_unknown():
    (found,) = exam([0], [0], 0.9)
    assert (found.accuracy, found.interval, found.upper, found.p_value, found.flagged) == (
        None,
        None,
        None,
        None,
        False,
    )


def test_a_single_annotator_is_flagged_where_the_upper_bound_lies_below_what_is_required():
    for correct in range(21):
        (found,) = exam([correct], [20], 0.9)
        assert found.flagged == (found.upper < 0.9)


def test_good_annotators_are_flagged_no_more_often_than_the_level_says():
    random, trials = np.random.default_rng(0), runs(800, 200)
    correct = random.binomial(50, 0.9, (trials, 12))
    wrong = np.mean([any(one.flagged for one in exam(row.tolist(), [50] * 12, 0.9)) for row in correct])
    assert wrong <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / trials)


@pytest.mark.parametrize(
    "call",
    [
        lambda: exam([5], [4], 0.9),
        lambda: exam([-1], [4], 0.9),
        lambda: exam([1, 2], [4], 0.9),
        lambda: exam([1], [4], 1.0),
        lambda: exam([1], [4], 0.9, level=0),
    ],
)
def test_what_cannot_be_is_refused(call):
    with pytest.raises(ValueError, match=r"exam needs|lie in \(0, 1\)"):
        call()
