"""The experiment: both sides asked on the same samples, interleaved, with up to eight looks at what came of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from llmkit.errors import BudgetError, LlmkitError, UsageError
from llmkit.gate.arms import Arm, Asked, Means, Piece, Stop, agree
from llmkit.gate.baseline import FromBaseline
from llmkit.gate.evidence import Evidence, Measured, SideName
from llmkit.gate.judging import served_otherwise
from llmkit.gate.measures import Gated, weights
from llmkit.gate.models import Models
from llmkit.gate.order import Unit
from llmkit.gate.setup import Setup
from llmkit.gate.silence import Sides, hopeless, silences
from llmkit.runs.records import Job
from llmkit.runs.state import Observer
from llmkit.stats.sequential.reading import Reading
from llmkit.stats.sequential.trial import ALPHA, Trial, look_counts
from llmkit.types import RunResult, RunStatus
from llmkit.verdicts import Planned, Verdict

SIDES: tuple[SideName, SideName] = ("base", "head")


CAPPED = 16
"""Units that are asked at once under a cap: what it cuts off was paid for and decides nothing."""


class GateHooks:
    """What a caller wants to see while a gate goes on. The default sees nothing."""

    def planned(self, suite: str, planned: Planned) -> None:
        """Take what will be done for a suite, before its first call."""

    def observer(self, suite: str, side: SideName) -> Observer | None:
        """Return what is told of one side's progress."""
        return None

    def looked(self, suite: str, look: int, looks: int, units: int, readings: Mapping[str, Reading]) -> None:
        """Take what a look found."""


@dataclass
class Findings:
    """What an experiment came to.

    Attributes:
        verdict: Of all measures together.
        readings: Measure → what was decided of it.
        measured: Measure → its pairs at the end.
        units: Units asked on both sides.
        dropped: Pairs of which a side has no answer.
        unusable: Pairs of which base alone, and head alone, has no usable answer.
        look: Looks taken.
        looks: Looks planned.
        results: Both sides' runs.
        stopped: What ended it before its end: the budget, or a server.
        missing: What ``--offline`` lacked.
        unjudged: Metric → answers without a verdict on base and on head, and pairs of which base alone, and head
            alone, has none.
        silent: Measure → why too little was judged to decide on it.
    """

    looks: int
    verdict: Verdict = "undecided"
    readings: Mapping[str, Reading] = field(default_factory=dict)
    measured: dict[str, Measured] = field(default_factory=dict)
    units: int = 0
    dropped: int = 0
    unusable: tuple[int, int] = (0, 0)
    look: int = 0
    results: dict[SideName, RunResult] = field(default_factory=dict)
    stopped: LlmkitError | None = None
    missing: tuple[str, ...] = ()
    unjudged: Mapping[str, Sides] = field(default_factory=dict)
    silent: Mapping[str, str] = field(default_factory=dict)


