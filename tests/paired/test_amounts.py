"""Dollars, tokens and seconds: of pairs that both sides know them of, and unknown with its reason."""

import math

import numpy as np
import pytest

from llmkit.paired.amounts import amounts
from llmkit.paired.pairing import pair
from tests.paired.sides import held, row


def compared(a, b):
    a, b = held(a), held(b)
    return {(x.name, x.statistic): x for x in amounts(a, b, pair(a, b), confidence=0.95, seed=0)}


def rows(name, numbers, **more):
    return [row(f"s{i}", 1, **{name: number}, **more) for i, number in enumerate(numbers)]


def test_costs_and_tokens_are_means_and_seconds_are_median_and_p95():
    assert list(compared(rows("cost_usd", [1.0]), rows("cost_usd", [1.0]))) == [
        ("cost_usd", "mean"), ("output_tokens", "mean"), ("latency_s", "median"), ("latency_s", "p95"),
    ]  # fmt: skip


def test_a_mean_is_that_of_the_pairs_that_both_know():
    found = compared(rows("cost_usd", [0.1, 0.3, None]), rows("cost_usd", [0.2, 0.2, 0.9]))["cost_usd", "mean"]
    assert (found.a, found.b, found.n) == (pytest.approx(0.2), pytest.approx(0.2), 2)
    assert found.ratio == pytest.approx(1.0)


def test_the_ratio_has_an_interval_around_it():
    random = np.random.default_rng(1)
    a = random.gamma(2, 5, 300)
    found = compared(rows("output_tokens", a), rows("output_tokens", a * 1.5))["output_tokens", "mean"]
    assert found.ratio == pytest.approx(1.5)
    noisy = compared(rows("output_tokens", a), rows("output_tokens", random.gamma(2, 8, 300)))["output_tokens", "mean"]
    assert noisy.interval is not None
    assert noisy.interval.low < noisy.ratio < noisy.interval.high
    assert noisy.interval.method == "bca"


def test_an_unknown_price_is_unknown_and_names_the_side():
    found = compared(rows("cost_usd", [0.1, 0.1]), rows("cost_usd", [None, None]))["cost_usd", "mean"]
    assert (found.a, found.b, found.n, found.unknown) == (None, None, 0, "no price is known of b")


def test_uncounted_tokens_are_unknown_on_both_sides():
    found = compared(rows("output_tokens", [None]), rows("output_tokens", [None]))["output_tokens", "mean"]
    assert found.unknown == "the provider counts no tokens of a and b"


def test_free_answers_have_no_ratio():
    found = compared(rows("cost_usd", [0.0, 0.0]), rows("cost_usd", [0.1, 0.1]))["cost_usd", "mean"]
    assert (found.a, found.b, found.ratio, found.interval) == (0.0, pytest.approx(0.1), None, None)


def test_seconds_of_answers_from_the_cache_do_not_count():
    a = [*rows("latency_s", [1.0, 1.0, 1.0, 2.0, 2.0, 2.0]), row("s6", 1, latency_s=9.0, fresh=False)]
    b = rows("latency_s", [2.0, 2.0, 2.0, 4.0, 4.0, 4.0, 1.0])
    found = compared(a, b)["latency_s", "median"]
    assert (found.a, found.b, found.n) == (1.0, 2.0, 6)


@pytest.mark.parametrize(
    ("n", "statistic", "unknown"),
    [
        (1, "median", "only 1 pair has it on both sides; 6 are needed"),
        (5, "median", "only 5 pairs have it on both sides; 6 are needed"),
        (6, "median", None),
        (19, "p95", "only 19 pairs have it on both sides; 20 are needed"),
        (20, "p95", None),
    ],
)
def test_seconds_of_few_answers_are_unknown(n, statistic, unknown):
    """Two runs from the store share one probe call: its time says nothing of either."""
    found = compared(rows("latency_s", [1.0] * n), rows("latency_s", [2.0] * n))["latency_s", statistic]
    assert (found.n, found.unknown) == (n, unknown)
    assert (found.a, found.b, found.ratio) == ((1.0, 2.0, 2.0) if unknown is None else (None, None, None))


def test_seconds_are_unknown_where_all_answers_come_from_the_cache():
    found = compared(rows("latency_s", [1.0]), rows("latency_s", [1.0], fresh=False))
    for statistic in ("median", "p95"):
        assert found["latency_s", statistic].unknown == "the answers of b come from the cache"


def test_amounts_that_no_pair_shares_are_unknown():
    found = compared(rows("cost_usd", [0.1, None]), rows("cost_usd", [None, 0.1]))["cost_usd", "mean"]
    assert found.unknown == "no pair has it on both sides"


def test_p95_is_the_nearest_rank():
    seconds = np.arange(1.0, 101.0)
    found = compared(rows("latency_s", seconds), rows("latency_s", 2 * seconds))["latency_s", "p95"]
    assert (found.a, found.b, found.ratio) == (95.0, 190.0, 2.0)


def test_epochs_and_clusters_are_drawn_together():
    random = np.random.default_rng(3)
    base = np.repeat(random.gamma(2, 5, 40), 5)
    a = [row(f"s{i // 5}", 1, epoch=i % 5 + 1, output_tokens=x) for i, x in enumerate(base)]
    b = [row(f"s{i // 5}", 1, epoch=i % 5 + 1, output_tokens=20.0) for i in range(200)]
    plain_a = [row(f"s{i}", 1, output_tokens=x) for i, x in enumerate(base)]
    plain_b = [row(f"s{i}", 1, output_tokens=20.0) for i in range(200)]
    clustered, plain = (compared(*sides)["output_tokens", "mean"].interval for sides in ((a, b), (plain_a, plain_b)))
    assert clustered is not None
    assert plain is not None
    assert clustered.high - clustered.low > math.sqrt(3) * (plain.high - plain.low)
