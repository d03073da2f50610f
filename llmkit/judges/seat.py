"""The judge's seat: the seam through which it asks its model. Who opens it brings cache, rates, money and the store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from llmkit.providers.base import ModelRef, Provider
from llmkit.scoring.base import Item
from llmkit.structured.loop import Ask
from llmkit.types import Failure, Score


class Seat(Protocol):
    """One model, started.

    Attributes:
        name: ``provider/model``.
        provider: The model.
    """

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def provider(self) -> Provider: ...  # noqa: D102

    def ask(self, vote: int) -> Ask:
        """Return what makes the calls of one vote, from 0; equal requests of different votes share no answer."""
        ...


class Seats(Protocol):
    """Gives judges their seats."""

    async def seat(self, model: ModelRef) -> Seat:
        """Return the seat of a model, opened at the latest now.

        Raises:
            LlmkitError: It cannot be had: no key, no such provider.
        """
        ...


@runtime_checkable
class Asks(Protocol):
    """A scorer that asks a model of its own: a judge. Who runs it gives it seats."""

    async def ask(self, items: Sequence[Item], seats: Seats) -> Sequence[Score | Failure]:
        """Score a batch: one result an item, in order.

        Raises:
            BudgetError: The next call does not fit under the cap; what was paid for is kept by the seats.
            ProviderError: The judge's server is of no use.
        """
        ...
