"""What the intervals of a comparison leave out of account, where samples are few."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from llmkit.comparisons import MetricDifference
from llmkit.stats.proportion import unseen

FEW = 100
"""Samples, or clusters, below which what none of them did is not small beside an interval (docs/statistics.md)."""

_ACCOUNTED = ("tango", "cluster-tango")  # a pair can do no more than what these count with


def cautions(metrics: Mapping[str, MetricDifference], confidence: float) -> Iterator[str]:
    """Say of which metrics a rare collapse may have been missed, and how rare it would have to be."""
    names: dict[tuple[int, str], list[str]] = {}
    for metric in metrics.values():
        units = metric.n if metric.clusters is None else metric.clusters
        if metric.interval is not None and metric.interval.method not in _ACCOUNTED and units < FEW:
            names.setdefault((units, "samples" if metric.clusters is None else "clusters"), []).append(metric.name)
    for (units, what), found in names.items():
        yield (
            f"{', '.join(found)}: {units} {what} leave open that up to {100 * unseen(units, confidence):.2g} % of all"
            " fare as none of these does; the interval takes no account of that"
        )
