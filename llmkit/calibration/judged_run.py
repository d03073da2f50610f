"""``llmkit judge run``: a judge's verdicts on stored runs or on a file of items, raw and corrected."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from llmkit.calibration.answers import Answers, answers_of_file, answers_of_run, clusters_of, samples_of
from llmkit.calibration.work import Told, Work, WorkOptions, at_work, nobody, status_of
from llmkit.documents.writing import written
from llmkit.judged_runs import JudgedRun, RawDifference
from llmkit.judgements import Rate, Verdict
from llmkit.judges.correct import judged, too_silent
from llmkit.judges.judge import Judge
from llmkit.judges.subject import Subject
from llmkit.stats.correction.weighted import effective_trials
from llmkit.stats.difference import paired_difference
from llmkit.stats.summary import summarise
from llmkit.types import Totals


@dataclass(frozen=True, slots=True)
class Judging:
    """A report with the verdicts that it is of."""

    report: JudgedRun
    answers: Answers
    verdicts: tuple[Verdict, ...]


async def judge_runs(
    judge: Judge,
    runs: Sequence[str],
    options: WorkOptions | None = None,
    *,
    told: Told = nobody,
    ready: Callable[[Sequence[Answers]], None] = lambda answers: None,
) -> list[Judging]:
    """Have a judge decide on the answers of stored runs.

    Args:
        judge: With its lock, where it has one.
        runs: Ids, starts of ids, ``latest``. The second and later ones are set against the first: what differs is of
            raw rates, and says so.
        options: How.
        told: Is told of each verdict.
        ready: Is told what will be judged, before any call.

    Raises:
        UsageError: No such run, or nothing in it to judge.
        BudgetError: The money ran out; what was paid for is kept, and the same command goes on.
        ProviderError: The model's server is of no use.
    """
    async with at_work(judge, options or WorkOptions()) as work:
        found = [answers_of_run(work.store, work.store.run(run), judge) for run in dict.fromkeys(runs)]
        ready(found)
        judgings = [await _judge(await work.apart(answers.name), answers, told) for answers in found]
    first, *others = judgings
    return [first, *(_against(first, other, seed=(options or WorkOptions()).seed) for other in others)]


async def judge_file(
    judge: Judge,
    path: Path,
    options: WorkOptions | None = None,
    *,
    told: Told = nobody,
    ready: Callable[[Sequence[Answers]], None] = lambda answers: None,
) -> Judging:
    """Have a judge decide on the items of a file; arguments and errors as of :func:`judge_runs`.

    Raises:
        DocumentError: The file is not what it must be, with the place.
    """
    answers = answers_of_file(path, judge)
    async with at_work(judge, options or WorkOptions()) as work:
        ready([answers])
        return await _judge(work, answers, told)


def lines_of(judging: Judging) -> Iterator[dict[str, Any]]:
    """Yield each verdict as plain data: id, epoch, state, verdict, value, reason, probability, votes, cost."""
    for subject, epoch, verdict in zip(
        judging.answers.subjects, judging.answers.epochs, judging.verdicts, strict=True
    ):  # fmt: skip
        yield {
            "id": subject.id,
            "epoch": epoch,
            "state": verdict.state,
            "verdict": verdict.label,
            "value": verdict.value,
            "reason": verdict.reason,
            "why": verdict.why,
            "probability": verdict.probability,
            "votes": list(verdict.votes),
            "cost_usd": verdict.made.cost_usd,
            "judge": judging.report.judge,
            "status": judging.report.status,
            "lock": judging.report.lock,
            "source": judging.answers.name,
        }


def write_verdicts(judgings: Sequence[Judging], path: Path, *, force: bool = False) -> int:
    """Write all verdicts as JSON lines, whole or not at all; returns how many.

    Raises:
        UsageError: The file cannot be written, or is there already and ``force`` is not given.
    """
    count = 0
    with written(path, force=force) as out:
        for judging in judgings:
            for line in lines_of(judging):
                out.write(json.dumps(line, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace") + b"\n")
                count += 1
    return count


async def _judge(work: Work, answers: Answers, told: Told) -> Judging:
    verdicts = await work.verdicts(answers.name, answers.subjects, told)
    return Judging(_report(work.judge, answers, verdicts, work.paid()), answers, tuple(verdicts))


def _report(judge: Judge, answers: Answers, verdicts: Sequence[Verdict], paid: Totals) -> JudgedRun:
    status, stale = status_of(judge, verdicts)
    decided = [place for place, verdict in enumerate(verdicts) if verdict.value is not None]
    said = Counter(verdict.label for verdict in verdicts if verdict.label is not None and verdict.value is not None)
    counts = {label: said.get(label, 0) for label in judge.scale.labels}
    states = Counter(verdict.state for verdict in verdicts)
    passed, n = _trials(judge, answers, verdicts, decided)
    behind = judged(
        judge, status, passed=passed, n=n, counts=counts, cannot_tell=states["cannot_tell"], unread=states["unread"],
        population=answers.population,
    )  # fmt: skip
    raw = _raw(judge, answers, verdicts, decided)
    silent = too_silent(judge, len(answers.subjects), states["cannot_tell"], states["unread"])
    return JudgedRun(
        judge=judge.name,
        kind=judge.scale.kind,
        source=answers.source,
        n=len(answers.subjects),
        verdicts=counts,
        cannot_tell=states["cannot_tell"],
        unread=states["unread"],
        raw=raw,
        status=status,
        lock=behind.lock,
        corrected=None if behind.rate is None else Rate(behind.rate, raw.n, behind.interval),
        estimator=behind.estimator,
        why=behind.why,
        paid=paid,
        notes=tuple(_notes(answers, silent, stale, behind.why)),
    )


def _raw(judge: Judge, answers: Answers, verdicts: Sequence[Verdict], decided: Sequence[int]) -> Rate:
    """Return the rate or mean of the verdicts themselves: right about the judge, not about what people would say."""
    values, kept = _values(verdicts, decided), _kept(answers, decided)
    found = summarise(
        "proportion" if judge.scale.metric == "proportion" else "mean", values,
        sample=samples_of(kept), clusters=clusters_of(kept), bounds=judge.scale.bounds,
    )  # fmt: skip
    return Rate(found.value, found.n, found.interval)


def _trials(judge: Judge, answers: Answers, verdicts: Sequence[Verdict], decided: Sequence[int]) -> tuple[float, float]:
    """Return passes and verdicts, effective ones where several answers hang together; of pass and fail alone."""
    if judge.scale.kind != "pass_fail" or not decided:
        return 0.0, float(len(decided))
    kept = _kept(answers, decided)
    clusters = clusters_of(kept)
    groups = samples_of(kept) if clusters is None else clusters
    passed = [1.0 if verdicts[place].label == "pass" else 0.0 for place in decided]
    trials = effective_trials(passed, groups)
    return trials.passed, trials.n


def _kept(answers: Answers, places: Sequence[int]) -> list[Subject]:
    return [answers.subjects[place] for place in places]


def _values(verdicts: Sequence[Verdict], places: Sequence[int]) -> Any:
    return np.asarray([verdicts[place].value for place in places], dtype=np.float64)


def _notes(answers: Answers, silent: str, stale: Sequence[str], why: str) -> Iterator[str]:
    yield from answers.notes
    if answers.unanswered:
        yield f"{answers.unanswered:,} samples have no answer, and are not judged"
    if silent and silent != why:
        yield silent
    yield from (f"not as it was locked: {each}" for each in stale)


def _against(first: Judging, other: Judging, *, seed: int) -> Judging:
    """Add how far a run's raw figure is from the first run's, on the samples that both have a verdict of."""
    places = {key: place for place, key in enumerate(_keys(first)) if first.verdicts[place].value is not None}
    keys = _keys(other)
    theirs = [place for place, key in enumerate(keys) if key in places and other.verdicts[place].value is not None]
    mine = [places[keys[place]] for place in theirs]
    kept = _kept(other.answers, theirs)
    found = paired_difference(
        "mean", _values(first.verdicts, mine), _values(other.verdicts, theirs),
        sample=samples_of(kept), clusters=clusters_of(kept), seed=seed,
    )  # fmt: skip
    against = RawDifference(
        run=first.answers.name,
        before=found.value_a,
        after=found.value_b,
        difference=found.difference,
        interval=found.interval,
        p_value=found.p_value,
        test=found.test,
        n=found.n,
    )
    return replace(other, report=replace(other.report, against=against))


def _keys(judging: Judging) -> list[tuple[str, int]]:
    """Return what each answer is paired by: its sample's id, and its epoch."""
    return [(s.id, epoch) for s, epoch in zip(judging.answers.subjects, judging.answers.epochs, strict=True)]
