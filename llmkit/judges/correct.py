"""What stands behind a judged metric: its raw rate, corrected by what the judge's lock says of its errors."""

from __future__ import annotations

from collections.abc import Mapping

from llmkit.judgements import Counts
from llmkit.judges.judge import Judge
from llmkit.judges.lock import Lock
from llmkit.stats.confusion import Confusion
from llmkit.stats.correction import (
    SAME,
    Correction,
    corrected_rate,
    no_correction,
    post_stratified_mean,
)
from llmkit.types import Judged, JudgeStatus

_NOTHING_LEFT = 1e-9  # items without a label, where all are labelled: what is known is the labels alone

_ROUNDING = 1e-9  # of a limit times a count


def judged(
    judge: Judge,
    status: JudgeStatus,
    *,
    passed: float,
    n: float,
    counts: Mapping[str, float],
    cannot_tell: int = 0,
    unread: int = 0,
    population: str | None = None,
    confidence: float = 0.95,
) -> Judged:
    """Return the corrected rate of scored items with all that a reader must know of it, or why there is none.

    The rate is of the items with a verdict; those without one are counted beside it, and where they are more than the
    judge may leave so there is no rate (:func:`too_silent`). A slice is a population of its own, of which the lock
    knows nothing: leave ``population`` out.

    Args:
        judge: With its lock.
        status: What ``judge check`` says of it now.
        passed: Verdicts "pass"; effective ones where the run's samples come in clusters or epochs
            (:func:`llmkit.stats.correction.effective_trials`). Of another kind than pass and fail it is not looked at.
        n: Verdicts, effective likewise.
        counts: Word of the judge's scale → verdicts with it, as counted: each answer once.
        cannot_tell: Answers of which the judge could not tell.
        unread: Answers without a verdict.
        population: Fingerprint of the scored items (:class:`llmkit.judges.subject.Population`); None where they are a
            part of something, or not known.
        confidence: Of the interval, two-sided.
    """
    asked = sum(counts.values()) + cannot_tell + unread
    silent = "" if why_not(judge, status) else too_silent(judge, asked, cannot_tell, unread)
    found = no_correction(silent) if silent else _corrected(judge, status, passed, n, counts, population, confidence)
    return Judged(
        judge=judge.name,
        status=status,
        worst=judge.scale.bounds[0],
        lock=judge.lock.id if judge.lock else None,
        rate=found.value,
        interval=found.interval,
        estimator=found.estimator,
        why=found.why,
        cannot_tell=cannot_tell,
        unread=unread,
    )


def too_silent(judge: Judge, asked: float, cannot_tell: int, unread: int) -> str:
    """Say that more answers are without a verdict than the judge may leave so; empty where that is not the case.

    What is left out need not be like the rest: beyond what calibration allows (``accept.max_unread``,
    ``accept.max_cannot_tell``) the others' rate says too little of all.

    Args:
        judge: With its limits.
        asked: Answers that it was asked about.
        cannot_tell: Those of which it could not tell.
        unread: Those without a verdict.
    """
    accept, said = judge.spec.accept, []
    if unread > accept.max_unread * asked + _ROUNDING:
        said.append(
            f"{unread:,} of {asked:,.0f} answers ended without a verdict, more than {_percent(accept.max_unread)}"
        )
    if cannot_tell > accept.max_cannot_tell * asked + _ROUNDING:
        most = _percent(accept.max_cannot_tell)
        said.append(f"of {cannot_tell:,} of {asked:,.0f} answers the judge cannot tell, more than {most}")
    return "; ".join(said)


def confusion_of(counts: Counts) -> Confusion:
    """Return the four cells of a pass/fail judge's counts.

    Raises:
        ValueError: For the counts of another kind.
    """
    if set(counts.labels) != {"pass", "fail"}:
        raise ValueError(f"a confusion is of pass and fail, not of {', '.join(counts.labels)}")
    yes, no = counts.labels.index("pass"), counts.labels.index("fail")
    table = counts.table
    return Confusion(tp=table[yes][yes], fn=table[yes][no], fp=table[no][yes], tn=table[no][no])


def why_not(judge: Judge, status: JudgeStatus) -> str:
    """Say why nothing that this judge says can be corrected at all; empty where it may be."""
    lock = judge.lock
    if status == "uncalibrated" or lock is None:
        return f"the judge was never measured against people: llmkit judge calibrate {judge.name}"
    if status == "refused":
        return f"the judge was refused: {lock.reasons[0] if lock.reasons else 'see llmkit judge show ' + judge.name}"
    if status == "stale" or lock.test.labels != judge.scale.labels:
        return f"the judge is not as it was measured: llmkit judge check {judge.name}"
    if lock.sampling is None:
        return f"how the labelled items were sampled is not stated: labels.sampling in {judge.path.name}"
    if lock.population is None and (judge.spec.labels is None or judge.spec.labels.population is None):
        return f"what the labelled items were drawn from is not stated: labels.population in {judge.path.name}"
    return ""


def _corrected(
    judge: Judge,
    status: JudgeStatus,
    passed: float,
    n: float,
    counts: Mapping[str, float],
    population: str | None,
    confidence: float,
) -> Correction:
    why, lock = why_not(judge, status), judge.lock
    if why or lock is None:
        return no_correction(why)
    if not n > 0:
        return no_correction("there is no verdict")
    if not lock.test.n > 0:
        return no_correction("no labelled item of the test part has a verdict")
    same, random = population is not None and population == lock.population, lock.sampling == "random"
    if judge.scale.kind != "pass_fail":
        return _mean(judge, lock, counts, confidence, holds=same and random)
    labels = confusion_of(lock.test)
    if same and random:
        passed, n = _without_labelled(labels, passed, n, share=_labelled(lock) / max(sum(counts.values()), 1.0))
    return corrected_rate(labels, passed, n, same_population=same, random=random, confidence=confidence)


def _mean(judge: Judge, lock: Lock, counts: Mapping[str, float], confidence: float, *, holds: bool) -> Correction:
    if not holds:
        return no_correction(
            f"the mean of a {judge.scale.kind} judge can be corrected only on the very items of which the labelled ones"
            " are a random sample"
        )
    words, table = lock.test.labels, lock.test.table
    seen = [sum(row[place] for row in table) for place in range(len(words))]
    scale = _labelled(lock) / lock.test.n  # items behind an effective one
    others = [max(counts.get(word, 0.0) - scale * labelled, 0.0) for word, labelled in zip(words, seen, strict=True)]
    found = post_stratified_mean(table, [judge.scale.value(word) for word in words], others, confidence)
    return Correction(found.value, found.interval, found.se, "post-stratified", SAME)


def _percent(share: float) -> str:
    return f"{100 * share:.4g} %"


def _labelled(lock: Lock) -> float:
    """Return how many items of the test part have a verdict, which an effective table does not add up to."""
    return lock.test.asked - lock.test.cannot_tell - lock.test.unread


def _without_labelled(labels: Confusion, passed: float, n: float, *, share: float) -> tuple[float, float]:
    """Take the labelled items, ``share`` of all, off the scored ones that they are among: each is counted once."""
    labelled = min(share, 1.0) * n
    rest = max(n - labelled, _NOTHING_LEFT)
    return min(max(passed - labelled * (labels.tp + labels.fp) / labels.total, 0.0), rest), rest
