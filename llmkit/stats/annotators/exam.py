"""An exam: is an annotator provably worse than required?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from llmkit.stats.multiplicity import holm
from llmkit.stats.proportion import binomial_tail, upper_bound, wilson
from llmkit.types import Interval

LEAST_ANSWERS = 10
"""Nobody is flagged on fewer: what they were asked says more than what they answered."""


@dataclass(frozen=True, slots=True)
class Exam:
    """How one annotator did.

    Attributes:
        correct: Right answers.
        answered: Answers.
        accuracy: Their share; None for no answers.
        interval: Wilson's, of the accuracy; None for no answers.
        upper: Upper Clopper–Pearson bound of the accuracy, one-sided at 1 − ``level``; None for no answers.
        p_value: Exact binomial, of so few right answers where the accuracy is as required; None for no answers.
        adjusted: By Holm's method among those who answered enough; None for the others, who are not tested.
        flagged: Whether ``adjusted`` is at most the level.
    """

    correct: int
    answered: int
    accuracy: float | None
    interval: Interval | None
    upper: float | None
    p_value: float | None
    adjusted: float | None
    flagged: bool


def exam(
    correct: Sequence[int],
    answered: Sequence[int],
    required: float,
    *,
    level: float = 0.05,
    least: int = LEAST_ANSWERS,
) -> tuple[Exam, ...]:
    """Test each annotator's accuracy against what is required, one-sided, and flag those who are provably worse.

    The probability of flagging anyone who is good enough is at most ``level``, over all annotators together.

    Args:
        correct: Right answers, one number an annotator: to gold items, or the majority of the others'.
        answered: Answers likewise.
        required: The accuracy wanted, in (0, 1).
        level: Of the family of tests.
        least: Annotators with fewer answers are neither tested nor flagged.

    Raises:
        ValueError: Unless 0 ≤ correct ≤ answered for each, both are as many, and ``required`` and ``level`` lie in
            (0, 1).
    """
    if not (0 < required < 1 and 0 < level < 1):
        raise ValueError(f"the accuracy required and the level lie in (0, 1), not {required} and {level}")
    if len(correct) != len(answered) or not all(0 <= k <= n for k, n in zip(correct, answered, strict=True)):
        raise ValueError("an exam needs 0 ≤ correct ≤ answered of each annotator")
    raw = [binomial_tail(n - k, n, 1 - required) if n else None for k, n in zip(correct, answered, strict=True)]
    tested = {i: p for i, p in enumerate(raw) if p is not None and answered[i] >= least}
    adjusted = dict(zip(tested, holm(list(tested.values())).tolist(), strict=True))
    return tuple(_exam(correct[i], answered[i], raw[i], adjusted.get(i), level) for i in range(len(correct)))


def _exam(correct: int, answered: int, p_value: float | None, adjusted: float | None, level: float) -> Exam:
    flagged = adjusted is not None and adjusted <= level
    if not answered:
        return Exam(correct, answered, None, None, None, None, None, flagged)
    upper = upper_bound(correct, answered, 1 - level)
    return Exam(correct, answered, correct / answered, wilson(correct, answered), upper, p_value, adjusted, flagged)
