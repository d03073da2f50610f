"""A stream that carries several: each piece with its kind and its length before it."""

from __future__ import annotations

import os
import struct

HEADER = struct.Struct(">cI")
LONGEST = 1 << 16
ORDER, CHANNEL, CHANNEL_END, STATUS, OUT, ERR, EXIT = (bytes([number]) for number in b"ocEsxye")


def send(descriptor: int, kind: bytes, data: bytes = b"") -> None:
    """Write one piece whole."""
    left = memoryview(HEADER.pack(kind, len(data)) + data)
    while left:
        left = left[os.write(descriptor, left) :]


class Pieces:
    """What came of a stream, taken apart.

    Args:
        longest: Bytes of one piece; a longer one is no stream of ours.
    """

    def __init__(self, longest: int = LONGEST) -> None:
        self._longest = longest
        self._data = bytearray()

    def take(self, data: bytes) -> list[tuple[bytes, bytes]]:
        """Return the pieces that are whole now, as (kind, data).

        Raises:
            ValueError: It is no stream of pieces.
        """
        self._data += data
        found = []
        while len(self._data) >= HEADER.size:
            kind, length = HEADER.unpack_from(self._data)
            if length > self._longest:
                raise ValueError("a piece longer than any")
            end = HEADER.size + length
            if len(self._data) < end:
                break
            found.append((kind, bytes(self._data[HEADER.size : end])))
            del self._data[:end]
        return found
