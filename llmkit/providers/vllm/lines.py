"""What llmkit and its worker say to each other: JSON objects, one a line, over a socket.

To the worker: first ``{"start": …}``, then ``{"id": 7, "path": "chat/completions", "body": {…}}``, ``{"abort": 7}``
and at the end ``{"stop": true}``. From it: ``{"ready": {…}}``, then ``{"id": 7, "document": {…}}`` or
``{"id": 7, "error": {…}}``, and ``{"failed": "…"}`` where there will be no more.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
from typing import Any, cast

LONGEST = 256 * 1024 * 1024
"""Bytes of a line; log-probabilities of a long prompt make long ones."""


class Lines(asyncio.Protocol):
    """Both directions of one connection.

    What arrived before a connection broke is still received: the last line says why. (``asyncio.StreamReader`` forgets
    it where the other side ends with something unread.)
    """

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._arrived: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._begun: list[bytes] = []  # of a line whose end has not come
        self._size = 0
        self._written = asyncio.Event()
        self._written.set()

    @classmethod
    async def over(cls, connection: socket.socket) -> Lines:
        """Take over a connected socket."""
        loop = asyncio.get_running_loop()
        _, lines = await loop.create_unix_connection(cls, sock=connection)
        return lines

    def send(self, message: dict[str, Any]) -> None:
        """Send a message. Nothing waits: what is in flight is bounded by the calls that wait for their answers."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(json.dumps(message, separators=(",", ":")).encode() + b"\n")

    async def receive(self) -> dict[str, Any] | None:
        """Return the next message; None where the other side is gone."""
        line = await self._arrived.get()
        if line is None:
            self._arrived.put_nowait(None)  # for whoever asks again
            return None
        message: dict[str, Any] = json.loads(line)
        return message

    async def drain(self) -> None:
        """Wait until what was sent has left, as far as the other side still reads."""
        await self._written.wait()

    def close(self) -> None:
        """Close the connection."""
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection; from its first byte on that waits to be written, ``drain`` waits."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=0)

    def data_received(self, data: bytes) -> None:
        """Split into lines, in time linear in what comes."""
        first, *others = data.split(b"\n")
        self._begun.append(first)
        self._size += len(first)
        for part in others:
            self._arrived.put_nowait(b"".join(self._begun))
            self._begun, self._size = [part], len(part)
        if self._size > LONGEST and self._transport is not None:
            self._transport.pause_reading()
            self._begun, self._size = [], 0
            self._arrived.put_nowait(json.dumps({"failed": f"a message of more than {LONGEST >> 20} MiB"}).encode())

    def connection_lost(self, exc: Exception | None) -> None:
        """Say that no more comes; where a write failed, after what the other side had said before."""
        if exc is not None and self._transport is not None:
            descriptor = self._transport.get_extra_info("socket").fileno()
            with contextlib.suppress(OSError):  # nothing is left
                while data := os.read(descriptor, 1 << 16):
                    self.data_received(data)
        self._written.set()
        self._arrived.put_nowait(None)

    def pause_writing(self) -> None:
        """Note that something waits to be written."""
        self._written.clear()

    def resume_writing(self) -> None:
        """Note that nothing waits."""
        self._written.set()
