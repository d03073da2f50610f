"""Records that the tests of reports render."""

from __future__ import annotations

import io
from dataclasses import replace

from rich.console import Console

from llmkit.types import Interval, MetricResult, RunResult, Totals


def metric(name, value, interval=None, n=60, failed=0, wrong=None, signature=None, wrong_in=None, **more):
    found = Interval(*interval, "wilson") if interval else None
    if wrong_in is not None:
        more["interval_failures_wrong"] = Interval(*wrong_in, "wilson")
    return MetricResult(name, value, found, n, failed, wrong, signature or f"{name}|case:exact|v:1", **more)


def run(run_id="r1", suite="quickstart", model="local/smol", metrics=(), **more):
    defaults = dict(
        status="completed",
        total=60,
        completed=60,
        failed=0,
        truncated=0,
        from_cache=0,
        metrics={m.name: m for m in metrics},
        usage=Totals(12345, 678, 0, 0, 60, 60, 0.0123, 0.0),
        wall_s=41.23,
        started_at="2026-11-22T05:03:12Z",
        digest="d1",
    )
    return RunResult(run_id=run_id, suite=suite, model=model, **(defaults | more))


SLICES = {
    "topic": {
        "add": metric("exact_match", 0.9, (0.744, 0.965), 30),
        "multiply": metric("exact_match", 0.704, (0.515, 0.841), 27, 3, 0.633),
    }
}
LOCAL = run(
    "20261122-0503-k3f9",
    model="local/smollm2-135m-instruct",
    metrics=(
        metric("exact_match", 0.8246, (0.7497, 0.8742), 57, 3, 0.7833, slices=SLICES),
        metric("bleu", 31.23, (28.04, 34.12), signature="bleu|nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|v:2.5.1"),
        metric("bertscore", 0.9024, None, 1),
    ),
    completed=57,
    failed=3,
    truncated=2,
    from_cache=10,
    usage=Totals(12345, 678, 100, 0, 50, 53, 0.0, 0.0),
    faults={"scorer/unparsable": (3, "no number in 'I can not say'")},
)
HOSTED = run(
    "20261122-0504-a1b2",
    model="openai/gpt-4o-mini",
    metrics=(
        metric("exact_match", 0.95, (0.8633, 0.9829)),
        metric("bleu", 44.1, (40.2, 47.8), signature="bleu|nrefs:1|case:lc|eff:no|tok:13a|smooth:exp|v:2.5.1"),
    ),
    usage=Totals(12345, None, None, 500, 60, 60, None, 0.0123),
)
THIRD = replace(
    HOSTED,
    run_id="20261122-0505-c3d4",
    model="anthropic/claude-sonnet-4-5-20250929",
    status="budget",
    completed=31,
    stopped_by="the cost cap of $0.50",
)


def printed(renderable, width=80, **options):
    stream = io.StringIO()
    Console(file=stream, width=width, **options).print(renderable)
    return stream.getvalue()
