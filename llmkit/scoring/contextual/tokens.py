"""A text's tokens, as a model numbers them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

CHARACTERS_PER_TOKEN = 40
"""No text of more characters a token fits, but for blanks; the tokenizer is spared it."""

Weights = NDArray[np.float64]


class Tokens(Protocol):
    """A model's tokenizer.

    Attributes:
        limit: Tokens that the model takes, special ones included.
        added: How many special tokens the tokenizer adds to each text.
        silent: Ids of special tokens, which weigh nothing where every other token weighs one.
    """

    @property
    def limit(self) -> int: ...  # noqa: D102
    @property
    def added(self) -> int: ...  # noqa: D102
    @property
    def silent(self) -> frozenset[int]: ...  # noqa: D102

    def ids(self, texts: Sequence[str]) -> list[list[int]]:
        """Return each text's ids, special tokens included, however many they are."""
        ...

    def cut(self, text: str, ids: list[int]) -> list[int]:
        """Return the ids of a text that is too long, cut to the limit; its special tokens stay."""
        ...


def plain(text: str, limit: int) -> str:
    """Return a text as it goes to a tokenizer: without blanks at its ends, as in bert-score, and no longer than it may.

    A lone surrogate, which no UTF-8 holds, is read as U+FFFD.
    """
    text = text.strip()[: limit * CHARACTERS_PER_TOKEN]
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def too_many_characters(text: str, limit: int) -> bool:
    """Whether a text is beyond the limit for its characters alone."""
    return len(text.strip()) > limit * CHARACTERS_PER_TOKEN


def tokenized(tokens: Tokens, texts: Sequence[str], *, cut: bool) -> dict[str, list[int]]:
    """Return the ids of each text; a text that is too long is cut, or left out.

    A text without a token of its own has no ids: there is nothing to compare.
    """
    limit = tokens.limit
    fit = [text for text in dict.fromkeys(texts) if cut or not too_many_characters(text, limit)]
    found: dict[str, list[int]] = {}
    for text, ids in zip(fit, tokens.ids([plain(text, limit) for text in fit]), strict=True):
        if len(ids) <= tokens.added:
            found[text] = []
        elif len(ids) <= limit:
            found[text] = ids
        elif cut:
            found[text] = tokens.cut(plain(text, limit), ids)
    return found


def uniform(ids: Sequence[int], silent: frozenset[int]) -> Weights:
    """Return a weight of one for each token, and of nothing for special ones."""
    return np.array([id_ not in silent for id_ in ids], dtype=np.float64)
