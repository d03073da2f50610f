"""What speculative decoding came to in one run: the engine counts from its start on, and runs follow each other."""

from __future__ import annotations

from dataclasses import asdict

from llmkit.errors import LlmkitError
from llmkit.providers.base import Provider, Speculates
from llmkit.runs.pace import speculation_of
from llmkit.runs.store import Store
from llmkit.speculation import Speculation


async def drafted(provider: Provider) -> Speculation | None:
    """Return the engine's counts; None where it has none, or can no longer be asked: the run's end says why."""
    if not isinstance(provider, Speculates):
        return None
    try:
        return await provider.speculation()
    except LlmkitError:
        return None


def note_drafted(store: Store, run_id: str, before: Speculation | None, after: Speculation | None) -> None:
    """Store what came to it between two counts, with what earlier stretches of the run came to."""
    if after is None:
        return
    gained = after if before is None else after.since(before)
    if not gained.drafts:
        return
    earlier = speculation_of(store.run(run_id))
    store.note(run_id, {"speculation": asdict(gained if earlier is None else earlier.plus(gained))})
