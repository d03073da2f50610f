"""Before anything is asked: which samples, how many of them, and what the whole could cost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from llmkit.canonical import digest
from llmkit.errors import DataError, LlmkitError, UsageError
from llmkit.gate.arms import Means, Piece, pieces_of
from llmkit.gate.baseline import Baseline
from llmkit.gate.changes import Reached
from llmkit.gate.differing import usable
from llmkit.gate.judge_outlay import dearest_of, recorded
from llmkit.gate.judging import Deciding
from llmkit.gate.measures import Gated, gated, over_both
from llmkit.gate.models import Models
from llmkit.gate.options import GateOptions
from llmkit.gate.order import Unit, Units, shuffled
from llmkit.gate.sizing import Size, size_of
from llmkit.judges.judge import Judge
from llmkit.judges.outlay import most_calls
from llmkit.judges.scorer import JudgeScorer
from llmkit.judges.subject import Subject
from llmkit.providers.base import Provider, SpeaksWire
from llmkit.providers.retry import Caller
from llmkit.runs.abilities import check_abilities
from llmkit.runs.forming import calls_at_most, worst_case_of
from llmkit.runs.judge_forecast import longest_answer, to_be_judged
from llmkit.runs.key import identity
from llmkit.runs.plan import Plan
from llmkit.runs.records import Job
from llmkit.runs.tokenizing import bound, wants_model
from llmkit.suites.gating import Gating, gating
from llmkit.suites.teaching import taught_as, taught_suite
from llmkit.types import Usage
from llmkit.verdicts import Planned


@dataclass(frozen=True)
class Setup:
    """One suite's gate, planned.

    Attributes:
        reached: The suite, on both sides.
        head: Head's plan.
        base: Base's plan; None where a baseline stands in.
        baseline: Recorded answers, in place of base's.
        gatings: What the suite is gated on.
        units: All of the data set's, in order.
        chosen: Those that may be asked: the first ``n_max``.
        measures: What decides.
        size: How many units, and why.
        planned: What reports say of all this.
        head_pieces: Of each chosen unit, what head asks.
        base_pieces: What base asks.
        same: Pairs that ask the same thing of the same model.
        timed: Whether answers are timed, so that none may come from the cache.
        known: Keys of the answers that are there already.
        judged: Metric → its judge, of those that have one.
    """

    reached: Reached
    head: Plan
    base: Plan | None
    baseline: Baseline | None
    gatings: tuple[Gating, ...]
    units: Units
    chosen: tuple[Unit, ...]
    measures: Sequence[Gated]
    size: Size
    planned: Planned
    head_pieces: Sequence[Sequence[Piece]]
    base_pieces: Sequence[Sequence[Piece]]
    same: int
    timed: bool
    known: frozenset[bytes]
    judged: Mapping[str, Deciding] = field(default_factory=dict)

    def keys(self) -> dict[str, list[bytes]]:
        """Return side → the keys of all that it may ask."""
        sides = (("base", self.base_pieces), ("head", self.head_pieces))
        return {side: [p.key for pieces in units for p in pieces if isinstance(p, Job)] for side, units in sides}

    @property
    def pairs(self) -> int:
        """Samples × epochs on each side."""
        return sum(map(len, self.head_pieces))

    @property
    def unrenderable(self) -> str | None:
        """Why base asks nothing at all, where it does not: its prompt wants fields that head's data lack, say."""
        base = [piece for pieces in self.base_pieces for piece in pieces]
        head = [piece for pieces in self.head_pieces for piece in pieces]
        if any(isinstance(p, Job) for p in base) or not any(isinstance(p, Job) for p in head):
            return None
        failure = next((p.failure for p in base if not isinstance(p, Job)), None)
        return None if failure is None else failure.message