class Experiment:
    """Asks and looks until there is a verdict.

    Args:
        setup: What to do.
        arms: Both sides.
        evidence: Where their outcomes go.
        hooks: What to be told on the way.
        offline: Whether no call may be made.
        capped: Whether the money may run out.
        distrusted: Says after each asking whether a judge turns out not to be what was measured: then it ends.
    """

    def __init__(
        self,
        setup: Setup,
        arms: Mapping[SideName, Arm],
        evidence: Evidence,
        hooks: GateHooks,
        *,
        offline: bool,
        capped: bool,
        distrusted: Callable[[], bool] = lambda: False,
    ) -> None:
        self._setup, self._arms, self._evidence, self._hooks = setup, arms, evidence, hooks
        self._offline, self._capped, self._distrusted = offline, capped, distrusted
        names = weights(setup.measures)
        self._trial = Trial(
            [m.measure for m in setup.measures], n_max=len(setup.chosen), alpha=ALPHA, seed=setup.head.seed,
            weights=names,
        )  # fmt: skip
        self._ends: list[int] = []  # units at each look
        self._numbers = list(look_counts(len(setup.chosen)))  # of the looks: the first ones may be too early to take
        self.findings = Findings(looks=self._numbers[-1])

    async def run(self) -> Findings:
        """Ask and look; whatever happens, both runs are concluded.

        Raises:
            StoreError: The store failed.
            asyncio.CancelledError: After everything was kept.
        """
        found, status = self.findings, "interrupted"
        try:
            await self._go()
            status = "completed" if found.stopped is None else _status(found.stopped)
        except LlmkitError as error:
            status, found.stopped = "failed", error
            raise
        finally:
            stopped_by = str(found.stopped) if found.stopped else "interrupted" if status == "interrupted" else None
            found.results = {side: arm.end(status, stopped_by) for side, arm in self._arms.items()}  # type: ignore[arg-type]
        return found

    async def _go(self) -> None:
        found, done = self.findings, 0
        while (count := self._trial.next_count()) is not None:
            stop = await self._ask_some(range(done, count))
            if found.missing or await self._lacks_verdicts(count) or self._distrusted():
                return
            if self._setup.baseline is not None:
                self._setup.baseline.check_served(self._setup.head, self._evidence.served["head"])
            done = count
            if stop is not None:
                found.stopped = stop
                complete = self._evidence.complete(self._setup.chosen[:count])
                if isinstance(stop, BudgetError) and complete > (self._ends[-1] if self._ends else 0):
                    self._look(complete, stop=True)
                return
            if self._look(count) != "go on" or self._hopeless():
                return

    def _look(self, count: int, *, stop: bool = False) -> str:
        """Judge the first ``count`` units."""
        found, setup = self.findings, self._setup
        self._ends.append(count)
        units = setup.chosen[:count]
        passed = {name for name, reading in found.readings.items() if reading.verdict == "pass"}
        # What has passed stays as it was then: its figures are of one and the same pairs.
        found.silent = silences(setup.measures, setup.judged, self._evidence, units)
        found.measured |= {m.name: self._measured(m, units) for m in setup.measures if m.name not in passed}
        known = {
            name: one.series for name, one in found.measured.items() if one.reason is None and len(one.series.base)
        }
        said = self._trial.look(known, stop=stop)
        found.readings, found.units = dict(self._trial.readings), count
        found.unjudged = {name: self._evidence.unjudged(name, units) for name in setup.judged}
        found.dropped, found.unusable = self._evidence.unanswered(units), self._evidence.unusable(units)
        found.look = self._numbers[len(self._ends) - 1]
        found.verdict = "undecided" if said == "go on" else said
        self._hooks.looked(setup.reached.suite.name, found.look, found.looks, count, found.readings)
        return said

    def _hopeless(self) -> bool:
        """Whether too little is judged, and will be, of all that is open: to go on would cost and decide nothing."""
        found, setup = self.findings, self._setup
        judges = {
            name: hopeless(setup.judged[name].judge, sides, setup.pairs) for name, sides in found.unjudged.items()
        }
        open_ = [m for m in setup.measures if found.readings[m.name].verdict == "undecided"]
        return all(m.part is None and judges.get(m.gating.name, False) for m in open_)

    def _measured(self, measure: Gated, units: Sequence[Unit]) -> Measured:
        """Return what is decided on; of what too little was judged nothing can be said, until more is."""
        one = self._evidence.measure(measure.gating, units, self._ends, measure.part)
        silent = self.findings.silent.get(measure.name)
        return one if silent is None else replace(one, reason=silent)

    async def _ask_some(self, numbers: range) -> LlmkitError | None:
        """Ask both sides about some units. Under a cap a few at a time: where it is reached, few pairs lack a side."""
        step = CAPPED if self._capped else len(numbers)
        for start in range(numbers.start, numbers.stop, step):
            stop = await self._ask(range(start, min(start + step, numbers.stop)))
            if stop is not None or self.findings.missing:
                return stop
        return None

    async def _ask(self, numbers: range) -> LlmkitError | None:
        """Ask both sides about some units at the same time; returns what stopped either."""
        head = [piece for n in numbers for piece in self._setup.head_pieces[n]]
        base = [piece for n in numbers for piece in self._setup.base_pieces[n]]
        if self._offline and (self._missing("base", base) or self._missing("head", head)):
            self.findings.missing = self._all_missing()
            return None
        # What both sides ask alike is asked once, by head, and base finds the answer: it waits until head is done.
        alike: set[int] = set()
        if self._setup.base is not None and not self._setup.timed:
            alike = {i for i, (b, h) in enumerate(zip(base, head, strict=True)) if _key(b) and _key(b) == _key(h)}
        first = [piece for i, piece in enumerate(base) if i not in alike]
        stop = await self._together(first, head)
        if stop is None and alike:
            stop = _stop(await self._arms["base"].ask([base[i] for i in sorted(alike)]))
        return stop

    async def _lacks_verdicts(self, done: int) -> bool:
        """Whether verdicts are not stored; then all that are not of the rest are looked for, too."""
        if not (self._offline and self._setup.judged) or self.findings.missing:
            return False
        if not any(self._evidence.not_stored(side) for side in SIDES):
            return False
        await self._ask(range(done, len(self._setup.chosen)))
        self.findings.missing += tuple(
            f"{side} {sample}{f' epoch {epoch}' if self._setup.head.epochs > 1 else ''}: verdict of {name}"
            for side in SIDES
            for sample, epoch, name in self._evidence.not_stored(side)
        )
        return True

    async def _together(self, base: Sequence[Piece], head: Sequence[Piece]) -> LlmkitError | None:
        """Ask both sides at once, through one limiter, so that they are interleaved in time."""
        sides = zip(SIDES, (base, head), strict=True)
        tasks = [asyncio.create_task(_asking(self._arms[side], some)) for side, some in sides]
        try:
            stops = await asyncio.gather(*tasks)
        except BaseException:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            raise
        return next((error for stop in stops if (error := _stop(stop)) is not None), None)

    def _all_missing(self) -> tuple[str, ...]:
        """Name what is missing of all that may be asked, and not only of the look that came upon it."""
        setup = self._setup
        sides: tuple[tuple[SideName, Sequence[Sequence[Piece]]], ...] = (
            ("base", setup.base_pieces), ("head", setup.head_pieces),
        )  # fmt: skip
        return tuple(
            f"{side} {job.sample.id}" + (f" epoch {job.epoch}" if setup.head.epochs > 1 else "")
            for side, units in sides
            for job in self._missing(side, [piece for pieces in units for piece in pieces])
        )

    def _missing(self, side: SideName, pieces: Sequence[Piece]) -> list[Job]:
        return self._arms[side].missing(pieces)


