"""The samples that flipped, worst first, read back from both sides' runs."""

from __future__ import annotations

from llmkit.comparisons import Flip
from llmkit.gate.experiment import Findings
from llmkit.gate.setup import Setup
from llmkit.paired.flips import choose, flips
from llmkit.paired.held import hold
from llmkit.paired.pairing import pair
from llmkit.paired.stored import StoredRun
from llmkit.runs.store import Store
from llmkit.suites.gating import Gating


def flips_of(store: Store, setup: Setup, found: Findings, most: int) -> tuple[tuple[Flip, ...], int]:
    """Return up to ``most`` losses and half as many gains of the metric that matters most, and how many flipped.

    That is the one that failed, else one that is undecided, else the suite's first.
    """
    scores = [g for g in setup.gatings if g.scorer is not None]
    if not scores or not found.units or not {"base", "head"} <= found.results.keys():
        return (), 0
    metric = min(scores, key=lambda g: _rank(g, found))
    one, two = (StoredRun(store, found.results[side].run_id) for side in ("base", "head"))
    base, head = hold(one), hold(two)
    pairs = pair(base, head)
    if not len(pairs) or metric.name not in base.columns or metric.name not in head.columns:
        return (), 0
    chosen = choose(metric.name, base, head, pairs, metric.higher_is_better, most, most // 2)
    return tuple(flips(metric.name, (one, base), (two, head), pairs, chosen)), chosen.flipped


def _rank(g: Gating, found: Findings) -> int:
    reading = found.readings.get(g.name)
    return ("fail", "undecided", "pass").index(reading.verdict) if reading is not None else 1
