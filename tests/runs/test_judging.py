"""The bench: judges' models opened on demand, paid from one budget, answered from the store, counted apart."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from llmkit.config import Settings
from llmkit.errors import BudgetError, MissingKeyError, ProviderError, UsageError
from llmkit.providers.base import ModelRef
from llmkit.providers.budget import Budget
from llmkit.providers.retry import RetryPolicy
from llmkit.providers.scripted import Scripted
from llmkit.runs.judging import Bench
from llmkit.runs.store import Store
from llmkit.structured.loop import Answered
from llmkit.types import Completion, Message, Request, Usage

MODEL = ModelRef("scripted/judge", {"max_tokens": 10})
PRICED = Settings(Path(), prices={"scripted/judge": {"input": 0.0, "output": 100_000.0}})  # 10 tokens: a dollar
ONCE = RetryPolicy(max_attempts=1, limited_attempts=1)


def request(text: str = "judge this") -> Request:
    return Request((Message("user", text),), MODEL.params)


def judge(function: Callable[[Request], Any] = lambda request: "pass", **options: Any) -> Scripted:
    """A judge that can be asked again in another process: it has a revision."""
    return Scripted("judge", {"revision": "1", **options}, function=function)


def costs_a_dollar(request: Request) -> Completion:
    return Completion("pass", usage=Usage(4, 10))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path) as opened:
        yield opened


@asynccontextmanager
async def benched(
    store: Store, provider: Scripted, settings: Settings | None = None, **how: Any
) -> AsyncIterator[Bench]:
    given = {"scripted/judge": provider}
    async with Bench(store, settings or Settings(Path()), **{"providers": given, "retry": ONCE, **how}) as bench:
        yield bench


async def ask(
    bench: Bench, text: str = "judge this", *, name: str = "relevance", vote: int = 0, attempt: int = 0
) -> Answered:
    seat = await bench.of(name).seat(MODEL)
    return await seat.ask(vote)(request(text), attempt)


async def test_an_answer_is_paid_for_once_and_then_comes_from_the_store(store: Store) -> None:
    provider = judge()
    async with benched(store, provider) as bench:
        first, second = await ask(bench), await ask(bench)
    assert (first.cached, second.cached) == (False, True)
    assert second.completion.text == "pass"
    assert len(provider.calls) == 1


async def test_votes_and_attempts_share_no_answer(store: Store) -> None:
    provider = judge()
    async with benched(store, provider) as bench:
        for vote, attempt in ((0, 0), (1, 0), (0, 1)):
            assert not (await ask(bench, vote=vote, attempt=attempt)).cached
    assert len(provider.calls) == 3


async def test_equal_requests_under_way_are_one_call(store: Store) -> None:
    provider = judge(latency_s=0.01)
    async with benched(store, provider) as bench:
        answers = await asyncio.gather(*(ask(bench) for _ in range(5)))
        totals = bench.totals()["relevance"]
    assert len(provider.calls) == 1
    assert sorted(a.cached for a in answers) == [False, True, True, True, True]
    assert totals.calls == 1


async def test_who_waits_for_a_call_that_is_cancelled_asks_for_himself(store: Store) -> None:
    began = asyncio.Event()

    async def answer(request: Request) -> str:
        if not began.is_set():
            began.set()
            await asyncio.Event().wait()
        return "pass"

    async with benched(store, judge(answer)) as bench:
        first = asyncio.create_task(ask(bench))
        await began.wait()
        second = asyncio.create_task(ask(bench))
        await asyncio.sleep(0)
        first.cancel()
        assert (await second).completion.text == "pass"
        assert first.cancelled() or (await asyncio.gather(first, return_exceptions=True))


async def test_an_error_reaches_who_waits_and_is_billed_once(store: Store) -> None:
    began, over = asyncio.Event(), asyncio.Event()

    async def late(request: Request) -> str:
        began.set()
        await over.wait()
        raise ProviderError("timeout", "no answer in time", maybe_billed=True)

    async with benched(store, judge(late, billed=True)) as bench:
        first = asyncio.create_task(ask(bench))
        await began.wait()
        second = asyncio.create_task(ask(bench))
        await asyncio.sleep(0)  # it waits for the first one's answer
        over.set()
        errors = await asyncio.gather(first, second, return_exceptions=True)
        totals = bench.totals()["relevance"]
    assert sorted((e.cost_usd for e in errors if isinstance(e, ProviderError)), key=str) == [0.0, None]
    assert (totals.calls, totals.lost_attempts, totals.lost_usd) == (0, 1, None)
    assert store.lost(bench.run_id) == (0, 0.0)  # none of the model under test's


async def test_another_run_takes_the_answer_and_pays_nothing(store: Store) -> None:
    async with benched(store, judge(costs_a_dollar, billed=True), PRICED, run_id="first") as bench:
        await ask(bench)
    async with benched(store, judge(costs_a_dollar, billed=True), PRICED, run_id="second") as bench:
        await ask(bench)
        totals = bench.totals()["relevance"]
    assert (totals.calls, totals.cost_usd, totals.cached_cost_usd) == (0, 0.0, 1.0)
    assert (store.spent("first"), store.spent("second")) == (1.0, 0.0)


async def test_without_the_cache_other_runs_answers_do_not_count(store: Store) -> None:
    for run_id in ("first", "second"):
        provider = judge()
        async with benched(store, provider, run_id=run_id, cache=False) as bench:
            await ask(bench)
            await ask(bench)
        assert len(provider.calls) == 1


async def test_sums_are_kept_by_judge_and_over_resumptions(store: Store) -> None:
    for text in ("one", "two"):
        async with benched(store, judge(costs_a_dollar, billed=True), PRICED, run_id="run") as bench:
            await ask(bench, text)
            await ask(bench, text, name="tone", vote=1)
            totals = bench.totals()
    assert {name: (t.calls, t.output, t.cost_usd) for name, t in totals.items()} == {
        "relevance": (2, 20, 2.0),
        "tone": (2, 20, 2.0),
    }


async def test_a_cap_holds_over_calls_in_flight(store: Store) -> None:
    provider, budget = judge(costs_a_dollar, billed=True, latency_s=0.005), Budget(3.5)
    async with benched(store, provider, PRICED, budget=budget, run_id="run") as bench:
        said = await asyncio.gather(*(ask(bench, str(n)) for n in range(9)), return_exceptions=True)
    assert sum(isinstance(e, BudgetError) for e in said) == 6
    assert (len(provider.calls), budget.spent_usd, store.spent("run")) == (3, 3.0, 3.0)


async def test_a_cap_without_max_tokens_is_refused_before_any_call(store: Store) -> None:
    async with benched(store, judge(billed=True), PRICED, budget=Budget(1.0)) as bench:
        with pytest.raises(UsageError, match="max_tokens"):
            await bench.prepare([ModelRef("scripted/judge")])
        await bench.prepare([MODEL])


async def test_a_missing_key_is_said_before_any_call(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    async with Bench(store, Settings(Path())) as bench:
        with pytest.raises(MissingKeyError):
            await bench.prepare([ModelRef("openai/gpt-4o")])


async def test_offline_takes_what_is_stored_and_counts_what_is_not(store: Store) -> None:
    async with benched(store, judge()) as bench:
        await ask(bench, "known")
    provider = judge()
    async with benched(store, provider, offline=True) as bench:
        assert (await ask(bench, "known")).completion.text == "pass"
        with pytest.raises(ProviderError, match="no answer of scripted/judge is stored") as caught:
            await ask(bench, "new")
        assert bench.missing == 1
    assert not caught.value.retryable
    assert not provider.calls


async def test_a_model_is_started_once_and_stopped_at_the_end(store: Store) -> None:
    events: list[str] = []

    class Startable(Scripted):
        async def __aenter__(self) -> Startable:
            events.append("started")
            return self

        async def __aexit__(self, *exc: object) -> None:
            events.append("stopped")

    provider = Startable("judge", {"revision": "1"}, function=lambda request: "pass")
    async with benched(store, provider) as bench:
        assert events == []  # not before it is asked
        await asyncio.gather(bench.seat(MODEL), bench.seat(MODEL))
        await bench.share("other").seat(MODEL)
    assert events == ["started", "stopped"]


async def test_runs_side_by_side_share_calls_but_not_bills(store: Store) -> None:
    provider = judge(costs_a_dollar, billed=True, latency_s=0.01)
    async with benched(store, provider, PRICED) as bench:
        base, head = bench.share("base"), bench.share("head")
        await asyncio.gather(ask(base), ask(head))
        bills = [one.totals()["relevance"] for one in (base, head)]
    assert len(provider.calls) == 1
    assert sorted((bill.calls, bill.cost_usd) for bill in bills) == [(0, 0.0), (1, 1.0)]
