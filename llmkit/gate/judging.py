"""Judges that a gate relies on: whether each may decide, and what stands behind its metric in the report."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from llmkit.errors import DocumentError, UnsoundLockError
from llmkit.judgements import Check
from llmkit.judges.check import check
from llmkit.judges.correct import confusion_of, why_not
from llmkit.judges.figures import figures_of
from llmkit.judges.judge import Judge
from llmkit.judges.lock import lock_path
from llmkit.runs.store import Store
from llmkit.stats.sequential.corrected import raw_margin
from llmkit.suites.gating import Gating, judge_of
from llmkit.verdicts import JudgedVerdict, MetricVerdict


@dataclass(frozen=True)
class Deciding:
    """One gating metric whose scores are a judge's verdicts.

    Attributes:
        gating: The metric.
        judge: Who gives the scores, on both sides: head's.
        check: What ``llmkit judge check`` says of it.
        refused: Why it may decide nothing; None where it may.
    """

    gating: Gating
    judge: Judge
    check: Check
    refused: str | None

    def verdict(self) -> JudgedVerdict:
        """Return what stands behind the metric before anything is asked."""
        lock = self.judge.lock
        plain = JudgedVerdict(self.judge.name, self.check.status, self.check.lock, refused=self.refused)
        if lock is None or self.judge.scale.kind != "pass_fail":
            return plain
        found = figures_of(self.judge.scale, lock.test)
        youden = confusion_of(lock.test).youden
        return JudgedVerdict(
            self.judge.name, self.check.status, self.check.lock, tpr=found.tpr, tnr=found.tnr, youden=youden,
            refused=self.refused,
        )  # fmt: skip


@contextmanager
def sound_locks() -> Iterator[None]:
    """Tell a judge's lock that cannot be relied on from a mistake in a suite, while suites are loaded.

    Raises:
        UnsoundLockError: In place of what a broken or edited lock raises.
    """
    try:
        yield
    except DocumentError as error:
        if Path((error.where or "").partition(":")[0]).suffix != lock_path(Path("judge.yaml")).suffix:
            raise
        raise UnsoundLockError(error.message, where=error.where, hint=error.hint) from None


def deciding(gatings: Sequence[Gating]) -> Mapping[str, Deciding]:
    """Return metric → its judge, of those that have one, each checked as ``llmkit judge check`` does.

    Raises:
        LlmkitError: A file that a lock binds cannot be read.
    """
    found = {}
    for gating in gatings:
        if (judge := judge_of(gating.scorer)) is not None:
            said = check(judge)
            found[gating.name] = Deciding(gating, judge, said, refusal(judge, said))
    return found


def refusal(judge: Judge, said: Check) -> str | None:
    """Say why a judge may not decide; None where it may.

    It needs a lock that passes ``llmkit judge check``, and labels from which its errors can be corrected.
    """
    named = f"the judge {judge.name}"
    if judge.scale.kind != "pass_fail":
        return (
            f"{named} is of kind {judge.scale.kind}: a gate decides on a corrected difference, and there is one of"
            " pass and fail alone"
        )
    if said.stale:
        return f"{named} is stale: {'; '.join(said.stale)}"
    if said.status == "uncalibrated" or judge.lock is None:
        return f"{named} is uncalibrated: it has no lock (llmkit judge calibrate {judge.name})"
    if not said.sound:
        why = f": {judge.lock.reasons[0]}" if judge.lock.reasons else ""
        return f"{named} is {said.status}{why}"
    if why := why_not(judge, said.status):
        return f"{named} cannot be corrected: {why}"
    labels = confusion_of(judge.lock.test)
    if labels.youden is None or raw_margin(1.0, labels) is None:
        return f"{named} has too few labels for a gate: TPR + TNR − 1 may be 0 (llmkit judge show {judge.name})"
    return None


def served_otherwise(one: Deciding, store: Store, runs: Iterable[str]) -> str | None:
    """Say that another model than was measured has judged some runs; None where none has, as far as servers say.

    Verdicts that stood already count with the model that gave them.

    Args:
        one: The judge.
        store: Where the runs lie.
        runs: Theirs.
    """
    name, scorer = one.gating.name, one.gating.scorer
    signatures = {} if scorer is None else {name: scorer.signature}
    names = {model for run in runs for model in store.judges_served(run, signatures).get(name, ())}
    for model in sorted(names):
        if stale := check(one.judge, served=model).stale:
            return f"the judge {one.judge.name} is stale: {'; '.join(stale)}"
    return None


def refused(found: Mapping[str, Deciding]) -> tuple[MetricVerdict, ...]:
    """Return an undecided metric for each judge that may not decide."""
    return tuple(
        MetricVerdict(
            one.gating.name, "undecided", one.gating.margin, relative=False, base=None, head=None, difference=None,
            interval=None, n=0, look=0, reason=one.refused, judged=one.verdict(),
            signature="" if one.gating.scorer is None else one.gating.scorer.signature,
        )
        for one in found.values()
        if one.refused is not None
    )  # fmt: skip
