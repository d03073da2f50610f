"""The judges' bench: their models, opened when one is asked, paid from one budget, answered from the store.

async with Bench(store, settings, budget=budget, run_id=run_id) as bench:
    seat = await bench.of("relevance").seat(judge.model)
    verdict = await judge_one(judge, subject, seat)
print(bench.totals()["relevance"].cost_usd)
"""

from __future__ import annotations

import asyncio
import contextlib
import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Self

from llmkit.canonical import digest
from llmkit.config import Settings
from llmkit.errors import BudgetError, NotStoredError, ProviderError, StoreError
from llmkit.judges.seat import Seat, Seats
from llmkit.providers.answers import no_answer
from llmkit.providers.base import Counts, ModelRef, Provider, Starts
from llmkit.providers.budget import Budget
from llmkit.providers.limits import Limiter, limiter_for
from llmkit.providers.pricing import Prices
from llmkit.providers.registry import create, normalise
from llmkit.providers.retry import Caller, RetryPolicy
from llmkit.runs.begin import caller_for, started
from llmkit.runs.bills import reason_of
from llmkit.runs.key import Keys, Replicate
from llmkit.runs.plan import new_run_id
from llmkit.runs.records import Answer, storable
from llmkit.runs.store import Store
from llmkit.structured.loop import Answered, Ask
from llmkit.types import Request, Totals

USED = 256  # stored answers that judges took, noted at once; of a killed process the last ones are not on the bill


@dataclass(frozen=True, slots=True)
class _Model:
    """One judge's model, started."""

    ref: ModelRef
    provider: Provider
    limiter: Limiter
    keys: Keys


class _Models:
    """All models of a bench: one of a name with the same options is opened once, whoever asks it."""

    def __init__(
        self, settings: Settings, concurrency: int | None, given: Mapping[str, Provider], *, keyless: bool
    ) -> None:
        self.prices = Prices(settings.prices)
        self._concurrency = concurrency or settings.concurrency
        self._given, self._keyless = given, keyless
        self._made: dict[str, Provider] = {}
        self._open: dict[str, _Model] = {}
        self._opening = asyncio.Lock()
        self._stack = contextlib.AsyncExitStack()

    def provider(self, ref: ModelRef) -> Provider:
        """Return the provider of a model, which is not started by this.

        Raises:
            UsageError: There is none, or no key.
        """
        key = _key(ref)
        if key not in self._made:
            self._made[key] = self._given[ref.name] if ref.name in self._given else create(ref, display=self._keyless)
        return self._made[key]

    async def open(self, ref: ModelRef) -> _Model:
        """Return a model, started."""
        async with self._opening:
            key = _key(ref)
            if key not in self._open:
                provider = self.provider(ref)
                if not self._keyless:
                    provider = await self._stack.enter_async_context(started(provider))
                limiter = limiter_for(self._concurrency, provider.capabilities.fixed_concurrency)
                self._open[key] = _Model(ref, provider, limiter, Keys(provider))
            return self._open[key]

    async def close(self, *exc: object) -> None:
        """Stop all of them; what interrupted, if anything did, is told to them."""
        self._open.clear()
        self._made.clear()
        await self._stack.__aexit__(*(exc or (None, None, None)))  # type: ignore[arg-type]


