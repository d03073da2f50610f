"""One-sided bounds of kappa that hold where few items hold few gross errors."""

import numpy as np
import pytest

from llmkit.stats.agreement.kappa import cohen_kappa
from llmkit.stats.agreement.kappa_bound import _shows, kappa_bounds, kappa_items_needed

MARGIN = np.array([0.1, 0.15, 0.2, 0.3, 0.25])
GROSS = 0.9 * np.diag(MARGIN) + 0.1 * np.outer(MARGIN, MARGIN)  # right, or else a draw of the scale


def test_without_an_error_the_bound_is_that_of_the_errors_unseen() -> None:
    found = kappa_bounds(np.diag([10, 10]))
    assert found is not None
    assert found.low == pytest.approx(1 - (1 - 0.05 ** (1 / 20)) / 0.5)
    assert found.value == found.high == 1


def test_bounds_lie_around_kappa_and_are_no_narrower_than_the_normal_ones() -> None:
    table = [[40, 5, 1], [4, 30, 3], [0, 2, 20]]
    found, normal = kappa_bounds(table), cohen_kappa(table, confidence=0.9)
    assert found is not None
    assert normal is not None
    assert normal.interval is not None
    assert found.low <= normal.interval.low < found.value == normal.value < normal.interval.high <= found.high


def test_where_chance_alone_agrees_there_is_none() -> None:
    assert kappa_bounds([[20, 0], [0, 0]]) is None


@pytest.mark.parametrize("n", [30, 100])
def test_the_lower_bound_is_rarely_above_the_truth_where_the_normal_one_often_is(n: int) -> None:
    truth = cohen_kappa(GROSS, "quadratic", effective=True)
    assert truth is not None
    tables = np.random.default_rng(5).multinomial(n, GROSS.ravel(), size=300).reshape(-1, 5, 5)
    found = [kappa_bounds(table, "quadratic") for table in tables]
    normal = [cohen_kappa(table, "quadratic", confidence=0.9) for table in tables]
    assert sum(one is not None and one.low > truth.value for one in found) <= 0.05 * 300
    assert sum(one is not None and one.interval.low > truth.value for one in normal) > 0.12 * 300


def test_a_perfect_judge_needs_what_its_bound_says() -> None:
    needed = kappa_items_needed(np.eye(3), 0.6)
    assert needed == 10
    low = {n: kappa_bounds(np.eye(3) * n / 3) for n in (9, 10)}
    assert low[9] is not None
    assert low[10] is not None
    assert low[9].low < 0.6 <= low[10].low


def test_what_is_needed_of_a_good_judge_does_it_four_times_of_five() -> None:
    shares = 0.925 * np.eye(3) + 0.025
    needed = kappa_items_needed(shares, 0.6)
    assert needed is not None
    tables = np.random.default_rng(9).multinomial(needed, (shares / shares.sum()).ravel(), size=300).reshape(-1, 3, 3)
    shown = [one is not None and one.low >= 0.6 for one in map(kappa_bounds, tables)]
    assert 0.7 < np.mean(shown) < 0.92
    assert kappa_items_needed(shares, 0.95) is None


@pytest.mark.parametrize("bound", [0.5, 0.7, 0.85])
def test_the_quick_test_of_a_bound_is_the_bound(bound: float) -> None:
    tables = np.random.default_rng(2).multinomial(40, GROSS.ravel(), size=50).reshape(-1, 5, 5)
    for table in tables:
        found = kappa_bounds(table, "quadratic")
        assert _shows(table, bound, "quadratic", None, 0.95) == (found is not None and found.low >= bound)
