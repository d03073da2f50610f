"""The mean of grades, sharpened by verdicts, where labels are a random sample of what was scored."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmkit.stats.correction import Confusion, post_stratified, post_stratified_mean
from llmkit.stats.quantiles import z_of

cells = st.integers(0, 80)


@given(st.tuples(cells, cells, cells, cells).filter(any), cells, st.integers(1, 3000))
def test_two_values_are_post_stratification(labels, passed, failed):
    tp, fn, fp, tn = labels
    grades = post_stratified_mean([[tp, fn], [fp, tn]], [1, 0], [passed, failed])
    shares = post_stratified(Confusion(*labels), passed, passed + failed)
    assert grades.value == pytest.approx(shares.value)
    assert grades.se == pytest.approx(shares.se)
    assert (grades.interval.low, grades.interval.high) == pytest.approx((shares.interval.low, shares.interval.high))


@given(st.floats(-5, 5), st.floats(0.1, 20))
def test_the_unit_of_the_values_does_not_matter(shift, unit):
    table, values = np.array([[5, 2, 0], [1, 9, 3], [0, 4, 12]]), np.array([1, 2, 3])
    one, other = (post_stratified_mean(table, v, [30, 50, 90]) for v in (values, shift + unit * values))
    assert other.value == pytest.approx(shift + unit * one.value, abs=1e-9)
    assert other.interval.high == pytest.approx(shift + unit * one.interval.high, abs=1e-9)


@pytest.mark.parametrize("accuracy", [0.3, 0.9])
@pytest.mark.parametrize("prior", [[0.2] * 5, [0, 0.02, 0.08, 0.3, 0.6], [0, 0, 0.02, 0.08, 0.9], [0.5, 0, 0, 0, 0.5]])
def test_it_covers_whatever_the_judge_is_worth(prior, accuracy):
    """The first lines of what was simulated: .92 at worst, with one label in fifty at the far end of the scale."""
    random, runs, values = np.random.default_rng(1), 500, np.arange(5.0)
    judge = np.full((5, 5), (1 - accuracy) / 4) + (accuracy - (1 - accuracy) / 4) * np.eye(5)
    joint, truth, held = np.array(prior)[:, None] * judge, float(np.array(prior) @ values), 0
    for _ in range(runs):
        table = random.multinomial(100, joint.ravel()).reshape(5, 5)
        found = post_stratified_mean(table, values, random.multinomial(1000, joint.sum(axis=0)))
        held += found.interval.low <= truth <= found.interval.high
    assert held / runs >= 0.93 - 3 * np.sqrt(0.93 * 0.07 / runs)


def test_a_good_judge_makes_it_narrower_than_the_labels_alone():
    table = np.diag([20, 20, 20, 20, 20]) + 1
    found = post_stratified_mean(table, range(5), [1000] * 5)
    alone = 2 * z_of(0.95) * np.sqrt(2 / table.sum())  # of grades that are equally frequent: variance 2
    assert found.interval.high - found.interval.low < 0.8 * alone


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (([[1, 2]], [1, 0], [3, 4]), "a row a label"),
        (([[1, -2], [3, 4]], [1, 0], [3, 4]), "not negative"),
        (([[1, 2], [3, 4]], [1, 1], [3, 4]), "two different"),
        (([[0, 0], [0, 0]], [1, 0], [3, 4]), "there are none"),
    ],
)
def test_what_does_not_fit_is_refused(given, why):
    with pytest.raises(ValueError, match=why):
        post_stratified_mean(*given)
