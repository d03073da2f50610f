"""What a comparison reads of a run: how it was set up, its samples without their texts, and some samples' texts."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from llmkit.scoring.base import Item
from llmkit.types import FinishReason, RunStatus, TokenLogprob
from llmkit.variants import Pace

Key = tuple[str, int]
"""Sample id and epoch: what pairs are made by."""


@dataclass(frozen=True, slots=True)
class Setup:
    """How a run was set up. None: the file does not say.

    Attributes:
        name: What the user called the run.
        run_id: The run.
        suite: Its suite.
        model: Its model.
        status: How it ended.
        data: Fingerprint of its data set.
        prompt: Fingerprint of its prompt.
        map: Where its samples' ids, right answers and groups come from.
        signatures: Metric → scorer signature.
        scorers: The suite's entries, which make the scorers again.
        higher_is_better: Metric → direction, in the suite's order; those that are known.
        params: Sampling parameters.
        sizes: Epochs, limit and seed.
        stored: Whether the store holds it; else it is a file.
        gate: The gate that it is a side of; None for a plain run.
        source: Name of its data set, of one of the hub or generated; the latter names what counted its tokens.
        judges: Metric → what its judge was measured to be, of those whose scores are a judge's verdicts.
        options: The provider's own, those that hold secrets left out.
        alias: What the user called the model; None: by its name.
    """

    name: str
    run_id: str
    suite: str
    model: str
    status: RunStatus | None
    data: str | None = None
    prompt: str | None = None
    map: Mapping[str, str] | None = None
    signatures: Mapping[str, str] | None = None
    scorers: Sequence[Any] | None = None
    higher_is_better: Mapping[str, bool] = field(default_factory=dict)
    params: Mapping[str, Any] | None = None
    sizes: Mapping[str, int | None] | None = None
    stored: bool = True
    gate: str | None = None
    source: str | None = None
    judges: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] | None = None
    alias: str | None = None


class Row(NamedTuple):
    """One sample in one epoch, without its texts.

    Attributes:
        key: Its id and epoch.
        where: ``path:line``, for errors.
        references: Its right answers, as canonical text; None where it could not be asked.
        cluster: Its cluster.
        slices: Its slices.
        values: Metric → value, of what was scored.
        stats: Metric → sufficient statistics, of corpus metrics.
        answer: Which stored answer it points to; None where there is none, or a file does not say.
        answered: Whether it has an answer.
        cost_usd: Of its answer.
        output_tokens: Of its answer.
        latency_s: Of its answer.
        fresh: Whether its own run asked for the answer.
        said: A hash of its answer's text; None where there is none.
        unscored: Metric → what kind of failure stands in place of its score, of what was answered.
        input_tokens: Of its prompt, as often as it was read.
    """

    key: Key
    where: str
    references: str | None
    cluster: str | None
    slices: Mapping[str, str]
    values: Mapping[str, float]
    stats: Mapping[str, Sequence[float]]
    answer: int | None
    answered: bool
    cost_usd: float | None
    output_tokens: float | None
    latency_s: float | None
    fresh: bool
    said: int | None = None
    unscored: Mapping[str, str] = {}
    input_tokens: float | None = None


class Texts(NamedTuple):
    """What people read of one sample: the last user message, right answers, the answer, what was taken out of it."""

    question: str
    references: tuple[str, ...]
    answer: str | None
    extracted: Mapping[str, str]


class Chosen(NamedTuple):
    """How a stored answer came about: token by token, or as the likeliest of what was compared.

    ``logprobs`` is None where none are stored.
    """

    text: str
    finish_reason: FinishReason
    logprobs: tuple[TokenLogprob, ...] | None


class Source(Protocol):
    """A run, wherever it lies."""

    @property
    def setup(self) -> Setup:
        """How it was set up."""
        ...

    def rows(self) -> Iterator[Row]:
        """Stream its samples."""
        ...

    def texts(self, keys: Collection[Key]) -> dict[Key, Texts]:
        """Return what people read of some of them."""
        ...

    def items(self, keys: Collection[Key]) -> Iterator[tuple[Key, Item]]:
        """Stream some of them as scorers see them, in one pass."""
        ...

    def chosen(self, answers: Sequence[int]) -> dict[int, Chosen]:
        """Return how some stored answers came about; nothing of those that a file holds."""
        ...

    def pace(self) -> Pace | None:
        """Return how fast the answers came that it asked for itself; None where there are none, or a file holds it."""
        ...


def hash_of(text: str) -> int:
    """Hash to 8 bytes; 0 is kept for "none"."""
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, signed=True) or 1
