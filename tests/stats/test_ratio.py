"""Ratios of paired means and quantiles."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from llmkit.stats import ratio
from llmkit.stats.ratio import mean_ratio, quantile, quantile_ratios, rate_ratio

FLOATS = st.floats(0, 1e6)


def quantile_ratio(a, b, q, clusters=None, **how):
    (found,) = quantile_ratios(a, b, [q], clusters, **how)
    return found


@given(st.lists(FLOATS, min_size=1, max_size=50), st.sampled_from([0.01, 0.05, 0.25, 0.5, 0.9, 0.95, 1.0]))
def test_a_quantile_is_numpys_inverted_cdf(values, q):
    found = np.array(values)
    assert quantile(found, q) == np.quantile(found, q, method="inverted_cdf")


def test_the_quantile_of_nothing_is_an_error():
    with pytest.raises(ValueError, match="no values"):
        quantile(np.array([]), 0.5)


def test_a_ratio_of_means_is_scipys_paired_bca():
    random = np.random.default_rng(1)
    a = random.gamma(2, 1, 120)
    b = 0.8 * a + random.gamma(1, 0.5, 120)
    theirs = stats.bootstrap(
        (a, b), lambda x, y, axis: y.mean(axis=axis) / x.mean(axis=axis), paired=True, method="BCa",
        n_resamples=20_000, rng=np.random.default_rng(2),
    ).confidence_interval  # fmt: skip
    ours = mean_ratio(a, b)
    assert ours is not None
    width = theirs.high - theirs.low
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.06 * width)


def test_a_ratio_of_medians_is_scipys_paired_percentile():
    random = np.random.default_rng(3)
    a = random.gamma(2, 1, 201)
    b = a * random.gamma(20, 0.05, 201)
    theirs = stats.bootstrap(
        (a, b), lambda x, y, axis: np.median(y, axis=axis) / np.median(x, axis=axis), paired=True,
        method="percentile", n_resamples=5_000, rng=np.random.default_rng(4),
    ).confidence_interval  # fmt: skip
    ours = quantile_ratio(a, b, 0.5)
    assert ours is not None
    width = theirs.high - theirs.low
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.12 * width)


def test_the_order_of_the_rows_changes_nothing_and_the_seed_does():
    random = np.random.default_rng(5)
    a, b, clusters = random.gamma(2, 1, 60), random.gamma(2, 1, 60), np.arange(60) // 3
    order = random.permutation(60)
    for find in (mean_ratio, lambda *args, **how: quantile_ratio(args[0], args[1], 0.95, *args[2:], **how)):
        assert find(a, b, clusters) == find(a[order], b[order], clusters[order])
        assert find(a, b) != find(a, b, seed=1)


def test_the_interval_of_a_median_ratio_covers():
    random = np.random.default_rng(6)
    inside = 0
    for trial in range(200):
        a = random.exponential(1.0, 101)
        found = quantile_ratio(a, random.exponential(2.0, 101), 0.5, seed=trial)
        assert found is not None
        inside += found.low <= 2.0 <= found.high
    assert 0.95 - 3 * np.sqrt(0.95 * 0.05 / 200) <= inside / 200


@pytest.mark.parametrize(
    ("a", "b"), [([1.0], [2.0]), ([1.0, 1.0], [2.0, 2.0]), ([0.0, 0.0], [1.0, 2.0]), ([], [])],
    ids=["one", "constant", "zero", "none"],
)  # fmt: skip
def test_there_is_no_interval_where_nothing_varies_or_can_be_divided(a, b):
    assert quantile_ratio(np.array(a), np.array(b), 0.5) is None
    if a:
        assert mean_ratio(np.array(a), np.array(b)) is None


def test_several_quantiles_come_from_the_same_draws():
    random = np.random.default_rng(8)
    a, b = random.gamma(2, 1, 50), random.gamma(2, 1, 50)
    assert quantile_ratios(a, b, [0.5, 0.95]) == [quantile_ratio(a, b, 0.5), quantile_ratio(a, b, 0.95)]


def test_beyond_the_limit_intervals_hardly_change(monkeypatch):
    random = np.random.default_rng(7)
    a, b = random.gamma(2, 1, 400), random.gamma(3, 1, 400)
    drawn = [mean_ratio(a, b), quantile_ratio(a, b, 0.5)]
    monkeypatch.setattr(ratio, "MOST_RESAMPLED", 10)
    for before, after in zip(drawn, [mean_ratio(a, b), quantile_ratio(a, b, 0.5)], strict=True):
        assert before is not None
        assert after is not None
        width = before.high - before.low
        assert (after.low, after.high) == pytest.approx((before.low, before.high), abs=0.15 * width)


class TestRates:
    """b's ``sum(amount) / sum(time)`` over a's."""

    def drawn(self, n, seed, factor=1.0):
        """Answers of lognormal length, and times that grow with it and have a noise of their own."""
        random = np.random.default_rng(seed)
        tokens = np.round(random.lognormal(4, 0.6, n)) + 1
        one = tokens * random.lognormal(-3, 0.2, n)
        two = tokens * random.lognormal(-3, 0.2, n) / factor
        return (tokens, one), (tokens, two)

    def test_the_interval_is_that_of_scipys_bca(self):
        a, b = self.drawn(60, 1, factor=1.3)
        found = rate_ratio(a, b, seed=3)

        def ratio(t, s, u, v, axis=-1):
            return (u.sum(axis) / v.sum(axis)) / (t.sum(axis) / s.sum(axis))

        expected = stats.bootstrap(
            (*a, *b), ratio, paired=True, vectorized=True, n_resamples=20_000, method="BCa", rng=5
        ).confidence_interval
        assert found.low == pytest.approx(expected.low, rel=0.01)
        assert found.high == pytest.approx(expected.high, rel=0.01)

    def test_it_covers_the_true_ratio_as_often_as_it_says(self):
        covered = 0
        for seed in range(120):
            found = rate_ratio(*self.drawn(50, 1000 + seed, factor=1.3), seed=seed)
            covered += found.low <= 1.3 <= found.high
        assert covered >= 107  # 95 % of 120 is 114; fewer than 107 have a probability below .005

    def test_a_part_of_twice_the_speed_everywhere_has_no_spread(self):
        a, _ = self.drawn(30, 2)
        found = rate_ratio(a, (a[0], a[1] / 2))
        assert found is None or found.low == pytest.approx(2.0) == found.high

    def test_the_order_of_rows_changes_nothing(self):
        (t, s), (u, v) = self.drawn(40, 3)
        order = np.random.default_rng(0).permutation(40)
        assert rate_ratio((t, s), (u, v)) == rate_ratio((t[order], s[order]), (u[order], v[order]))
