"""What llmkit and its worker say to each other: JSON objects, one a line, over a socket.

To the worker: first ``{"start": …}``, then ``{"id": 7, "path": "chat/completions", "body": {…}}``, ``{"abort": 7}``
and at the end ``{"stop": true}``. From it: ``{"ready": {…}}``, then ``{"id": 7, "document": {…}}`` or
``{"id": 7, "error": {…}}``, and ``{"failed": "…"}`` where there will be no more.
"""

from __future__ import annotations

import asyncio
import json
import socket
from typing import Any

LONGEST = 256 * 1024 * 1024
"""Bytes of a line; log-probabilities of a long prompt make long ones."""


class Lines:
    """Both directions of one connection.

    Args:
        reader: Of the connection.
        writer: Of the connection.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def over(cls, connection: socket.socket) -> Lines:
        """Take over a connected socket."""
        return cls(*await asyncio.open_unix_connection(sock=connection, limit=LONGEST))

    def send(self, message: dict[str, Any]) -> None:
        """Send a message. Nothing waits: what is in flight is bounded by the calls that wait for their answers."""
        if not self._writer.is_closing():
            self._writer.write(json.dumps(message, separators=(",", ":")).encode() + b"\n")

    async def receive(self) -> dict[str, Any] | None:
        """Return the next message; None where the other side is gone."""
        try:
            line = await self._reader.readline()
        except (ConnectionError, ValueError):  # ValueError: a line beyond the limit, after which nothing can be read
            return None
        if not line.endswith(b"\n"):
            return None
        message: dict[str, Any] = json.loads(line)
        return message

    async def drain(self) -> None:
        """Wait until what was sent has left, as far as the other side still reads."""
        try:
            await self._writer.drain()
        except ConnectionError:
            return

    def close(self) -> None:
        """Close the connection."""
        self._writer.close()
