"""What a model's start says of itself, to whoever shows it: loading weights takes seconds or many minutes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

STARTED = "started"
"""The last stage of a start that went well."""

Watcher = Callable[[str, str | None], None]
"""Takes who starts (``vllm/ORG/MODEL``) and what it does now; None: it does nothing more, and may not have started."""

_watcher: ContextVar[Watcher | None] = ContextVar("llmkit_starting", default=None)


@contextmanager
def watching(watcher: Watcher) -> Iterator[None]:
    """Have ``watcher`` told of all starts in this context and the tasks made in it."""
    token = _watcher.set(watcher)
    try:
        yield
    finally:
        _watcher.reset(token)


def tell(who: str, stage: str | None) -> None:
    """Say what a start does now; nobody may be watching."""
    if (watcher := _watcher.get()) is not None:
        watcher(who, stage)
