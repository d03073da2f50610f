"""How stored answers came about: their texts, and what is stored of their tokens' log-probabilities."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from llmkit.runs.bills import Read
from llmkit.runs.records import logprobs_of
from llmkit.runs.rows import parts
from llmkit.types import FinishReason, TokenLogprob

Chosen = tuple[str, FinishReason, tuple[TokenLogprob, ...] | None]
"""An answer's text, why it ended, and the log-probabilities of its tokens, or of what was compared; None where none
are stored."""


def chosen(read: Read, answer_ids: Sequence[int]) -> Iterator[tuple[int, Chosen]]:
    """Yield answers by their ids."""
    for some in parts(answer_ids):
        marks = ",".join("?" * len(some))
        sql = f"SELECT answer_id, text, finish_reason, logprobs FROM answers WHERE answer_id IN ({marks})"  # noqa: S608
        for answer_id, text, finish, logprobs in read(sql, some):
            yield answer_id, (text, finish, None if logprobs is None else logprobs_of(json.loads(logprobs)))
