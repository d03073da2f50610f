"""The one road from a request to an answer: slots, money, attempts, and what each of them says on failure."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from llmkit.errors import BudgetError, ProviderError, UsageError
from llmkit.providers.base import Counts, LogLikelihoods, Provider, ReportsLimits, SpeaksWire
from llmkit.providers.bounds import token_bound
from llmkit.providers.budget import Budget, TokenBudget
from llmkit.providers.headers import waiting_time
from llmkit.providers.hold import Hold, TokenBill
from llmkit.providers.likelihood import likelihood_bound
from llmkit.providers.limits import Limiter, Slot
from llmkit.providers.pricing import Prices, Rates, unknown_price
from llmkit.providers.progress import Progress
from llmkit.types import Completion, Request, Usage


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """When to try again: exponential backoff with full jitter (M. Brooker, "Exponential Backoff And Jitter", 2015).

    Attributes:
        max_attempts: All attempts of one call; small, so that a broken server ends a run in minutes, not weeks.
        limited_attempts: All attempts of one call while the server answers 429: it is alive and asks for patience,
            and 8 outlast a rate window of a minute. Where ``max_attempts`` is more, that holds.
        deadline_s: No attempt starts later than this after the first one started.
        base_s: The first wait is drawn from 0 to this; each next ceiling is twice as high.
        limited_base_s: The same after a 429 that names no wait: rate windows are long.
        cap_s: No ceiling is higher.
    """

    max_attempts: int = 5
    limited_attempts: int = 8
    deadline_s: float = 600.0
    base_s: float = 0.5
    limited_base_s: float = 2.0
    cap_s: float = 60.0

    def __post_init__(self) -> None:
        times = (self.deadline_s, self.base_s, self.limited_base_s, self.cap_s)
        if min(self.max_attempts, self.limited_attempts) < 1 or min(times) < 0:
            raise UsageError("a retry policy needs at least one attempt and no negative time")

    def patient(self, retry_after: float | None) -> bool:
        """Whether a server's wish to be left alone is waited out; one beyond the deadline fails every call at once."""
        return retry_after is not None and retry_after <= self.deadline_s

    def gives_up(self, error: ProviderError) -> bool:
        """Whether ``error`` is final: no other attempt makes sense, or there were enough of them."""
        most = max(self.max_attempts, self.limited_attempts) if error.fault == "rate_limit" else self.max_attempts
        return not error.retryable or error.attempts >= most

    def wait(self, error: ProviderError, rng: random.Random) -> float:
        """Seconds before the next attempt, after ``error.attempts`` of them.

        A server's ``Retry-After`` is a floor; a little jitter above it keeps callers from coming back together.
        """
        base = self.limited_base_s if error.fault == "rate_limit" else self.base_s
        drawn = rng.uniform(0.0, min(self.cap_s, base * 2.0 ** (error.attempts - 1)))
        if error.retry_after is None:
            return drawn
        return error.retry_after + min(drawn, self.base_s)


