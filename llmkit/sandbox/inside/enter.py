"""Becomes the program, in a sandbox that something else has made. Arguments: ORDER CHANNEL STATUS, as descriptors."""

from __future__ import annotations

import sys

from llmkit.sandbox.inside.steps import begin

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def main(order: dict[str, Any]) -> None:
    """Begin the program."""
    begin(order, channel=int(sys.argv[2]), status=int(sys.argv[3]))
