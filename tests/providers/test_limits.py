"""How many calls run at once."""

from __future__ import annotations

import asyncio
import time

import pytest

from llmkit.providers.base import RateLimits
from llmkit.providers.limits import LONGEST_PAUSE_S, WINDOW, Limiter, limiter_for
from llmkit.providers.pricing import Prices
from llmkit.providers.retry import Caller
from tests.providers.roads import ask, provider_at
from tests.providers.server import Exchange, Server, ok, status
from tests.providers.test_retry import Clock


def limiter(clock: Clock | None = None, **options) -> Limiter:
    clock = clock or Clock()
    return Limiter(options.pop("fixed", None), clock=clock, sleep=clock.sleep, **options)


async def rounds(slots: Limiter, n: int, latency) -> None:
    """Run ``n`` times twice as many calls as fit, so that the limit is used up."""
    for _ in range(n):
        width = slots.size

        async def one() -> None:
            async with slots.slot() as slot:
                await asyncio.sleep(0)
                slot.ok(latency(slots.in_flight) if callable(latency) else latency)

        await asyncio.gather(*(one() for _ in range(width * 2)))


@pytest.mark.parametrize("n", [1, 7, 600])
async def test_a_fixed_number_is_used_exactly(n):
    slots, most = limiter(fixed=n), 0

    async def one() -> None:
        nonlocal most
        async with slots.slot() as slot:
            most = max(most, slots.in_flight)
            await asyncio.sleep(0)
            slot.ok(0.1)

    await asyncio.gather(*(one() for _ in range(3 * n)))
    assert (most, slots.in_flight, slots.size) == (n, 0, n)


async def test_a_fixed_number_does_not_fall_at_429():
    slots = limiter(fixed=8)
    async with slots.slot() as slot:
        slot.limited()
    assert slots.size == 8


async def test_a_steady_latency_lets_it_double_a_round_trip_up_to_the_top():
    slots = limiter(start=16, highest=128)
    await rounds(slots, 1, 0.1)
    assert slots.size >= 32
    await rounds(slots, 5, 0.1)
    assert slots.size == 128


async def test_it_does_not_grow_while_it_is_not_used_up():
    slots = limiter(start=16)
    for _ in range(200):
        async with slots.slot() as slot:
            slot.ok(0.1)
    assert slots.size == 16


async def test_429_halves_it_once_a_round_trip():
    clock = Clock()
    slots = limiter(clock, start=64)
    open_slots = [slots.slot() for _ in range(64)]
    for slot in open_slots:
        await slot.__aenter__()
    clock.now += 1
    for slot in open_slots:
        slot.limited()  # 64 calls of one round trip say the same thing once
        await slot.__aexit__()
    assert (slots.size, slots.cuts) == (32, 1)
    clock.now += 1
    async with slots.slot() as slot:
        clock.now += 1
        slot.limited()
    assert slots.size == 16


async def test_after_a_429_it_grows_by_one_a_round_trip():
    clock = Clock()
    slots = limiter(clock, start=64)
    clock.now += 1
    async with slots.slot() as slot:
        slot.limited()
    await rounds(slots, 4, 0.1)  # each of them two windows
    assert 36 <= slots.size <= 40


async def test_it_never_falls_below_the_lowest():
    clock = Clock()
    slots = limiter(clock, start=4)
    for _ in range(10):
        clock.now += 1
        async with slots.slot() as slot:
            clock.now += 1
            slot.limited()
    assert slots.size == 1


async def test_rising_latency_stops_the_growth():
    """A server with 24 workers: beyond them calls queue, so latency is proportional to what is in flight."""
    slots = limiter(start=16)
    await rounds(slots, 100, lambda in_flight: 0.1 * max(1.0, slots.size / 24))
    assert 24 <= slots.size <= 64


async def test_a_server_that_became_slow_for_good_is_not_starved():
    slots = limiter(start=16)
    await rounds(slots, 3, 0.1)
    await rounds(slots, 100, 1.0)
    assert slots.size == 16
    await rounds(slots, 800, 1.0)
    assert slots.size > 16


async def test_waiting_is_first_come_first_served():
    slots, order = limiter(fixed=1), []

    async def one(name: int) -> None:
        async with slots.slot():
            order.append(name)
            await asyncio.sleep(0)

    await asyncio.gather(*(one(name) for name in range(10)))
    assert order == list(range(10))


async def test_a_retry_after_pauses_everybody():
    clock = Clock()
    slots = limiter(clock, fixed=4)
    async with slots.slot() as slot:
        slot.limited(5.0)
    async with slots.slot():
        assert clock.now == 1005.0
    assert clock.slept == [5.0]


