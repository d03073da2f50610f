"""What a judge can say: words, what each is worth, and how a label is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from llmkit.judgements import Kind
from llmkit.judges.spec import JudgeSpec
from llmkit.scoring.base import MetricKind

CANNOT_TELL = "cannot_tell"
"""What a judge of any kind may say instead of a verdict."""


@dataclass(frozen=True, slots=True)
class Scale:
    """The words of one judge.

    Attributes:
        kind: Which kind it is.
        points: Word → its value, in order: for pass and fail ``{"pass": 1, "fail": 0}``; grades ascend.
        ordered: Whether neighbours are closer than others: grades.
    """

    kind: Kind
    points: dict[str, float]
    ordered: bool = False

    @property
    def labels(self) -> tuple[str, ...]:
        """The words, in order."""
        return tuple(self.points)

    @property
    def metric(self) -> MetricKind:
        """``proportion`` for pass and fail, else ``mean``."""
        return "proportion" if self.kind == "pass_fail" else "mean"

    @property
    def bounds(self) -> tuple[float, float]:
        """The least and the largest value."""
        return min(self.points.values()), max(self.points.values())

    def value(self, label: str) -> float:
        """Return what a word is worth."""
        return self.points[label]

    def nearest(self, value: float) -> str:
        """Return the word whose value is nearest to ``value``, the first of equals: a mean of grades as a grade."""
        return min(self.points, key=lambda label: abs(self.points[label] - value))

    def label_of(self, said: Any) -> str | None:
        """Read a label as people write it, ``true`` and ``1`` for pass among it; None where it is no word of these."""
        if isinstance(said, bool):
            said = "pass" if said else "fail"
        elif isinstance(said, (int, float)):
            if self.kind == "pass_fail" and said in (0, 1):
                said = "pass" if said else "fail"
            else:
                said = str(int(said)) if float(said).is_integer() else str(said)
        if not isinstance(said, str):
            return None
        plain = said.strip()
        if plain in self.points or plain == CANNOT_TELL:
            return plain
        folded = {label.casefold(): label for label in self.points}
        return folded.get(plain.casefold()) if len(folded) == len(self.points) else None


def scale_of(spec: JudgeSpec) -> Scale:
    """Return the words of a judge's kind."""
    if spec.kind == "pass_fail":
        return Scale("pass_fail", {"pass": 1.0, "fail": 0.0})
    if spec.kind == "pairwise":
        return Scale("pairwise", {"a": 1.0, "tie": 0.5, "b": 0.0})
    if spec.kind.graded is not None:
        grades = range(spec.kind.graded.min, spec.kind.graded.max + 1)
        return Scale("graded", {str(grade): float(grade) for grade in grades}, ordered=True)
    assert spec.kind.choices is not None
    return Scale("choices", dict(spec.kind.choices))
