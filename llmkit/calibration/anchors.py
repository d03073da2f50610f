"""Whether a judge still says what it said when it was locked: its anchors, test items of the lock, asked again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from llmkit.calibration.work import Told, WorkOptions, at_work, nobody, status_of
from llmkit.judgements import Check, Verdict
from llmkit.judges.check import check
from llmkit.judges.judge import Judge
from llmkit.judges.labels import Labelled, read_labels
from llmkit.judges.lock import Lock
from llmkit.stats.mcnemar import fisher_exact, mcnemar_exact
from llmkit.stats.multiplicity import holm
from llmkit.stats.proportion import binomial_tail
from llmkit.types import Totals

ALPHA = 0.05
"""Level of all tests of one check together (Holm): one sound judge of twenty is called drifted by chance."""


@dataclass(frozen=True, slots=True)
class Drift:
    """What became of the anchors.

    Attributes:
        n: Anchors asked again.
        changed: Those with another verdict than the locked one, ``cannot_tell`` among them.
        unread: Those without a verdict.
        right_then: Those whose locked verdict is people's label.
        right_now: Those whose verdict now is.
        p_values: ``verdicts`` (more change than where the judge was just asked twice), ``agreement`` (fewer are right
            than were), ``unread`` (more than may be): one-sided, Holm's.
    """

    n: int
    changed: int
    unread: int
    right_then: int
    right_now: int
    p_values: dict[str, float]

    @property
    def proven(self) -> tuple[str, ...]:
        """Which of the tests say that the judge is another one."""
        return tuple(name for name, p in self.p_values.items() if p <= ALPHA)

    @property
    def said(self) -> str:
        """One line."""
        unread = f", {self.unread} without a verdict" if self.unread else ""
        p = min(self.p_values.values())
        return (
            f"{self.changed} of {self.n} verdicts changed{unread}; right {self.right_now} times, {self.right_then} when"
            f" it was locked (least p {p:.2g})"
        )


async def check_anchors(
    judge: Judge, options: WorkOptions | None = None, *, told: Told = nobody
) -> tuple[Check, Totals]:
    """Check a judge, and then ask its anchors again, without the cache.

    Nothing is asked where the judge is stale already, or its lock has no anchors; ``Check.anchors`` says so.

    Args:
        judge: With its lock.
        options: How it is asked; ``cache`` is not looked at.
        told: Is told of each verdict.

    Returns:
        The check, another served model and drift among what is stale; and what was paid.

    Raises:
        BudgetError: The money ran out.
        ProviderError: The model's server is of no use.
    """
    found = check(judge)
    if judge.lock is None:
        return found, Totals()
    if found.stale:
        return replace(found, anchors="not asked again: it is stale without"), Totals()
    items = anchors_of(judge, judge.lock)
    if not items:
        return replace(found, anchors="not asked again: the lock has none"), Totals()
    async with at_work(judge, replace(options or WorkOptions(), cache=False)) as work:
        verdicts = await work.verdicts("anchors", [item.subject for item in items], told)
        paid = work.paid()
    drift = drift_of(judge.lock, items, verdicts, judge.spec.accept.max_flip, judge.spec.accept.max_unread)
    status, stale = status_of(judge, verdicts)
    if drift.proven:
        status, stale = "stale", (*stale, f"anchors: {drift.said}: {', '.join(drift.proven)}")
    return replace(found, status=status, stale=stale, anchors=drift.said), paid


def anchors_of(judge: Judge, lock: Lock) -> list[Labelled]:
    """Return the lock's anchors that are among the labels, sorted by id."""
    known = {item.subject.id: item for item in read_labels(judge).items}
    return [known[name] for name in sorted(lock.anchors) if name in known]


def drift_of(
    lock: Lock, items: Sequence[Labelled], verdicts: Sequence[Verdict], max_flip: float, max_unread: float
) -> Drift:
    """Test whether verdicts on anchors are those of the judge that was locked.

    Changed verdicts by Fisher's exact test against the lock's repeat probe, where the judge was asked the same twice;
    without one by the binomial distribution against ``max_flip``. Verdicts that are right by McNemar's exact test, as
    the items are the same. Unread ones by the binomial distribution. One-sided all three, and with Holm's correction.
    """
    told = [(item, verdict) for item, verdict in zip(items, verdicts, strict=True) if verdict.state != "unread"]
    n, unread = len(told), len(items) - len(told)
    changed = sum(verdict.label != lock.anchors[item.subject.id] for item, verdict in told)
    then = [lock.anchors[item.subject.id] == item.label for item in items]
    now = [
        verdict.label is not None and verdict.label == item.label for item, verdict in zip(items, verdicts, strict=True)
    ]
    worse = sum(was and not now_is for was, now_is in zip(then, now, strict=True))
    better = sum(now_is and not was for was, now_is in zip(then, now, strict=True))
    tests = {
        "verdicts": _p_changed(lock, changed, n, max_flip),
        "agreement": mcnemar_exact(worse, better, "greater"),
        "unread": binomial_tail(unread, len(items), max_unread),
    }
    adjusted = holm(list(tests.values())).tolist()
    return Drift(len(items), changed, unread, sum(then), sum(now), dict(zip(tests, adjusted, strict=True)))


def _p_changed(lock: Lock, changed: int, n: int, max_flip: float) -> float:
    if not n:
        return 1.0
    repeat = next((probe for probe in lock.probes if probe.name == "repeat" and probe.moved is not None), None)
    if repeat is None or not repeat.n:
        return binomial_tail(changed, n, max_flip)
    return fisher_exact(round((repeat.moved or 0.0) * repeat.n), repeat.n, changed, n, "greater")
