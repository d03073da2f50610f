"""``/tokenize`` of servers that offer it: vLLM's, and llama.cpp's.

Sources: vLLM's "OpenAI-Compatible Server", Tokenizer API (``prompt`` in, ``count`` out); llama.cpp's server README
(``content`` in, ``tokens`` out). Both lie beside ``/v1``, and both pass over fields that they do not know.
"""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from llmkit.errors import ProviderError, UsageError
from llmkit.providers.chat import count as whole
from llmkit.providers.http import Http

T = TypeVar("T")

_SHOWN = 12
_PROBE = (
    "The quick brown fox: it's 7,381,452 miles — or 0.5 % of №42 — from São Paulo to 東京! naïve_function(x) += "
    "0x1F;\n\tУтро вечера мудренее. 🙂 e5a1c2d4-0b1f-4c3e-9a77-1d2e3f405162"
)
"""Tokenizers seldom count all parts of this alike; what they count is a part of the tokenizer's name."""


class ServerTokenizer:
    """Counts by a server's ``/tokenize``, from a thread of its own: rows are made where no loop may wait.

    Args:
        http: A session that is open in ``loop``.
        loop: Runs in another thread.
        url: Of the endpoint.
        model: As the server knows it.
    """

    def __init__(self, http: Http, loop: asyncio.AbstractEventLoop, url: str, model: str) -> None:
        self._http, self._loop, self._url, self._model = http, loop, url, model
        counts = [self.count(word) for word in _PROBE.split(" ")]
        probe = hashlib.sha256(repr([self.count(_PROBE), *counts]).encode()).hexdigest()
        self._name = f"{model} at /tokenize:{probe[:_SHOWN]}"

    @property
    def name(self) -> str:
        """The model's, and what the tokenizer makes of a probe."""
        return self._name

    def count(self, text: str) -> int:
        """Return the number of tokens.

        Raises:
            ProviderError: The server does not answer, or not with a count.
        """
        body = {
            "model": self._model, "prompt": text, "add_special_tokens": False,
            "content": text, "add_special": False,
        }  # fmt: skip
        found = asyncio.run_coroutine_threadsafe(self._http.post(self._url, body), self._loop).result()
        tokens = found.document.get("tokens")
        number = whole(found.document.get("count"))
        if number is None and isinstance(tokens, list):
            number = len(tokens)
        if number is None:
            raise ProviderError("malformed", f"{self._url} answered without a count of tokens")
        return number


def endpoint_of(base_url: str) -> str:
    """Return where ``/tokenize`` lies: beside ``/v1``, not below it."""
    return base_url.rstrip("/").removesuffix("/v1") + "/tokenize"


@contextmanager
def server_tokenizer(http: Http, base_url: str, model: str) -> Iterator[ServerTokenizer]:
    """Open a server's tokenizer.

    Args:
        http: A session of its own, not entered.
        base_url: Up to and with ``/v1``.
        model: As the server knows it.

    Raises:
        UsageError: The server has no such endpoint.
        ProviderError: It cannot be reached.
    """
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="llmkit-tokenizer", daemon=True)
    thread.start()

    def run(what: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(what, loop).result()

    try:
        run(http.__aenter__())
        try:
            yield ServerTokenizer(http, loop, endpoint_of(base_url), model)
        except ProviderError as error:
            if error.fault == "not_found":
                raise without(f"the server of {model}") from error
            raise
        finally:
            run(http.__aexit__())
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def without(who: str) -> UsageError:
    """Build the error for a model whose tokenizer nobody can be asked for."""
    return UsageError(
        f"{who} has no /tokenize to ask",
        hint="Name a tokenizer with --tokenizer, or in the suite as tokenizer: hf:OWNER/NAME, the path of a"
        " tokenizer.json, or characters:4 (roughly)",
    )
