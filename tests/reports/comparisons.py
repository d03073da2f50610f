"""Comparisons that the tests of reports render."""

from __future__ import annotations

from llmkit.comparisons import AmountDifference, Answered, Comparison, Flip, MetricDifference, Side
from llmkit.types import Interval


def metric(name, a, b, interval=None, p=0.5, tally=(0, 0, 0), **more):
    found = Interval(*interval, more.pop("ci", "tango"), 0.95) if interval else None
    defaults = {"failed_a": 0, "failed_b": 0, "signature": f"metric:{name}|v:1", "test": "mcnemar-exact"}
    won, lost, tied = tally
    return MetricDifference(
        name, a, b, None if a is None or b is None else b - a, found, p, n=won + lost + tied, won=won, lost=lost,
        tied=tied, **(defaults | more),
    )  # fmt: skip


SLICES = {
    "topic": {
        "add": metric("exact_match", 0.9, 0.8, (-0.21, 0.02), 0.04, (2, 12, 86), p_adjusted=0.08),
        "multiply": metric("exact_match", 0.8, 0.6, (-0.31, -0.08), 0.0004, (3, 23, 74), p_adjusted=0.0008),
    }
}
WORSE = metric(
    "exact_match", 0.85, 0.7, (-0.2134, -0.0866), 0.00002, (5, 35, 160), failed_b=3, slices=SLICES
)  # fmt: skip
BETTER = metric(
    "wer", 0.312, 0.255, (-0.0801, -0.0339), 0.0012, (80, 40, 83), ci="influence-t", test="paired-randomisation",
    higher_is_better=False,
)  # fmt: skip
SAME = metric("f1", 0.801, 0.805, (-0.0121, 0.0202), 0.63, (20, 18, 162), ci="t", test="sign-flip")
UNKNOWN = metric("bleu", None, None, None, None, (9, 8, 183), test=None, unknown="its statistics were not exported")

AMOUNTS = (
    AmountDifference("cost_usd", "mean", 0.0012, 0.0009, 0.75, Interval(0.71, 0.79, "bca"), 200),
    AmountDifference("output_tokens", "mean", 45.2, 30.1, 0.666, Interval(0.601, 0.74, "bca"), 200),
    AmountDifference("latency_s", "median", None, None, None, None, 0, "the answers of b come from the cache"),
)
FLIPS = (
    Flip(
        "s7", 1, "exact_match", -1.0, "What is 7+1?", ("8",), Answered("The sum is 8", 1.0, "8"),
        Answered("The sum is 9", 0.0, "9"),
    ),
    Flip("s 8", 1, "exact_match", 1.0, "What is 8+1?", ("9",), Answered("ten", 0.0), Answered("9", 1.0)),
)  # fmt: skip
A = Side("latest~1", "20261122-0503-k3f9", "sums", "openai/gpt-4o-mini", "completed", 203, 0, 0.24)
B = Side("latest", "20261122-0504-a1b2", "sums", "openai/gpt-4o", "completed", 203, 3, 0.18)


def comparison(*metrics, **more):
    defaults = dict(
        a=A, b=B, pairs=203, only_a=0, only_b=0, metrics={m.name: m for m in metrics}, seed=0,
        differs=("model: openai/gpt-4o-mini → openai/gpt-4o", "prompt"),
    )  # fmt: skip
    return Comparison(**(defaults | more))


WHOLE = comparison(
    WORSE, BETTER, SAME, UNKNOWN, amounts=AMOUNTS, flips=FLIPS, flipped=40, only_a=2, notes=("only a has chrf",)
)
