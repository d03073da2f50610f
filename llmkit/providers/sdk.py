"""The makers' SDKs as a road to one POST: sent once, read raw, and their exceptions named like everyone's.

Both SDKs come from one generator, so their exceptions carry the same names; they are told apart by name, without
importing an SDK that is not in use. Answers are read as bytes and parsed here: an answer that the SDK's models
cannot hold was paid for all the same, and its usage must not be lost.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any

from llmkit.errors import ProviderError
from llmkit.providers import faults
from llmkit.providers.faults import Peer
from llmkit.providers.http import MAX_BODY, Reply, decode

_NOT_SENT = frozenset({"ConnectError", "ConnectTimeout", "PoolTimeout", "ProxyError", "UnsupportedProtocol"})
_HOMES = frozenset({"openai", "anthropic", "httpx2", "httpx", "httpcore2", "httpcore", "h11", "anyio", "ssl"})


async def call(
    peer: Peer,
    create: Callable[..., Any],
    body: Mapping[str, Any],
    *,
    timeout_s: float,
    omit: Mapping[str, Any] | None = None,
) -> Reply:
    """Send ``body`` by an SDK's ``with_streaming_response.create`` and return the JSON object that came with 200.

    Args:
        peer: Who is called.
        create: The SDK's method; fields that it does not name itself travel in ``extra_body``.
        body: The wire's body.
        timeout_s: For the whole attempt; the SDK's own bounds only each silence.
        omit: Headers to leave out, each as the SDK's ``Omit()``.

    Raises:
        ProviderError: For everything else.
    """
    fields = {name: body[name] for name in ("model", "input", "messages", "max_tokens") if name in body}
    rest = {name: value for name, value in body.items() if name not in fields}
    start = time.perf_counter()
    try:
        async with asyncio.timeout(timeout_s), create(**fields, extra_body=rest, extra_headers=omit) as response:
            headers = response.headers
            content = await _read(peer, response)
    except ProviderError:
        raise
    except TimeoutError as error:
        raise faults.timed_out(peer, "before the whole answer came", maybe_billed=True) from error
    except Exception as error:
        named_error = from_exception(peer, error)
        if named_error is None:
            raise
        raise named_error from error
    return Reply(decode(peer, content), headers, time.perf_counter() - start)


def from_exception(peer: Peer, error: Exception) -> ProviderError | None:
    """Name what an SDK or its HTTP library raised; None for what is none of theirs."""
    if not any(kind.__module__.partition(".")[0] in _HOMES for kind in type(error).__mro__):
        return None
    names = _names(error)
    if "APIStatusError" in names:
        response: Any = error.response  # type: ignore[attr-defined]
        content = response.content if response.is_closed or response.is_stream_consumed else b""
        return faults.from_status(peer, response.status_code, response.headers, content)
    cause: BaseException = error
    while cause.__cause__ is not None and "APIConnectionError" in _names(cause):
        cause = cause.__cause__
    names |= _names(cause)
    sent = not names & _NOT_SENT
    if "APITimeoutError" in names or "TimeoutException" in names:
        return faults.timed_out(peer, "before the whole answer came" if sent else "connecting", maybe_billed=sent)
    if not sent:
        return faults.disconnected(peer, "no connection", maybe_billed=False, cause=cause)
    if "DecodingError" in names or ("RemoteProtocolError" in names and "message body" in str(cause)):
        return faults.malformed(peer, "a body that is cut off")
    return faults.disconnected(peer, "the connection broke", maybe_billed=True, cause=cause)


def _names(error: BaseException) -> set[str]:
    return {kind.__name__ for kind in type(error).__mro__}


async def _read(peer: Peer, response: Any) -> bytes:
    parts, size = [], 0
    async for chunk in response.iter_bytes():
        size += len(chunk)
        if size > MAX_BODY:
            raise faults.malformed(peer, f"more than {MAX_BODY >> 20} MiB")
        parts.append(chunk)
    return b"".join(parts)
