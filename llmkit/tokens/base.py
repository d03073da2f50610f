"""What a tokenizer is to the rest of llmkit: it counts, and it may say where each token ends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable


class Tokenizer(Protocol):
    """Counts tokens of plain text: nothing is added to it, neither a beginning-of-text token nor a chat template."""

    @property
    def name(self) -> str:
        """Names the tokenizer, not the model or the server: two of one name count every text alike."""
        ...

    def count(self, text: str) -> int:
        """Return the number of tokens.

        Raises:
            LlmkitError: It cannot be asked.
        """
        ...


@runtime_checkable
class Offsets(Protocol):
    """Offered by tokenizers that know where tokens end."""

    def ends(self, text: str) -> Sequence[int]:
        """Return the offset after each token, in characters; they never fall, and there is one a token."""
        ...