async def test_a_pause_ends_where_the_longest_ends():
    clock = Clock()
    slots = limiter(clock, fixed=4)
    slots.pause(5.0)
    slots.pause(2.0)
    async with slots.slot():
        assert clock.now == 1005.0


async def test_nothing_left_waits_for_the_reset():
    clock = Clock()
    slots = limiter(clock, fixed=4)
    slots.observe(RateLimits(remaining_requests=0, reset_requests_s=3.0))
    slots.observe(RateLimits(remaining_tokens=0, reset_tokens_s=4.0))
    slots.observe(RateLimits(remaining_requests=1, reset_requests_s=60.0))
    slots.observe(None)
    async with slots.slot():
        assert clock.now == 1004.0


async def test_a_reset_far_away_is_not_slept_through():
    clock = Clock()
    slots = limiter(clock, fixed=4)
    slots.observe(RateLimits(remaining_requests=0, reset_requests_s=86400.0))
    async with slots.slot():
        assert clock.now == 1000.0 + LONGEST_PAUSE_S


async def test_a_cancelled_wait_gives_its_place_to_the_next():
    slots = limiter(fixed=1)
    first = slots.slot()
    await first.__aenter__()
    second = asyncio.create_task(slots.slot().__aenter__())
    third = asyncio.create_task(slots.slot().__aenter__())
    await asyncio.sleep(0)
    second.cancel()
    await first.__aexit__()
    await third
    assert slots.in_flight == 1
    with pytest.raises(asyncio.CancelledError):
        await second


async def test_a_wait_cancelled_in_the_moment_it_was_served_passes_the_slot_on():
    slots = limiter(fixed=1)
    first = slots.slot()
    await first.__aenter__()
    second = asyncio.create_task(slots.slot().__aenter__())
    await asyncio.sleep(0)
    await first.__aexit__()  # serves the second, which has not run yet
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    assert slots.in_flight == 0


async def test_a_raising_block_frees_its_slot():
    slots = limiter(fixed=1)
    with pytest.raises(ZeroDivisionError):
        async with slots.slot():
            raise ZeroDivisionError
    assert slots.in_flight == 0


@pytest.mark.parametrize(
    ("asked", "engine", "size"), [(None, None, 16), (5, None, 5), (None, 8, 8), (4, 8, 4), (64, 8, 8)]
)
async def test_an_engines_own_number_of_slots_wins_unless_the_user_says_less(asked, engine, size):
    chosen = limiter_for(asked, engine)
    assert (chosen.size, chosen.adaptive) == (size, asked is None and engine is None)


def test_impossible_bounds_are_refused():
    with pytest.raises(ValueError, match="at least 1"):
        Limiter(0)
    with pytest.raises(ValueError, match="lowest"):
        Limiter(lowest=5, highest=2)


async def test_it_converges_under_a_server_that_refuses_above_k_in_flight(monkeypatch):
    """A real server with room for 20: nearly all calls succeed, few are refused, and it is kept busy."""
    room, refused, served = 20, 0, 0
    widths: list[int] = []

    async def behave(exchange: Exchange) -> None:
        nonlocal refused, served
        server = exchange.server
        if server.in_flight > room:
            refused += 1
            await status(429)(exchange)
            return
        widths.append(server.in_flight)
        loop = asyncio.get_running_loop()
        held = loop.create_future()
        loop.call_later(0.004, held.set_result, None)  # the service time that makes calls overlap
        await held
        served += 1
        await ok()(exchange)

    async with Server(default=behave) as server, provider_at("chat", server, monkeypatch) as provider:
        call = Caller(provider, prices=Prices(), sleep=lambda _: asyncio.sleep(0.004))
        results = await asyncio.gather(*(call(ask(max_tokens=5)) for _ in range(1000)))
    assert len(results) == served == 1000
    assert refused < 150
    assert call.limiter.size <= 2 * room
    late = widths[len(widths) // 2 :]
    assert sum(late) / len(late) > room * 0.4


async def test_a_slot_is_cheap():
    """Not a timed test: the bound is a hundred times what it takes, and catches a wrong order of growth."""
    slots = Limiter(64)
    start = time.process_time()
    for _ in range(10_000):
        async with slots.slot() as slot:
            slot.ok(0.1)
    assert (time.process_time() - start) / 10_000 < 1e-3


def test_the_window_is_wide_enough_for_a_median():
    assert WINDOW >= 5
