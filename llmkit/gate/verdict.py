"""From findings to the record that reports show."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from llmkit.errors import BudgetError
from llmkit.gate.arms import spent
from llmkit.gate.behind import Behind
from llmkit.gate.evidence import JUDGED_RULE, RULE, Measured, SideName
from llmkit.gate.experiment import Findings
from llmkit.gate.measures import Gated, weights
from llmkit.gate.setup import Setup, same_pairs
from llmkit.gate.sizing import needs_of
from llmkit.plan.moments import FEWEST
from llmkit.plan.past import pseudo_values
from llmkit.plan.reach import Design
from llmkit.plan.sources import of_latencies
from llmkit.plans import Spread
from llmkit.runs.records import Job
from llmkit.scoring.base import CorpusScorer
from llmkit.stats.proportion import binomial_tail
from llmkit.stats.sequential.reading import Reading
from llmkit.stats.sequential.sizing import discordance_seen
from llmkit.stats.sequential.trial import ALPHA
from llmkit.suites.gating import Gating, span_of
from llmkit.types import Interval
from llmkit.verdicts import JudgedVerdict, MetricVerdict, Needs, OnInconclusive, Spent, SuiteVerdict, Verdict

PASSED, FAILED, UNDECIDED, BROKE = 0, 1, 3, 4

SEEN = "this run"


def exit_code(verdict: Verdict, on_inconclusive: OnInconclusive | None) -> int:
    """Return what a verdict means to the shell."""
    if verdict == "undecided":
        return UNDECIDED if on_inconclusive is None else FAILED if on_inconclusive == "fail" else PASSED
    return FAILED if verdict == "fail" else PASSED


def suite_verdict(
    setup: Setup, found: Findings, judges: Behind, on_inconclusive: OnInconclusive | None
) -> SuiteVerdict:
    """Return what a suite's experiment came to."""
    metrics = tuple(_judged(_metric(setup, found, m), judges.metrics.get(m.gating.name)) for m in setup.measures)
    held = bool(found.silent) or any(map(_distrusted, metrics))
    verdict = _overall(metrics) if held else found.verdict
    nobody = _nobody(found)
    code = exit_code(verdict, on_inconclusive)
    if found.missing and verdict == "undecided":
        code = exit_code("undecided", on_inconclusive)
    elif found.stopped is not None and verdict == "undecided":
        code = UNDECIDED if isinstance(found.stopped, BudgetError) else BROKE
    elif verdict == "undecided" and any(map(_distrusted, metrics)):
        code = UNDECIDED  # no want of evidence, which an option may take for a pass
    if nobody is not None and not (found.missing and verdict == "undecided"):
        code = BROKE
    base, head = _spent(found, "base"), _spent(found, "head")
    refused = any(one.refused is not None for one in judges.metrics.values())
    saved = 0 if refused else _saved(setup, found)
    return SuiteVerdict(
        suite=setup.reached.suite.name,
        path=_path(setup),
        verdict=verdict,
        changes=setup.reached.changes,
        metrics=metrics,
        planned=setup.planned,
        look=found.look,
        looks=found.looks,
        n=found.units,
        base=base,
        head=head,
        dropped=found.dropped,
        same=_same(setup, found),
        stopped_by=None if found.stopped is None else str(found.stopped),
        reason=nobody,
        missing=found.missing,
        notes=_notes(setup, found),
        warning=_warning(setup, found),
        saved_calls=saved,
        saved_usd=_saved_usd(saved, base, head),
        rule=f"{RULE}; {JUDGED_RULE}" if setup.judged else RULE,
        exit_code=code,
        judges=judges.spent,
    )


def _judged(metric: MetricVerdict, judged: JudgedVerdict | None) -> MetricVerdict:
    """Add what stands behind a judged metric; a judge that may not decide, or errs unevenly, decides nothing."""
    if judged is None:
        return metric
    shown = replace(metric, judged=_of_part(judged, metric))
    if not _distrusted(shown):
        return shown
    return replace(shown, verdict="undecided", within=False, reason=judged.refused or judged.errors, needs=None)


def _of_part(judged: JudgedVerdict, metric: MetricVerdict) -> JudgedVerdict:
    """Return the same with the raw difference of a slice's part."""
    known = metric.base is not None and metric.head is not None
    return replace(judged, raw=metric.head - metric.base if known else None)  # type: ignore[operator]


