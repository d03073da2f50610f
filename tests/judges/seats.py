"""A judge's seat over a provider, without a store: what the tests of judges ask through."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from llmkit.providers.base import ModelRef, Provider
from llmkit.providers.budget import Budget
from llmkit.providers.pricing import Prices
from llmkit.providers.retry import Caller, RetryPolicy
from llmkit.providers.scripted import Function, Scripted
from llmkit.structured.loop import Answered, Ask
from llmkit.types import Completion, Request

ONCE = RetryPolicy(max_attempts=1, limited_attempts=1)
"""No call is made again: a test that breaks a server need not wait for it."""


class OneSeat:
    """One model, asked through the one road of calls.

    Attributes:
        asked: (vote, attempt, request) of each call, in the order in which they began; answers kept are none.
        keeps: Whether an equal call of the same vote is answered from memory, as a store would.
    """

    def __init__(
        self,
        provider: Provider,
        *,
        budget: Budget | None = None,
        prices: Prices | None = None,
        policy: RetryPolicy = ONCE,
        keeps: bool = False,
    ) -> None:
        self.provider, self.keeps = provider, keeps
        self.name = f"{provider.name}/{provider.model}"
        self.asked: list[tuple[int, int, Request]] = []
        self._call = Caller(provider, policy=policy, budget=budget, prices=prices)
        self._kept: dict[str, Completion] = {}

    @property
    def requests(self) -> list[Request]:
        """What was asked."""
        return [request for _, _, request in self.asked]

    def ask(self, vote: int) -> Ask:
        async def ask(request: Request, attempt: int) -> Answered:
            key = repr((vote, attempt, request))
            if key in self._kept:
                return Answered(self._kept[key], cached=True)
            self.asked.append((vote, attempt, request))
            completion = await self._call(request)
            if self.keeps:
                self._kept[key] = completion
            return Answered(completion)

        return ask


class Table:
    """Seats by model name; the same one each time."""

    def __init__(self, seats: Mapping[str, OneSeat] | OneSeat) -> None:
        self.seats = seats

    async def seat(self, model: ModelRef) -> OneSeat:
        return self.seats if isinstance(self.seats, OneSeat) else self.seats[model.name]


def seated(function: Function, *, keeps: bool = False, budget: Budget | None = None, **options: Any) -> OneSeat:
    """Return a seat whose model is a function of the request."""
    return OneSeat(Scripted("judge", options, function=function), keeps=keeps, budget=budget)


def says(verdict: str, reason: str | None = "because") -> str:
    """Write an answer as a judge should; ``reason`` None: without one."""
    told = {} if reason is None else {"reason": reason}
    return json.dumps({**told, "verdict": verdict})


def always(verdict: str, reason: str | None = "because") -> Callable[[Request], str]:
    """Return a model that says the same of everything."""
    return lambda request: says(verdict, reason)


def text_of(request: Request) -> str:
    """Return all that a request says."""
    return "\n".join(message.content for message in request.messages)