async def _asking(arm: Arm, pieces: Sequence[Piece]) -> Stop:
    return await arm.ask(pieces) if pieces else ("completed", None)


def _stop(stop: Stop) -> LlmkitError | None:
    return stop[1]


def _key(piece: Piece) -> bytes | None:
    return piece.key if isinstance(piece, Job) else None


def _status(stopped: LlmkitError) -> RunStatus:
    return "budget" if isinstance(stopped, BudgetError) else "failed"


async def run_experiment(setup: Setup, models: Models, means: Means, hooks: GateHooks, *, offline: bool) -> Findings:
    """Start both sides, and run the experiment."""
    suite = setup.reached.suite
    evidence = Evidence(suite.scorers, setup.head.epochs)
    if setup.timed:
        means = replace(means, cache=False)

    async def asked(side: SideName) -> Asked:
        plan = setup.head if side == "head" else setup.base
        if plan is None:
            raise UsageError(f"there is no {side} to compare with")
        provider, limiter = await models.start(plan.model)
        return Asked(
            plan, provider, limiter, means, partial(evidence.take, side),
            hooks.observer(suite.name, side), total=setup.pairs,
        )  # fmt: skip

    arms: dict[SideName, Arm] = {}
    if setup.baseline is not None:
        plan = replace(setup.head, experiment={**setup.head.experiment, "side": "base"})
        take = partial(evidence.take, "base")
        arms["base"] = FromBaseline(
            setup.baseline, plan, means, take, hooks.observer(suite.name, "base"), total=setup.pairs
        )
    else:
        arms["base"] = await asked("base")
    arms["head"] = await asked("head")
    base, head = arms["base"], arms["head"]
    if offline and isinstance(base, Asked) and isinstance(head, Asked):
        agree(means.store, base, head, setup.keys(), means.since)
    capped = means.budget.cap_usd is not None

    def distrusted() -> bool:
        runs = [arm.run_id for arm in arms.values()]
        return any(served_otherwise(one, means.store, runs) is not None for one in setup.judged.values())

    return await Experiment(setup, arms, evidence, hooks, offline=offline, capped=capped, distrusted=distrusted).run()
