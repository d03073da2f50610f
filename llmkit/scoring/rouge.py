"""rouge: overlap of n-grams or of the longest common subsequence with a summary."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar, Literal

from pydantic import Field

from llmkit.scoring.base import Item, MetricKind
from llmkit.scoring.builtin import Builtin, unscorable, yes_no
from llmkit.types import Failure, Score

MAX_CHARACTERS = 200_000
MAX_TOKEN_PAIRS = 4_000_000  # answer × reference: 2,000 × 2,000 takes rouge-score 1 s and 32 MB


class Rouge(Builtin):
    """ROUGE F-measure (Lin, 2004) as rouge-score computes it, 0 to 1; the best over the references.

    rouge-score keeps ASCII letters and digits only: a text in another script has no tokens and scores 0. A
    reference without a token is therefore a failure, ``bad_reference``. rougeLsum takes lines for sentences.
    """

    metric: ClassVar[str] = "rouge"
    kind: ClassVar[MetricKind] = "mean"
    heavy: ClassVar[bool] = True

    type: Literal["rouge1", "rouge2", "rougeL", "rougeLsum"] = "rougeL"
    use_stemmer: bool = Field(default=False, description="Porter's stemmer, for English.")
    measure: Literal["fmeasure", "precision", "recall"] = "fmeasure"

    @classmethod
    def _own_name(cls, options: Mapping[str, Any]) -> str:
        return str(options.get("type", "rougeL"))

    @cached_property
    def _scorer(self) -> Any:
        from rouge_score.rouge_scorer import RougeScorer

        return RougeScorer([self.type], use_stemmer=self.use_stemmer)

    def _parts(self) -> Mapping[str, str]:
        from importlib.metadata import version

        return {
            "type": self.type,
            "measure": self.measure,
            "stem": yes_no(self.use_stemmer),
            "tok": "rouge-score",
            "refs": "best",
            "rouge-score": version("rouge-score"),
        }

    def _one(self, item: Item) -> Score | Failure:
        longest = max(len(item.text), *map(len, item.references))
        if longest > MAX_CHARACTERS:
            return unscorable("too_long", f"rouge takes {MAX_CHARACTERS:,} characters at most; here are {longest:,}")
        size = len(self._tokens(item.text))
        values = []
        for reference in item.references:
            length = len(self._tokens(reference))
            if not length:
                return unscorable("bad_reference", "a reference has no ASCII letter or digit, all that ROUGE compares")
            if self.type.startswith("rougeL") and size * length > MAX_TOKEN_PAIRS:
                pairs = f"{size:,} × {length:,}"
                return unscorable(
                    "too_long", f"rouge takes {MAX_TOKEN_PAIRS:,} pairs of tokens at most; here are {pairs}"
                )
            values.append(self._scorer.score(reference, item.text)[self.type])
        best = max(values, key=lambda score: score.fmeasure)
        return Score(float(getattr(best, self.measure)))

    def _tokens(self, text: str) -> list[str]:
        from rouge_score.tokenize import tokenize

        return tokenize(text, None)  # type: ignore[no-any-return]
