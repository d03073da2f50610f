"""What a suite's ``gate:`` holds a change to, checked against its scorers and slices."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from llmkit.errors import DocumentError, UnknownNameError
from llmkit.judges.judge import Judge
from llmkit.judges.scorer import JudgeScorer
from llmkit.scoring import Scorer
from llmkit.scoring.base import bounds_of
from llmkit.scoring.retry_cost import RetryCost
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
        kind: What it is of. ``retries``: what attempts after the first cost.
        margin: In the metric's unit, or as a share of base's value where ``relative``.
        higher_is_better: Direction.
        scorer: Of a ``score``, and of ``retries``; None otherwise.
        slices: Slice name → margin on each of its parts.
        shrink: What a difference of the metric is in its scores: below 1 where a judge gives them, whose errors hide a
            part of each difference. Plans and margins in scores are those of the metric times it.
    """

    name: str
    kind: Literal["score", "failures", "cost", "retries", "latency"]
    margin: float
    higher_is_better: bool = False
    scorer: Scorer | None = None
    slices: Mapping[str, float] = field(default_factory=dict)
    shrink: float = 1.0

    @property
    def relative(self) -> bool:
        """Whether the margin is a share of base's value; of ``retries``, of what base costs in all."""
        return self.kind in ("cost", "retries", "latency")

    @property
    def priced(self) -> bool:
        """Whether it is counted in dollars."""
        return self.kind in ("cost", "retries")

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
        scorer = scorers[name]
        of = of_scorer(scorer)
        found = Gating(
            name, of, spec.margin, scorer.higher_is_better, scorer, spec.slices or {}, shrink_of(judge_of(scorer))
        )
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
    if found.kind == "score" and math.isinf((bounds_of(found.scorer) or (0.0, 1.0))[1]):
        raise DocumentError(
            f"{found.name} cannot be gated: its values have no end, so that no mean of them can be ruled out",
            where=where, hint="Gate cost, or a metric of a scale that ends",
        )  # fmt: skip
    largest, why = _largest(found)
    for key, margin in (((right,), found.margin), *((("slices", s), m) for s, m in found.slices.items())):
        if not margin < largest:
            raise DocumentError(
                f"the margin {margin:g} is out of range", where=suite.where("gate", found.name, *key), hint=why
            )
    if found.slices and found.kind != "score":
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
        of = "what base costs" if found.kind == "retries" else "the base's value"
        return LARGEST_RISE, f"It is a share of {of}: .20 is a rise of 20 %"
    span = span_of(found.scorer)
    if span == 1:
        return 1.0, "It is in the metric's own unit, between 0 and 1: .02 is two points of a hundred"
    return span, f"It is in the metric's own unit, between 0 and {span:g}"


def of_scorer(scorer: Scorer) -> Literal["score", "retries"]:
    """Say what a scorer's metric is gated as."""
    return "retries" if isinstance(scorer, RetryCost) else "score"


def judge_of(scorer: Scorer | None) -> Judge | None:
    """Return the judge that gives a metric's scores; None where they are computed."""
    return scorer.judge if isinstance(scorer, JudgeScorer) else None


def shrink_of(judge: Judge | None) -> float:
    """Return what is left of a difference in a judge's verdicts, its labels' uncertainty taken off.

    1 where no judge gives the scores; and where one does that nothing can be decided with, which the gate refuses.
    """
    if judge is None or judge.lock is None or judge.scale.kind != "pass_fail":
        return 1.0
    from llmkit.judges.correct import confusion_of
    from llmkit.stats.sequential.corrected import raw_margin

    labels = confusion_of(judge.lock.test)
    found = raw_margin(1.0, labels) if labels.youden is not None else None
    return found or 1.0


def span_of(scorer: Scorer | None) -> float:
    """Return how far a metric's values can lie apart: 100 for those that are printed as per cent, else 1.

    A scorer says it in ``span``, or in its ``bounds``; of values without end, and of those that are all one, it is 1.
    """
    low, high = bounds_of(scorer) or (0.0, 1.0)
    return float(getattr(scorer, "span", high - low if 0 < high - low < math.inf else 1.0))
