"""What a scorer is: pure, batched, signed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

from llmkit.types import Failure, GenerationFacts, Message, Score, TokenLogprob

if TYPE_CHECKING:  # numpy takes 60 ms, and naming a scorer needs none of it
    import numpy as np
    from numpy.typing import NDArray

MetricKind = Literal["proportion", "mean", "corpus"]


@dataclass(frozen=True, slots=True)
class Item:
    """One answer to score, with what a right answer is.

    Attributes:
        text: The answer.
        references: Right answers; any of them counts.
        row: The fields of the data set's row.
        generation: What structured generation did for it; None where the suite asks for no form.
        id: The sample's.
        messages: What was asked.
        logprobs: Of the answer's tokens, or of the continuations that were compared; None where nobody asked for them.
    """

    text: str
    references: tuple[str, ...] = ()
    row: Mapping[str, Any] = field(default_factory=dict)
    generation: GenerationFacts | None = None
    id: str = ""
    messages: tuple[Message, ...] = ()
    logprobs: tuple[TokenLogprob, ...] | None = None


class Scorer(Protocol):
    """One metric.

    Attributes:
        name: The metric's name in reports, unique within a suite (``exact_match``, ``rouge1``, ``bleu``).
        signature: Everything that makes two figures comparable, ``key:value`` joined by ``|``, as sacrebleu writes it.
        kind: ``proportion``: each value is 0 or 1. ``mean``: the metric is the mean of the values.
            ``corpus``: the metric is ``corpus_value`` of the summed ``Score.stats``.
        higher_is_better: Direction.
        needs_references: Whether a sample without a reference cannot be scored.
        heavy: Whether scoring holds the processor long enough (>1 ms an answer) to go to a thread.

    A heavy one says in ``batch`` how many answers it takes at once, where others than 32 serve it better.
    A scorer of other values than those from 0 to 1 says so in ``bounds`` (:func:`bounds_of`).
    """

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def signature(self) -> str: ...  # noqa: D102
    @property
    def kind(self) -> MetricKind: ...  # noqa: D102
    @property
    def higher_is_better(self) -> bool: ...  # noqa: D102
    @property
    def needs_references(self) -> bool: ...  # noqa: D102
    @property
    def heavy(self) -> bool: ...  # noqa: D102

    def score(self, items: Sequence[Item]) -> Sequence[Score | Failure]:
        """Score a batch: one result an item, in order. An answer that cannot be scored is a ``Failure``, never 0."""
        ...

    def wrong(self, item: Item) -> Score | None:
        """Return the score of a failure read as a wrong answer (an empty one, for error rates and corpus metrics).

        None where there is no such reading: what a wrong answer would have cost, say.
        """
        ...


def bounds_of(scorer: object) -> tuple[float, float] | None:
    """Return the least and the largest value that a scorer says it can give, ``bounds``; the latter may be infinite.

    None where it says nothing: values that all lie in [0, 1] are then taken for those of a scale that ends there.
    """
    found: tuple[float, float] | None = getattr(scorer, "bounds", None)
    return found


@runtime_checkable
class CorpusScorer(Protocol):
    """A scorer of kind ``corpus``."""

    def corpus_value(self, totals: NDArray[np.float64]) -> NDArray[np.float64]:
        """Map summed statistics, shape (..., k), to the metric, shape (...). Vectorised, for the bootstrap."""
        ...


@runtime_checkable
class Prepares(Protocol):
    """A scorer that must load something first. Asked before the first call is paid for."""

    def prepare(self) -> None:
        """Load it.

        Raises:
            LlmkitError: It cannot be had; the message says how to get it.
        """
        ...


@runtime_checkable
class SortsReasons(Protocol):
    """A scorer whose reasons, of wrong answers, are of a few sorts that can be counted."""

    def sort_of(self, reason: str) -> str:
        """Return the sort of a reason that it gave: one word or a few."""
        ...


@runtime_checkable
class Learns(Protocol):
    """A scorer whose figures depend on the right answers of the whole run, as weights by rarity do.

    It is taught before anything is asked, when the run's digest is taken: what it has learnt stands in its signature.

    Attributes:
        learns: Whether it does with the options that it has.
        untaught: It as its options make it, before it has learnt anything.
    """

    @property
    def learns(self) -> bool: ...  # noqa: D102
    @property
    def untaught(self) -> Scorer: ...  # noqa: D102

    def learn(self, references: Iterable[Sequence[str]]) -> Scorer:
        """Return the scorer that has seen the references of each sample, in any order; this one stays as it is.

        Raises:
            LlmkitError: It cannot learn; the message says how to mend it.
        """
        ...