def _distrusted(metric: MetricVerdict) -> bool:
    return metric.judged is not None and (metric.judged.differential or metric.judged.refused is not None)


def _overall(metrics: Sequence[MetricVerdict]) -> Verdict:
    """Return the suite's verdict where some judged metric has no say in it."""
    return "fail" if any(metric.verdict == "fail" for metric in metrics) else "undecided"


def _path(setup: Setup) -> str | None:
    path = setup.reached.suite.path
    return None if path is None else str(path)


def _metric(setup: Setup, found: Findings, measure: Gated) -> MetricVerdict:
    g, reading, one = measure.gating, found.readings.get(measure.name), found.measured.get(measure.name)
    silent = found.silent.get(measure.name)
    verdict: Verdict = "undecided" if reading is None or silent is not None else reading.verdict
    estimate = None if reading is None else reading.estimate
    needs, why = None, silent or (None if one is None else one.reason)
    if found.verdict == verdict == "undecided" and silent is None:
        needs, why = _needs(setup, measure, reading, one)
    return MetricVerdict(
        metric=g.name,
        verdict=verdict,
        margin=measure.margin,
        relative=g.relative,
        base=None if one is None else one.base,
        head=None if one is None else one.head,
        difference=estimate,
        interval=_interval(setup, measure, reading),
        n=0 if reading is None else reading.n,
        look=0 if reading is None else reading.look,
        adjusted=None if reading is None else reading.adjusted,
        ruled_out=None if reading is None else reading.ruled_out,
        losses=0 if reading is None else reading.losses,
        gains=0 if reading is None else reading.gains,
        ties=0 if reading is None else reading.ties,
        slice=measure.part,
        within=reading is not None and verdict == "pass" and reading.drop_proven,
        reason=why,
        needs=needs,
        method="" if reading is None else reading.method,
        signature="" if g.scorer is None else g.scorer.signature,
        higher_is_better=g.higher_is_better,
    )


def _interval(setup: Setup, measure: Gated, reading: Reading | None) -> Interval | None:
    """Return the repeated confidence interval; its two ends err with different probabilities, which add up."""
    if reading is None or (reading.low is None and reading.high is None):
        return None
    least = -1.0 if measure.gating.relative else -span_of(measure.gating.scorer)
    most = math.inf if measure.gating.relative else -least
    low = least if reading.low is None else max(reading.low, least)
    high = most if reading.high is None else min(reading.high, most)
    confidence = 1 - ALPHA - ALPHA * weights(setup.measures)[measure.name]
    return Interval(low, high, "repeated", confidence)


def _needs(
    setup: Setup, measure: Gated, reading: Reading | None, one: Measured | None
) -> tuple[Needs | None, str | None]:
    """Say what would decide it, or else why nothing can be said of that."""
    if one is None or reading is None:
        return None, None  # it was not looked at: what stopped the gate is the suite's to say
    if one.reason is not None:
        return None, one.reason
    if not reading.n:
        return None, "no pair has a value on both sides"
    g, part = measure.gating, measure.part
    design = setup.size.design_at(part)
    seen = _amounts_seen(g, one, design) if g.relative else _seen(setup, measure, reading, one, design)
    if isinstance(seen, str):
        return None, seen
    whole = None if part is None else setup.size.block(None)
    return needs_of(g, measure.margin, seen, reading.n, design, setup.size.block(part), whole), None


def _seen(setup: Setup, measure: Gated, reading: Reading, one: Measured, design: Design) -> Spread:
    """Return the spread of the pairs seen, at one answer a side."""
    prior = setup.size.spreads.get(measure.gating.name)
    within = one.within if one.within is not None else None if prior is None else prior.within
    walked = reading.method.startswith("exact-walk")
    variance = discordance_seen(reading.losses, reading.gains, reading.n) if walked else _variance(measure.gating, one)
    if walked and design.members == design.epochs == 1:
        return Spread("binary", variance, one.base, 1.0, reading.n, SEEN, seen=variance, within=within)
    variance *= design.members
    if within is not None:  # what averaging over epochs took out
        variance += within * (1 - 1 / design.epochs)
    return Spread("graded", variance, one.base, 1.0, reading.n, SEEN, seen=variance, within=within)