class Bench:
    """Gives judges their seats (``judges.seat.Seats``). Enter it; leaving it stops the models.

    Args:
        store: Where answers are looked up, and kept when they are paid for.
        settings: The project's prices and concurrency.
        run_id: The run that the judges' answers belong to; None: one of the bench's own.
        budget: What all calls are paid from; None: no cap.
        cache: Whether answers that other runs paid for count.
        since: Seconds of the epoch; older answers of other runs do not count.
        offline: No call is made: an answer that is not stored is a ``NotStoredError``, counted in ``missing``.
        retry: How calls are repeated.
        concurrency: Calls in flight to one model; None: the settings', else it adapts.
        providers: Model name → a provider made already, in the place of the registry's.

    Attributes:
        budget: What all calls are paid from.
        offline: Whether no call is made.
        missing: Answers that ``offline`` lacked.
    """

    def __init__(
        self,
        store: Store,
        settings: Settings,
        *,
        run_id: str | None = None,
        budget: Budget | None = None,
        cache: bool = True,
        since: float = 0.0,
        offline: bool = False,
        retry: RetryPolicy | None = None,
        concurrency: int | None = None,
        providers: Mapping[str, Provider] | None = None,
    ) -> None:
        self._run_id = run_id
        self.budget = budget or Budget(None)
        self.cache, self.since, self.offline = cache, since, offline
        self.missing = 0
        self._store, self._retry = store, retry or RetryPolicy()
        self._models = _Models(settings, concurrency, providers or {}, keyless=offline)
        self._callers: dict[tuple[str, str], Caller] = {}
        self._asking: dict[bytes, asyncio.Future[Answer]] = {}
        self._used: set[tuple[str, int]] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Note what was used, and stop the models."""
        try:
            self.flush()
        finally:
            await self._models.close(*exc)

    @property
    def run_id(self) -> str:
        """The run that the answers belong to."""
        if self._run_id is None:
            self._run_id = f"judge-{new_run_id()}"
        return self._run_id

    def share(self, run_id: str, *, cache: bool | None = None, since: float | None = None) -> Bench:
        """Return the bench of another run, with the same models and budget; it need not be entered.

        Args:
            run_id: The run.
            cache: In the place of this bench's own.
            since: Likewise.
        """
        other = copy.copy(self)
        other._run_id, other.missing = run_id, 0
        other.cache = self.cache if cache is None else cache
        other.since = self.since if since is None else since
        other._callers, other._used = {}, set()
        return other

    def of(self, judge: str, used: set[int] | None = None) -> Seats:
        """Return seats whose calls are counted under a judge's name.

        Args:
            judge: Its name.
            used: Is given the ids of the stored answers that it gets.
        """
        return _Seats(self, judge, set() if used is None else used)

    async def seat(self, model: ModelRef) -> Seat:
        """Return the seat of a model; its calls are counted under the model's name.

        Raises:
            LlmkitError: It cannot be had: no key, no such provider.
        """
        return await self.of(model.name).seat(model)

    def provider(self, model: ModelRef) -> Provider:
        """Return a model's provider, which may not be started yet: what it is called, and what it can do.

        Raises:
            UsageError: There is none, or no key.
        """
        return self._models.provider(model)

    async def prepare(self, models: Iterable[ModelRef]) -> None:
        """Say what is missing before any call is paid for.

        Raises:
            MissingKeyError: A model needs one.
            UsageError: There is no such model; or under a cap, its calls have no bound: no ``max_tokens``, no price.
        """
        for model in models:
            provider = self.provider(model)
            counts_once_started = isinstance(provider, Counts) and isinstance(provider, Starts)  # its calls will tell
            if self.budget.cap_usd is not None and not self.offline and not counts_once_started:
                await Caller(provider, prices=self._models.prices).worst_case(Request((), model.params))

    def totals(self) -> dict[str, Totals]:
        """Return the sums over the run's judges' calls, by the name that each was seated under, as the store has them.

        Those of a run that goes on from before are among them.
        """
        self.flush()
        return self._store.judging(self.run_id)

    def flush(self) -> None:
        """Note which stored answers were used."""
        if self._used:
            used, self._used = self._used, set()
            self._store.note_judging(self.run_id, used)

    # --- one call ---

    async def _ask(
        self, judge: str, model: _Model, used: set[int], vote: int, request: Request, attempt: int
    ) -> Answered:
        """Look the answer up, or wait for an equal call that is under way, or pay for it and keep it."""
        key = model.keys.key(request, Replicate(vote=vote, attempt=attempt))
        mark = key if self.cache else self.run_id.encode() + key  # runs that share no answers wait for none of another
        while (under_way := self._asking.get(mark)) is not None:
            await asyncio.wait({under_way})
            if not under_way.cancelled():
                return self._known(judge, used, _joined(under_way))
        found = self._store.find_answers([key], self.run_id, others=self.cache, since=self.since).get(key)
        if found is not None:
            return self._known(judge, used, found)
        if self.offline:
            self.missing += 1
            raise NotStoredError(model.ref.name)
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._asking[mark] = future
        try:
            return await self._pay(judge, model, used, key, request, future)
        except Exception as error:
            _fail(future, error)
            raise
        finally:
            del self._asking[mark]
            future.cancel()  # where the caller was cancelled, who waits asks for himself

    async def _pay(
        self, judge: str, model: _Model, used: set[int], key: bytes, request: Request, future: asyncio.Future[Answer]
    ) -> Answered:
        completion = storable(await self._caller(judge, model)(request))
        cacheable = no_answer(completion) is None
        try:
            answer = await self._store.add_answer(self.run_id, key, completion, cacheable=cacheable, judge=judge)
        except StoreError as error:  # paid for all the same: the ledger must hold it
            _fail(future, error)
            return Answered(completion, error=error)
        used.add(answer.answer_id)
        future.set_result(answer)
        return Answered(completion)

    def _known(self, judge: str, used: set[int], answer: Answer) -> Answered:
        used.add(answer.answer_id)
        self._used.add((judge, answer.answer_id))
        if len(self._used) >= USED:
            self.flush()
        return Answered(answer.completion, cached=True)

    def _caller(self, judge: str, model: _Model) -> Caller:
        key = judge, _key(model.ref)
        if key not in self._callers:
            self._callers[key] = caller_for(
                model.provider, self.run_id, self._store, self._retry, model.limiter, self.budget, self._models.prices,
                said=partial(reason_of, judge),
            )  # fmt: skip
        return self._callers[key]


@dataclass(frozen=True, slots=True)
class _Seats:
    bench: Bench
    judge: str
    used: set[int]

    async def seat(self, model: ModelRef) -> Seat:
        opened = await self.bench._models.open(model)
        return _Seat(opened.ref.name, opened.provider, self.bench, self.judge, opened, self.used)


@dataclass(frozen=True, slots=True)
class _Seat:
    name: str
    provider: Provider
    bench: Bench
    judge: str
    model: _Model
    used: set[int]

    def ask(self, vote: int) -> Ask:
        return partial(self.bench._ask, self.judge, self.model, self.used, vote)


def _key(ref: ModelRef) -> str:
    ref = normalise(ref)
    return digest([ref.name, dict(ref.options)])


def _fail(future: asyncio.Future[Answer], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
        future.exception()  # nobody need have waited for it


def _joined(future: asyncio.Future[Answer]) -> Answer:
    """Return what the other call brought; its error, less what that cost: that is on the other's bill."""
    error = future.exception()
    if error is None:
        return future.result()
    if isinstance(error, ProviderError):
        again = ProviderError(
            error.fault, error.message, status=error.status, retry_after=error.retry_after, hint=error.hint
        )
        again.attempts = error.attempts
        raise again from error
    if isinstance(error, BudgetError):
        raise BudgetError(error.message, where=error.where, hint=error.hint) from error
    raise error
