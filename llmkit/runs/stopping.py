"""What ends a run from inside one of its tasks."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from llmkit.errors import LlmkitError


class StopRunError(Exception):
    """Ends the run from inside a worker; carries the error that the user sees."""

    def __init__(self, error: LlmkitError) -> None:
        super().__init__(str(error))
        self.error = error


def stop_of(task: asyncio.Task[None]) -> LlmkitError | None:
    """Return what stopped the answering, if one of its workers did; anything else that went wrong is raised."""
    error = task.exception()
    if error is None:
        return None
    found = list(leaves(error))
    ours = [leaf.error for leaf in found if isinstance(leaf, StopRunError)]
    if len(ours) < len(found):
        raise error
    return ours[0]


def leaves(error: BaseException) -> Iterator[BaseException]:
    """Yield the errors that a group holds, or the one error that there is."""
    if isinstance(error, BaseExceptionGroup):
        for part in error.exceptions:
            yield from leaves(part)
    else:
        yield error
