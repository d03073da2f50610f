"""What each margin of a suite's gate needs, and what the samples there are can decide."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from llmkit.plan.reach import LARGEST, Design, least_margin, sizes
from llmkit.plans import MarginPlan, Spread
from llmkit.stats.sequential.power import powered_n, real_power
from llmkit.stats.sequential.sizing import metric_power
from llmkit.suites.gating import Gating, span_of
from llmkit.types import BadRow, Sample

AMOUNT_UNITS = 400
"""For cost and latency of an unknown spread: 400 pairs leave 20 beyond a 95th percentile."""
STAIRCASE = 400
"""Units up to which the formula is checked by simulation: there the discrete tests may need a few more."""
SIMULATED = 20_000
"""Units up to which the power is simulated; above, the tests' discreteness is lost in the formula's own error."""
RUNS = 1_000
"""Standard error 1.3 % at 80 %."""
UNPLANNED = "its spread is unknown, so the gate asks up to {n:,}"


@dataclass
class Rows:
    """What the rows of a data set say of units: counted once, for all margins.

    Attributes:
        rows: Samples.
        clusters: Clusters; None where none is mapped.
        parts: Slice name → value → samples.
    """

    rows: int = 0
    clusters: int | None = None
    parts: dict[str, Counter[str]] = field(default_factory=dict)

    @property
    def members(self) -> float:
        """Samples of a unit, on average."""
        return self.rows / self.clusters if self.clusters else 1.0

    def scaled(self, n: int) -> Rows:
        """Return the same proportions for ``n`` samples."""
        share = n / self.rows if self.rows else 1.0
        parts = {name: Counter({v: math.floor(k * share) for v, k in c.items()}) for name, c in self.parts.items()}
        return Rows(n, None if self.clusters is None else max(1, round(self.clusters * share)), parts)


def count_rows(samples: Iterable[Sample | BadRow], *, clustered: bool, slices: Sequence[str]) -> Rows:
    """Count samples, clusters and the parts of slices. A sample without a cluster is one of its own."""
    found = Rows(parts={name: Counter() for name in slices})
    clusters: set[str] = set()
    alone = 0
    for sample in samples:
        found.rows += 1
        if isinstance(sample, BadRow) or sample.cluster is None:
            alone += 1
        else:
            clusters.add(sample.cluster)
        if isinstance(sample, Sample):
            for name in slices:
                if name in sample.slices:
                    found.parts[name][sample.slices[name]] += 1
    if clustered:
        found.clusters = len(clusters) + alone
    return found


def design_of(gatings: Sequence[Gating], rows: Rows, epochs: int) -> Design:
    """Return how a gate on these metrics looks at each: its power, and its share of alpha."""
    measures = max(1, len(gatings))
    return Design(epochs, metric_power(measures), 1 / measures, rows.members)


def margins_of(
    gatings: Sequence[Gating], spreads: Mapping[str, Spread], rows: Rows, design: Design, *, simulated: bool = True
) -> tuple[MarginPlan, ...]:
    """Return one plan a metric, and after it one a gated slice: its smallest part.

    ``simulated`` says whether the real power is, too, which takes half a second a metric.
    """
    found: list[MarginPlan] = []
    for gating in gatings:
        spread = spreads.get(gating.name)
        found.append(_margin(gating, gating.margin, spread, rows.rows, design, simulated=simulated))
        for name, margin in gating.slices.items():
            if rows.parts[name]:
                part, available = min(rows.parts[name].items(), key=lambda each: (each[1], each[0]))
                found.append(_margin(gating, margin, spread, available, design, (name, part), simulated=simulated))
    return tuple(found)


def _margin(
    gating: Gating,
    margin: float,
    spread: Spread | None,
    available: int,
    design: Design,
    of: tuple[str, str] | tuple[None, None] = (None, None),
    *,
    simulated: bool,
) -> MarginPlan:
    span, (slice_, part) = _span(gating, margin, spread, design), of
    if spread is None:
        n = math.ceil(AMOUNT_UNITS * design.members)
        return MarginPlan(
            gating.name, margin, gating.relative, None, None, n, available, "nothing is known",
            slice=slice_, part=part, note=UNPLANNED.format(n=n),
        )  # fmt: skip
    need = sizes(margin, spread, design, span)
    plain = spread.kind == "binary" and design.epochs == 1 and design.members == 1
    psi, n_max = spread.psi_or_variance, need.n
    if plain and n_max <= STAIRCASE:
        n_max = powered_n(margin, psi, power=design.power, share=design.share, runs=RUNS).n
    if gating.kind == "latency":
        n_max = max(n_max, math.ceil(AMOUNT_UNITS * design.members))
    has = min(n_max, available)
    real = None
    if simulated and plain and 0 < has <= SIMULATED:
        real = real_power(margin, psi, has, share=design.share, runs=RUNS)
    return MarginPlan(
        gating.name, margin, gating.relative, need.n_fail, need.n_pass, n_max, available, said(spread),
        resolvable=least_margin(spread, available, design, span) if available < n_max else None,
        pass_at_no_change=real.pass_at_no_change if real else None,
        fail_at_twice=real.fail_at_2m if real else None,
        slice=slice_, part=part,
    )  # fmt: skip


def _span(gating: Gating, margin: float, spread: Spread | None, design: Design) -> float:
    """Return how far the metric's values can lie apart; of an amount, which nothing bounds, as far as its spread."""
    if not gating.relative:
        return span_of(gating.scorer)
    seen = 0.0 if spread is None else math.sqrt(spread.at(design.epochs) * spread.deff)
    return max(1.0, seen, margin / LARGEST)


def said(spread: Spread) -> str:
    """Say where a spread comes from, with what to know of it."""
    return f"{spread.source} ({', '.join(spread.notes)})" if spread.notes else spread.source