async def set_up(
    reached: Reached,
    baseline: Baseline | None,
    options: GateOptions,
    models: Models,
    means: Means,
    gate_id: str,
    judged: Mapping[str, Deciding],
) -> Setup:
    """Load the data, fix the order and the number of samples, render both sides, and price the calls.

    Args:
        reached: The suite.
        baseline: Recorded answers, in place of base's.
        options: How to gate.
        models: Those that are asked.
        means: What both sides share.
        gate_id: Of this gate of this suite.
        judged: Metric → its judge, of those that have one; all of them may decide.

    Raises:
        LlmkitError: The suite cannot be gated.
    """
    if reached.head_model is None:
        raise UsageError("no model is named", where=str(reached.suite.path), hint="Give one with -m provider/model")
    reached = _taught(_bound(reached, models.provider(reached.head_model)), options.limit)
    assert reached.head_model is not None
    suite = reached.suite
    gatings = over_both(gating(suite), reached.base)
    rows = suite.check(options.limit)
    epochs = options.epochs if options.epochs is not None else suite.epochs
    limit = options.limit if options.limit is not None else suite.limit
    head = Plan(suite, reached.head_model, epochs, limit, options.seed, reached.head_origins, rows)
    base: Plan | None = None
    if baseline is None and reached.base is not None and reached.base_model is not None:
        base = Plan(reached.base, reached.base_model, epochs, limit, options.seed, reached.base_origins, rows)
    for plan in (head,) if base is None else (head, base):
        check_abilities(plan.suite, models.provider(plan.model), plan.model.params)
        await models.fetch(plan.model)
    units = shuffled(suite.samples(limit), options.seed)
    comparison = "" if options.fresh else _comparison(head, base, baseline, models)
    size = size_of(means.store, suite, head.model.name, gatings, units, epochs, comparison)
    experiment = {"gate": gate_id, "comparison": comparison, "n_max": size.n_max}
    head = replace(head, experiment={**experiment, "side": "head"})
    base = None if base is None else replace(base, experiment={**experiment, "side": "base"})
    chosen = units.units[: size.n_max]
    if not chosen:
        bad = units.bad[0]
        raise DataError(f"none of the rows can be asked; the first: {bad.message}", where=bad.where)
    head_pieces = [pieces_of(head, models.provider(head.model), unit) for unit in chosen]
    base_pieces = head_pieces
    if baseline is not None:
        baseline.check_complete(job for pieces in head_pieces for job in pieces if isinstance(job, Job))
    if base is not None:
        base_pieces = [pieces_of(base, models.provider(base.model), unit) for unit in chosen]
    same = 0 if base is None else same_pairs(base_pieces, head_pieces)
    _check_amounts(gatings, [head] if base is None else [base, head], baseline, models, means)
    timed = any(g.kind == "latency" for g in gatings) and not options.offline
    forecast = _Forecast(means, timed=timed)
    await forecast.add(head, models.provider(head.model), head_pieces)
    if base is not None:
        await forecast.add(base, models.provider(base.model), base_pieces)
    elif baseline is not None:
        await forecast.judge_recorded(head, baseline, head_pieces)
    await forecast.judge_labelled(judged)
    return Setup(
        reached, head, base, baseline, gatings, units, chosen, gated(gatings, chosen),
        size, _planned(size, units, epochs, forecast), head_pieces, base_pieces, same, timed,
        frozenset(forecast.known), judged,
    )  # fmt: skip


def _bound(reached: Reached, provider: Provider) -> Reached:
    """Make the rows where head's tokenizer is needed for it; both sides are asked the same ones."""
    if not wants_model(reached.suite):
        return reached
    suite = bound(reached.suite, provider)
    base = None if reached.base is None else replace(reached.base, source=suite.source)
    return replace(reached, suite=suite, base=base)


def _taught(reached: Reached, limit: int | None) -> Reached:
    """Let the scorers see the rows' references where they learn from them; head's score both sides."""
    suite = taught_suite(reached.suite, limit)
    base = None if reached.base is None else taught_as(reached.base, suite)
    return replace(reached, suite=suite, base=base)


def _check_amounts(
    gatings: Sequence[Gating], plans: Sequence[Plan], baseline: Baseline | None, models: Models, means: Means
) -> None:
    """Refuse, before anything is paid for, a metric that no answer could decide."""
    for g in gatings:
        where = plans[0].suite.where("gate", g.name)
        if g.kind == "latency" and baseline is not None:
            said, hint = "a latency needs calls made side by side, and a baseline's are over", "Compare with a branch"
            raise UsageError(said, where=where, hint=hint)
        for plan in plans if g.priced else ():
            provider = models.provider(plan.model)
            endpoint = provider.identity().get("endpoint") if isinstance(provider, SpeaksWire) else None
            cost = means.prices.cost(
                provider.name, provider.model, Usage(1, 1), endpoint=endpoint, billed=provider.capabilities.billed
            )
            if cost is None:
                said = f"{g.name} is gated, and the price of {plan.model.name} is unknown"
                hint = f'Give it in llmkit.toml: [prices."{plan.model.name}"] input = …, output = …'
                raise UsageError(said, where=where, hint=hint)


