"""A real server on loopback that answers as OpenAI and Anthropic do, or fails in whatever way a test scripts.

    async with Server(status(429, headers={"Retry-After": "1"}), ok("42")) as server:
        ...                      # server.url; the first request gets the 429, the second the answer
    server.log[0].body           # what was asked

Behaviours are taken in the order in which requests arrive; when they run out, every request gets ``default``.
Nothing here waits for time: a request is held by an event (``gate``) or for ever (``hang``).
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Seen:
    """One request, as it arrived."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]


@dataclass
class Exchange:
    """A request and the means to answer it."""

    seen: Seen
    server: Server
    writer: asyncio.StreamWriter

    async def send(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        kind = {"Content-Type": "application/json", **(headers or {})}
        head = f"HTTP/1.1 {status} Said\r\n" + "".join(f"{k}: {v}\r\n" for k, v in kind.items())
        await self.raw(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)

    async def raw(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    def reset(self) -> None:
        """Break the connection with a TCP RST, as a crashed peer or a firewall does."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


Behaviour = Callable[[Exchange], Awaitable[None]]
Fields = Mapping[str, str]


class Server:
    """The server; ``log`` holds every request, ``billed`` the tokens of every answer that it sent or meant to send."""

    def __init__(self, *script: Behaviour, default: Behaviour | None = None) -> None:
        self.script = list(script)
        self.default = default or ok("42")
        self.log: list[Seen] = []
        self.metrics: Callable[[], str] | None = None
        self.in_flight = self.max_in_flight = 0
        self.billed: list[tuple[int, int]] = []
        self.arrived = asyncio.Condition()
        self._open: set[asyncio.Task[None]] = set()

    @property
    def origin(self) -> str:
        """``http://127.0.0.1:PORT``, as Anthropic's SDK wants it."""
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    @property
    def url(self) -> str:
        """``http://127.0.0.1:PORT/v1``, as OpenAI's wire wants it."""
        return f"{self.origin}/v1"

    async def __aenter__(self) -> Server:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0, limit=2**24, backlog=1024)
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._server.close()
        for task in list(self._open):
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)
        await self._server.wait_closed()

    async def wait_for(self, requests: int) -> None:
        """Wait until so many requests have arrived."""
        async with self.arrived:
            await self.arrived.wait_for(lambda: len(self.log) >= requests)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            while (seen := await _read(reader)) is not None:
                await self._answer(seen, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client went away, or the test is over
        finally:
            self._open.discard(task)
            writer.transport.abort()

    async def _answer(self, seen: Seen, writer: asyncio.StreamWriter) -> None:
        if seen.path == "/metrics":  # looked at beside what is asked: no part of the script, nor of the log
            said = self.metrics() if self.metrics is not None else None
            await Exchange(seen, self, writer).send(404 if said is None else 200, (said or "").encode())
            return
        behaviour = self.script.pop(0) if self.script else self.default
        self.in_flight += 1
        self.max_in_flight = max(self.max_in_flight, self.in_flight)
        async with self.arrived:
            self.log.append(seen)
            self.arrived.notify_all()
        try:
            await behaviour(Exchange(seen, self, writer))
        finally:
            self.in_flight -= 1
        if writer.transport.is_closing():
            raise ConnectionResetError


async def _read(reader: asyncio.StreamReader) -> Seen | None:
    line = await reader.readline()
    if not line:
        return None
    path = line.split(b" ")[1].decode()
    headers: dict[str, str] = {}
    while (line := await reader.readline()).strip():
        name, _, value = line.decode().partition(":")
        headers[name.strip().lower()] = value.strip()
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Seen(path, headers, json.loads(body) if body else {})


@dataclass
class Tokens:
    """What an answer's usage says."""

    input: int = 20
    output: int = 2
    cached: int = 0
    extra: dict[str, Any] = field(default_factory=dict)


def document(path: str, model: str, text: str | None, tokens: Tokens, finish: str = "stop") -> dict[str, Any]:
    """Write a right answer in the form that the path speaks."""
    if path.endswith("/messages"):
        stop = {"stop": "end_turn", "length": "max_tokens", "content_filter": "refusal"}[finish]
        return {
            "id": "msg_1", "type": "message", "role": "assistant", "model": model, "stop_reason": stop,
            "content": [{"type": "text", "text": text}] if text else [],
            "usage": {"input_tokens": tokens.input - tokens.cached, "output_tokens": tokens.output,
                      "cache_read_input_tokens": tokens.cached, "cache_creation_input_tokens": 0},
        }  # fmt: skip
    if path.endswith("/responses"):
        why = {"length": "max_output_tokens", "content_filter": "content_filter"}.get(finish)
        part = {"type": "output_text", "text": text, "annotations": []}
        message = {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed", "content": [part]}
        return {
            "id": "resp_1", "object": "response", "created_at": 1700000000, "model": model, "error": None,
            "status": "incomplete" if why else "completed", "incomplete_details": {"reason": why} if why else None,
            "output": [message] if text else [],
            "usage": {"input_tokens": tokens.input, "output_tokens": tokens.output,
                      "total_tokens": tokens.input + tokens.output,
                      "input_tokens_details": {"cached_tokens": tokens.cached},
                      "output_tokens_details": {"reasoning_tokens": 0}},
        }  # fmt: skip
    choice = {"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": text}}
    return {
        "id": "chat_1", "object": "chat.completion", "created": 1700000000, "model": model, "choices": [choice],
        "usage": {"prompt_tokens": tokens.input, "completion_tokens": tokens.output,
                  "total_tokens": tokens.input + tokens.output,
                  "prompt_tokens_details": {"cached_tokens": tokens.cached}},
    }  # fmt: skip


def ok(
    text: str | None = "42",
    tokens: Tokens | None = None,
    *,
    finish: str = "stop",
    headers: Fields | None = None,
    model: str | None = None,
) -> Behaviour:
    """Answer rightly; ``model`` is what says that it answered, the one asked for where None."""

    async def behave(exchange: Exchange) -> None:
        used = tokens or Tokens()
        exchange.server.billed.append((used.input, used.output))
        body = document(exchange.seen.path, model or exchange.seen.body.get("model", "mock"), text, used, finish)
        await exchange.send(200, json.dumps(body).encode(), headers)

    return behave


def status(code: int, body: object = None, *, headers: Fields | None = None) -> Behaviour:
    """Answer an error; ``body`` is JSON, or bytes as they are."""
    said = body if body is not None else {"error": {"message": f"scripted {code}", "type": "scripted"}}

    async def behave(exchange: Exchange) -> None:
        data = said if isinstance(said, bytes) else json.dumps(said).encode()
        await exchange.send(code, data, headers)

    return behave


def raw(data: bytes, *, content_type: str = "application/json") -> Behaviour:
    """Answer 200 with these bytes."""

    async def behave(exchange: Exchange) -> None:
        await exchange.send(200, data, {"Content-Type": content_type})

    return behave


async def reset_before_body(exchange: Exchange) -> None:
    """Take the request, then break the connection without a word."""
    exchange.reset()


async def reset_in_body(exchange: Exchange) -> None:
    """Send the head and a part of the body, then break the connection."""
    await exchange.raw(b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n{"id": ')
    exchange.reset()


async def cut_body(exchange: Exchange) -> None:
    """Send the head and a part of the body, then close the connection in order."""
    await exchange.raw(b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n{"id": ')
    exchange.writer.close()


async def hang(exchange: Exchange) -> None:
    """Never answer."""
    await asyncio.Event().wait()


def gate(event: asyncio.Event, then: Behaviour) -> Behaviour:
    """Hold the request until the event is set."""

    async def behave(exchange: Exchange) -> None:
        await event.wait()
        await then(exchange)

    return behave
