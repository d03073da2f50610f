"""API keys: found in the environment, remembered so that no text shows them, and missed at the right moment."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from llmkit.errors import MissingKeyError
from llmkit.redact import remember


@dataclass(frozen=True, slots=True)
class Key:
    """What one server is called with.

    Attributes:
        value: The key; None: there is none.
        variable: Where it comes from, for messages.
        missing: Why no call can be made: the key is needed and not set. Only a provider for display holds one.
    """

    value: str | None = field(repr=False)
    variable: str
    missing: MissingKeyError | None = None

    @property
    def used(self) -> bool:
        """Whether calls carry a key."""
        return self.value is not None or self.missing is not None

    def check(self) -> None:
        """Stand before the first call.

        Raises:
            MissingKeyError: The key is needed and not set.
        """
        if self.missing is not None:
            raise self.missing


def find_key(provider: str, variable: str, *, needed: bool, display: bool = False) -> Key:
    """Read a key from its variable.

    Args:
        provider: For the message.
        variable: The variable.
        needed: Whether the server takes no call without one.
        display: Build all the same, for what shows a request and makes no call.

    Raises:
        MissingKeyError: It is needed and not set, and not for display.
    """
    value = os.environ.get(variable) or None
    remember(value)
    if value is not None or not needed:
        return Key(value, variable)
    missing = MissingKeyError(provider, variable)
    if not display:
        raise missing
    return Key(None, variable, missing)
