"""Judges that check generated answers: seated with its models, paid from its cap, kept in its store."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Self

from llmkit.errors import UsageError
from llmkit.judges.judge import Judge
from llmkit.judges.panel import check_seat
from llmkit.judges.seat import Seat, Seats
from llmkit.providers.base import Counts, ModelRef, Provider, Starts
from llmkit.providers.budget import Budget
from llmkit.providers.registry import create
from llmkit.providers.retry import Caller
from llmkit.runs.begin import started
from llmkit.runs.judging import Bench
from llmkit.structured.loop import Answered, Ask
from llmkit.types import Request


class Unkept:
    """Gives judges their seats where no store keeps answers. Enter it; leaving it stops the models.

    Args:
        caller: Returns what makes a provider's paid calls.
        budget: What they are paid from.
    """

    def __init__(self, caller: Callable[[Provider], Caller], budget: Budget) -> None:
        self._caller, self._budget = caller, budget
        self._made: dict[str, Provider] = {}
        self._open: dict[str, _Seat] = {}
        self._opening = asyncio.Lock()
        self._stack = contextlib.AsyncExitStack()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._open.clear()
        await self._stack.__aexit__(*exc)  # type: ignore[arg-type]  # what interrupted is told to the models

    def of(self, judge: str) -> Seats:
        """Return the seats of a judge: the same for all, as nobody counts their calls apart."""
        return self

    def provider(self, model: ModelRef) -> Provider:
        """Return a model's provider, which may not be started yet."""
        key = _key(model)
        if key not in self._made:
            self._made[key] = create(model)
        return self._made[key]

    async def seat(self, model: ModelRef) -> Seat:
        """Return the seat of a model, started."""
        async with self._opening:
            key = _key(model)
            if key not in self._open:
                provider = await self._stack.enter_async_context(started(self.provider(model)))
                self._open[key] = _Seat(model.name, provider, self._caller(provider))
            return self._open[key]

    async def prepare(self, models: Iterable[ModelRef]) -> None:
        """Say what is missing before any call is paid for; see ``Bench.prepare``."""
        for model in models:
            provider = self.provider(model)
            counts_once_started = isinstance(provider, Counts) and isinstance(provider, Starts)
            if self._budget.cap_usd is not None and not counts_once_started:
                await self._caller(provider).worst_case(Request((), model.params))


async def prepare(judges: Sequence[Judge], bench: Bench | Unkept, *, tokens_capped: bool) -> None:
    """Say what is missing before the first answer is paid for.

    Raises:
        MissingKeyError: A judge's model needs one.
        UsageError: There is no such model, or it cannot do what the judge's method wants; a cap cannot be held.
    """
    if judges and tokens_capped:
        raise UsageError(
            f"--max-total-tokens is not held over the calls of a judge, and judge:{judges[0].name} makes some",
            hint="Use --max-cost, which is",
        )
    await bench.prepare(judge.model for judge in judges)
    for judge in judges:
        check_seat(judge, bench.provider(judge.model))


@dataclass(frozen=True, slots=True)
class _Seat:
    name: str
    provider: Provider
    call: Caller

    def ask(self, vote: int) -> Ask:
        async def ask(request: Request, attempt: int) -> Answered:
            return Answered(await self.call(request))

        return ask


def _key(model: ModelRef) -> str:
    return f"{model.name} {sorted(model.options.items())}"
