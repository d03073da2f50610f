"""The estimate after early stopping."""

import numpy as np
import pytest

from llmkit.stats.sequential.estimate import Region, median_unbiased, regions
from tests.simulations import ALL, runs

LOOKS = tuple(Region(n, 0.05 - 1.0 / np.sqrt(n) * 2.2, 2.4 / np.sqrt(n)) for n in (100, 200, 300, 400))


def stopped(theta, random):
    """Run Brownian trials; return those estimates and adjusted estimates that stopped."""
    naive, adjusted = [], []
    for _ in range(runs(1_000, 250)):
        steps = random.normal(theta, 1 / np.sqrt(100), 4)
        for look, region in enumerate(LOOKS):
            drop = steps[: look + 1].mean()
            if look == 3 or drop <= region.low or drop >= region.high:
                break
        naive.append(drop)
        # The last look has no boundary of its own here: it stops as whatever is nearer.
        failed = drop >= region.high or (drop > region.low and drop > 0.05)
        found = median_unbiased(drop, LOOKS[: look + 1], 1.0, failed=bool(failed))
        adjusted.append(np.nan if found is None else found)
    return np.array(naive), np.array(adjusted)


@pytest.mark.parametrize("theta", [0.0, 0.1, 0.2] if ALL else [0.1])
def test_half_of_the_adjusted_estimates_are_below_the_truth(theta):
    naive, adjusted = stopped(theta, np.random.default_rng(5))
    assert np.isfinite(adjusted).all()
    error = 3 * np.sqrt(0.25 / len(adjusted))
    assert (adjusted < theta).mean() == pytest.approx(0.5, abs=error)
    assert abs((adjusted < theta).mean() - 0.5) <= abs((naive < theta).mean() - 0.5) + error / 3


def test_at_the_first_look_nothing_was_stopped_before():
    assert median_unbiased(0.3, LOOKS[:1], 1.0, failed=True) == pytest.approx(0.3, abs=1e-3)


def test_a_late_failure_is_pulled_towards_no_change_and_a_late_pass_towards_the_margin():
    assert median_unbiased(0.13, LOOKS, 1.0, failed=True) < 0.13
    assert median_unbiased(-0.08, LOOKS, 1.0, failed=False) > -0.08


def test_regions_are_where_bounds_meet_nothing_and_the_margin():
    (region,) = regions([(100, 0.02, -0.03, 0.09)], 0.05)
    assert region.high == pytest.approx(0.05)
    assert region.low == pytest.approx(-0.02)
