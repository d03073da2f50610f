"""f1: overlap of words with the reference, as SQuAD counts it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from llmkit.scoring.base import Item, MetricKind
from llmkit.scoring.builtin import Builtin
from llmkit.scoring.normalize import squad
from llmkit.types import Failure, Score


class F1(Builtin):
    """Harmonic mean of precision and recall over the bag of words; the best over the references; the mean of samples.

    Where the answer or the reference has no words left, the value is 1 if neither has any, else 0, as in SQuAD 2.0
    (Rajpurkar et al., 2018, "Know What You Don't Know").
    """

    metric: ClassVar[str] = "f1"
    kind: ClassVar[MetricKind] = "mean"

    normalize: Literal["squad", "whitespace"] = Field(
        default="squad",
        description="squad: lower case, no punctuation, no articles; whitespace: words as they stand.",
    )

    def _parts(self) -> Mapping[str, str]:
        return {"norm": self.normalize, "tok": "space", "refs": "best"}

    def _one(self, item: Item) -> Score | Failure:
        answer = self._words(item.text)
        return Score(max(_overlap(answer, self._words(reference)) for reference in item.references))

    def _words(self, text: str) -> list[str]:
        return (squad(text) if self.normalize == "squad" else text).split()


def _overlap(answer: list[str], reference: list[str]) -> float:
    if not answer or not reference:
        return float(answer == reference)
    shared = sum((Counter(answer) & Counter(reference)).values())
    # 2PR/(P+R) with P = shared/|answer| and R = shared/|reference|
    return 2 * shared / (len(answer) + len(reference))