class Caller:
    """Calls one provider: each attempt in a slot, paid from the budget, repeated where that makes sense.

    Args:
        provider: Started already, where it is one that starts.
        policy: When to try again.
        limiter: Calls in flight; adaptive where none is given.
        budget: The cap; None: no cap.
        tokens: The cap on tokens; None: no cap.
        prices: For ``cost_usd``.
        lost: Is told of every attempt that may have been paid for and brought no answer: its cost where that is
            known, else None; what to charge for it, its worst case where the cost is not known; and why.
        reserved: Is told, before each attempt under a cap, what all calls in flight may cost at most.
        bill: Is told of tokens that no answer accounts for.
        rng: Draws the jitter.
        sleep: Waits between attempts.
        clock: Seconds, monotonic.
    """

    def __init__(
        self,
        provider: Provider,
        *,
        policy: RetryPolicy | None = None,
        limiter: Limiter | None = None,
        budget: Budget | None = None,
        tokens: TokenBudget | None = None,
        prices: Prices | None = None,
        lost: Callable[[float | None, float, str], None] | None = None,
        reserved: Callable[[float], None] | None = None,
        bill: TokenBill | None = None,
        rng: random.Random | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.provider = provider
        self.policy = policy or RetryPolicy()
        self.limiter = limiter or Limiter(provider.capabilities.fixed_concurrency, clock=clock, sleep=sleep)
        self.budget, self.tokens = budget, tokens
        self.prices = prices or Prices()
        self.lost, self.reserved, self.bill = lost, reserved, bill
        self._rng = rng or random.Random()  # noqa: S311 - jitter, no secret
        self._sleep, self._clock = sleep, clock
        self._endpoint = provider.identity().get("endpoint") if isinstance(provider, SpeaksWire) else None
        self._reports = isinstance(provider, ReportsLimits)

    async def __call__(self, request: Request) -> Completion:
        """Answer a request; ``cost_usd`` and ``http_attempts`` are filled in.

        The cost is the answer's own. Worst cases of attempts that were lost on the way are charged to the budget.
        What else breaks the call off, a cancellation say, carries its ``Progress``.

        Raises:
            ProviderError: The last attempt's, with ``attempts``.
            BudgetError: The next attempt does not fit under the cap; with the ``attempts`` made and what they ``lost``.
            UsageError: A cap without ``max_tokens`` or without a known price.
        """
        progress = Progress()
        try:
            return await self._answer(request, progress)
        except (ProviderError, BudgetError):
            raise  # they say it themselves
        except BaseException as error:
            progress.leave_on(error)
            raise

    async def _answer(self, request: Request, made: Progress) -> Completion:
        first = None
        while True:
            async with self.limiter.slot() as slot:
                try:
                    hold = await self._reserve(request)
                except BudgetError as error:
                    error.attempts, error.lost = made.attempts, tuple(made.lost)
                    raise
                first = self._clock() if first is None else first
                made.attempts, made.in_flight = made.attempts + 1, True
                try:
                    completion = await self._attempt(request, slot, hold)
                except ProviderError as error:
                    made.in_flight = False
                    error.attempts, error.lost = made.attempts, tuple(made.lost)
                    failed = error
                else:
                    if made.attempts == 1:
                        return completion
                    return replace(completion, http_attempts=made.attempts, lost=tuple(made.lost))
            if self.policy.gives_up(failed):
                raise failed
            wait = self.policy.wait(failed, self._rng)
            if self._clock() - first + wait > self.policy.deadline_s:
                raise _out_of_time(failed, self.policy)
            if failed.cost_usd != 0.0:
                made.lost.append(failed.cost_usd)
            await self._sleep(wait)

    async def worst_case(self, request: Request) -> float:
        """Dollars that one attempt cannot exceed.

        Raises:
            UsageError: No ``max_tokens``, or no known price.
        """
        provider, rates = self.provider, self._rates(request)
        if rates is None and not provider.capabilities.billed:
            return 0.0
        if rates is None:
            raise unknown_price(f"{provider.name}/{provider.model}")
        return rates.worst(*await self._most_tokens(request, "--max-cost", "a call's price"))

    async def _most_tokens(self, request: Request, cap: str, what: str) -> tuple[int, int]:
        """Return how many tokens an attempt's prompt and answer have at most."""
        provider, limit = self.provider, request.params.get("max_tokens")
        if request.continuations is not None:
            return likelihood_bound(request)
        if limit is None:
            raise UsageError(f"{cap} needs max_tokens: without it {what} has no bound", hint=_LIMIT_HINT)
        return (await provider.count_tokens(request) if isinstance(provider, Counts) else token_bound(request)), limit

    def price(self, request: Request, input_tokens: int, output_tokens: int) -> float | None:
        """Dollars that an attempt of at most so many tokens cannot exceed; None where the price is not known."""
        rates = self._rates(request)
        if rates is not None:
            return rates.worst(input_tokens, output_tokens)
        return None if self.provider.capabilities.billed else 0.0

    def _rates(self, request: Request) -> Rates | None:
        provider = self.provider
        return self.prices.rates(provider.name, provider.model, endpoint=self._endpoint, tier=_tier(request))

    async def _reserve(self, request: Request) -> Hold:
        """Set aside what the next attempt may cost at most: dollars first and then tokens, by all calls alike."""
        hold = Hold()
        if self.budget is not None and self.budget.cap_usd is None:
            hold.dollars = self.budget.reserve(0.0)
        elif self.budget is not None:
            hold.dollars = await self.budget.acquire(await self.worst_case(request))
            if self.reserved is not None:
                self.reserved(self.budget.reserved_usd)
        if self.tokens is not None:
            try:
                most = await self._most_tokens(request, "--max-total-tokens", "a call's length")
                hold.tokens = await self.tokens.acquire(sum(most))
                if self.bill is not None:
                    self.bill.at_risk_tokens(int(self.tokens.reserved_usd))
            except BaseException:
                hold.release()
                raise
        return hold

    async def _attempt(self, request: Request, slot: Slot, hold: Hold) -> Completion:
        """Make one attempt and close what is set aside by how it ended: in no case is it left open."""
        try:
            completion = await self._ask(request)
            cost = self._cost(request, completion.usage, completion.served_model)
        except ProviderError as error:
            self._close_failed(request, hold, error)
            self._learn(slot, error)
            raise
        except UsageError:
            hold.release()  # raised while the request was being written: nothing was sent
            raise
        except BaseException as error:
            hold.forfeit()  # cancelled in flight: the server may finish and bill it
            self._note_lost(request, None, type(error).__name__)
            self._note_tokens(request, hold, Usage())
            raise
        hold.settle(cost, completion.usage)
        self._note_tokens(request, hold, completion.usage, answered=True)
        slot.ok(completion.latency_s)
        if self._reports:
            self.limiter.observe(self.provider.limits)  # type: ignore[attr-defined]
        return completion if completion.cost_usd is not None else replace(completion, cost_usd=cost)

    async def _ask(self, request: Request) -> Completion:
        if request.continuations is None:
            return await self.provider.complete(request)
        if not isinstance(self.provider, LogLikelihoods):
            raise UsageError(f"{self.provider.name} does not give the log-likelihood of a continuation")
        return await self.provider.loglikelihoods(request)

    def _close_failed(self, request: Request, hold: Hold, error: ProviderError) -> None:
        error.cost_usd = 0.0
        if isinstance(error.usage, Usage):
            answer = error.answer
            error.cost_usd = self._cost(
                request, error.usage, answer.served_model if isinstance(answer, Completion) else None
            )
            hold.settle(error.cost_usd, error.usage)
            self._note_lost(request, error.cost_usd, error.fault)
            self._note_tokens(request, hold, error.usage)
        elif error.maybe_billed:
            if self.provider.capabilities.billed:
                error.cost_usd = None
            hold.forfeit()
            self._note_lost(request, None, error.fault)
            self._note_tokens(request, hold, Usage())
        else:
            hold.release()

    def _note_lost(self, request: Request, cost: float | None, why: str) -> None:
        if self.lost is not None and self.provider.capabilities.billed:
            self.lost(cost, cost if cost is not None else self._bound(request), why)

    def _note_tokens(self, request: Request, hold: Hold, usage: Usage, *, answered: bool = False) -> None:
        """Tell of the tokens that the answer's own usage will not; the worst case where nobody knows."""
        if self.bill is None:
            return
        known, most = (usage.input or 0) + (usage.output or 0), _bounds(request)
        if usage.input is not None and usage.output is not None:
            used = known
        elif hold.tokens is not None:
            used = int(hold.tokens.usd)
        else:
            used = known if most is None else sum(most)
        if unaccounted := max(0, used - known) if answered else used:
            self.bill.lost_tokens(unaccounted)

    def _bound(self, request: Request) -> float:
        """Dollars to charge for an attempt whose cost nobody knows: its worst case; 0 where that has no bound."""
        most, rates = _bounds(request), self._rates(request)
        return rates.worst(*most) if rates is not None and most is not None else 0.0

    def _learn(self, slot: Slot, error: ProviderError) -> None:
        wait = error.retry_after if self.policy.patient(error.retry_after) else None
        if error.fault == "rate_limit" or error.status == 529:
            slot.limited(wait)
        elif wait and error.retryable:
            self.limiter.pause(wait)

    def _cost(self, request: Request, usage: Usage, served: str | None) -> float | None:
        provider = self.provider
        return self.prices.cost(
            provider.name,
            provider.model,
            usage,
            served=served,
            endpoint=self._endpoint,
            billed=provider.capabilities.billed,
            tier=_tier(request),
        )


_LIMIT_HINT = "Set it: -M max_tokens=256"


def _out_of_time(error: ProviderError, policy: RetryPolicy) -> ProviderError:
    """Say how long the server wants to be left alone, where that is why nothing is tried again."""
    if error.retry_after is not None and not policy.patient(error.retry_after):
        wish = f"It asks to wait {waiting_time(error.retry_after)}; the same command goes on then"
        error.hint = f"{error.hint}. {wish}" if error.hint else wish
    return error


def _bounds(request: Request) -> tuple[int, int] | None:
    """Bound a call's tokens, of prompt and answer, by nothing but the request; None where they have no bound."""
    if request.continuations is not None:
        return likelihood_bound(request)
    limit = request.params.get("max_tokens")
    return None if limit is None else (token_bound(request), limit)


def _tier(request: Request) -> str | None:
    extra = request.params.get("extra")
    tier = extra.get("service_tier") if extra else None
    return tier if isinstance(tier, str) else None
