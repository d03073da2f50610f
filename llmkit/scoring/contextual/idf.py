"""How rare a token is among the references: the weights of BERTScore with idf (Zhang et al., 2020, section 3)."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from math import log

import numpy as np

from llmkit.scoring.contextual.tokens import Tokens, Weights, plain

_CHUNK = 1024  # references that are tokenized at once


@dataclass(frozen=True, slots=True)
class Idf:
    """In how many references each token stands.

    Attributes:
        documents: References in all; one that stands in several rows counts as often, as in bert-score.
        counts: Token id → references that hold it.
        digest: Hash of the references, whatever their order.
    """

    documents: int
    counts: Mapping[int, int] = field(repr=False)
    digest: str

    def weights(self, ids: Sequence[int]) -> Weights:
        """Return ln((N + 1) / (n + 1)) of each token, n of the N references holding it (bert-score, utils.py).

        A token of every reference weighs nothing, special ones among them; one of no reference weighs ln(N + 1).
        """
        total = self.documents + 1
        return np.array([log(total / (self.counts.get(id_, 0) + 1)) for id_ in ids], dtype=np.float64)


def learn(references: Iterable[str], tokens: Tokens) -> Idf:
    """Count the tokens of all references, as they are read: they need not fit into memory.

    One that is too long for the model counts with what the model would take of it, as in bert-score.
    """
    counts: Counter[int] = Counter()
    documents, mark, texts = 0, 0, iter(references)
    while chunk := list(islice(texts, _CHUNK)):
        documents += len(chunk)
        for text in chunk:
            # A sum does not know its parts' order, and rows in another order are the same corpus.
            mark += int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest())
        cleaned = [plain(text, tokens.limit) for text in chunk]
        for text, ids in zip(cleaned, tokens.ids(cleaned), strict=True):
            counts.update(set(ids if len(ids) <= tokens.limit else tokens.cut(text, ids)))
    digest = hashlib.sha256(f"{documents}:{mark % 2**256:064x}".encode()).hexdigest()
    return Idf(documents, counts, digest)
