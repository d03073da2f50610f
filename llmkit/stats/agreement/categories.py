"""Ratings as counts: how often each item got each category; and how near two categories are."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Weights = Literal["identity", "linear", "quadratic"]


def categories_of(ratings: Iterable[Hashable]) -> tuple[Hashable, ...]:
    """Return the distinct ratings, in order; missing ones (None, NaN) are none.

    Numbers are ordered as numbers, and anything else by its text. A category that nobody used cannot be found here:
    where the scale is known, name it instead, since weights and Gwet's coefficients depend on it.
    """
    found = {rating for rating in ratings if not missing(rating)}
    numbers = all(isinstance(rating, int | float) for rating in found)
    return tuple(sorted(found, key=lambda rating: rating if numbers else str(rating)))  # type: ignore[arg-type, return-value]


def missing(rating: object) -> bool:
    """Whether there is no rating: None or NaN."""
    return rating is None or (isinstance(rating, float) and rating != rating)


def tally(ratings: Sequence[Sequence[Hashable]], categories: Sequence[Hashable]) -> Ints:
    """Return how many raters put each item into each category, shape (items, categories).

    Args:
        ratings: One row an item; None and NaN are missing ratings.
        categories: The scale, in order; categories that nobody used belong to it too.

    Raises:
        ValueError: For a rating that is none of the categories, or a category named twice.
    """
    place = _places(categories)
    counts = np.zeros((len(ratings), len(categories)), dtype=np.int64)
    cells = [(row, _at(place, rating)) for row, given in enumerate(ratings) for rating in given if not missing(rating)]
    if cells:
        rows, columns = np.array(cells).T
        np.add.at(counts, (rows, columns), 1)
    return counts


def contingency(first: Sequence[Hashable], second: Sequence[Hashable], categories: Sequence[Hashable]) -> Ints:
    """Return how often two raters gave each pair of ratings, shape (categories, categories), the first's down.

    Items that lack either's rating are left out: the table's sum is the number of pairs.

    Args:
        first: Shape (items,); None and NaN are missing ratings.
        second: The same items, by the other rater.
        categories: The scale, in order.

    Raises:
        ValueError: For a different number of items, a rating that is none of the categories, or a category named twice.
    """
    if len(first) != len(second):
        raise ValueError(f"two raters rate the same items, not {len(first)} and {len(second)}")
    place = _places(categories)
    both = [
        (_at(place, a), _at(place, b)) for a, b in zip(first, second, strict=True) if not (missing(a) or missing(b))
    ]
    table = np.zeros((len(categories), len(categories)), dtype=np.int64)
    if both:
        np.add.at(table, tuple(np.array(both).T), 1)
    return table


def nearness(count: int, weights: Weights, scores: ArrayLike | None = None) -> Floats:
    """Return how far each pair of categories counts as agreement, shape (count, count): 1 on the diagonal.

    ``identity``: else 0. ``linear`` and ``quadratic``: 1 − |d|/D and 1 − d²/D², with d the distance of the two and D
    the scale's length (Cicchetti and Allison, Am. J. EEG Technol. 11, 1971; Fleiss and Cohen, Educ. Psychol. Meas. 33,
    1973).

    Args:
        count: Categories.
        weights: Which of the three.
        scores: Where the categories lie on the scale, shape (count,); evenly spaced where it is not said.

    Raises:
        ValueError: For scores that are not ``count`` distinct numbers, or weights of another name.
    """
    at = np.arange(count, dtype=np.float64) if scores is None else np.asarray(scores, dtype=np.float64)
    if at.shape != (count,) or not np.isfinite(at).all() or len(np.unique(at)) != count:
        raise ValueError(f"{count} categories need as many distinct scores")
    if weights not in ("identity", "linear", "quadratic"):
        raise ValueError(f"weights are identity, linear or quadratic, not {weights!r}")
    if weights == "identity" or count == 1:
        return np.eye(count)
    share = np.abs(at[:, None] - at) / np.ptp(at)
    return 1 - (share if weights == "linear" else share**2)


def checked_counts(counts: ArrayLike, *, effective: bool = False) -> Floats:
    """Return the counts as numbers, shape (items, categories).

    Args:
        counts: Shape (items, categories).
        effective: Whether fractions are counts, too: of items that are not independent, or carry weights.

    Raises:
        ValueError: For another shape, no items, no categories, or what is no count.
    """
    values = np.asarray(counts, dtype=np.float64)
    if values.ndim != 2 or 0 in values.shape:
        raise ValueError(f"counts are items by categories, at least one of each, not of shape {values.shape}")
    if not ((values >= 0) & np.isfinite(values)).all() or not (effective or (values == np.floor(values)).all()):
        raise ValueError("counts are finite and not negative" if effective else "counts are whole numbers from 0")
    return values


def _places(categories: Sequence[Hashable]) -> dict[Hashable, int]:
    place = {category: index for index, category in enumerate(categories)}
    if len(place) != len(categories):
        raise ValueError(f"a category is named twice: {', '.join(map(repr, categories))}")
    return place


def _at(place: dict[Hashable, int], rating: Hashable) -> int:
    if rating not in place:
        raise ValueError(f"the rating {rating!r} is none of the categories {', '.join(map(repr, place))}")
    return place[rating]
