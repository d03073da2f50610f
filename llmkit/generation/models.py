"""The models of a generation: named, started, and asked through cache, rates and caps."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Self

from llmkit.config import Settings, resolve_model, resolve_params
from llmkit.errors import StoreError, UsageError
from llmkit.generation.judging import Unkept, prepare
from llmkit.generation.options import GenerateOptions
from llmkit.judges.outlay import judges_of
from llmkit.judges.seat import Seats
from llmkit.prompts import Prompt
from llmkit.providers.answers import no_answer
from llmkit.providers.base import Counts, ModelRef, Provider
from llmkit.providers.budget import Budget, TokenBudget
from llmkit.providers.hold import TokenBill
from llmkit.providers.limits import HIGHEST, Limiter, limiter_for
from llmkit.providers.params import Params, as_typed, split
from llmkit.providers.pricing import Prices
from llmkit.providers.registry import create, normalise, options_model, options_of
from llmkit.providers.retry import Caller
from llmkit.runs.begin import started
from llmkit.runs.judging import Bench
from llmkit.runs.key import Keys, Replicate
from llmkit.runs.plan import new_run_id
from llmkit.runs.store import Store
from llmkit.structured.extract import need_repair
from llmkit.structured.format import Format
from llmkit.structured.loop import Answered, Speaker
from llmkit.structured.strategy import Wanted, Way, choose
from llmkit.structured.validators import Validator
from llmkit.types import Request


def resolve(prompt: Prompt, model: str | ModelRef | None, pairs: Mapping[str, Any], settings: Settings) -> ModelRef:
    """Say which model is asked with which parameters: ``-m > prompt > llmkit.toml``.

    Raises:
        UsageError: None is named, or what is named is wrong.
    """
    given = model.name if isinstance(model, ModelRef) else model
    named = resolve_model(given, None, prompt.model, settings, prompt_where=prompt.model_where)
    own = {**model.params, **model.options} if isinstance(model, ModelRef) else {}
    where = str(prompt.path) if prompt.path else None
    merged, _ = resolve_params({**own, **pairs}, {}, prompt.params, settings, named.called, prompt_where=where)
    ref = normalise(ModelRef(named.model, {}, {}))
    own_options = options_model(ref.provider)
    merged = as_typed(pairs, merged, *([Params] if own_options is None else [Params, own_options]))
    params, options = split(merged, options_of(ref.provider))
    alias = named.alias or (model.alias if isinstance(model, ModelRef) else None)
    return ModelRef(ref.name, params, {**ref.options, **options}, alias)


@dataclass(slots=True)
class _Open:
    """One started model."""

    ref: ModelRef
    provider: Provider
    call: Caller
    keys: Keys
    ways: dict[Wanted, Way] = field(default_factory=dict)


class Models:
    """The models that a generation asks, one after the other where the one before fails. Enter it to start them.

    Args:
        refs: At least one; the further ones are those to escalate to.
        options: Caps, concurrency, store.
        settings: The project's prices.
        spent_usd: Dollars that count against the cap already.
        spent_tokens: Tokens likewise.
        run_id: Under which the store has kept the answers so far; None: a new one.
        display: Built to show and price requests: no key is needed, and it cannot be entered.
        reserved: Is told, before each attempt under a cap, what all calls in flight may cost at most.
        bill: Is told of tokens that no answer accounts for.

    Attributes:
        budget: Dollars spent and set aside, over all models.
        tokens: Tokens likewise; None where no cap is set.
        run_id: Under which the store keeps the answers.

    Raises:
        UsageError: A cap that cannot be held: no ``max_tokens``, no known price.
        MissingExtraError: Guesses are allowed, and what makes them is not installed.
    """

    def __init__(
        self,
        refs: Sequence[ModelRef],
        options: GenerateOptions,
        settings: Settings,
        *,
        spent_usd: float = 0.0,
        spent_tokens: int = 0,
        run_id: str | None = None,
        display: bool = False,
        reserved: Callable[[float], None] | None = None,
        bill: TokenBill | None = None,
    ) -> None:
        if options.repair:
            need_repair()
        self.refs, self.options, self._settings = tuple(refs), options, settings
        self._reserved, self._bill = reserved, bill
        cap = options.max_cost if options.max_cost is not None else settings.max_cost_usd
        self.budget = Budget(cap, spent_usd=spent_usd)
        most = options.max_total_tokens
        self.tokens = None if most is None else TokenBudget(most, spent_usd=spent_tokens)
        self.run_id = run_id or f"generate-{new_run_id()}"
        self.providers = [create(ref, display=display) for ref in self.refs]
        self._open: list[_Open] = []
        self._store: Store | None = None
        self._bench: Bench | Unkept | None = None
        self._stack = contextlib.AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Start the models and open the store."""
        prices = Prices(self._settings.prices)
        async with contextlib.AsyncExitStack() as stack:
            if self.options.store is not None:
                self._store = stack.enter_context(Store(Path(self.options.store)))
            for ref, provider in zip(self.refs, self.providers, strict=True):
                await self._check_caps(ref, provider, prices)
                await stack.enter_async_context(started(provider))
                self._open.append(_Open(ref, provider, self._caller(provider, prices), Keys(provider)))
            self._bench = await stack.enter_async_context(self._judging(prices))
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Stop the models and close the store; what is paid for is committed."""
        self._open.clear()
        await self._stack.__aexit__(*exc)  # type: ignore[arg-type]  # what interrupted is told to the models

    async def prepare(self, validators: Sequence[Validator]) -> None:
        """Make sure, before anything is paid for, that the judges among the validators can be asked.

        Raises:
            UsageError: One cannot, or a cap cannot be held over its calls.
        """
        assert self._bench is not None, "enter the models first"
        await prepare(judges_of(validators), self._bench, tokens_capped=self.tokens is not None)

    def seats(self, judge: str) -> Seats:
        """Return the seats of a judge among the validators."""
        assert self._bench is not None, "enter the models first"
        return self._bench.of(judge)

    @property
    def workers(self) -> int:
        """Generations that may be under way at once: as many as the model with the most calls at once takes."""
        limiters = [each.call.limiter for each in self._open]
        return max(HIGHEST if limiter.adaptive else limiter.size for limiter in limiters)

    def speakers(
        self, form: Format[Any], *, bound: bool = False, replicate: int = 1, strategy: Wanted | None = None
    ) -> list[Speaker]:
        """Return the models, each with the way that it is asked for a form.

        Args:
            form: What is wanted.
            bound: Whether the form is one row's own, so that its grammar serves that row alone.
            replicate: Which of several equal generations this is, from 1; they share no answer.
            strategy: In the place of the options' own.

        Raises:
            UsageError: A strategy that cannot be had.
        """
        wanted = strategy or self.options.strategy
        return [self._speaker(each, form, wanted, bound, replicate) for each in self._open]

    def _speaker(self, each: _Open, form: Format[Any], strategy: Wanted, bound: bool, replicate: int) -> Speaker:
        way = None if bound else each.ways.get(strategy)
        if way is None:
            way = choose(form, strategy, each.provider)
            if not bound:
                each.ways[strategy] = way
        params = each.ref.params
        if replicate > 1 and isinstance(seed := params.get("seed"), int):
            params = {**params, "seed": seed + (replicate - 1) * 1000}  # apart from the shifts of fresh attempts
        return Speaker(each.ref.name, each.provider, params, partial(self._ask, each, replicate), way)

    async def _ask(self, each: _Open, replicate: int, request: Request, attempt: int) -> Answered:
        """Look the answer up, or pay for it and keep it."""
        store = self._store
        if store is None:
            return Answered(await each.call(request))
        key = each.keys.key(request, Replicate(epoch=replicate, attempt=attempt))
        found = store.find_answers([key], self.run_id, others=self.options.cache).get(key)
        if found is not None:
            return Answered(found.completion, cached=True)
        completion = await each.call(request)
        try:
            await store.add_answer(self.run_id, key, completion, cacheable=no_answer(completion) is None)
        except StoreError as error:  # paid for all the same: the ledger must hold it
            return Answered(completion, error=error)
        return Answered(completion)

    def _judging(self, prices: Prices) -> Bench | Unkept:
        """Return what seats judges, on the same cap and in the same store."""
        options = self.options
        if self._store is None:
            return Unkept(lambda provider: self._caller(provider, prices), self.budget)
        return Bench(
            self._store, self._settings, run_id=self.run_id, budget=self.budget, cache=options.cache,
            retry=options.retry, concurrency=options.concurrency,
        )  # fmt: skip

    def _caller(self, provider: Provider, prices: Prices) -> Caller:
        options = self.options
        limiter: Limiter = limiter_for(
            options.concurrency or self._settings.concurrency, provider.capabilities.fixed_concurrency
        )
        return Caller(
            provider, policy=options.retry, limiter=limiter, budget=self.budget, tokens=self.tokens, prices=prices,
            lost=self._lost, reserved=self._reserved, bill=self._bill,
        )  # fmt: skip

    def _lost(self, cost: float | None, charged: float, why: str) -> None:
        if self._store is not None:
            self._store.charge(self.run_id, cost, charged, why)

    async def _check_caps(self, ref: ModelRef, provider: Provider, prices: Prices) -> None:
        """Refuse a cap that cannot be held, before the first call."""
        if self.tokens is not None and "max_tokens" not in ref.params:
            raise UsageError(
                f"--max-total-tokens needs max_tokens for {ref.name}: without it a call's length has no bound",
                hint="Set it: -M max_tokens=256",
            )
        if self.budget.cap_usd is not None and not isinstance(provider, Counts):
            await Caller(provider, prices=prices).worst_case(Request((), ref.params))
