"""A judge at work: votes and orders asked for, and one verdict made of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

from llmkit.errors import UsageError
from llmkit.generations import totals
from llmkit.judgements import Verdict
from llmkit.judges.ballot import Ballot, cast
from llmkit.judges.judge import Judge
from llmkit.judges.kinds import CANNOT_TELL, Scale
from llmkit.judges.seat import Seat
from llmkit.judges.subject import Subject
from llmkit.judges.together import together
from llmkit.judges.verdict import form_of, schema_digest
from llmkit.providers.base import Provider
from llmkit.structured.strategy import Way, choose

WORKERS = 64
"""Subjects judged at once where nobody says: the calls themselves are bounded by the seat."""
THRESHOLD = 0.5

_ways: WeakKeyDictionary[Any, dict[str, Way]] = WeakKeyDictionary()


def calls_of(judge: Judge) -> int:
    """Return the calls that a subject takes where every answer can be read: votes times orders."""
    return judge.method.samples * (2 if judge.method.swap else 1)


def check_seat(judge: Judge, provider: Provider) -> None:
    """Make sure that a provider can be asked as the judge's method wants.

    Raises:
        UsageError: It gives no log-probabilities.
    """
    if judge.method.logprobs and not provider.capabilities.logprobs:
        raise UsageError(
            f"{provider.name}/{provider.model} gives no log-probabilities, and the judge {judge.name} needs them",
            where=judge.where("method"), hint="Write method.logprobs: false, or take a model that gives them",
        )  # fmt: skip


async def judge_one(judge: Judge, subject: Subject, seat: Seat, *, replicate: int = 0) -> Verdict:
    """Judge one subject.

    Args:
        judge: Asks.
        subject: What is judged.
        seat: Of the judge's model.
        replicate: Another than 0 asks anew, whatever was answered before: for how often a verdict is repeated.

    Raises:
        BudgetError: The next call does not fit under the cap.
        ProviderError: The server is of no use.
        UsageError: The judge cannot be asked about this.
    """
    check_seat(judge, seat.provider)
    way, votes = way_of(judge, seat.provider), judge.method.samples
    asked = [(order, replicate * votes + vote) for order in range(calls_of(judge) // votes) for vote in range(votes)]
    both = (subject, subject.swapped())
    jobs = [partial(cast, judge, both[order], seat, way, vote) for order, vote in asked]
    ballots = await together(jobs, len(jobs))
    return verdict_of(judge, [b.mirrored() if order else b for (order, _), b in zip(asked, ballots, strict=True)])


async def judge_many(
    judge: Judge,
    subjects: Sequence[Subject],
    seat: Seat,
    *,
    replicate: int = 0,
    done: Callable[[int, Verdict], None] | None = None,
    workers: int | None = None,
) -> list[Verdict]:
    """Judge many subjects at once; the verdicts are in the subjects' order.

    Args:
        judge: Asks.
        subjects: What is judged.
        seat: Of the judge's model.
        replicate: As in ``judge_one``.
        done: Is told of each verdict as it comes: its subject's position, and itself.
        workers: Subjects under way at once; 64 where None.

    Raises:
        LlmkitError: As ``judge_one`` does; what is under way is broken off, or, where the money ran out, ended first.
    """

    async def one(index: int) -> Verdict:
        verdict = await judge_one(judge, subjects[index], seat, replicate=replicate)
        if done is not None:
            done(index, verdict)
        return verdict

    return await together([partial(one, index) for index in range(len(subjects))], workers or WORKERS)


def way_of(judge: Judge, provider: Provider) -> Way:
    """Decide how the provider is asked for the form, once: a grammar takes its time to compile."""
    try:
        known = _ways.setdefault(provider, {})
    except TypeError:  # another package's provider, of which no weak reference can be had
        return choose(form_of(judge), "auto", provider)
    key = schema_digest(judge)
    if key not in known:
        known[key] = choose(form_of(judge), "auto", provider)
    return known[key]


def verdict_of(judge: Judge, ballots: Sequence[Ballot]) -> Verdict:
    """Make one verdict of all votes, those of the first order first.

    The word with the most votes holds, ``cannot_tell`` among the words; two with equally many are ``cannot_tell``. The
    mean of grades holds for grades. Where no more than half of the votes can be read there is no verdict. A pair whose
    orders say otherwise is a tie; one of which either order cannot tell, or cannot be read, likewise is not decided.
    """
    if not judge.method.swap:
        verdict = _counted(judge, ballots)
    else:
        half = len(ballots) // 2
        verdict = _reconciled(judge, _counted(judge, ballots[:half]), _counted(judge, ballots[half:]))
    attempts = [attempt for ballot in ballots for attempt in ballot.attempts]
    return replace(
        verdict,
        votes=tuple(None if ballot.label == CANNOT_TELL else ballot.label for ballot in ballots),
        paid=totals(attempts),
        made=totals(replace(attempt, cached=False) for attempt in attempts),
        cached=bool(attempts) and all(attempt.cached for attempt in attempts),
        served=next((a.served_model for a in reversed(attempts) if a.served_model), None),
    )


def _reconciled(judge: Judge, first: Verdict, second: Verdict) -> Verdict:
    """Make one verdict of a pair's two orders."""
    orders = (first.label, second.label)
    chances = [v.probability for v in (first, second)]
    probability = None if None in chances else sum(c for c in chances if c is not None) / 2
    for each in (first, second):
        if each.state == "unread":
            return replace(each, orders=orders, probability=probability)
    for each in (first, second):
        if each.state == "cannot_tell":
            return replace(each, orders=orders, probability=probability)
    if first.label == second.label:
        return replace(first, orders=orders, probability=probability)
    said = f"a first: {first.label}; b first: {second.label}"
    reason = f"{said}. {first.reason}" if first.reason else said
    return Verdict(
        "verdict", "tie", judge.scale.value("tie"), reason=reason, probability=probability, orders=orders
    )  # fmt: skip


