"""The cache key: everything that decides an answer, and nothing else."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from llmkit.canonical import canonical
from llmkit.providers.base import Provider, SpeaksWire
from llmkit.providers.base import identity as identity
from llmkit.types import Request


@dataclass(frozen=True, slots=True)
class Replicate:
    """Which of several equal requests this is. Two replicates never share an answer.

    Attributes:
        epoch: From 1.
        vote: A judge's repeated verdict.
        attempt: A fresh attempt of structured generation.
        arm: A side of an A/A run.
    """

    epoch: int = 1
    vote: int = 0
    attempt: int = 0
    arm: int = 0


def wire_of(provider: Provider) -> Callable[[Request], Mapping[str, Any]]:
    """Return what makes the JSON that goes out; llmkit's own form of it where a provider does not show its wire."""
    return provider.wire if isinstance(provider, SpeaksWire) else _own_form


def _own_form(request: Request) -> Mapping[str, Any]:
    return {"messages": [asdict(m) for m in request.messages], "params": dict(request.params)}


class Keys:
    """Makes cache keys for one provider; what is the same for all requests is hashed once."""

    def __init__(self, provider: Provider) -> None:
        self._wire = wire_of(provider)
        self._start = hashlib.sha256(canonical(["llmkit answer 1", identity(provider)]))

    def key(self, request: Request, replicate: Replicate) -> bytes:
        """Return the 32 bytes under which the answer to ``request`` is stored."""
        hasher = self._start.copy()
        hasher.update(canonical(self._wire(request)))
        if request.continuations is not None:  # no wire need show them, and the answer is nothing without them
            hasher.update(canonical(["continuations", asdict(request.continuations)]))
        hasher.update(b"\x00%d,%d,%d,%d" % (replicate.epoch, replicate.vote, replicate.attempt, replicate.arm))
        return hasher.digest()

    def generation(self, first: Request, form: str, replicate: Replicate) -> bytes:
        """Return the 32 bytes under which what a loop comes to is stored.

        Args:
            first: Its first request, without what a provider's structured output adds.
            form: The digest of the form and of how it is obtained.
            replicate: Which of several equal generations it is.
        """
        return hashlib.sha256(b"llmkit generation 1\x00" + form.encode() + self.key(first, replicate)).digest()
