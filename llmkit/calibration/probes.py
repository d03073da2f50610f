"""Probes: what should move no verdict, tried on the items that a judge was tested on.

| probe | what is asked | what it measures | limit |
|---|---|---|---|
| order | pairs with b first | share that flips; whether flips lean to one place | ``accept.max_flip`` |
| length | neutral text behind the answer | move of the raw rate | – |
| repeat | the same once more | share that changes | ``accept.max_flip`` |
| rewording | the same in other words | share that changes | ``accept.max_flip`` |
| injection | orders inside the answer | move of the raw rate toward what they ask for | ``accept.max_injection`` |
| own_family | nothing | whether answers of the judge's own family are favoured | – |

An instruction for the worst verdict is compared with neutral padding in its place: what stands behind an answer may
well make it a worse one. One for the best verdict is compared with the answer as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import get_args

from llmkit.calibration import moves
from llmkit.calibration.disturbances import (
    INJECTIONS,
    REWORDINGS,
    Reworded,
    family_of,
    injected,
    padded,
    side_of,
    wanted_word,
)
from llmkit.errors import UnknownNameError
from llmkit.judgements import Probe, ProbeName, Verdict
from llmkit.judges.judge import Judge
from llmkit.judges.labels import Labelled
from llmkit.judges.panel import calls_of, judge_many
from llmkit.judges.seat import Seat
from llmkit.judges.split import position
from llmkit.judges.subject import Subject

MOST = 100
"""Items that each probe tries: a share is then known to ±10 points, and each probe costs a hundred calls a text."""
NAMES: tuple[ProbeName, ...] = get_args(ProbeName)
OTHER = {"a": "b", "b": "a"}
MODEL_FIELDS = ("model", "family")
"""Fields of an item that name the model which gave the answer; of a pair with ``a_`` or ``b_`` before, or behind."""

Told = Callable[[ProbeName, int, int, Verdict], None]
"""Is told of each verdict: the probe, verdicts so far, of how many, the verdict."""


def calls_of_probes(judge: Judge, n: int, only: Collection[ProbeName] | None = None) -> int:
    """Return the first calls that all probes take on ``n`` items, where every answer can be read."""
    wanted = _wanted(only)
    rounds = {"repeat": 1, "rewording": 1, "length": 1, "injection": len(INJECTIONS)}
    if "length" not in wanted and "injection" in wanted:
        rounds["injection"] += 1  # padding is what instructions are compared with
    if _asks_order(judge):
        rounds["order"] = 1
    return n * calls_of(judge) * sum(times for name, times in rounds.items() if name in wanted)


async def probe(
    judge: Judge,
    items: Sequence[Labelled],
    verdicts: Sequence[Verdict],
    seat: Seat,
    *,
    seed: int,
    most: int = MOST,
    only: Collection[ProbeName] | None = None,
    told: Told | None = None,
) -> tuple[Probe, ...]:
    """Run the probes.

    Args:
        judge: As it was tested.
        items: That it was tested on.
        verdicts: What it said, one an item; items without a verdict are not tried.
        seat: Of its model.
        seed: Of which items are tried where there are more than ``most``, and of which side of a pair is disturbed.
        most: Items that each probe tries.
        only: Names of probes; None: all that the judge's kind has.
        told: Is told of each verdict that was asked for.

    Raises:
        UnknownNameError: No such probe.
        BudgetError: The next call does not fit under the cap.
        ProviderError: The server is of no use.
    """
    wanted = _wanted(only)
    known = [(item, verdict) for item, verdict in zip(items, verdicts, strict=True) if verdict.state == "verdict"]
    picked = sorted(known, key=lambda each: position(seed, ["probe", each[0].subject.id]))[:most]
    work = _Probes(judge, known, picked, seat, seed, told)
    runs = {
        "order": work.order, "length": work.length, "repeat": work.repeat, "rewording": work.rewording,
        "injection": work.injection, "own_family": work.own_family,
    }  # fmt: skip
    names = [name for name in NAMES if name in wanted and (name != "order" or judge.scale.kind == "pairwise")]
    if not known:
        return tuple(moves.not_run(name, "no item has a verdict") for name in names)
    return tuple([await runs[name]() for name in names])


def _wanted(only: Collection[ProbeName] | None) -> Collection[ProbeName]:
    for name in only or ():
        if name not in NAMES:
            raise UnknownNameError("probe", name, NAMES)
    return NAMES if only is None else only


def _asks_order(judge: Judge) -> bool:
    """Whether swapped pairs are to be asked for; a judge that swaps has asked for both orders."""
    return judge.scale.kind == "pairwise" and not judge.method.swap


@dataclass(slots=True)
class _Probes:
    """The probes of one judge: ``known`` are the items with a verdict, ``picked`` those that are tried."""

    judge: Judge
    known: Sequence[tuple[Labelled, Verdict]]
    picked: Sequence[tuple[Labelled, Verdict]]
    seat: Seat
    seed: int
    told: Told | None
    _padded: list[Verdict] | None = None

    @property
    def subjects(self) -> list[Subject]:
        return [item.subject for item, _ in self.picked]

    @property
    def before(self) -> list[Verdict]:
        return [verdict for _, verdict in self.picked]

    @property
    def sides(self) -> list[str]:
        return [side_of(subject, self.seed) for subject in self.subjects]

    async def order(self) -> Probe:
        """Swap pairs."""
        scale = self.judge.scale
        if self.judge.method.swap:
            both = [verdict.orders or (None, None) for verdict in self.before]
            return moves.order([one for one, _ in both], [two for _, two in both], scale, None)
        after = await self._ask("order", [subject.swapped() for subject in self.subjects])
        second = [OTHER.get(verdict.label or "", verdict.label) for verdict in after]
        limit = self.judge.spec.accept.max_flip
        return moves.order([verdict.label for verdict in self.before], second, scale, limit)

    async def repeat(self) -> Probe:
        """Ask once more."""
        after = await self._ask("repeat", self.subjects, replicate=1)
        limit = self.judge.spec.accept.max_flip
        return moves.changes("repeat", self.before, after, limit, "when the same is asked again")

    async def rewording(self) -> Probe:
        """Ask in other words; the items take the wordings in turn."""
        subjects = self.subjects
        after: dict[int, Verdict] = {}
        for turn, wording in enumerate(REWORDINGS):
            places = range(turn, len(subjects), len(REWORDINGS))
            some = [subjects[place] for place in places]
            seat = Reworded(self.seat, wording)
            said = await self._ask("rewording", some, seat=seat, done=len(after), of=len(subjects))
            after |= dict(zip(places, said, strict=True))
        limit = self.judge.spec.accept.max_flip
        found = [after[place] for place in range(len(subjects))]
        return moves.changes("rewording", self.before, found, limit, "when the same is asked in other words")

    async def length(self) -> Probe:
        """Pad answers."""
        after = await self._padding("length")
        kept = [place for place, verdict in enumerate(after) if verdict.value is not None]
        if not kept:
            return moves.not_run("length", "no padded item has a verdict")
        found = self._moved(self.before, after, kept, up=True)
        return moves.length(found, len(after) - len(kept), self._natural())

    async def injection(self) -> Probe:
        """Put instructions into the answers."""
        judge, sides, found = self.judge, self.sides, {}
        start = 0 if self._padded is not None else len(self.picked)
        total = start + len(self.picked) * len(INJECTIONS)
        control = await self._padding("injection", total)
        for number, each in enumerate(INJECTIONS):
            some = [injected(judge, s, side, each) for s, side in zip(self.subjects, sides, strict=True)]
            after = await self._ask("injection", some, done=start + number * len(some), of=total)
            before = self.before if each.up else control
            kept = [place for place, verdict in enumerate(before) if verdict.value is not None]
            if kept:
                found[each.name] = self._moved(before, after, kept, up=each.up)
        return moves.injection(found, judge.spec.accept.max_injection)

    async def own_family(self) -> Probe:
        """Compare verdicts on answers of the judge's own family with people's labels."""
        family = family_of(self.judge.model.name)
        if family is None:
            return moves.not_run("own_family", f"the family of {self.judge.model.name} is not known")
        scale = self.judge.scale
        if scale.kind == "pairwise":
            leans = []
            for item, verdict in self.known:
                mine = [_family(item.subject, side) == family for side in ("a", "b")]
                named = [_family(item.subject, side) is not None for side in ("a", "b")]
                if all(named) and mine[0] != mine[1] and item.label is not None and verdict.value is not None:
                    lean = verdict.value - scale.value(item.label)
                    leans.append(lean if mine[0] else -lean)
            return moves.own_side(leans, family)
        own: list[tuple[float, float]] = []
        others: list[tuple[float, float]] = []
        for item, verdict in self.known:
            by = _family(item.subject, None)
            if by is not None and item.label is not None and verdict.value is not None:
                (own if by == family else others).append((verdict.value, scale.value(item.label)))
        if not own and not others:
            return moves.not_run("own_family", "the items do not say which model gave the answers (field model)")
        return moves.own_family(own, others, family)

    async def _padding(self, name: ProbeName, of: int | None = None) -> list[Verdict]:
        if self._padded is None:
            some = [padded(subject, side) for subject, side in zip(self.subjects, self.sides, strict=True)]
            self._padded = await self._ask(name, some, of=of)
        return self._padded

    def _moved(
        self, before: Sequence[Verdict], after: Sequence[Verdict], kept: Sequence[int], *, up: bool
    ) -> moves.Moved:
        scale, sides = self.judge.scale, self.sides
        targets = [scale.value(wanted_word(self.judge, sides[place], up=up)) for place in kept]
        return moves.moved([before[place] for place in kept], [after[place] for place in kept], targets, scale)

    def _natural(self) -> str:
        if self.judge.scale.kind != "pairwise":
            return ""
        gaps = [len(subject.a or "") - len(subject.b or "") for subject in self.subjects]
        said = [str(verdict.label) for verdict in self.before]
        return moves.natural_length(gaps, said, [str(item.label) for item, _ in self.picked])

    async def _ask(
        self,
        name: ProbeName,
        subjects: Sequence[Subject],
        *,
        seat: Seat | None = None,
        replicate: int = 0,
        done: int = 0,
        of: int | None = None,
    ) -> list[Verdict]:
        count = done

        def each(_: int, verdict: Verdict) -> None:
            nonlocal count
            count += 1
            if self.told is not None:
                self.told(name, count, of or len(subjects), verdict)

        return await judge_many(self.judge, subjects, seat or self.seat, replicate=replicate, done=each)


def _family(subject: Subject, side: str | None) -> str | None:
    """Return the family of the model that gave an answer, where the item names it."""
    for name in MODEL_FIELDS:
        for key in (name,) if side is None else (f"{side}_{name}", f"{name}_{side}"):
            if isinstance(said := subject.row.get(key), str):
                return family_of(said) or said.casefold()
    return None
