"""A metric whose scores are a judge's verdicts: the gate on what they say of the truth."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple

from llmkit.stats.confusion import Confusion
from llmkit.stats.proportion import clopper_pearson
from llmkit.stats.quantiles import normal_cdf
from llmkit.stats.sequential.boundary import boundary, equal_looks, spent_levels
from llmkit.stats.sequential.difference import Difference
from llmkit.stats.sequential.estimate import Region
from llmkit.stats.sequential.evidence import Evidence, agreeing, interval
from llmkit.stats.sequential.roots import crossing
from llmkit.stats.sequential.schedule import Schedule
from llmkit.stats.sequential.series import Series
from llmkit.stats.sequential.trial import ALPHA, LOOKS
from llmkit.types import Interval

_CERTAIN = 1.0 - 1e-6  # a drop of all there is, which needs no ruling out


class Youden(NamedTuple):
    """J = TPR + TNR − 1 with one-sided bounds: by how much verdicts shrink a difference."""

    value: float
    low: float
    high: float


def youden_bounds(labels: Confusion, z: float) -> Youden:
    """Return J, with bounds that each hold with probability Φ(z).

    Clopper and Pearson's of TPR and of TNR, combined by MOVER (G. Y. Zou and A. Donner, Stat. Med. 27, 2008).

    Args:
        labels: The judge's verdicts on labelled items, or effective counts.
        z: Critical value; at ∞ the bounds are −1 and 1.

    Raises:
        ValueError: For a class without labels.
    """
    if labels.youden is None or labels.tpr is None or labels.tnr is None:
        raise ValueError("TPR and TNR need labels of both classes")
    each = 2 * normal_cdf(z) - 1
    if not 0 < each < 1:
        return Youden(labels.youden, -1.0, 1.0)
    tpr, tnr = _exact(labels.tp, labels.positives, each), _exact(labels.tn, labels.negatives, each)
    below = math.hypot(labels.tpr - tpr.low, labels.tnr - tnr.low)
    above = math.hypot(tpr.high - labels.tpr, tnr.high - labels.tnr)
    return Youden(labels.youden, max(-1.0, labels.youden - below), min(1.0, labels.youden + above))


@lru_cache(maxsize=65_536)
def _exact(k: float, n: float, confidence: float) -> Interval:
    return clopper_pearson(k, n, confidence)


@dataclass(frozen=True)
class CorrectedDifference:
    """The difference of a true rate, from a judge's verdicts of 0 and 1 on both sides.

    A judge that errs alike on both sides shows J times the true difference, J = TPR + TNR − 1 (W. J. Rogan and
    B. Gladen, Am. J. Epidemiol. 107, 1978). A drop of the margin m is ruled out where d − m·J is below 0 by MOVER
    (Zou and Donner 2008): d̂ − m·Ĵ + √((U_d − d̂)² + m²(Ĵ − L_J)²) < 0, with U_d the upper bound of the raw drop d
    that :class:`Difference` has at the look's critical value, and L_J the labels' lower bound of J at the same one.
    A drop is proven where the raw verdicts prove one, by :class:`Difference`, and L_J is above 0: then a lower rate of
    verdicts is a lower true rate.

    The labels are the same at each look, so that looks resemble each other more than the boundary assumes: together
    they err less, not more.

    Attributes:
        name: Of the metric.
        margin: The true drop that a pass rules out, in (0, 1).
        labels: The judge's verdicts on labelled items, of both classes, or effective counts
            (:func:`llmkit.stats.correction.effective_confusion`); TPR + TNR > 1.
        higher_is_better: Direction.
        planned: Units at the trial's end, where they are fewer than the trial's.
    """

    name: str
    margin: float
    labels: Confusion
    higher_is_better: bool = True
    planned: int | None = None

    def __post_init__(self) -> None:
        if not 0 < self.margin < 1:
            raise ValueError(f"the margin of {self.name} lies in (0, 1), not {self.margin}")
        if self.labels.youden is None or self.labels.youden <= 0:
            raise ValueError(f"{self.name}: nothing can be gated on a judge with TPR + TNR ≤ 1, or of one class alone")

    def rules_out(self, series: Series, passing: Schedule) -> bool:
        """Say whether a true drop as large as the margin is ruled out at the latest look."""
        youden = youden_bounds(self.labels, passing.z[-1])
        if youden.low <= 0:
            return False
        # The rule of the class, solved for U_d: the raw margin that is to be ruled out lies in [m·L_J, m·Ĵ].
        below = self.margin * youden.value - self._drop(series)
        loss = self.margin * (youden.value - youden.low)
        if below <= loss:
            return False
        margin = self.margin * youden.value - below + math.sqrt(below**2 - loss**2)
        return replace(self._raw, margin=margin).rules_out(series, passing)

    def proves(self, series: Series, fail: Schedule, seed: tuple[int, ...]) -> bool:
        """Say whether a drop is proven at the latest look."""
        return youden_bounds(self.labels, fail.z[-1]).low > 0 and self._raw.proves(series, fail, seed)

    def look(self, series: Series, fail: Schedule, passing: Schedule, seed: tuple[int, ...]) -> Evidence:
        """Say both, and what there is to know beside; losses, gains and ties are those of the verdicts."""
        raw = self._raw.look(series, fail, passing, seed)
        passes, fails = self.rules_out(series, passing), self.proves(series, fail, seed)
        least, most = self._bounds(series, fail, passing)
        least, most = agreeing(least, most, self.margin, passes=passes, fails=fails)
        low, high = interval(least, most, flip=self.higher_is_better, limit=_CERTAIN)
        youden = self._youden
        return replace(
            raw,
            passes=passes,
            fails=fails,
            estimate=None if raw.estimate is None else max(-1.0, min(1.0, raw.estimate / youden)),
            low=low,
            high=high,
            ruled_out=None if most >= _CERTAIN else most,
            method=f"{raw.method}+labels",
            spread=None if raw.spread is None else raw.spread / youden,
        )

    def regions(self, series: Series, fail: Schedule, passing: Schedule) -> tuple[Region, ...]:
        """Return where each look let the trial go on, the labels taken as they are."""
        found = []
        for place, raw in enumerate(self._raw.regions(series, fail, passing)):
            low, margin = youden_bounds(self.labels, passing.z[place]).low, self._raw.margin
            below = math.hypot(margin - raw.low, self.margin * (self._youden - low)) if low > 0 else math.inf
            found.append(Region(raw.n, (margin - below) / self._youden, raw.high / self._youden))
        return tuple(found)

    @property
    def _youden(self) -> float:
        assert self.labels.youden is not None  # __post_init__
        return self.labels.youden

    @property
    def _raw(self) -> Difference:
        return Difference(self.name, self.margin * self._youden, self.higher_is_better, self.planned)

    def _drop(self, series: Series) -> float:
        change = float((series.head - series.base).mean())
        return -change if self.higher_is_better else change

    def _bounds(self, series: Series, fail: Schedule, passing: Schedule) -> tuple[float, float]:
        """Return the true drops between which both rules cannot tell at the latest look."""
        least, most = self._raw.bounds(series, fail, passing)
        drop = self._drop(series)
        high = corrected_bound(drop, most, youden_bounds(self.labels, passing.z[-1]))
        return -corrected_bound(-drop, -least, youden_bounds(self.labels, fail.z[-1])), high


def corrected_bound(drop: float, most: float, youden: Youden) -> float:
    """Return the upper bound of d/J: the least m at which MOVER's bound of d − m·J is below 0; 1 where none is.

    For ratios: A. Donner and G. Y. Zou, Stat. Methods Med. Res. 21, 2012.

    Args:
        drop: d as seen.
        most: Its upper bound.
        youden: J and its bounds, of the same one-sided confidence.
    """
    if youden.low <= 0:
        return 1.0

    def spare(m: float) -> float:
        labels = m * (youden.value - youden.low if m > 0 else youden.high - youden.value)
        return m * youden.value - drop - math.hypot(most - drop, labels)

    return crossing(spare, -1.0, 1.0)


def raw_margin(margin: float, labels: Confusion, *, alpha: float = ALPHA, looks: int = LOOKS) -> float | None:
    """Return the margin at which a gate on plain scores needs as many units as one on verdicts at ``margin``.

    Where nothing has changed, the rule of :class:`CorrectedDifference` at its last look is U_d < m·√(Ĵ² − (Ĵ − L_J)²).
    Give it to :func:`~.sizing.planned_n` with the discordance of the verdicts; and what
    :func:`~.sizing.resolvable_margin` says of n units is ``raw_margin(1, labels)`` times the true one.

    Returns:
        None where these labels can decide no margin: J may be 0.

    Raises:
        ValueError: For a class without labels.
    """
    times = equal_looks(looks)
    youden = youden_bounds(labels, boundary(times, spent_levels(times, alpha))[-1])
    if youden.low <= 0:
        return None
    return margin * math.sqrt(youden.value**2 - (youden.value - youden.low) ** 2)