def _counted(judge: Judge, ballots: Sequence[Ballot]) -> Verdict:
    """Make one verdict of the votes of one order."""
    read = [ballot for ballot in ballots if ballot.label is not None]
    if 2 * len(read) <= len(ballots):
        unread = next(ballot for ballot in ballots if ballot.label is None)
        return Verdict("unread", why=unread.why)
    if judge.method.logprobs:
        return _weighed(judge, read[0])
    if judge.scale.ordered:
        return _averaged(judge.scale, read)
    (label, most), *others = Counter(str(ballot.label) for ballot in read).most_common()
    agreeing = next(ballot for ballot in read if ballot.label == label)
    if others and others[0][1] == most:
        said = ", ".join(f"{word} {n}" for word, n in sorted(Counter(str(b.label) for b in read).items()))
        return Verdict("cannot_tell", reason=f"the votes are tied: {said}")
    if label == CANNOT_TELL:
        return Verdict("cannot_tell", reason=agreeing.reason)
    return Verdict("verdict", label, judge.scale.value(label), reason=agreeing.reason)


def _averaged(scale: Scale, read: Sequence[Ballot]) -> Verdict:
    graded = [(scale.value(b.label), b) for b in read if b.label is not None and b.label != CANNOT_TELL]
    if 2 * len(graded) <= len(read):
        abstained = next(ballot for ballot in read if ballot.label == CANNOT_TELL)
        return Verdict("cannot_tell", reason=abstained.reason)
    mean = sum(value for value, _ in graded) / len(graded)
    _, nearest = min(graded, key=lambda each: abs(each[0] - mean))
    return Verdict("verdict", scale.nearest(mean), mean, reason=nearest.reason)


def _weighed(judge: Judge, ballot: Ballot) -> Verdict:
    """Make a verdict of the probabilities of its words; one that could not tell stays that."""
    if ballot.label == CANNOT_TELL or not ballot.shares:
        return Verdict("cannot_tell", reason=ballot.reason)
    scale, shares = judge.scale, ballot.shares
    likeliest = max(scale.labels, key=lambda word: shares[word])
    if scale.kind == "pass_fail":
        chance = shares["pass"]
        label = "pass" if chance >= _threshold(judge) else "fail"
        return Verdict("verdict", label, scale.value(label), reason=ballot.reason, probability=chance)
    if scale.kind == "pairwise":
        value = scale.value(likeliest)
        return Verdict("verdict", likeliest, value, reason=ballot.reason, probability=shares["a"])
    expected = sum(share * scale.value(word) for word, share in shares.items())
    label = scale.nearest(expected) if scale.ordered else likeliest
    return Verdict("verdict", label, expected, reason=ballot.reason)


def _threshold(judge: Judge) -> float:
    """The cut on the probability of ``pass``: what was measured to be the best one, else a half."""
    return THRESHOLD if judge.threshold is None else judge.threshold
