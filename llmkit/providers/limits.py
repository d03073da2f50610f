"""How many calls run at once: a fixed number, or one that adapts to the server.

Adaptive: additive increase, multiplicative decrease (Chiu and Jain 1989), begun by TCP's slow start (RFC 5681):
the limit doubles each round trip until the first 429 or until latency rises, then grows by one a round trip. A 429
halves it, at most once a round trip: calls that were sent before the last cut say nothing new. It grows only while
it is used up (RFC 7661), and only while latency holds: the median of a window of answers is held against the lowest
median so far. A round trip is as many answers as the limit was when it began.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable

from llmkit.providers.base import RateLimits
from llmkit.providers.headers import exhausted_until

START = 16
"""Moderate: below every maker's lowest paid tier's rate at a second a call, and half of full speed at 20 ms."""
LOWEST, HIGHEST = 1, 512
SLOWER = 2.0
"""Latency holds while the window's median is below this many times the lowest: queueing, not noise, doubles it."""
EASE = 0.9
"""A window slower than that eases the limit by a tenth: no error yet, so no halving, and never below the start."""
DRIFT = 1.001
"""The lowest median is let rise this much a window, so that a server that became slower for good is believed."""
WINDOW = 8
"""A window is one round trip's answers, at least this many: a median of fewer is noise."""
LONGEST_PAUSE_S = 120.0
"""Longer waits (a daily quota's reset) are not slept through: the next call's 429 says it again, as an error."""


class Slot:
    """The right to make one call. Tell it how the call went; leaving the block gives it back."""

    __slots__ = ("_limiter", "_started")

    def __init__(self, limiter: Limiter) -> None:
        self._limiter = limiter
        self._started = 0.0

    async def __aenter__(self) -> Slot:
        limiter = self._limiter
        if limiter.in_flight < limiter.size and not limiter.waiting and limiter.pause_until == 0.0:
            limiter.in_flight += 1
        else:
            await limiter.acquire()
        self._started = limiter.clock()
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._limiter.release()

    def ok(self, latency_s: float) -> None:
        """The call succeeded in this many seconds."""
        if self._limiter.adaptive:
            self._limiter.succeeded(latency_s)

    def limited(self, retry_after: float | None = None) -> None:
        """The server answered 429 (or 529); with ``retry_after`` every caller pauses."""
        self._limiter.cut(self._started, retry_after)


class Limiter:
    """Slots for calls to one server, for one event loop.

    Args:
        fixed: Exactly this many at once; None: adaptive.
        start: Where an adaptive limit begins.
        lowest: It never falls below.
        highest: It never rises above.
        clock: Seconds, monotonic.
        sleep: Waits out a pause.
    """

    def __init__(
        self,
        fixed: int | None = None,
        *,
        start: int = START,
        lowest: int = LOWEST,
        highest: int = HIGHEST,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        if fixed is not None and fixed < 1:
            raise ValueError("fixed must be at least 1")
        if not 1 <= lowest <= highest:
            raise ValueError("1 <= lowest <= highest must hold")
        self.adaptive = fixed is None
        self.clock, self.sleep = clock, sleep
        self.in_flight = 0
        self.waiting: deque[asyncio.Future[None]] = deque()
        self.pause_until = 0.0
        self.cuts = 0
        self._bounds = (lowest, highest)
        self._start = min(max(start, lowest), highest)
        self._limit = float(self._start if fixed is None else fixed)
        self.size = int(self._limit)
        self._cut_at = -1.0
        self._slow_start = True
        self._used_up = False
        self._window: list[float] = []
        self._window_size = max(WINDOW, self.size)
        self._holds = True
        self._answers, self._round = 0, self.size
        self._lowest_median: float | None = None

    def slot(self) -> Slot:
        """Return the context manager around one call."""
        return Slot(self)

    async def acquire(self) -> None:
        """Wait for a slot, first come first served, and for the end of a pause."""
        if self.in_flight < self.size and not self.waiting:
            self.in_flight += 1
        else:
            self._used_up = True
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self.waiting.append(turn)
            try:
                await turn
            except asyncio.CancelledError:
                if turn.done() and not turn.cancelled():
                    self.release()  # the slot came in the same moment; pass it on
                raise
        try:
            while (left := self.pause_until - self.clock()) > 0:
                await self.sleep(left)
        except BaseException:
            self.release()
            raise
        if self.pause_until and self.pause_until <= self.clock():
            self.pause_until = 0.0

    def release(self) -> None:
        """Give a slot back; the first in the queue takes it."""
        if self.in_flight >= self.size:
            self._used_up = True
        self.in_flight -= 1
        self._wake()

    def pause(self, seconds: float) -> None:
        """No new call starts for this long."""
        if seconds > 0:
            self.pause_until = max(self.pause_until, self.clock() + min(seconds, LONGEST_PAUSE_S))

    def observe(self, limits: RateLimits | None) -> None:
        """Read what the server says is left: with nothing left, wait for the reset."""
        wait = exhausted_until(limits)
        if wait:
            self.pause(wait)

    def cut(self, started: float, retry_after: float | None) -> None:
        """Take a 429 of a call that was sent at ``started``."""
        if retry_after:
            self.pause(retry_after)
        if not self.adaptive or started <= self._cut_at:
            return
        self._cut_at = self.clock()
        self.cuts += 1
        self._slow_start = False
        self._resize(self._limit / 2)
        self._window.clear()
        self._open_round()

    def succeeded(self, latency_s: float) -> None:
        """Take one success's latency."""
        self._window.append(latency_s)
        self._answers += 1
        if len(self._window) >= self._window_size:
            self._judge()
        if self._answers >= self._round:
            if self._used_up and self._holds:
                self._resize(self._limit * 2 if self._slow_start else self._limit + 1)
            self._open_round()

    def _judge(self) -> None:
        """Hold the window's median against the lowest so far."""
        median = sorted(self._window)[len(self._window) // 2]
        before = median if self._lowest_median is None else self._lowest_median
        self._lowest_median = min(before * DRIFT, median)
        self._holds = median <= SLOWER * before
        if not self._holds:
            self._slow_start = False
            self._resize(max(self._limit * EASE, min(self._limit, self._start)))
        self._window.clear()
        self._window_size = max(WINDOW, self.size)

    def _open_round(self) -> None:
        self._answers, self._round = 0, self.size
        self._used_up = bool(self.waiting)

    def _resize(self, limit: float) -> None:
        lowest, highest = self._bounds
        self._limit = min(max(limit, lowest), highest)
        size = int(self._limit)
        if size != self.size:
            self.size = size
            self._wake()

    def _wake(self) -> None:
        while self.waiting and self.in_flight < self.size:
            turn = self.waiting.popleft()
            if not turn.done():
                self.in_flight += 1
                turn.set_result(None)


def limiter_for(concurrency: int | None, fixed_concurrency: int | None) -> Limiter:
    """Choose: the user's number, bounded by an engine's own number of slots; adaptive where neither is set."""
    if fixed_concurrency is not None:
        return Limiter(min(concurrency or fixed_concurrency, fixed_concurrency))
    return Limiter(concurrency)
