"""Drawing items to label: at random, or half of them where a scorer says that something is wrong."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace

from llmkit.calibration.pool import Pool
from llmkit.errors import UsageError
from llmkit.judgements import Sampling
from llmkit.judges.split import position
from llmkit.judges.subject import Population, Subject


@dataclass(frozen=True, slots=True)
class Drawn:
    """Items to label.

    Attributes:
        subjects: In an order that says nothing of how they were drawn.
        fingerprint: Of the population.
        size: Of the population.
        said: One line for people: how many were drawn of how many.
    """

    subjects: tuple[Subject, ...]
    fingerprint: str
    size: int
    said: str


@dataclass(frozen=True, slots=True)
class _Seen:
    """What is kept of each item of a pool: its place, where its hash lies, and what it is told apart by."""

    place: int
    at: float
    value: float | None


def draw(pool: Pool, n: int, sampling: Sampling, seed: int) -> Drawn:
    """Draw items without replacement; the pool is read twice, and little of it kept.

    Which are drawn is decided by a hash of the seed and each item's name: the same ones whatever the order. ``random``
    gives each the same chance, and weights of 1. ``enriched`` takes half from the items with a low or failed value, and
    half from the others, as far as there are so many; each item's weight is the size of its part over those drawn
    from it.

    Args:
        pool: What to draw from.
        n: How many; all where there are no more.
        sampling: How.
        seed: Of the hashes.

    Raises:
        UsageError: The pool is empty; nothing tells its items apart (``enriched``).
    """
    if sampling == "enriched" and pool.by is None:
        hint = "Draw at random: --sampling random; or name a scorer of the run, a field of the data: --by NAME"
        raise UsageError("nothing says which items are the rare ones", where="--sampling enriched", hint=hint)
    counted, seen = Population(), []
    for place, entry in enumerate(pool.entries()):
        counted.add(entry.counted)
        seen.append(_Seen(place, position(seed, ("draw", entry.subject.id)), entry.value))
    if not seen:
        raise UsageError("there is nothing to label", hint="Name a run with answers, or a file with rows")
    if sampling == "random":
        chosen = {one.place: 1.0 for one in _first(seen, n)}
        said = f"{len(chosen)} of {len(seen)} drawn at random"
    else:
        chosen, said = _enriched(seen, n, str(pool.by))
    at = {one.place: one.at for one in seen}
    found = [
        (at[place], replace(entry.subject, weight=chosen[place]))
        for place, entry in enumerate(pool.entries())
        if place in chosen
    ]
    found.sort(key=lambda pair: (pair[0], pair[1].id))
    return Drawn(tuple(subject for _, subject in found), counted.fingerprint(), counted.size, said)


def _first(seen: Sequence[_Seen], n: int) -> list[_Seen]:
    return sorted(seen, key=lambda one: (one.at, one.place))[:n]


def _enriched(seen: Sequence[_Seen], n: int, by: str) -> tuple[dict[int, float], str]:
    """Return place → weight of the items drawn, and what to say of it."""
    low, how = _low(seen, by)
    high = [one for one in seen if one not in low]
    from_low = min(len(low), max((n + 1) // 2, n - len(high)))
    from_high = min(len(high), n - from_low)
    parts = ((sorted(low, key=lambda one: one.place), from_low), (high, from_high))
    chosen = {one.place: len(part) / count for part, count in parts if count for one in _first(part, count)}
    return chosen, f"{from_low} of {len(low)} with {how}, {from_high} of the other {len(high)}"


def _low(seen: Sequence[_Seen], by: str) -> tuple[set[_Seen], str]:
    """Return the items with a low or failed value, and what to call them: below the best of two, else the median.

    Raises:
        UsageError: There are none, or no others.
    """
    known = [one.value for one in seen if one.value is not None]
    values = sorted(set(known))
    failed = {one for one in seen if one.value is None}
    if len(values) < 2:
        if failed and values:
            return failed, f"no {by}"
        hint = "Name another with --by, or draw at random: --sampling random"
        raise UsageError(f"{by} is the same for all {len(seen)} items", where="--sampling enriched", hint=hint)
    cut = values[1] if len(values) == 2 else max(statistics.median(known), values[1])
    how = f"a low {by}" if len(values) == 2 else f"{by} on the worse half"
    return failed | {one for one in seen if one.value is not None and one.value < cut}, how
