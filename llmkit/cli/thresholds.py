"""``--min``, ``--max`` and ``--min-point``: a metric against a bound, by its interval or by its value."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from llmkit.errors import UnknownNameError, UsageError
from llmkit.judgements import standing
from llmkit.text import labelled
from llmkit.types import Interval, MetricResult, RunResult
from llmkit.types import Judged as MetricJudged

Kind = Literal["min", "max", "min-point"]


@dataclass(frozen=True, slots=True)
class Threshold:
    """One bound of one metric."""

    kind: Kind
    metric: str
    bound: float


@dataclass(frozen=True, slots=True)
class Judged:
    """What a threshold says of one run."""

    run: RunResult
    threshold: Threshold
    verdict: Literal["pass", "fail", "undecided"]

    def line(self) -> str:
        """Return one line for people."""
        t, metric = self.threshold, self.run.metrics.get(self.threshold.metric)
        said = "has no value"
        if metric is not None and metric.judged is not None:
            said = _judged_said(metric, metric.judged, t.kind)
        elif metric is not None:
            said = _said(metric.value, metric.interval, t.kind)
            if metric.failed:
                second = _said(metric.value_failures_wrong, metric.interval_failures_wrong, t.kind)
                said += f"; with its {metric.failed} failures as wrong answers, it {second}"
        sign = "at most" if t.kind == "max" else "at least"
        word = {"pass": "pass", "fail": "FAIL", "undecided": "not enough evidence"}[self.verdict]
        name = labelled(self.run.model, self.run.alias)
        return f"{word}: {self.run.suite} on {name}: {t.metric} {said}; asked for {sign} {t.bound:g}"


@dataclass(frozen=True, slots=True)
class Thresholds:
    """All bounds of a command line."""

    items: tuple[Threshold, ...] = ()

    @classmethod
    def parse(cls, minimum: Sequence[str], maximum: Sequence[str], points: Sequence[str]) -> Thresholds:
        """Read ``METRIC=NUMBER`` pairs.

        Raises:
            UsageError: A pair is none, or its bound is no number.
        """
        pairs: list[tuple[Kind, str]] = [("min", p) for p in minimum]
        pairs += [("max", p) for p in maximum]
        pairs += [("min-point", p) for p in points]
        return cls(tuple(_threshold(kind, pair) for kind, pair in pairs))

    def check(self, metrics: Sequence[str]) -> None:
        """Refuse a bound on a metric that no suite has, before anything is asked.

        Raises:
            UnknownNameError: No such metric.
        """
        for item in self.items:
            if item.metric not in metrics:
                raise UnknownNameError("metric", item.metric, metrics, where=f"--{item.kind}")

    def judge(self, runs: Sequence[RunResult]) -> list[Judged]:
        """Compare every run that has the metric."""
        return [
            Judged(run, item, _verdict(run, item)) for item in self.items for run in runs if item.metric in run.metrics
        ]


def exit_code(judged: Sequence[Judged]) -> int:
    """Return 1 where anything failed, else 3 where anything is undecided, else 0."""
    verdicts = {j.verdict for j in judged}
    return 1 if "fail" in verdicts else 3 if "undecided" in verdicts else 0


def _threshold(kind: Kind, pair: str) -> Threshold:
    name, sign, text = pair.partition("=")
    try:
        bound = float(text)
    except ValueError:
        bound = math.nan
    if not sign or not name.strip() or not math.isfinite(bound):
        raise UsageError(f"--{kind} {pair!r} is no METRIC=NUMBER", hint=f"For example: --{kind} exact_match=.8")
    return Threshold(kind, name.strip(), bound)


def _said(value: float | None, interval: Interval | None, kind: Kind) -> str:
    if value is None:
        return "has no value"
    if interval is None or kind == "min-point":
        return f"is {value:.4g}"
    return f"is {value:.4g}, {100 * interval.confidence:g} % interval {interval.low:.4g} to {interval.high:.4g}"


def _verdict(run: RunResult, item: Threshold) -> Literal["pass", "fail", "undecided"]:
    """Decide on the samples that were scored and, where some failed, on all of them with failures as wrong answers."""
    from llmkit.stats.thresholds import agreed, decide

    metric = run.metrics[item.metric]
    if run.status != "completed":
        return "undecided"
    readings = [(metric.value, metric.interval)]
    if metric.judged is not None:
        readings = _judged_readings(metric, metric.judged)
        if not readings:
            return "undecided"
    elif metric.failed:
        readings.append((metric.value_failures_wrong, metric.interval_failures_wrong))
    how = {"higher_is_better": item.kind != "max", "point": item.kind == "min-point"}
    return agreed(*(decide(value, interval, item.bound, **how) for value, interval in readings))


def _judged_readings(metric: MetricResult, judged: MetricJudged) -> list[tuple[float | None, Interval | None]]:
    """Return the corrected rate, and the same with what has no score counted as wrong, where something failed.

    Nothing where nothing is corrected, or the judge is not calibrated: a raw rate decides nothing. What the judge could
    not tell, or gave no verdict of, is in neither reading.
    """
    if judged.status != "calibrated" or judged.rate is None:
        return []
    missing = metric.failed - judged.cannot_tell - judged.unread
    if missing <= 0:
        return [(judged.rate, judged.interval)]
    worst = judged.worst
    if worst is None:
        return []
    share, interval = metric.n / (metric.n + missing), judged.interval

    def mixed(value: float) -> float:
        return value * share + worst * (1 - share)

    if interval is not None:
        interval = Interval(mixed(interval.low), mixed(interval.high), interval.method, interval.confidence)
    return [(judged.rate, judged.interval), (mixed(judged.rate), interval)]


def _judged_said(metric: MetricResult, judged: MetricJudged, kind: Kind) -> str:
    raw = f"raw {metric.value:.4g}" if metric.value is not None else "no value"
    named = standing(judged.status, judged.lock)
    readings = _judged_readings(metric, judged)
    if not readings:
        return f"is not known: {raw} ({named}) decides nothing: {judged.why or 'nothing is corrected'}"
    said = f"{_said(*readings[0], kind)}, corrected from {raw} ({named})"
    if len(readings) > 1:
        said += f"; with its missing answers as wrong ones, it {_said(*readings[1], kind)}"
    return said
