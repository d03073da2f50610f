"""bertscore: how close the answer's words are to the reference's in a language model's eyes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from llmkit.scoring import minilm
from llmkit.scoring.base import Item, MetricKind
from llmkit.scoring.builtin import NO_REFERENCE, Builtin, unscorable
from llmkit.types import Failure, Score

_CHUNK = 64  # items whose vectors are held at once: 100 MB at the longest
_MAX_CHARACTERS = 20_000  # no text of more has 512 tokens or fewer, but for blanks; the tokenizer is spared it
_DIGITS = 6  # beyond them, threads and batches may differ


class BertScore(Builtin):
    """BERTScore (Zhang et al., 2020) on all-MiniLM-L6-v2, the best over the references; needs the extra [bertscore].

    Each token of the answer is matched to the most similar one of the reference (precision), and the other way
    round (recall), by cosine; F1 is their harmonic mean. The special tokens take no part; there is no idf weighting
    and no rescaling, so values lie close together: read differences, not levels. A text of more than 512 tokens is a
    failure, ``too_long``, unless ``truncate`` cuts it. An answer without a token scores 0.
    """

    metric: ClassVar[str] = "bertscore"
    kind: ClassVar[MetricKind] = "mean"
    heavy: ClassVar[bool] = True

    measure: Literal["f1", "precision", "recall"] = "f1"
    truncate: bool = Field(default=False, description="Cut texts of more than 512 tokens instead of failing them.")
    threads: int | None = Field(
        default=None, ge=1, le=256, description=f"Threads; {minilm.THREADS_VARIABLE}, or up to 4, where it is not set."
    )

    @classmethod
    def _own_name(cls, options: Mapping[str, object]) -> str:
        measure = options.get("measure", "f1")
        return "bertscore" if measure == "f1" else f"bertscore_{measure}"

    def _parts(self) -> Mapping[str, str]:
        return {
            "measure": self.measure,
            "model": minilm.MODEL,
            "sha256": minilm.MODEL_SHA256[:12],
            "layer": str(minilm.LAYER),
            "idf": "no",
            "rescale": "no",
            "long": f"{'cut' if self.truncate else 'fail'}@{minilm.MAX_TOKENS}",
            "refs": "best",
        }

    def prepare(self) -> None:
        """Open the model.

        Raises:
            MissingExtraError: The extra is not installed.
            UsageError: The tokenizer's file is nowhere to be had.
        """
        minilm.load(self.threads)

    def _one(self, item: Item) -> Score | Failure:
        return self.score([item])[0]

    def score(self, items: Sequence[Item]) -> Sequence[Score | Failure]:
        """Score a batch: one result an item, in order.

        Raises:
            MissingExtraError: The extra is not installed.
        """
        encoder = minilm.load(self.threads)
        return [
            result
            for start in range(0, len(items), _CHUNK)
            for result in self._chunk(encoder, items[start : start + _CHUNK])
        ]

    def _chunk(self, encoder: minilm.Encoder, items: Sequence[Item]) -> Iterator[Score | Failure]:
        tokens: dict[str, Sequence[int]] = {}
        for text in {text for item in items for text in (item.text, *item.references) if item.references}:
            if len(text) <= _MAX_CHARACTERS or self.truncate:
                tokens[text] = encoder.token_ids(text[:_MAX_CHARACTERS])
        if self.truncate:
            tokens = {text: _cut(ids) for text, ids in tokens.items()}
        fit = {text: ids for text, ids in tokens.items() if len(ids) <= minilm.MAX_TOKENS}
        vectors = encoder.encode(fit)
        for item in items:
            yield self._item(item, vectors)

    def _item(self, item: Item, vectors: Mapping[str, minilm.Vectors]) -> Score | Failure:
        if not item.references:
            return NO_REFERENCE
        if not all(text in vectors for text in (item.text, *item.references)):
            limit = minilm.MAX_TOKENS
            return unscorable("too_long", f"bertscore takes {limit} tokens at most (option truncate: true cuts texts)")
        if not all(len(vectors[reference]) for reference in item.references):
            return unscorable("bad_reference", "a reference has no token to compare")
        matched = [_match(vectors[item.text], vectors[reference]) for reference in item.references]
        best = max(matched, key=lambda match: match["f1"])
        return Score(round(best[self.measure], _DIGITS))


def _cut(ids: Sequence[int]) -> Sequence[int]:
    if len(ids) <= minilm.MAX_TOKENS:
        return ids
    return [*ids[: minilm.MAX_TOKENS - 1], ids[-1]]  # [SEP] stays last


def _match(answer: minilm.Vectors, reference: minilm.Vectors) -> dict[str, float]:
    if not len(answer):
        return {"precision": 0.0, "recall": 0.0, "f1": 0.0}
    alike = answer @ reference.T
    precision = float(np.mean(alike.max(axis=1), dtype=np.float64))
    recall = float(np.mean(alike.max(axis=0), dtype=np.float64))
    below = precision + recall
    return {"precision": precision, "recall": recall, "f1": 2 * precision * recall / below if below > 0 else 0.0}
