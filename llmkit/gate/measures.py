"""From a suite's gating metrics to the measures of a trial: one a metric, and one a part of each gated slice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from llmkit.gate.order import Unit
from llmkit.judges.correct import confusion_of
from llmkit.scoring.attempts import Attempts
from llmkit.stats.sequential.corrected import CorrectedDifference
from llmkit.stats.sequential.measures import CorpusDifference, Difference, Measure, QuantileRise, RatioOfMeans
from llmkit.stats.sequential.sizing import alpha_shares
from llmkit.suites.gating import Gating, judge_of, span_of
from llmkit.suites.suite import Suite


@dataclass(frozen=True)
class Gated:
    """One measure of a trial.

    Attributes:
        gating: The metric.
        margin: Of this measure.
        measure: Its rule.
        part: Name and value of the slice that it is of; None for the whole.
    """

    gating: Gating
    margin: float
    measure: Measure
    part: tuple[str, str] | None = None

    @property
    def name(self) -> str:
        """The measure's name, unique in the trial."""
        return self.measure.name


def over_both(gatings: Sequence[Gating], base: Suite | None) -> tuple[Gating, ...]:
    """Return what head is gated on; its attempts span what either side allows, for head's scorers score both."""
    most = 0 if base is None or base.form is None else base.form.policy.max_attempts
    return tuple(
        replace(g, scorer=g.scorer.model_copy(update={"max_attempts": most}))
        if isinstance(g.scorer, Attempts) and g.scorer.max_attempts < most
        else g
        for g in gatings
    )


def gated(gatings: Sequence[Gating], units: Sequence[Unit]) -> list[Gated]:
    """Return the measures of a trial over ``units``, a metric's slices after it."""
    found: list[Gated] = []
    for gating in gatings:
        found.append(Gated(gating, gating.margin, _measure(gating, gating.name, gating.margin)))
        for name, margin in gating.slices.items():
            for value, planned in sorted(parts(units, name).items()):
                measure = _measure(gating, f"{gating.name} {name}={value}", margin, planned)
                found.append(Gated(gating, margin, measure, (name, value)))
    return found


def parts(units: Sequence[Unit], name: str) -> dict[str, int]:
    """Return slice value → units that have a sample of it."""
    counts: dict[str, int] = {}
    for unit in units:
        for value in {s.slices[name] for s in unit.samples if name in s.slices}:
            counts[value] = counts.get(value, 0) + 1
    return counts


def weights(measures: Sequence[Gated]) -> Mapping[str, float]:
    """Return each measure's share of alpha: equal among metrics, and equal among slices."""
    whole = [m.name for m in measures if m.part is None]
    slices = [m.name for m in measures if m.part is not None]
    of_metric, of_part = alpha_shares(len(whole), len(slices))
    return dict.fromkeys(whole, of_metric) | dict.fromkeys(slices, of_part)


def _measure(gating: Gating, name: str, margin: float, planned: int | None = None) -> Measure:
    if gating.relative and gating.quantile is None:
        return RatioOfMeans(name, margin)
    if gating.quantile is not None:
        return QuantileRise(name, margin, gating.quantile)
    scorer, judge = gating.scorer, judge_of(gating.scorer)
    if judge is not None and judge.lock is not None:
        return CorrectedDifference(name, margin, confusion_of(judge.lock.test), gating.higher_is_better, planned)
    if scorer is not None and scorer.kind == "corpus":
        value = scorer.corpus_value  # type: ignore[attr-defined]
        return CorpusDifference(name, margin, value, gating.higher_is_better, span_of(scorer), planned)
    return Difference(name, margin, gating.higher_is_better, planned, span_of(scorer))
