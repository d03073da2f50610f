"""What stands behind judged metrics once both sides were asked: who judged, what has no verdict, which errors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from llmkit.errors import BudgetError, ProviderError
from llmkit.gate.arms import Means
from llmkit.gate.differing import SIDES, Answers, Errors, assumed, by_side, comparable, compared, usable
from llmkit.gate.evidence import SideName
from llmkit.gate.experiment import Findings
from llmkit.gate.judging import Deciding, served_otherwise
from llmkit.gate.setup import Setup
from llmkit.judges.labels import Labelled
from llmkit.judges.scorer import JudgeScorer
from llmkit.judges.seat import Seats
from llmkit.runs.grade import item_of
from llmkit.runs.outcome import outcome_of
from llmkit.types import Totals
from llmkit.verdicts import JudgedVerdict, JudgeSpent


@dataclass(frozen=True)
class Behind:
    """What there is to know of a suite's judges.

    Attributes:
        metrics: Metric → what stands behind it.
        spent: What each judge's calls came to.
    """

    metrics: Mapping[str, JudgedVerdict] = field(default_factory=dict)
    spent: tuple[JudgeSpent, ...] = ()


async def behind(setup: Setup, found: Findings, means: Means) -> Behind:
    """Return what stands behind each judged metric; labelled answers of both sides are judged for it."""
    metrics = {}
    bench = means.bench.share(f"{means.bench.run_id}-{setup.head.experiment['gate']}")
    for name, one in setup.judged.items():
        shown = _counted(one.verdict(), name, found)
        if (other := served_otherwise(one, means.store, [r.run_id for r in found.results.values()])) is not None:
            metrics[name] = replace(shown, status="stale", refused=other)
            continue
        if found.missing or not found.units:
            metrics[name] = shown
            continue
        errors = await _errors(one, found, means, bench.of(name))
        metrics[name] = replace(shown, errors=errors.said, differential=errors.flagged)
    totals = [result.judging for result in found.results.values()] + [bench.totals()]
    return Behind(metrics, tuple(_spent(setup, totals)))


def _counted(shown: JudgedVerdict, name: str, found: Findings) -> JudgedVerdict:
    measured, sides = found.measured.get(name), found.unjudged.get(name)
    if sides is not None:
        shown = replace(shown, base=sides[0], head=sides[1])
    if measured is None or measured.base is None or measured.head is None:
        return shown
    return replace(shown, raw=measured.head - measured.base)


async def _errors(one: Deciding, found: Findings, means: Means, seats: Seats) -> Errors:
    """Compare the judge's errors on both sides' labelled answers, where there are any."""
    try:
        items = usable(one.judge)
        of = by_side(items, {side: _answers(one, items, found, side, means) for side in SIDES})
        if not comparable(of):
            return assumed(of)
        return await compared(one.judge, of, await seats.seat(one.judge.model))
    except (BudgetError, ProviderError) as error:
        said = "labelled answers of both sides are there, and the judge's errors on them could not be compared"
        return Errors(f"{said}: {error}", flagged=True)


def _answers(one: Deciding, items: list[Labelled], found: Findings, side: SideName, means: Means) -> Answers:
    """Return what a side was asked and answered, as far as it is labelled, and which runs answered it."""
    answers, result, scorer = Answers(), found.results.get(side), one.gating.scorer
    if result is None or not isinstance(scorer, JudgeScorer):
        return answers
    answers.runs.add(result.run_id)
    labelled = {item.subject.digest() for item in items}
    for row in means.store.samples(result.run_id):
        outcome = outcome_of(row)
        if outcome.answer is None or outcome.failure is not None:
            continue
        answers.runs.add(outcome.answer.run_id)
        digest = scorer.subject(item_of(outcome)).digest()
        answers.digests.update({digest} & labelled)
    return answers


def _spent(setup: Setup, runs: list[Mapping[str, Totals]]) -> Iterator[JudgeSpent]:
    scorers = {s.name: s.judge for s in setup.reached.suite.scorers if isinstance(s, JudgeScorer)}
    for name, judge in scorers.items():
        totals = [run[name] for run in runs if name in run]
        costs = [t.cost_usd if t.lost_usd is None or t.cost_usd is None else t.cost_usd + t.lost_usd for t in totals]
        known = [cost for cost in costs if cost is not None]
        cost = sum(known) if len(known) == len(costs) else None
        yield JudgeSpent(judge.name, judge.model.name, sum(t.calls for t in totals), cost)
