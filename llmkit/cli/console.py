"""Where things are printed: results on standard output, everything else on standard error."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

PIPE_WIDTH = 120  # of a table that is not shown at a terminal: as wide as the figures need, the same everywhere


def out() -> Console:
    """Return the console on standard output."""
    from rich.console import Console

    return Console(soft_wrap=False, width=None if sys.stdout.isatty() else PIPE_WIDTH, highlight=False)


def err() -> Console:
    """Return the console on standard error."""
    from rich.console import Console

    return Console(stderr=True, highlight=False)


def say(message: str) -> None:
    """Print one line on standard error, secrets taken out."""
    from llmkit.redact import redact

    print(f"llmkit: {redact(message)}", file=sys.stderr)  # noqa: T201


def print_json(document: Any) -> None:
    """Print one JSON document on standard output, and nothing else."""
    print(json.dumps(document, ensure_ascii=False, allow_nan=False, indent=2))  # noqa: T201
