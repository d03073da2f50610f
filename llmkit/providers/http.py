"""One POST of JSON over aiohttp: sent once, timed, and every failure named."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from llmkit.errors import ProviderError
from llmkit.providers import faults
from llmkit.providers.faults import Peer
from llmkit.text import one_line
from llmkit.version import __version__

if TYPE_CHECKING:
    import aiohttp

MAX_BODY = 64 * 1024 * 1024
"""An answer beyond this is no answer: 64 MiB are some ten million tokens, and a hostile server could fill memory."""

_BROKEN = re.compile(r"Connection\w*Error|BrokenPipeError|TimeoutError")
USER_AGENT = f"llmkit/{__version__}"


class Reply(NamedTuple):
    """A 200 whose body is a JSON object."""

    document: dict[str, Any]
    headers: Mapping[str, str]
    latency_s: float


class Http:
    """A session to one server. Enter it before the first ``post``.

    Args:
        peer: Who is called, for messages.
        headers: Sent with every request; they may hold the key.
        timeout_s: For one whole attempt.
        connect_timeout_s: For the TCP and TLS handshakes.
        read_timeout_s: For the longest silence; None: ``timeout_s`` alone bounds it.
    """

    def __init__(
        self,
        peer: Peer,
        headers: Mapping[str, str],
        *,
        timeout_s: float,
        connect_timeout_s: float,
        read_timeout_s: float | None = None,
    ) -> None:
        self.peer = peer
        self._headers = {"Content-Type": "application/json", "User-Agent": USER_AGENT, **headers}
        self._times = (timeout_s, connect_timeout_s, read_timeout_s)
        self._proxy = _proxy(peer.endpoint)
        self._session: aiohttp.ClientSession | None = None

    def __repr__(self) -> str:
        return f"Http({self.peer.provider!r}, {self.peer.shown!r})"

    async def __aenter__(self) -> Http:
        import aiohttp

        total, connect, read = self._times
        self._session = aiohttp.ClientSession(
            headers=self._headers,
            # Calls in flight are bounded by the limiter; a second bound here would hide waiting from it.
            connector=aiohttp.TCPConnector(limit=0, ttl_dns_cache=300),
            timeout=aiohttp.ClientTimeout(total=total, sock_connect=connect, sock_read=read),
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        return self

    async def __aexit__(self, *exc: object) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def post(self, url: str, body: Mapping[str, Any]) -> Reply:
        """Send ``body`` as JSON once and return the JSON object that came back with 200.

        Raises:
            ProviderError: For everything else.
        """
        data = json.dumps(body, allow_nan=False).encode()
        start = time.perf_counter()
        content, headers = await self._send("POST", url, data)
        return Reply(decode(self.peer, content), headers, time.perf_counter() - start)

    async def text(self, url: str) -> str:
        """Fetch a text once.

        Raises:
            ProviderError: It does not come with 200.
        """
        content, _ = await self._send("GET", url, None)
        return content.decode("utf-8", "replace")

    async def _send(self, method: str, url: str, data: bytes | None) -> tuple[bytes, Mapping[str, str]]:
        """Send a request and return the body and headers of a 200."""
        session = self._session
        if session is None:
            raise RuntimeError("the provider is not started: use `async with provider:`")
        try:
            async with session.request(method, url, data=data, allow_redirects=False, proxy=self._proxy) as response:
                status, headers = response.status, response.headers
                content = await _read(self.peer, response)
        except (TimeoutError, OSError, EOFError, ValueError) as error:
            raise _transport(self.peer, error) from error
        except Exception as error:
            if not type(error).__module__.startswith("aiohttp"):
                raise
            raise _transport(self.peer, error) from error
        if status != 200:
            raise faults.from_status(self.peer, status, headers, content)
        return content, headers


def decode(peer: Peer, content: bytes) -> dict[str, Any]:
    """Parse the body of a 200.

    Raises:
        ProviderError: It is no JSON object, or one with an ``error``.
    """
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        what = "an empty body" if not content.strip() else "JSON that is cut off or broken"
        raise faults.malformed(peer, what, body=content) from error
    if not isinstance(document, dict):
        raise faults.malformed(peer, f"a JSON {type(document).__name__} instead of an object")
    if document.get("error"):
        raise faults.from_error_object(peer, document)
    return document


async def _read(peer: Peer, response: aiohttp.ClientResponse) -> bytes:
    """Read the body up to ``MAX_BODY``. A declared length is trusted, for aiohttp holds the server to it."""
    length = response.content_length
    if length is not None and length <= MAX_BODY and "Content-Encoding" not in response.headers:
        return await response.read()
    parts, size = [], 0
    async for chunk in response.content.iter_any():
        size += len(chunk)
        if size > MAX_BODY:
            response.close()
            raise faults.malformed(peer, f"more than {MAX_BODY >> 20} MiB", status=response.status)
        parts.append(chunk)
    return b"".join(parts)


def _transport(peer: Peer, error: BaseException) -> ProviderError:
    """Name what aiohttp or the socket raised. What happened after sending may have been paid for."""
    import aiohttp

    if isinstance(error, ProviderError):
        return error
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return faults.timed_out(peer, "connecting", maybe_billed=False)
    if isinstance(error, asyncio.TimeoutError):
        return faults.timed_out(peer, "before the whole answer came", maybe_billed=True)
    if isinstance(error, aiohttp.ClientConnectorError):
        return faults.disconnected(peer, "no connection", maybe_billed=False, cause=error)
    if isinstance(error, (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError)):
        return ProviderError("bad_request", f"{peer.provider}: {peer.shown!r} is not a URL that can be called")
    if type(error) is ValueError:  # of the request itself, as credentials in the URL beside a key: nothing was sent
        return ProviderError("bad_request", f"{peer.provider}: cannot be asked: {one_line(str(error))}")
    # aiohttp tells a reset in the body from an orderly early end by its words alone, not by the cause.
    if isinstance(error, aiohttp.ClientPayloadError) and not _BROKEN.search(str(error)):
        return faults.malformed(peer, "a body that is cut off")
    if isinstance(error, aiohttp.ClientResponseError):
        return faults.malformed(peer, f"what is no HTTP ({one_line(error.message)})", status=None)
    return faults.disconnected(peer, "the connection broke", maybe_billed=True, cause=error)


def _proxy(url: str) -> str | None:
    """Find the proxy that the environment names for this server, once; asking per request costs 20 µs."""
    from urllib.request import getproxies, proxy_bypass

    parts = urlsplit(url)
    proxy = getproxies().get(parts.scheme)
    if not proxy or not parts.hostname or parts.hostname in ("localhost", "127.0.0.1", "::1"):
        return None
    return None if proxy_bypass(parts.hostname) else proxy
