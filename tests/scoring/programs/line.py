"""Two ends of a line in one process: what would be the answer's serves a module from a thread."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from llmkit.scoring.programs.inside.codec import BadMessage
from llmkit.scoring.programs.inside.examine import reachable
from llmkit.scoring.programs.inside.peer import MODULE, Gone, Peer


class Module:
    """The other side's module, by its names."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer

    def __getattr__(self, name: str) -> Any:
        return self.peer.request("get", MODULE, (name,))


@contextlib.contextmanager
def served(source: str, *, strict: bool = False) -> Iterator[Module]:
    """Serve a program, and give its module as tests see it."""
    ours, theirs = socket.socketpair()
    module = ModuleType("solution")
    exec(compile(source, "solution.py", "exec"), module.__dict__)
    there = Peer(lambda operation, value, args: True, wary=False, channel=theirs.fileno())
    there.show(module)

    def serve() -> None:
        with contextlib.suppress(Gone, BadMessage):
            there.serve()

    thread = threading.Thread(target=serve)
    thread.start()
    with ours, theirs:
        try:
            yield Module(Peer(reachable, wary=True, strict=strict, channel=ours.fileno()))
        finally:
            ours.shutdown(socket.SHUT_RDWR)
            thread.join()


@contextlib.contextmanager
def said(data: bytes) -> Iterator[Peer]:
    """A tests' side whose other side says this, and no more."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(data)
        theirs.shutdown(socket.SHUT_WR)
        yield Peer(reachable, wary=True, channel=ours.fileno())


def framed(kind: int, data: bytes) -> bytes:
    """A message as it stands on the line."""
    return len(data).to_bytes(4, "big") + bytes((kind,)) + data
