"""Several runs set against each other by a pairwise judge: who wins how often, in both orders, and who is strongest."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from llmkit.calibration.answers import clusters_of, samples_of, unit
from llmkit.calibration.work import Told, Work, WorkOptions, at_work, nobody, status_of
from llmkit.documents.writing import written
from llmkit.errors import UsageError
from llmkit.judged_runs import Duel, Standing, Tournament
from llmkit.judgements import Rate, Verdict
from llmkit.judges.judge import Judge
from llmkit.judges.subject import Subject, subject_of_answer
from llmkit.runs.grade import item_of
from llmkit.runs.outcome import outcome_of
from llmkit.runs.rows import RunRow
from llmkit.runs.store import Store
from llmkit.stats.bradley_terry import bradley_terry, comparable
from llmkit.stats.mcnemar import mcnemar_exact
from llmkit.stats.numbering import numbered
from llmkit.stats.signflip import sign_flip
from llmkit.stats.strength_intervals import strength_intervals
from llmkit.stats.summary import summarise

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Pairing:
    """The answers of two runs to the same questions.

    Attributes:
        a: Number of the first run.
        b: Of the second.
        subjects: One a sample and epoch that both answered: a's answer as a, b's as b.
        only_a: Samples and epochs that only the first answered.
        only_b: That only the second did.
        otherwise: Of ``subjects``, those that the second was asked in other words; the judge sees the first's.
    """

    a: int
    b: int
    subjects: tuple[Subject, ...]
    only_a: int
    only_b: int
    otherwise: int = 0


@dataclass(frozen=True, slots=True)
class Held:
    """A tournament with the verdicts that it is of, a list a pairing."""

    report: Tournament
    pairings: tuple[Pairing, ...]
    verdicts: tuple[tuple[Verdict, ...], ...]
    names: tuple[str, ...]


async def tournament(
    judge: Judge,
    runs: Sequence[str],
    options: WorkOptions | None = None,
    *,
    told: Told = nobody,
    ready: Callable[[Sequence[Pairing]], None] = lambda pairings: None,
) -> Held:
    """Set each run against each other.

    Each pair of answers is judged with either one first, whether the judge's method says so or not: a preference for
    what stands first is then no win. Orders that disagree make a tie.

    Args:
        judge: A pairwise one, with its lock where it has one.
        runs: Two or more: ids, starts of ids, ``latest``.
        options: How.
        told: Is told of each verdict.
        ready: Is told what will be judged, before any call.

    Raises:
        UsageError: The judge is of another kind; fewer than two runs; runs that share no sample, or that asked other
            things under one id.
        BudgetError: The money ran out; what was paid for is kept.
        ProviderError: The model's server is of no use.
    """
    options = options or WorkOptions()
    if judge.scale.kind != "pairwise":
        raise UsageError(
            f"the judge {judge.name} is {judge.scale.kind}, and only a pairwise one sets runs against each other",
            where=judge.where("kind"),
        )
    asking = replace(judge, method=judge.method.model_copy(update={"swap": True}))
    async with at_work(asking, options) as work:
        rows = [work.store.run(run) for run in runs]
        if len({row.run_id for row in rows}) < max(2, len(rows)):
            raise UsageError("a tournament is of two runs or more, each named once")
        names = _names(rows)
        held = [_answers(work.store, row) for row in rows]
        pairings = [_pairing(i, j, held[i], held[j], names) for i, j in combinations(range(len(rows)), 2)]
        ready(pairings)
        verdicts = [await _judged(work, pairing, names, told) for pairing in pairings]
        paid = work.paid()
    status, stale = status_of(judge, [verdict for each in verdicts for verdict in each])
    notes = [f"not as it was locked: {each}" for each in stale]
    if not judge.method.swap:
        notes.append("its definition asks one order; both were asked here, and each order alone was what was measured")
    notes += _missing(pairings, names)
    standings, more = _standings(pairings, verdicts, names)
    report = Tournament(
        judge=judge.name,
        status=status,
        lock=judge.lock.id if judge.lock else None,
        duels=tuple(_duel(p, v, names, options.seed) for p, v in zip(pairings, verdicts, strict=True)),
        standings=standings,
        paid=paid,
        notes=(*notes, *more),
    )
    return Held(report, tuple(pairings), tuple(map(tuple, verdicts)), names)


def write_pairs(held: Held, path: Path, *, force: bool = False) -> int:
    """Write each pair's verdict as a JSON line, whole or not at all; returns how many.

    ``verdict`` is of both orders: ``a``, ``b``, ``tie``; ``orders`` what was preferred with a first, and with b first.

    Raises:
        UsageError: The file cannot be written, or is there already and ``force`` is not given.
    """
    count, report = 0, held.report
    with written(path, force=force) as out:
        for pairing, verdicts in zip(held.pairings, held.verdicts, strict=True):
            for subject, verdict in zip(pairing.subjects, verdicts, strict=True):
                line = {
                    "id": subject.id, "a": held.names[pairing.a], "b": held.names[pairing.b], "state": verdict.state,
                    "verdict": verdict.label, "orders": list(verdict.orders or ()), "reason": verdict.reason,
                    "why": verdict.why, "judge": report.judge, "status": report.status, "lock": report.lock,
                }  # fmt: skip
                out.write(json.dumps(line, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace") + b"\n")
                count += 1
    return count


def _names(rows: Sequence[RunRow]) -> tuple[str, ...]:
    """Name each run by its model, and by its id too where that is not enough."""
    models = [row.model for row in rows]
    return tuple(m if models.count(m) == 1 else f"{m} ({row.run_id})" for m, row in zip(models, rows, strict=True))


Answered = dict[tuple[str, int], Subject]


def _answers(store: Store, run: RunRow) -> Answered:
    return {
        (row.sample_id, row.epoch): subject_of_answer(item_of(outcome_of(row)), group=row.cluster)
        for row in store.samples(run.run_id)
        if row.answer is not None
    }


def _pairing(a: int, b: int, first: Answered, second: Answered, names: Sequence[str]) -> Pairing:
    shared = [key for key in first if key in second]
    if not shared:
        raise UsageError(f"{names[a]} and {names[b]} share no answered sample: none of the same id and epoch")
    for key in shared:
        if first[key].reference != second[key].reference:
            raise UsageError(
                f"{names[a]} and {names[b]} are not of the same data: sample {key[0]!r} has another reference in each"
            )
    subjects = tuple(replace(first[key], answer="", a=first[key].answer, b=second[key].answer) for key in shared)
    other = sum(first[key].input != second[key].input for key in shared)
    return Pairing(a, b, subjects, len(first) - len(shared), len(second) - len(shared), other)


async def _judged(work: Work, pairing: Pairing, names: Sequence[str], told: Told) -> list[Verdict]:
    return await work.verdicts(f"{names[pairing.a]} · {names[pairing.b]}", pairing.subjects, told)


def _duel(pairing: Pairing, verdicts: Sequence[Verdict], names: Sequence[str], seed: int) -> Duel:
    """Count one pairing, from b's side: 1 where b is preferred in both orders, ½ for a tie."""
    scores, decided = _scores(verdicts)
    chosen = [pairing.subjects[place] for place in decided]
    samples, clusters = samples_of(chosen), clusters_of(chosen)
    found = summarise("proportion", scores, sample=samples, clusters=clusters)
    wins, losses = int((scores == 1).sum()), int((scores == 0).sum())
    if len(scores) == 0:
        p_value = None
    elif samples is None and clusters is None:
        p_value = mcnemar_exact(wins, losses)
    else:
        p_value = sign_flip(scores - 0.5, samples if clusters is None else clusters, seed=seed).p_value
    return Duel(
        a=names[pairing.a],
        b=names[pairing.b],
        wins=wins,
        losses=losses,
        ties=len(scores) - wins - losses,
        flips=sum(_flipped(verdict) for verdict in verdicts),
        unread=sum(verdict.state == "unread" for verdict in verdicts),
        win_rate=Rate(found.value, found.n, found.interval),
        p_value=p_value,
        cannot_tell=sum(verdict.state == "cannot_tell" for verdict in verdicts),
    )


