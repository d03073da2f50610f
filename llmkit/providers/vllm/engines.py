"""Engines that are running, so that what asks the same model shares one: a suite and its judge, two sides of a gate."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from llmkit.providers.vllm.engine import Engine


@dataclass(slots=True)
class _Place:
    engine: Engine | None = None
    users: int = 0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


_places: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, _Place]] = WeakKeyDictionary()


async def join(key: str, make: Callable[[], Engine]) -> Engine:
    """Return the engine that runs under ``key`` in this event loop; the first who asks starts it.

    Raises:
        EngineError: It did not start.
    """
    place = _places.setdefault(asyncio.get_running_loop(), {}).setdefault(key, _Place())
    async with place.lock:
        if place.engine is None:
            engine = make()
            await engine.start()
            place.engine = engine
        place.users += 1
        return place.engine


async def leave(key: str, *, hurry: bool = False) -> None:
    """Say that one user is done; the last one stops the engine.

    Args:
        key: As given to ``join``.
        hurry: Somebody waits for the prompt.
    """
    place = _places[asyncio.get_running_loop()][key]
    place.users -= 1  # before anything is waited for, and so could be interrupted
    async with place.lock:
        if place.users == 0 and place.engine is not None:
            engine, place.engine = place.engine, None
            await engine.stop(hurry=hurry)
