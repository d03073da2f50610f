"""What a suite's ``gate:`` holds a change to, checked against its scorers and slices."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from llmkit.errors import DocumentError, UnknownNameError
from llmkit.scoring import Scorer
from llmkit.suites.spec import GateSpec
from llmkit.suites.suite import Suite

LATENCY = re.compile(r"latency_(mean|p(50|90|95|99))")
AMOUNTS = ("cost", "failures", "latency_mean", "latency_p50", "latency_p90", "latency_p95", "latency_p99")
LARGEST_RISE = 10.0
"""A rise above 1,000 % is a typing mistake: .20 is 20 %."""


@dataclass(frozen=True)
class Gating:
    """One metric that a change is held to.

    Attributes:
        name: A scorer's name, ``cost``, ``failures``, ``latency_mean``, ``latency_p95``, ….
        kind: What it is of.
        margin: In the metric's unit, or as a share of base's value where ``relative``.
        higher_is_better: Direction.
        scorer: Of a ``score``; None otherwise.
        slices: Slice name → margin on each of its parts.
    """

    name: str
    kind: Literal["score", "failures", "cost", "latency"]
    margin: float
    higher_is_better: bool = False
    scorer: Scorer | None = None
    slices: Mapping[str, float] = field(default_factory=dict)

    @property
    def relative(self) -> bool:
        """Whether the margin is a share of base's value."""
        return self.kind in ("cost", "latency")

    @property
    def quantile(self) -> float | None:
        """Of a latency: .95 for ``latency_p95``; None for a mean."""
        return int(self.name[-2:]) / 100 if self.kind == "latency" and self.name != "latency_mean" else None


def gating(suite: Suite) -> tuple[Gating, ...]:
    """Return what the suite is gated on, in its order; nothing where it has no ``gate:``.

    Raises:
        DocumentError: A metric or slice that the suite does not have, the wrong direction, a margin out of range.
    """
    return tuple(_gating(suite, name, spec) for name, spec in (suite.spec.gate or {}).items())


def _gating(suite: Suite, name: str, spec: GateSpec) -> Gating:
    scorers = {scorer.name: scorer for scorer in suite.scorers}
    where = suite.where("gate", name)
    if name in scorers:
        found = Gating(name, "score", spec.margin, scorers[name].higher_is_better, scorers[name], spec.slices or {})
    elif name in AMOUNTS:
        kind: Literal["failures", "cost", "latency"] = (
            "failures" if name == "failures" else "cost" if name == "cost" else "latency"
        )
        found = Gating(name, kind, spec.margin, slices=spec.slices or {})
    else:
        raise UnknownNameError("gating metric", name, [*scorers, *AMOUNTS], where=where)
    _check(suite, found, spec, where)
    return found


def _check(suite: Suite, found: Gating, spec: GateSpec, where: str) -> None:
    right = "max_drop" if found.higher_is_better else "max_rise"
    if getattr(spec, right) is None:
        worse = "lower" if found.higher_is_better else "higher"
        raise DocumentError(f"{found.name} gets worse as it gets {worse}", where=where, hint=f"Write {right}")
    largest, why = _largest(found)
    for key, margin in (((right,), found.margin), *((("slices", s), m) for s, m in found.slices.items())):
        if not margin < largest:
            raise DocumentError(
                f"the margin {margin:g} is out of range", where=suite.where("gate", found.name, *key), hint=why
            )
    if found.slices and found.scorer is None:
        raise DocumentError(
            f"{found.name} cannot be gated by slices",
            where=suite.where("gate", found.name, "slices"),
            hint="Remove them",
        )
    for name in found.slices:
        if name not in suite.slice_names:
            raise UnknownNameError(
                "slice", name, suite.slice_names, where=suite.where("gate", found.name, "slices", name)
            )


def _largest(found: Gating) -> tuple[float, str]:
    if found.relative:
        return LARGEST_RISE, "It is a share of the base's value: .20 is a rise of 20 %"
    span = span_of(found.scorer)
    if span == 1:
        return 1.0, "It is in the metric's own unit, between 0 and 1: .02 is two points of a hundred"
    return span, f"It is in the metric's own unit, between 0 and {span:g}"


def span_of(scorer: Scorer | None) -> float:
    """Return how far a metric's values can lie apart: 100 for those that are printed as per cent, else 1."""
    return float(getattr(scorer, "span", 1.0))