def _scores(verdicts: Sequence[Verdict]) -> tuple[Floats, list[int]]:
    """Return b's score of each pair with a verdict, and where it is."""
    decided = [place for place, verdict in enumerate(verdicts) if verdict.value is not None]
    return np.asarray([1.0 - float(verdicts[place].value or 0.0) for place in decided]), decided


def _flipped(verdict: Verdict) -> bool:
    return verdict.orders is not None and None not in verdict.orders and verdict.orders[0] != verdict.orders[1]


def _standings(
    pairings: Sequence[Pairing], verdicts: Sequence[Sequence[Verdict]], names: Sequence[str]
) -> tuple[tuple[Standing, ...], list[str]]:
    """Fit strengths over all pairings, each sample's comparisons together one observation."""
    first: list[int] = []
    second: list[int] = []
    scores: list[float] = []
    of: list[tuple[str, str]] = []
    for pairing, said in zip(pairings, verdicts, strict=True):
        mine, decided = _scores(said)
        first += [pairing.b] * len(decided)
        second += [pairing.a] * len(decided)
        scores += mine.tolist()
        of += [unit(pairing.subjects[place]) for place in decided]
    wins = np.zeros((len(names), len(names)))
    np.add.at(wins, (first, second), scores)
    np.add.at(wins, (second, first), 1 - np.asarray(scores))
    fit = bradley_terry(wins)
    if fit is None:
        groups = [", ".join(names[place] for place in group) for group in comparable(wins)]
        return (), [f"strengths have no finite estimate: nobody won across {' | '.join(groups)} in both directions"]
    intervals = strength_intervals(fit, first, second, scores, numbered(of))
    order = sorted(range(len(names)), key=lambda place: -fit.log_strengths[place])
    return tuple(
        Standing(names[place], fit.log_strengths[place], None if intervals is None else intervals[place], rank)
        for rank, place in enumerate(order, 1)
    ), []


def _missing(pairings: Sequence[Pairing], names: Sequence[str]) -> Iterator[str]:
    for pairing in pairings:
        for number, who in ((pairing.only_a, pairing.a), (pairing.only_b, pairing.b)):
            if number:
                other = names[pairing.b if who == pairing.a else pairing.a]
                yield f"{number:,} answers of {names[who]} have none of {other} beside them, and are left out"
        if pairing.otherwise:
            share = f"{pairing.otherwise:,} of {len(pairing.subjects):,} samples"
            yield f"{names[pairing.b]} was asked {share} in other words than {names[pairing.a]}, whose the judge sees"
