"""The tokenizer of a GGUF file: llama.cpp's own, from the vocabulary that the file holds."""

from __future__ import annotations

import hashlib
import json
import mmap
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from secrets import token_urlsafe
from typing import Any
from urllib.parse import urlsplit

from llmkit.errors import DataError, ProviderError
from llmkit.providers.engine import parameters, serve
from llmkit.providers.gguf import MAGIC
from llmkit.text import one_line

_CONTEXT = 64
"""Tokens: nothing is computed, but the engine wants a context."""
_TIMEOUT_S = 120.0
_SHOWN = 12
_SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
_STRING, _ARRAY = 8, 9
_PREFIX = b"tokenizer.ggml."


class GgufTokenizer:
    """Counts by the engine's ``/tokenize``.

    Args:
        address: Of the engine.
        key: Of its port.
        name: Of the vocabulary.
    """

    def __init__(self, address: str, key: str, name: str) -> None:
        self._host = urlsplit(address).netloc
        self._key, self._name = key, name

    @property
    def name(self) -> str:
        """The vocabulary's: files of other weights with the same one count alike."""
        return self._name

    def count(self, text: str) -> int:
        """Return the number of tokens; words like ``<|im_end|>`` are read as the tokens that they name.

        Raises:
            ProviderError: The engine does not answer.
        """
        return len(self._tokens({"content": text}))

    def ends(self, text: str) -> Sequence[int]:
        """Return the offset after each token; a character that takes several tokens ends with the first of them."""
        ends: list[int] = []
        at = 0
        for token in self._tokens({"content": text, "with_pieces": True}):
            piece = token["piece"]
            # Bytes that are no text come as numbers; all but a character's first one have the bits 10 in front.
            at += len(piece) if isinstance(piece, str) else sum(byte & 0xC0 != 0x80 for byte in piece)
            ends.append(min(at, len(text)))
        return ends

    def _tokens(self, body: dict[str, Any]) -> list[Any]:
        connection = HTTPConnection(self._host, timeout=_TIMEOUT_S)
        headers = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"}
        try:
            connection.request("POST", "/tokenize", json.dumps({**body, "add_special": False}).encode(), headers)
            found = json.loads(connection.getresponse().read())["tokens"]
        except (OSError, HTTPException, ValueError, KeyError, TypeError) as error:
            raise ProviderError("connection", f"the engine does not tokenize: {one_line(str(error))}") from error
        finally:
            connection.close()
        return list(found)


@contextmanager
def tokenizer_of(path: Path) -> Iterator[GgufTokenizer]:
    """Open the tokenizer of a file. Of its weights no more is read than the engine's start takes.

    Raises:
        ProviderError: The engine cannot load the file.
        DataError: The file's header is broken.
    """
    name = f"gguf:{vocabulary_hash(path)[:_SHOWN]}"
    key = token_urlsafe(32)
    params = parameters(path, key)
    params.n_ctx = _CONTEXT
    params.n_parallel = 1
    params.n_gpu_layers = 0
    params.warmup = False
    params.no_extra_bufts = True  # weights are mapped as they lie, not rearranged for the processor
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    try:
        server = serve(params)
    except Exception as error:  # the binding raises whatever C++ threw
        reason = one_line(str(error)) or type(error).__name__
        raise ProviderError("bad_request", f"llama.cpp cannot load {path}: {reason}") from error
    yield GgufTokenizer(server.listening_address, key, name)


def vocabulary_hash(path: Path) -> str:
    """Return the SHA-256 over all that a file's header says of its tokenizer.

    Source of the layout: ggml's docs/gguf.md, versions 2 and 3.

    Raises:
        DataError: It is no such header.
    """
    hasher = hashlib.sha256()
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            entries = dict(_entries(content))
            for key in sorted(entries):
                if key.startswith(_PREFIX):
                    start, end = entries[key]
                    hasher.update(key + b"\0" + content[start:end])
    except (OSError, ValueError, struct.error) as error:
        raise DataError(f"the GGUF header cannot be read: {one_line(str(error))}", where=str(path)) from error
    return hasher.hexdigest()


def _entries(content: mmap.mmap) -> Iterator[tuple[bytes, tuple[int, int]]]:
    """Yield each key of the header, and where its value lies."""
    magic, version, _, count = struct.unpack_from("<4sIQQ", content)
    if magic != MAGIC or version not in (2, 3):
        raise ValueError(f"version {version} is not known")
    at = 24
    for _ in range(count):
        (size,) = struct.unpack_from("<Q", content, at)
        key = content[at + 8 : at + 8 + size]
        at += 8 + size
        (kind,) = struct.unpack_from("<I", content, at)
        start = at
        at = _after(content, kind, at + 4)
        yield key, (start, at)


def _after(content: mmap.mmap, kind: int, at: int) -> int:
    """Return where a value ends."""
    if kind in _SIZES:
        return at + _SIZES[kind]
    if kind == _STRING:
        return at + 8 + int(struct.unpack_from("<Q", content, at)[0])
    if kind != _ARRAY:
        raise ValueError(f"a value of the unknown kind {kind}")
    inner, count = struct.unpack_from("<IQ", content, at)
    at += 12
    if inner in _SIZES:
        return at + int(_SIZES[inner] * count)
    for _ in range(count):
        at = _after(content, inner, at)
    return at
