"""What a process in a sandbox has to do: a small table of texts and lists, in a file beside it."""

import marshal
from typing import Any

NAME = "task"


def read() -> dict[str, Any]:
    """Read it."""
    with open(NAME, "rb") as file:  # noqa: PTH123
        task: dict[str, Any] = marshal.load(file)  # noqa: S302 - written by llmkit, for this process alone
    return task