def _amounts_seen(g: Gating, one: Measured, design: Design) -> Spread | str:
    """Return the spread of the costs or latencies seen, as shares of base's; or why it cannot be told."""
    base, head = one.series.base, one.series.head
    if g.quantile is not None:
        found = of_latencies(np.concatenate([base, head]), g.quantile, SEEN, ())
        if found is None:
            return f"too few latencies lie beyond {g.name} to tell how many would decide it"
        return replace(found, psi_or_variance=found.psi_or_variance * design.members)
    mean = float(base.mean())
    if len(base) < FEWEST or not mean > 0:
        why = "base's is 0, of which no rise is a share" if not mean > 0 else "one pair shows no spread"
        return f"how many samples would decide it cannot be told: {why}"
    variance = float(((head - base) / mean).var(ddof=1)) * design.members
    within = None if one.within is None else one.within / mean**2
    variance += 0.0 if within is None else within * (1 - 1 / design.epochs)
    own = float((base / mean).var(ddof=1)) * design.members
    return Spread("graded", variance, mean, 1.0, len(base), SEEN, seen=variance, within=within, own=own)


def _variance(g: Gating, one: Measured) -> float:
    """Return the variance of a unit's difference; of a corpus metric, by its pseudo-values."""
    base, head = one.series.base, one.series.head
    if g.scorer is not None and isinstance(g.scorer, CorpusScorer) and g.scorer.kind == "corpus":
        base, head = pseudo_values(base, g.scorer), pseudo_values(head, g.scorer)
    gain = head - base
    return float(gain.var(ddof=1)) if len(gain) > 1 else 1.0


def _nobody(found: Findings) -> str | None:
    """Say which side answered nothing at all, where one did not."""
    for side, result in found.results.items():
        if result.total and result.failed == result.total:
            fault, (_, example) = max(result.faults.items(), key=lambda item: item[1][0], default=("", (0, "")))
            return f"all {result.total} samples failed on {side}: {fault}: {example}"
    return None


def _spent(found: Findings, side: SideName) -> Spent:
    result = found.results.get(side)
    return Spent() if result is None else spent(result)


def _same(setup: Setup, found: Findings) -> int:
    return same_pairs(setup.base_pieces[: found.units], setup.head_pieces[: found.units]) if setup.base else 0


def _saved(setup: Setup, found: Findings) -> int:
    """Return the calls of the looks that were not needed, or of no use for want of verdicts."""
    if found.verdict == "undecided" and (found.stopped is not None or not found.silent):
        return 0
    sides = [setup.head_pieces] if setup.baseline is not None else [setup.head_pieces, setup.base_pieces]
    rest = (piece for side in sides for pieces in side[found.units :] for piece in pieces)
    keys = [piece.key for piece in rest if isinstance(piece, Job) and piece.key not in setup.known]
    return len(keys) if setup.timed else len(set(keys))


def _saved_usd(calls: int, base: Spent, head: Spent) -> float | None:
    if not calls:
        return 0.0
    made = base.calls + head.calls
    if not made or base.cost_usd is None or head.cost_usd is None:
        return None
    return (base.cost_usd + head.cost_usd) / made * calls


def _warning(setup: Setup, found: Findings) -> str | None:
    """Say that head answers less often than base, where that is proven and not gated: those pairs tell nothing."""
    base, head = found.unusable
    if any(g.kind == "failures" for g in setup.gatings) or not head:
        return None
    p = binomial_tail(head, head + base, 0.5)
    if p > ALPHA:
        return None
    return (
        f"head alone has no usable answer in {head} pairs, base alone in {base} (sign test, p = {p:.2g}):"
        " gate failures, or the metrics speak of the rest alone"
    )


def _notes(setup: Setup, found: Findings) -> tuple[str, ...]:
    notes = []
    for g in setup.gatings:
        one = found.measured.get(g.name)
        if g.scorer is not None and g.higher_is_better and one is not None and one.base == one.head == 0:
            notes.append(f"{g.name} is 0 on both sides: it has no room to drop, so that it passes says nothing")
    if setup.units.bad:
        count, first = len(setup.units.bad), setup.units.bad[0]
        notes.append(f"{count} rows cannot be asked on either side; the first: {first.where}: {first.message}")
    return tuple(notes)
