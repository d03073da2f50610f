"""Is the judge worth it: how much narrower its estimate is than the labels alone, and what it costs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from llmkit.calibrations import Worth
from llmkit.judgements import Verdict
from llmkit.judges.correct import judged
from llmkit.judges.judge import Judge
from llmkit.judges.labels import LabelSet
from llmkit.judges.lock import Lock
from llmkit.judges.spec import PopulationSpec
from llmkit.stats.correction import effective_trials
from llmkit.stats.mean import mean_interval
from llmkit.stats.proportion import wilson
from llmkit.types import Interval, Totals

VERDICTS = 1000
"""Verdicts that the comparison assumes where the size of the population is not stated."""


def worth_of(judge: Judge, lock: Lock, labels: LabelSet, verdicts: Sequence[Verdict]) -> Worth:
    """Compare the interval of the corrected rate with that of the labels alone, at the rates that were seen.

    A judge that is refused corrects nothing.

    Args:
        judge: The chosen one.
        lock: What was measured of it.
        labels: People's.
        verdicts: On the test part.
    """
    n = _population(judge) or VERDICTS
    said = Counter(v.label for v in verdicts if v.label is not None)
    share = n / max(said.total(), 1)
    counts = {label: said[label] * share for label in judge.scale.labels}
    found = None
    if said and _drawn_at_random(labels):
        seen = judged(
            replace(judge, lock=lock), lock.status, passed=counts.get("pass", 0.0), n=n, counts=counts,
            population=lock.population,
        )  # fmt: skip
        found = seen.interval
    elif said:
        found = judged(
            replace(judge, lock=lock), lock.status, passed=counts.get("pass", 0.0), n=n, counts=counts
        ).interval
    usd, tokens = _per_thousand(verdicts)
    alone = _alone(judge, labels)
    return Worth(_width(alone), _width(found), n, usd, tokens)


def _population(judge: Judge) -> int | None:
    spec = judge.spec.labels
    return spec.population.size if spec and isinstance(spec.population, PopulationSpec) else None


def _drawn_at_random(labels: LabelSet) -> bool:
    return labels.sampling == "random" and labels.population is not None


def _alone(judge: Judge, labels: LabelSet) -> Interval | None:
    """Return the interval of the population's rate, or mean, that the labels give with no judge at all.

    Enriched labels are weighted, as their items say, and count for what they are worth.
    """
    known = [(item.subject, item.label) for item in labels.items if item.label is not None]
    if labels.sampling is None or len(known) < 2:
        return None
    values = np.array([judge.scale.value(label) for _, label in known])
    weights = np.array([subject.weight for subject, _ in known])
    if judge.scale.kind == "pass_fail":
        size = float(weights.sum() ** 2 / (weights**2).sum())  # Kish
        rate = float((weights * values).sum() / weights.sum())
        names = [subject.group or f"\0{subject.id}" for subject, _ in known]
        if len(set(names)) < len(names):
            trials = effective_trials(values, np.unique(names, return_inverse=True)[1])
            size *= trials.n / len(known)
        return wilson(rate * size, size)
    return mean_interval(values) if (weights == weights[0]).all() else None


def _width(interval: Interval | None) -> float | None:
    return None if interval is None else interval.high - interval.low


def _per_thousand(verdicts: Sequence[Verdict]) -> tuple[float | None, float | None]:
    """Return dollars and tokens of a thousand verdicts, as they cost when they were made."""
    if not verdicts:
        return None, None
    made: Sequence[Totals] = [v.made for v in verdicts]
    costs, inputs, outputs = [t.cost_usd for t in made], [t.input for t in made], [t.output for t in made]
    scale = 1000 / len(verdicts)
    return _total(costs, scale), _total([*inputs, *outputs], scale)


def _total(values: Sequence[float | None], scale: float) -> float | None:
    """Return the sum; None where a part is unknown."""
    known = [value for value in values if value is not None]
    return sum(known) * scale if len(known) == len(values) else None
