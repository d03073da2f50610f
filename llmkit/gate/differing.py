"""Whether a judge errs on one side's answers otherwise than on the other's, by people's labels of both.

A style that a judge likes less lowers its verdicts with no drop behind them, and no correction mends that. An item of
the labels is a side's where it says so (``side: base``, ``side: head``, or ``run:`` a run whose answers are that
side's), else where what was asked and answered is what that side was asked and answered.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from llmkit.gate.evidence import SideName
from llmkit.judgements import Verdict
from llmkit.judges.correct import confusion_of
from llmkit.judges.figures import counts_of
from llmkit.judges.judge import Judge
from llmkit.judges.labels import Labelled, read_labels
from llmkit.judges.panel import judge_many
from llmkit.judges.seat import Seat
from llmkit.stats.confusion import Confusion
from llmkit.stats.correction.differential import differential_error

SIDES: tuple[SideName, SideName] = ("base", "head")
ASSUMED = "that the judge errs alike on both sides is assumed, not checked"
SIDE, RUN = "side", "run"
"""Fields of a labelled item that say which side it is of."""


@dataclass
class Answers:
    """What tells whether a labelled item is one of a side's.

    Attributes:
        runs: The runs that its answers are of, or are kept as.
        digests: Of what was asked and answered (``Subject.digest``).
    """

    runs: set[str] = field(default_factory=set)
    digests: set[str] = field(default_factory=set)


class Errors(NamedTuple):
    """What labels say of equal errors.

    Attributes:
        said: One line.
        flagged: Whether they are proven to differ.
    """

    said: str
    flagged: bool


def usable(judge: Judge) -> list[Labelled]:
    """Return the labelled items that can measure a pass/fail judge: with a label, and not shown to it as an example."""
    shown = set(judge.lock.chosen.few_shot) if judge.lock is not None else set()
    items = read_labels(judge).items
    return [item for item in items if item.label in judge.scale.points and item.subject.id not in shown]


def by_side(items: Iterable[Labelled], answers: Mapping[SideName, Answers]) -> dict[SideName, list[Labelled]]:
    """Return the items that are of one side alone; what both answered alike tells nothing of a difference."""
    found: dict[SideName, list[Labelled]] = {side: [] for side in SIDES}
    for item in items:
        of = [side for side in SIDES if _is_of(item, side, answers[side])]
        if len(of) == 1:
            found[of[0]].append(item)
    return found


def comparable(found: Mapping[SideName, Sequence[Labelled]]) -> bool:
    """Whether there is a class of which both sides have labels."""
    base, head = ({item.label for item in found[side]} for side in SIDES)
    return not base.isdisjoint(head)


def assumed(found: Mapping[SideName, Sequence[Labelled]]) -> Errors:
    """Say that equal errors are assumed, for want of labels on both sides."""
    base, head = len(found["base"]), len(found["head"])
    if not base and not head:
        return Errors(f"{ASSUMED}: no labelled answer is of either side", flagged=False)
    return Errors(f"{ASSUMED}: labelled answers that tell are {base} of base and {head} of head", flagged=False)


async def compared(judge: Judge, found: Mapping[SideName, Sequence[Labelled]], seat: Seat) -> Errors:
    """Judge the labelled items of both sides, and compare the errors.

    Raises:
        BudgetError: The next call does not fit under the cap.
        ProviderError: The judge's server is of no use, or an answer is not stored and no call may be made.
    """
    cells: dict[SideName, Confusion] = {}
    for side in SIDES:
        verdicts = await judge_many(judge, [item.subject for item in found[side]], seat)
        cells[side] = _confusion(judge, found[side], verdicts)
    base, head = cells["base"], cells["head"]
    tested = differential_error(base, head)
    tpr = _rates("TPR", (base.tp, base.positives), (head.tp, head.positives), tested.tpr_p)
    tnr = _rates("TNR", (base.tn, base.negatives), (head.tn, head.negatives), tested.tnr_p)
    if tested.flagged:
        said = "the judge errs otherwise on head's answers than on base's, and no correction mends that"
    else:
        said = "errors compared on labelled answers of both sides, no difference is proven"
    return Errors(f"{said}: {tpr}; {tnr}", tested.flagged)


def _is_of(item: Labelled, side: SideName, answers: Answers) -> bool:
    row = item.subject.row
    if (said := row.get(SIDE)) in SIDES:
        return bool(said == side)
    if isinstance(run := row.get(RUN), str) and run in answers.runs:
        return True
    return item.subject.digest() in answers.digests


def _confusion(judge: Judge, items: Sequence[Labelled], verdicts: Sequence[Verdict]) -> Confusion:
    subjects = [item.subject for item in items]
    counts = counts_of(
        judge.scale, [str(item.label) for item in items], verdicts,
        weights=[subject.weight for subject in subjects], groups=[subject.group for subject in subjects],
    )  # fmt: skip
    return confusion_of(counts)


def _rates(name: str, base: tuple[float, float], head: tuple[float, float], p: float | None) -> str:
    said = f"{name} {_share(*base)} on base, {_share(*head)} on head"
    return said if p is None else f"{said} (p = {p:.2g})"


def _share(right: float, of: float) -> str:
    return f"{right / of:.2f} ({round(right, 1):g} of {round(of, 1):g})" if of else "unknown (no label)"
