"""One llama.cpp server inside this process: start, ask, count, stop."""

from __future__ import annotations

import asyncio
import gc
import importlib
import os
import secrets
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmkit.errors import ProviderError, UsageError
from llmkit.providers import faults
from llmkit.providers.faults import Peer
from llmkit.providers.http import MAX_BODY, Reply, decode
from llmkit.text import one_line

if TYPE_CHECKING:
    import aiohttp

BATCH = 256
"""Prompt tokens computed in one step. A stop waits for the step in hand: 1 s with 256 on two slow cores, 8 s with
the engine's 2048, and 256 cost no speed that could be measured. It decides the last bits of an answer, so it is a
part of the model's identity."""

SPINS = "1000"
"""Turns that a thread waits awake for the others; see ``binding``."""


class Engine:
    """A loaded model behind a port on 127.0.0.1 that only this process has the key of.

    Args:
        path: The GGUF file.
        alias: The name that answers carry as the served model.
        threads: For prompts and generation.
        n_ctx: Tokens a slot holds.
        slots: Requests computed at once.
        gpu_layers: None: as many as fit.
        timeout_s: For one call.

    Attributes:
        pieces: Lines of answers that came so far, over all calls.
    """

    def __init__(
        self,
        path: Path,
        *,
        alias: str,
        threads: int,
        n_ctx: int,
        slots: int,
        gpu_layers: int | None,
        timeout_s: float,
    ) -> None:
        self.path, self.alias, self.threads = path, alias, threads
        self.n_ctx, self.slots, self.gpu_layers, self.timeout_s = n_ctx, slots, gpu_layers, timeout_s
        self.peer = Peer("local", "http://127.0.0.1", "")
        self._server: Any = None
        self._session: aiohttp.ClientSession | None = None
        self.pieces = 0
        self._calls: set[asyncio.Task[Any]] = set()
        self._stopped: set[asyncio.Task[Any]] = set()

    async def start(self) -> None:
        """Load the model and open the port.

        Raises:
            ProviderError: The engine cannot load the file.
            UsageError: The engine itself cannot be loaded.
        """
        import aiohttp

        key = secrets.token_urlsafe(32)
        try:
            self._server = await asyncio.to_thread(self._load, key)
        except UsageError:
            raise
        except Exception as error:  # the binding raises whatever C++ threw
            reason = one_line(str(error)) or type(error).__name__
            raise ProviderError(
                "bad_request",
                f"llama.cpp cannot load {self.path}: {reason}",
                hint="Is it a whole GGUF file of a model that this version knows, and does it fit into memory?",
            ) from error
        self.peer = Peer("local", self._server.listening_address, "")
        self._session = aiohttp.ClientSession(
            headers={"Authorization": f"Bearer {key}"},
            # The engine drops idle connections without notice; on loopback a new one costs 0.1 ms.
            connector=aiohttp.TCPConnector(limit=0, force_close=True),
            timeout=aiohttp.ClientTimeout(total=self.timeout_s),
            trust_env=False,
        )

    async def stop(self) -> None:
        """Stop all generations and free everything. Closed streams end first, for the server waits for them."""
        session, self._session = self._session, None
        self._stopped = set(self._calls)
        for task in self._stopped:  # their connections close with no word to who waits for the next piece
            task.cancel()
        if session is not None:
            await session.close()
        await asyncio.to_thread(self._unload)

    async def chat(self, body: Mapping[str, Any]) -> Reply:
        """Send a chat request, read its stream to the end and return it as one whole answer.

        Raises:
            ProviderError: For whatever the engine refuses or fails at.
        """
        start = time.perf_counter()
        gathered = _Gathered(self.peer)
        async with self._post("/v1/chat/completions", body) as response:
            async for line in _lines(self.peer, response):
                gathered.add(line)
                self.pieces += 1
        return Reply(gathered.document(), {}, time.perf_counter() - start)

    async def count(self, messages: Sequence[Mapping[str, str]]) -> int:
        """Count a conversation's tokens, chat template included."""
        async with self._post("/v1/chat/completions/input_tokens", {"messages": messages}) as response:
            document = decode(self.peer, await response.read())
        found = document.get("input_tokens")
        if not isinstance(found, int):
            raise faults.malformed(self.peer, "JSON without input_tokens")
        return found

    async def ask(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Send JSON to one of the engine's own endpoints and return what comes back, whole.

        Raises:
            ProviderError: For whatever the engine refuses or fails at.
        """
        async with self._post(path, body) as response:
            return decode(self.peer, await response.read())

    async def fill(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Have a prompt computed, as a stream that stops when it is closed, and return the stream's last event."""
        last: dict[str, Any] = {}
        async with self._post("/completion", {**body, "stream": True}) as response:
            async for line in _lines(self.peer, response):
                field, _, value = line.partition(b":")
                if field == b"error":
                    value = b'{"error":' + value + b"}"
                if field in (b"data", b"error") and value.strip() != b"[DONE]":
                    last = decode(self.peer, value)
        return last

    def _load(self, key: str) -> Any:
        params = parameters(self.path, key)
        params.model_alias = {self.alias}
        params.n_ctx = self.n_ctx * self.slots  # the engine shares it out
        params.n_parallel = self.slots
        params.n_batch = params.n_ubatch = BATCH
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = self.threads
        if self.gpu_layers is not None:
            params.n_gpu_layers = self.gpu_layers
        params.use_jinja = True
        return serve(params)

    def _unload(self) -> None:
        if self._server is not None:
            self._server = None  # the binding stops its threads when the last reference goes
            gc.collect()

    @asynccontextmanager
    async def _post(self, path: str, body: Mapping[str, Any]) -> AsyncIterator[aiohttp.ClientResponse]:
        import aiohttp

        task = asyncio.current_task()
        if self._session is None or task is None:
            raise _was_stopped()
        self._calls.add(task)
        try:
            async with self._session.post(self.peer.endpoint + path, json=body) as response:
                if response.status != 200:
                    raise faults.from_status(self.peer, response.status, response.headers, await response.read())
                yield response
        except TimeoutError as error:
            raise faults.timed_out(self.peer, "before the whole answer came", maybe_billed=False) from error
        except (aiohttp.ClientError, OSError) as error:
            raise faults.disconnected(self.peer, "the engine broke off", maybe_billed=False, cause=error) from error
        except asyncio.CancelledError:
            if task in self._stopped and task.uncancel() == 0:  # by stop() alone; the caller's own goes on up
                raise _was_stopped() from None
            raise
        finally:
            self._calls.discard(task)


def binding() -> Any:
    """Import xllamacpp, its threads made to yield while they wait for each other.

    GNU's OpenMP lets them spin, some milliseconds at each of a thousand meetings a token. Where another process
    wants the same processors that is ruinous: measured on two cores, two runs at once took more than 25 times as
    long as one. With ``SPINS`` they took twice as long, and one alone 10 % longer. The variables are the OpenMP
    runtime's own (libgomp manual, "Environment Variables"); it reads them once, as it is loaded.

    Raises:
        UsageError: The binding is installed and cannot be loaded.
    """
    unset = not os.environ.keys() & {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT"}
    if unset:
        os.environ["GOMP_SPINCOUNT"] = SPINS
    try:
        return importlib.import_module("xllamacpp")
    except ImportError as error:
        hint = "On Debian and Ubuntu: apt-get install libgomp1" if "libgomp" in str(error) else "Reinstall xllamacpp"
        raise UsageError(f"xllamacpp cannot be loaded: {one_line(str(error))}", hint=hint) from error
    finally:
        if unset:
            os.environ.pop("GOMP_SPINCOUNT", None)


def parameters(path: Path, key: str) -> Any:
    """Return what every server here is started with: a quiet one, behind a port of loopback that takes this key."""
    params = binding().CommonParams()
    params.model.path = str(path)
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [key]
    params.ui = params.endpoint_slots = params.endpoint_props = False
    params.offline = True
    params.verbosity = -1
    return params


def serve(params: Any) -> Any:
    """Start a server; return it once its loop takes tasks.

    The binding returns before that, and a server that is let go of so early is waited for without end: its loop
    sets out after it was told to stop. What the loop itself answers shows that it runs.

    Raises:
        Exception: Whatever C++ threw.
    """
    params.endpoint_metrics = True
    server = binding().Server(params)
    server.handle_metrics()
    return server


def _was_stopped() -> ProviderError:
    return ProviderError("connection", "the local model was stopped")


class _Gathered:
    """The pieces of a streamed answer, put together as the answer would be without streaming."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._texts: list[str] = []
        self._logprobs: list[Any] = []
        self._reason: str | None = None
        self._last: dict[str, Any] = {}
        self._usage: Any = None

    def add(self, line: bytes) -> None:
        """Read one line of the event stream; comments and blank lines carry nothing."""
        field, _, value = line.partition(b":")
        if field == b"error":
            value = b'{"error":' + value + b"}"
        elif field != b"data" or value.strip() == b"[DONE]":
            return
        event = decode(self._peer, value)
        self._last = event
        self._usage = event.get("usage") or self._usage
        for choice in event.get("choices") or ():
            self._texts.append(choice.get("delta", {}).get("content") or "")
            self._logprobs.extend((choice.get("logprobs") or {}).get("content") or ())
            self._reason = choice.get("finish_reason") or self._reason

    def document(self) -> dict[str, Any]:
        """Return the whole answer.

        Raises:
            ProviderError: The stream ended before the answer did.
        """
        if self._reason is None:
            raise faults.malformed(self._peer, "a stream that is cut off")
        choice: dict[str, Any] = {
            "message": {"content": "".join(self._texts)},
            "finish_reason": self._reason,
            "logprobs": {"content": self._logprobs} if self._logprobs else None,
        }
        return {
            "choices": [choice],
            "usage": self._usage,
            "model": self._last.get("model"),
            "id": self._last.get("id"),
        }


async def _lines(peer: Peer, response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    """Split a stream into lines of any length; log-probabilities make long ones."""
    rest, size = b"", 0
    async for chunk in response.content.iter_any():
        size += len(chunk)
        if size > MAX_BODY:
            raise faults.malformed(peer, f"more than {MAX_BODY >> 20} MiB")
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield line
    if rest:
        yield rest
