"""Boundaries: how far a statistic must be at each look, so that all looks together err with probability α at most."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from llmkit.stats.quantiles import normal_quantile
from llmkit.stats.sequential.brownian import Going, above, advance, start
from llmkit.stats.sequential.roots import crossing
from llmkit.stats.sequential.spending import GATE, Spending

INFLATION = 1.0751
"""Samples of eight equal looks under :data:`GATE`, over those of one look, at 80 % power; computed by `inflation`."""

_NEVER = 10.0  # standard deviations that nothing reaches


def equal_looks(looks: int) -> tuple[float, ...]:
    """Return the information fractions 1/K … 1."""
    return tuple(k / looks for k in range(1, looks + 1))


def boundary(fractions: Sequence[float], levels: Sequence[float]) -> tuple[float, ...]:
    """Return the one-sided critical value of a standard normal statistic at each look.

    It is found look by look by the recursion of Armitage, McPherson and Rowe (1969) on the scale B(t) = Z√t, so that
    a look's value depends on no later look.

    Args:
        fractions: Information at each look, as a share of what was planned; never falling.
        levels: Cumulative error that may be spent up to each look (see :mod:`~.spending`); never falling.

    Returns:
        z at each look; infinite where nothing is left to spend. A look that adds neither information nor error has the
        value of the look before.
    """
    given = tuple(zip(fractions, levels, strict=True))
    return tuple(_stage(given[: k + 1]).z for k in range(len(given)))


def spent_levels(fractions: Sequence[float], alpha: float, spending: Spending = GATE) -> tuple[float, ...]:
    """Return A(t) at each look."""
    return tuple(spending(t, alpha) for t in fractions)


@dataclass(frozen=True, slots=True)
class OperatingCharacteristics:
    """What a boundary does under a drift.

    Attributes:
        crossing: Probability of stopping at each look.
        power: Their sum.
        expected: Mean information at the end, as a share of what was planned.
    """

    crossing: tuple[float, ...]
    power: float
    expected: float


def operating_characteristics(fractions: Sequence[float], z: Sequence[float], drift: float) -> OperatingCharacteristics:
    """Return how an upper boundary performs where B(t) has the mean ``drift``·t."""
    going, found, expected, before = start(), [], 0.0, 0.0
    for t, critical in zip(fractions, z, strict=True):
        bound = min(critical, _NEVER + abs(drift)) * math.sqrt(t)
        expected += (t - before) * float(going.mass.sum())
        found.append(above(going, bound, t, drift))
        going, before = advance(going, -math.inf, bound, t, drift), t
    return OperatingCharacteristics(tuple(found), sum(found), expected)


@lru_cache(maxsize=64)
def inflation(
    fractions: tuple[float, ...], alpha: float = 0.05, power: float = 0.8, spending: Spending = GATE
) -> float:
    """Return how many times the samples of one look a boundary needs for the same power."""
    z = boundary(fractions, spent_levels(fractions, alpha, spending))
    fixed = normal_quantile(1 - alpha) + normal_quantile(power)

    def surplus(ratio: float) -> float:
        return operating_characteristics(fractions, z, fixed * math.sqrt(ratio)).power - power

    return crossing(surplus, 1.0, 2.0, tolerance=1e-5)


@dataclass(frozen=True, slots=True)
class _Stage:
    z: float
    going: Going
    level: float


@lru_cache(maxsize=4096)
def _stage(given: tuple[tuple[float, float], ...]) -> _Stage:
    if not given:
        return _Stage(math.inf, start(), 0.0)
    before, (time, level) = _stage(given[:-1]), given[-1]
    increment, adds = level - before.level, time > before.going.time + 1e-12
    if increment <= 1e-12:
        going = advance(before.going, -math.inf, math.inf, time) if adds else before.going
        return _Stage(math.inf if adds else before.z, going, before.level)
    scale = math.sqrt(time)
    bound = crossing(lambda b: increment - above(before.going, b, time), -6.0, _NEVER * scale)
    return _Stage(bound / scale, advance(before.going, -math.inf, bound, time), level)
