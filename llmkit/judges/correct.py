"""What stands behind a judged metric: its raw rate, corrected by what the judge's lock says of its errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from llmkit.judgements import Counts
from llmkit.judges.judge import Judge
from llmkit.stats.confusion import Confusion
from llmkit.stats.correction import (
    SAME,
    Correction,
    corrected_rate,
    no_correction,
    post_stratified_mean,
)
from llmkit.types import Judged, JudgeStatus

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

    On the very items that the labels were drawn from, it is the rate of all of them: those without a verdict are a
    stratum of their own, of which their labels tell. Elsewhere, and by a lock that does not keep these labels, it is
    the rate of the items with a verdict, and ``why`` says how many those are. Where more are without a verdict than the
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
    if silent:
        found = no_correction(silent)
    else:
        found = _corrected(judge, status, passed, n, counts, cannot_tell + unread, population, confidence)
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
    unjudged: int,
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
    items, binary = max(sum(counts.values()), 1.0), judge.scale.kind == "pass_fail"
    if same and random:
        test, scored = _as_drawn(lock.test), {"pass": passed, "fail": n - passed} if binary else counts
        found = _on_itself(judge, test, scored, items, unjudged, confidence)
    elif binary:
        labels = confusion_of(lock.test)
        found = corrected_rate(labels, passed, n, same_population=same, random=random, confidence=confidence)
    else:
        return no_correction(
            f"the mean of a {judge.scale.kind} judge can be corrected only on the very items of which the labelled ones"
            " are a random sample"
        )
    of_all = not unjudged or (same and random and lock.test.unjudged is not None)
    if of_all or found.value is None:
        return found
    return found._replace(why=f"of the {round(items):,} with a verdict: {found.why}")


def _on_itself(
    judge: Judge, test: Counts, scored: Mapping[str, float], items: float, unjudged: int, confidence: float
) -> Correction:
    """Correct the figure of the very population that the labels are a random sample of, by post-stratification.

    Labelled items are among the scored ones: each is counted once. Items without a verdict are a stratum beside those
    of the verdicts, where their labels are known.

    Args:
        judge: What its words are worth.
        test: Of the lock, as drawn.
        scored: Word → verdicts, effective ones where the run's samples come in clusters.
        items: Verdicts as counted.
        unjudged: Items without a verdict.
        confidence: Of the interval, two-sided.
    """
    words, table = test.labels, [list(row) for row in test.table]
    apiece = (test.asked - test.cannot_tell - test.unread) / test.n  # labelled items behind an effective one
    shrunk = sum(scored.values()) / items  # effective items that a scored one is worth
    seen = [sum(row[place] for row in table) for place in range(len(words))]
    others = [
        max(scored.get(word, 0.0) - shrunk * apiece * labelled, 0.0) for word, labelled in zip(words, seen, strict=True)
    ]
    if unjudged and test.unjudged is not None:
        table = [[*row, labelled / apiece] for row, labelled in zip(table, test.unjudged, strict=True)]
        others.append(shrunk * max(unjudged - sum(test.unjudged), 0))
    found = post_stratified_mean(table, [judge.scale.value(word) for word in words], others, confidence)
    return Correction(found.value, found.interval, found.se, "post-stratified", SAME)


def _as_drawn(counts: Counts) -> Counts:
    """Return the counts with the table that a figure of the labelled population is made from."""
    return replace(counts, table=counts.drawn, items=round(counts.asked)) if counts.drawn else counts


def _percent(share: float) -> str:
    return f"{100 * share:.4g} %"