def _comparison(head: Plan, base: Plan | None, baseline: Baseline | None, models: Models) -> str:
    """Name what is compared with what: a gate that is run again keeps its number of samples."""
    there: object = baseline.run_id if baseline is not None else None
    if base is not None:
        there = base.config(identity(models.provider(base.model)))
    margins = [[g.name, g.margin, dict(g.slices)] for g in gating(head.suite)]
    return digest([head.config(identity(models.provider(head.model))), there, margins])


def same_pairs(base: Sequence[Sequence[Piece]], head: Sequence[Sequence[Piece]]) -> int:
    """Count the pairs that ask the same thing of the same model."""
    units = zip(base, head, strict=True)
    both = (pair for b, h in units for pair in zip(b, h, strict=True))
    return sum(isinstance(b, Job) and isinstance(h, Job) and b.key == h.key for b, h in both)


def _planned(size: Size, units: Units, epochs: int, forecast: _Forecast) -> Planned:
    return Planned(
        n_max=size.n_max,
        wanted=size.wanted,
        available=len(units.units),
        unit=units.noun,
        epochs=epochs,
        spread=size.source,
        resolvable=size.resolvable,
        worst_case_usd=forecast.usd,
        unknown=forecast.unknown,
        calls=forecast.calls,
        from_cache=forecast.cached,
        judge_calls=forecast.judge_calls,
    )


def _judging(plan: Plan) -> list[JudgeScorer]:
    return [scorer for scorer in plan.suite.scorers if isinstance(scorer, JudgeScorer)]


class _Forecast:
    """Counts and prices the calls of both sides at worst: that another model answers by now, so that no answer counts.

    Requests that are equal are one.
    """

    def __init__(self, means: Means, *, timed: bool) -> None:
        self._means, self._timed = means, timed
        self._asked: set[bytes] = set()
        self._judged: set[tuple[bytes, str]] = set()
        self.known: set[bytes] = set()
        self.calls = self.cached = 0
        self.usd: float | None = 0.0
        self.unknown: str | None = None
        self.judge_calls: dict[str, int] = {}

    async def add(self, plan: Plan, provider: Provider, pieces: Sequence[Sequence[Piece]]) -> None:
        """Add one side."""
        caller = Caller(provider, prices=self._means.prices)
        answers: list[Job] = []
        for unit in pieces:
            jobs = [piece for piece in unit if isinstance(piece, Job)]
            known = self._known(jobs)
            self.cached += len(known)
            self.known.update(known)
            for job in jobs:
                if self._timed or job.key not in self._asked:
                    self._asked.add(job.key)
                    await self._price(plan, caller, job)
                # One answer of two rows is judged for each: the judge may see more of a row than the model.
                if self._timed or (job.key, job.sample.id) not in self._judged:
                    self._judged.add((job.key, job.sample.id))
                    answers.append(job)
        tokens = longest_answer(plan)
        for scorer in _judging(plan):
            subjects = (to_be_judged(scorer, job, tokens) for job in answers)
            await self._judge(scorer.judge, len(answers), subjects)

    async def judge_recorded(self, plan: Plan, baseline: Baseline, pieces: Sequence[Sequence[Piece]]) -> None:
        """Add a side whose answers are recorded: judges alone are asked."""
        jobs = [piece for unit in pieces for piece in unit if isinstance(piece, Job)]
        for scorer in _judging(plan):
            subjects = recorded(scorer, jobs, baseline)
            await self._judge(scorer.judge, len(subjects), subjects)

    async def judge_labelled(self, judged: Mapping[str, Deciding]) -> None:
        """Add the labelled answers on which a judge's errors may be compared."""
        for one in judged.values():
            subjects = [item.subject for item in usable(one.judge)]
            await self._judge(one.judge, len(subjects), subjects)

    async def _judge(self, judge: Judge, count: int, subjects: Iterable[Subject]) -> None:
        """Add what a judge may ask about so many subjects."""
        self.judge_calls[judge.name] = self.judge_calls.get(judge.name, 0) + most_calls(judge) * count
        if self.usd is None:
            return
        try:
            self.usd += await dearest_of(judge, subjects, self._means.prices)
        except LlmkitError as error:
            self.usd, self.unknown = None, str(error)

    def _known(self, jobs: Sequence[Job]) -> Mapping[bytes, object]:
        if self._timed or not self._means.cache:
            return {}
        return self._means.store.find_answers([job.key for job in jobs], "", since=self._means.since)

    async def _price(self, plan: Plan, caller: Caller, job: Job) -> None:
        self.calls += calls_at_most(plan)
        if self.usd is None:
            return
        try:
            self.usd += await worst_case_of(plan, caller, job)
        except UsageError as error:
            self.usd, self.unknown = None, str(error)
