"""What speculative decoding came to in one run: the engine counts from its start on, and runs follow each other."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import asdict

from llmkit.errors import LlmkitError, StoreError
from llmkit.providers.base import Provider, Speculates
from llmkit.runs.pace import speculation_of
from llmkit.runs.store import Store
from llmkit.speculation import Speculation

PATIENCE_S = 5.0
"""What a look at an engine's counts may take: a server that answers all else need not answer this, and no run waits."""
LAST_LOOK_S = 0.5
"""The same at the end of a run that was interrupted, which is to be out at once."""


@contextlib.asynccontextmanager
async def counting(provider: Provider, run_id: str, store: Store) -> AsyncIterator[None]:
    """Store what the engine's drafts come to within, however that ends."""
    before = await drafted(provider)
    try:
        yield
    except BaseException:
        after = await drafted(provider, LAST_LOOK_S)
        with contextlib.suppress(StoreError):  # what ended the run is what is said; its record meets the same store
            note_drafted(store, run_id, before, after)
        raise
    note_drafted(store, run_id, before, await drafted(provider))


async def drafted(provider: Provider, patience: float = PATIENCE_S) -> Speculation | None:
    """Return the engine's counts; None where it has none, or can no longer be asked: the run's end says why."""
    if not isinstance(provider, Speculates):
        return None
    try:
        async with asyncio.timeout(patience):
            return await provider.speculation()
    except (LlmkitError, TimeoutError):
        return None


def note_drafted(store: Store, run_id: str, before: Speculation | None, after: Speculation | None) -> None:
    """Store what came to it between two counts, with what earlier stretches of the run came to.

    Without a count before, what a server has drafted since its start would pass for this run's: then nothing is stored.
    """
    if before is None or after is None:
        return
    gained = after.since(before)
    if not gained.drafts:
        return
    earlier = speculation_of(store.run(run_id))
    store.note(run_id, {"speculation": asdict(gained if earlier is None else earlier.plus(gained))})
