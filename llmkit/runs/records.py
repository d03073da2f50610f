"""Records as rows of the store, and back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from llmkit.types import (
    Completion,
    Failure,
    GenerationFacts,
    Message,
    Request,
    Sample,
    Score,
    Step,
    TokenLogprob,
    Totals,
    Usage,
)


@dataclass(frozen=True, slots=True)
class Answer:
    """A stored completion: the paid call that a sample points to."""

    answer_id: int
    run_id: str
    created_at: float
    completion: Completion


@dataclass(slots=True)
class Job:
    """One call to make: a sample in one epoch, rendered; with the texts and digests under which it is stored."""

    sample: Sample
    epoch: int
    request: Request
    key: bytes
    input: bytes
    prompt: bytes
    fields: str
    references: str
    messages: str


@dataclass(slots=True)
class Outcome:
    """What became of one sample in one epoch, on its way to the scorers, the store and the tally."""

    index: int
    epoch: int
    sample_id: str
    job: Job | None = None
    answer: Answer | None = None
    failure: Failure | None = None
    scores: dict[str, Score | Failure] = field(default_factory=dict)
    generation: GenerationFacts | None = None
    behind: dict[str, frozenset[int]] = field(default_factory=dict)
    """Metric → the stored answers of its judge that its score was read from, where a judge was asked just now."""


JUDGE_FAILED, NOT_JUDGED, NOT_STORED = "judge_failed", "not_judged", "not_stored"
UNASKED = frozenset({JUDGE_FAILED, NOT_JUDGED, NOT_STORED})
"""Kinds of failures of an answer that no judge has seen: its server broke, or the run was stopped before. It is no
score: a run that goes on asks again, and a verdict that stands is not written over."""

ANSWER_COLUMNS = (
    "answer_id, run_id, created_at, text, finish_reason, input_tokens, output_tokens, cached_tokens, "
    "cache_write_tokens, reasoning_tokens, cost_usd, latency_s, http_attempts, served_model, request_id, logprobs"
)

INSERT_ANSWER = (
    "INSERT INTO answers (key, run_id, cacheable, created_at, text, finish_reason, input_tokens, output_tokens,"
    " cached_tokens, cache_write_tokens, reasoning_tokens, cost_usd, latency_s, http_attempts, served_model,"
    " request_id, logprobs) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
)


def answer_row(completion: Completion) -> tuple[Any, ...]:
    """Return the values of ANSWER_COLUMNS from ``text`` on."""
    c, u = completion, completion.usage
    logprobs = None if c.logprobs is None else json.dumps(logprobs_list(c.logprobs))
    tokens = (u.input, u.output, u.cached, u.cache_write, u.reasoning)
    served = (c.cost_usd, c.latency_s, c.http_attempts, c.served_model, c.request_id, logprobs)
    return (c.text, c.finish_reason, *tokens, *served)


def answer_of(row: tuple[Any, ...]) -> Answer:
    """Read a row of ANSWER_COLUMNS."""
    (
        answer_id,
        run_id,
        created_at,
        text,
        finish,
        i,
        o,
        cached,
        write,
        reasoning,
        cost,
        latency,
        http,
        served,
        rid,
        lp,
    ) = row
    logprobs = None
    if lp is not None:
        logprobs = logprobs_of(json.loads(lp))
    usage = Usage(i, o, cached, write, reasoning)
    completion = Completion(text, finish, usage, cost, latency, http, served, rid, logprobs)
    return Answer(answer_id, run_id, created_at, completion)


def logprobs_list(logprobs: Sequence[TokenLogprob]) -> list[Any]:
    """Return log-probabilities as plain data, an entry a token or continuation."""
    return [[t.token, t.logprob, t.top, *([] if t.alone is None else [t.alone])] for t in logprobs]


def logprobs_of(entries: Iterable[Sequence[Any]]) -> tuple[TokenLogprob, ...]:
    """Read what ``logprobs_list`` returned."""
    return tuple(TokenLogprob(t, p, tuple((a, b) for a, b in top), *alone) for t, p, top, *alone in entries)


def storable(completion: Completion) -> Completion:
    """Replace lone surrogates, which JSON can carry and UTF-8 cannot."""
    text = completion.text
    return completion if text.isascii() else replace(completion, text=text.encode("utf-8", "replace").decode())


def facts_dict(facts: GenerationFacts) -> dict[str, Any]:
    """Return what a generation did, as plain data."""
    said = asdict(facts)
    return {**said, "steps": list(said["steps"])}


def facts_json(facts: GenerationFacts) -> str:
    """Write what a generation did."""
    return _encode(facts_dict(facts))


def facts_of(text: str) -> GenerationFacts:
    """Read what ``facts_json`` wrote."""
    said = json.loads(text)
    steps = tuple(Step(**step) for step in said.pop("steps"))
    paid = said.pop("paid")
    return GenerationFacts(**said, steps=steps, paid=None if paid is None else Totals(**paid))


def score_row(score: Score | Failure) -> tuple[Any, ...]:
    """Return (value, stats, answer, kind, message); a message without a kind is a score's reason."""
    if isinstance(score, Failure):
        return (None, None, None, score.kind, score.message)
    return (score.value, json.dumps(score.stats) if score.stats else None, score.answer, None, score.reason)


def score_of(row: tuple[Any, ...]) -> Score | Failure:
    """Read (value, stats, answer, kind, message)."""
    value, stats, answer, kind, message = row
    if kind is not None:
        return Failure("scorer", kind, message)
    return Score(value, tuple(json.loads(stats)) if stats else (), answer, message)


def messages_of(text: str) -> tuple[Message, ...]:
    """Read what ``prompts.fingerprint.messages_json`` wrote."""
    return tuple(Message(role, content) for role, content in json.loads(text))


def fields_json(row: Mapping[str, Any]) -> str:
    """Write a row's fields; values that JSON lacks (dates of a Parquet file) become text."""
    return _encode(row)


def references_json(references: tuple[str, ...]) -> str:
    """Write right answers."""
    return _encode(references)


# json.dumps builds an encoder a call; these are called for every sample.
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=str).encode
