"""Runs over a grid of lengths and depths, as the tests of heat maps render them."""

from __future__ import annotations

from llmkit.types import MetricResult, RunResult
from tests.reports.records import metric, run

LENGTHS, DEPTHS = ("500", "1000", "16000"), ("0", "50", "100")


def cell(value: float | None, n: int = 3, failed: int = 0, overflowed: int = 0) -> MetricResult:
    found = None if value is None else (max(0.0, value - 0.4), min(1.0, value + 0.4))
    return metric("needle", value, found, n, failed, overflowed=overflowed)


CELLS = {
    "500 @ 0%": cell(1.0),
    "500 @ 50%": cell(0.0),
    "500 @ 100%": cell(2 / 3, 3),
    "1000 @ 0%": cell(1.0, 2, failed=1),
    "1000 @ 50%": cell(None, 0, failed=3),
    "1000 @ 100%": cell(1.0, 2, failed=1, overflowed=1),
    "16000 @ 0%": cell(None, 0, failed=3, overflowed=3),
    "16000 @ 50%": cell(None, 0, failed=3, overflowed=3),
    "16000 @ 100%": cell(None, 0, failed=3, overflowed=2),
}


def grid(cells: dict[str, MetricResult] = CELLS, down: str = "depth", **fields: object) -> RunResult:
    columns = dict.fromkeys(c.split(" @ ")[0] for c in cells)
    rows = dict.fromkeys(c.split(" @ ")[1].removesuffix("%") for c in cells)
    slices = {"length": {c: cell(0.5, 9) for c in sorted(columns)}, down: {r: cell(0.5, 9) for r in sorted(rows)}}
    overflowed = sum(c.overflowed for c in cells.values())
    whole = metric("needle", 0.61, (0.4, 0.8), 15, 12, 0.3, slices={**slices, "cell": cells}, overflowed=overflowed)
    faults = {"provider/context_overflow": (overflowed, "the prompt is too long")} if overflowed else {}
    return run(
        **{"suite": "needle", "model": "local/smol", "metrics": (whole,), "faults": faults, "failed": 12, **fields}
    )
