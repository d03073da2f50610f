"""Intervals of alpha and Fleiss' kappa."""

from __future__ import annotations

import numpy as np
import pytest

from llmkit.stats.agreement import resampled
from llmkit.stats.agreement.alpha import krippendorff_alpha
from llmkit.stats.agreement.kappa import fleiss_kappa
from llmkit.stats.agreement.resampled import alpha_interval, fleiss_interval


def ratings(seed: int, items: int = 60, raters: int = 3, right: float = 0.8) -> np.ndarray:
    """Counts of raters who say an item's own category of three, or another at random."""
    random = np.random.default_rng(seed)
    own = random.integers(0, 3, items)
    said = np.where(random.random((raters, items)) < right, own, random.integers(0, 3, (raters, items)))
    return np.stack([(said == k).sum(axis=0) for k in range(3)], axis=1)


@pytest.mark.parametrize("ordinal", [False, True])
def test_the_interval_holds_the_coefficient(ordinal: bool) -> None:
    counts = ratings(1)
    found = alpha_interval(counts, ordinal=ordinal)
    value = krippendorff_alpha(counts, "ordinal" if ordinal else "nominal")
    assert found is not None
    assert value is not None
    assert found.low < value < found.high


def test_missing_ratings_and_unused_categories_change_nothing_that_they_should_not() -> None:
    counts = ratings(1)
    single = np.vstack([counts, [[1, 0, 0]]])  # an item that one person rated holds no pair
    wider = np.column_stack([single, np.zeros(len(single), dtype=int)])
    assert alpha_interval(wider) == alpha_interval(counts)


def test_fleiss_interval_holds_kappa() -> None:
    counts = ratings(2)
    found, value = fleiss_interval(counts), fleiss_kappa(counts)
    assert found is not None
    assert value is not None
    assert found.low < value < found.high


def test_perfect_agreement_has_no_spread() -> None:
    assert alpha_interval(3 * np.eye(3, dtype=int)[[0, 1, 2] * 5]) is None


def test_repeated_items_do_not_narrow_it_where_they_are_one_cluster() -> None:
    counts = ratings(3, items=40)
    alone, again = alpha_interval(counts), alpha_interval(np.vstack([counts] * 4), clusters=np.tile(np.arange(40), 4))
    assert alone is not None
    assert again is not None
    assert again.high - again.low == pytest.approx(alone.high - alone.low, abs=0.02)


def test_it_covers_the_truth_as_often_as_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resampled, "RESAMPLES", 300)
    truth = krippendorff_alpha(ratings(0, items=200_000))
    assert truth is not None
    held = 0
    for seed in range(1, 101):
        found = alpha_interval(ratings(seed, items=80), seed=seed)
        held += found is not None and found.low <= truth <= found.high
    assert held >= 88


def test_uneven_raters_are_refused() -> None:
    with pytest.raises(ValueError, match="same number of raters"):
        fleiss_interval([[2, 0], [1, 0]])
