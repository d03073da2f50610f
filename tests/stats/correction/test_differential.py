"""Whether a judge errs on one side more than on the other."""

import pytest

from llmkit.stats.correction import Confusion, differential_error
from llmkit.stats.mcnemar import fisher_exact


def test_a_judge_that_misses_more_of_one_sides_right_answers_is_flagged():
    found = differential_error(Confusion(95, 5, 10, 40), Confusion(75, 25, 11, 39))
    assert found.flagged
    assert found.tpr_p == pytest.approx(2 * fisher_exact(95, 100, 75, 100))
    assert found.tnr_p == pytest.approx(fisher_exact(40, 50, 39, 50))


def test_the_same_errors_on_both_sides_are_not():
    assert not differential_error(Confusion(90, 10, 5, 45), Confusion(45, 5, 6, 44)).flagged


def test_two_tests_together_err_as_seldom_as_one():
    """One p-value of .03 among two is none of .05."""
    found = differential_error(Confusion(50, 0, 20, 20), Confusion(44, 6, 20, 20))
    assert fisher_exact(50, 50, 44, 50) < 0.05 < found.tpr_p
    assert not found.flagged


def test_a_class_without_labels_on_one_side_is_not_compared():
    found = differential_error(Confusion(90, 10, 0, 0), Confusion(60, 40, 5, 5))
    assert found.tnr_p is None
    assert found.flagged
    assert found.tpr_p == pytest.approx(fisher_exact(90, 100, 60, 100))


def test_no_labels_on_a_side_say_nothing():
    assert differential_error(Confusion(0, 0, 0, 0), Confusion(6, 4, 5, 5)) == (None, None, False)
