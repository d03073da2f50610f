"""What each margin of a suite's gate needs, and what the samples there are can decide."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from llmkit.plan.reach import Design, Rule, least_margin, plain, rounded_up, rule_of, sizes
from llmkit.plans import MarginPlan, Spread
from llmkit.stats.sequential.power import powered_n, real_power
from llmkit.stats.sequential.rises import quantile_floor, ratio_floor
from llmkit.stats.sequential.sizing import alpha_shares, metric_power
from llmkit.suites.gating import Gating, span_of
from llmkit.types import BadRow, Sample

AMOUNT_UNITS = 400
"""For cost and latency of an unknown spread, at least: 400 pairs leave 20 beyond a 95th percentile."""
STAIRCASE = 400
"""Units up to which the formula is checked by simulation: there the discrete tests may need a few more."""
SIMULATED = 20_000
"""Units up to which the power is simulated; above, the tests' discreteness is lost in the formula's own error."""
RUNS = 1_000
"""Standard error 1.3 % at 80 %."""
UNPLANNED = "its spread is unknown, so the gate asks up to {n:,}"


@dataclass(frozen=True, slots=True)
class Block:
    """A data set, or one part of a slice, in the units that a gate counts.

    Attributes:
        samples: Samples.
        units: Clusters; samples where none are mapped.
        unequal: Units worth one of equal size: 1 + cv² of their sizes (Kish).
    """

    samples: int
    units: int
    unequal: float = 1.0

    @property
    def members(self) -> float:
        """Samples of a unit, on average."""
        return self.samples / self.units if self.units else 1.0

    def scaled(self, share: float) -> Block:
        """Return the same proportions for such a share of the samples."""
        return Block(math.floor(self.samples * share), max(1, round(self.units * share)), self.unequal)


@dataclass(frozen=True)
class Rows:
    """What the rows of a data set say of units: counted once, for all margins.

    Attributes:
        whole: All of them.
        clustered: Whether units are clusters.
        parts: Slice name → value → its part.
    """

    whole: Block
    clustered: bool = False
    parts: Mapping[str, Mapping[str, Block]] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """Samples."""
        return self.whole.samples

    @property
    def clusters(self) -> int | None:
        """Clusters; None where none is mapped."""
        return self.whole.units if self.clustered else None

    def scaled(self, n: int) -> Rows:
        """Return the same proportions for ``n`` samples."""
        share = n / self.rows if self.rows else 1.0
        parts = {name: {v: block.scaled(share) for v, block in of.items()} for name, of in self.parts.items()}
        whole = Block(n, self.whole.scaled(share).units if self.clustered else n, self.whole.unequal)
        return Rows(whole, self.clustered, parts)


class _Sizes:
    """Counts samples by cluster; a sample without one is a cluster of its own."""

    def __init__(self) -> None:
        self._alone = 0
        self._sizes: Counter[str] = Counter()

    def add(self, cluster: str | None) -> None:
        if cluster is None:
            self._alone += 1
        else:
            self._sizes[cluster] += 1

    def block(self) -> Block:
        sizes = self._sizes.values()
        samples, units = self._alone + sum(sizes), self._alone + len(sizes)
        squares = self._alone + sum(size**2 for size in sizes)
        return Block(samples, units, units * squares / samples**2 if samples else 1.0)


def count_rows(samples: Iterable[Sample | BadRow], *, clustered: bool, slices: Sequence[str]) -> Rows:
    """Count samples, clusters and the parts of slices."""
    whole = _Sizes()
    parts: dict[str, dict[str, _Sizes]] = {name: {} for name in slices}
    for sample in samples:
        cluster = sample.cluster if clustered and isinstance(sample, Sample) else None
        whole.add(cluster)
        if isinstance(sample, Sample):
            for name in slices:
                if name in sample.slices:
                    parts[name].setdefault(sample.slices[name], _Sizes()).add(cluster)
    counted = {name: {value: each.block() for value, each in of.items()} for name, of in parts.items()}
    return Rows(whole.block(), clustered, counted)


def gated_parts(gatings: Sequence[Gating], rows: Rows) -> int:
    """Return how many parts of slices must pass as well as the metrics."""
    return sum(len(rows.parts.get(name, ())) for gating in gatings for name in gating.slices)


def design_of(gatings: Sequence[Gating], rows: Rows, epochs: int) -> Design:
    """Return how a gate on these metrics looks at each: its power, since all must pass, and its share of alpha."""
    metrics, parts = max(1, len(gatings)), gated_parts(gatings, rows)
    of_metric, of_part = alpha_shares(metrics, parts)
    power = metric_power(metrics + parts)
    return Design(epochs, power, of_metric, rows.whole.members, rows.whole.unequal, of_part)


def design_for(design: Design, part: Block) -> Design:
    """Return how the gate looks at one part of a slice."""
    return replace(design, share=design.part_share, members=part.members, unequal=part.unequal)


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
            if of := rows.parts.get(name):
                part, block = min(of.items(), key=lambda each: (each[1].units / each[1].unequal, each[0]))
                at = design_for(design, block)
                found.append(_margin(gating, margin, spread, block.samples, at, (name, part), simulated=simulated))
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
    rule, (slice_, part) = rule_of(gating), of
    if spread is None:
        n = math.ceil(_unplanned(margin, rule) * design.members)
        return MarginPlan(
            gating.name, margin, gating.relative, None, None, n, available, "nothing is known",
            slice=slice_, part=part, note=UNPLANNED.format(n=n),
        )  # fmt: skip
    raw = margin * gating.shrink  # in scores, of which the spread is
    need = sizes(raw, spread, design, rule)
    psi, n_max, walks = spread.psi_or_variance, need.n, plain(spread, design) and not gating.relative
    if walks and n_max <= STAIRCASE:
        n_max = _powered(raw, psi, design.power, design.share)
    has = min(n_max, available)
    real = None
    if simulated and walks and 0 < has <= SIMULATED:
        real = real_power(raw, psi, has, share=design.share, runs=RUNS)
    least = least_margin(spread, available, design, rule) if available < n_max else None
    return MarginPlan(
        gating.name, margin, gating.relative, need.n_fail, need.n_pass, n_max, available, said(spread),
        resolvable=in_metric(gating, least),
        pass_at_no_change=real.pass_at_no_change if real else None,
        fail_at_twice=real.fail_at_2m if real else None,
        slice=slice_, part=part,
    )  # fmt: skip


@lru_cache(maxsize=256)
def _powered(margin: float, psi: float, power: float, share: float) -> int:
    """Return the units that simulation shows to be enough: always the same, and asked for again by each suite."""
    return powered_n(margin, psi, power=power, share=share, runs=RUNS).n


def in_metric(gating: Gating, raw: float | None) -> float | None:
    """Return a margin in scores as one of the metric; None where it is more than the metric can differ by."""
    if raw is None or gating.shrink == 1:
        return raw
    found = raw / gating.shrink
    return rounded_up(found) if found < span_of(gating.scorer) else None


def _unplanned(margin: float, rule: Rule) -> int:
    """Return the units for an amount of an unknown spread: no fewer than its rule needs where nothing varies."""
    floor = ratio_floor(margin) if rule.quantile is None else quantile_floor(rule.quantile)
    return max(AMOUNT_UNITS, floor)


def said(spread: Spread) -> str:
    """Say where a spread comes from, with what to know of it."""
    return f"{spread.source} ({', '.join(spread.notes)})" if spread.notes else spread.source
