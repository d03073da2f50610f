"""The models of a gate: each started once, however many suites and sides ask it."""

from __future__ import annotations

import contextlib
from types import TracebackType

from llmkit.canonical import digest
from llmkit.providers.base import ModelRef, Provider, fetch
from llmkit.providers.limits import Limiter, limiter_for
from llmkit.providers.registry import create
from llmkit.runs.asking import fetch_all
from llmkit.runs.begin import started
from llmkit.suites.suite import Suite


class Models:
    """Makes providers, starts them when they are asked for the first time, and stops them at the end.

    Args:
        concurrency: Calls at once to each; None adapts.
        keyless: No call will be made, so no API key is needed.
    """

    def __init__(self, concurrency: int | None, *, keyless: bool) -> None:
        self._concurrency, self._keyless = concurrency, keyless
        self._made: dict[str, Provider] = {}
        self._started: dict[str, tuple[Provider, Limiter]] = {}
        self._stack = contextlib.AsyncExitStack()

    async def __aenter__(self) -> Models:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.__aexit__(kind, error, trace)

    def provider(self, ref: ModelRef) -> Provider:
        """Return the model, which may not be started yet: to name and to price it."""
        key = _key(ref)
        if key not in self._made:
            self._made[key] = create(ref, display=self._keyless)
        return self._made[key]

    async def fetch(self, ref: ModelRef) -> None:
        """Have the model here, so that it can be named; where no call may be made nothing is fetched either."""
        if not self._keyless:
            await fetch([self.provider(ref)])

    async def fetch_for(self, suite: Suite, *refs: ModelRef) -> None:
        """Have the models of a suite's judges here, likewise, and further ones; none needs a key for that."""
        if not self._keyless:
            checks = () if suite.form is None else suite.form.checks
            await fetch_all([create(ref, display=True) for ref in refs], suite.scorers, checks)

    async def start(self, ref: ModelRef) -> tuple[Provider, Limiter]:
        """Return the model, started, and the limiter that all who ask it share."""
        key = _key(ref)
        if key not in self._started:
            provider = self.provider(ref)
            if not self._keyless:
                provider = await self._stack.enter_async_context(started(provider))
            limiter = limiter_for(self._concurrency, provider.capabilities.fixed_concurrency)
            self._started[key] = (provider, limiter)
        return self._started[key]


def _key(ref: ModelRef) -> str:
    """Name a provider: sampling parameters go with each request, and make no other one."""
    return digest([ref.name, dict(ref.options)])
