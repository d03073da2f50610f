"""The Chat Completions wire: request body, answer, and the provider that speaks it over aiohttp.

Sources: OpenAI's API reference, "Chat Completions"; vLLM's and llama.cpp's servers answer the same shape.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from llmkit.errors import ProviderError, UsageError
from llmkit.providers.base import Capabilities, Endpoint, RateLimits
from llmkit.providers.faults import Peer, malformed
from llmkit.providers.headers import rate_limits
from llmkit.providers.http import Http, Reply
from llmkit.providers.keys import Key
from llmkit.redact import strip_credentials
from llmkit.text import one_line
from llmkit.tokens import Tokenizer
from llmkit.types import Completion, FinishReason, Request, TokenLogprob, Usage

FINISH: Mapping[str, FinishReason] = MappingProxyType(
    {
        "stop": "stop",
        "length": "length",
        "content_filter": "content_filter",
        "tool_calls": "tool_calls",
        "function_call": "tool_calls",
    }
)
TIMEOUT_S = 600.0
"""One attempt's time: the makers' SDKs wait as long, for reasoning models do take minutes."""
CONNECT_TIMEOUT_S = 10.0


class ServerOptions(BaseModel):
    """What may be set for any provider that is a server."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    base_url: str | None = None
    api_key_env: str | None = None
    timeout_s: float = Field(TIMEOUT_S, gt=0)
    connect_timeout_s: float = Field(CONNECT_TIMEOUT_S, gt=0)
    read_timeout_s: float | None = Field(None, gt=0)
    revision: str | None = None


class ChatOptions(ServerOptions):
    """``max_tokens_field``: which of the two wire names the server takes; None: decided by the server's address."""

    max_tokens_field: Literal["max_tokens", "max_completion_tokens"] | None = None


SAME_NAMES = frozenset(
    {
        "temperature",
        "top_p",
        "top_k",
        "stop",
        "seed",
        "presence_penalty",
        "frequency_penalty",
        "logprobs",
        "top_logprobs",
        "response_format",
        "reasoning_effort",
    }
)
"""llmkit's names that are the wire's names."""


class Chat:
    """A model behind a Chat Completions server.

    Args:
        name: The provider's name.
        model: The model's name, as the server knows it.
        base_url: Up to and with ``/v1``.
        key: Sent as a bearer token, where there is one.
        options: Timeouts, revision and the like.
        capabilities: What this kind of server can do.
        headers: Sent with every request.
    """

    def __init__(
        self,
        name: str,
        model: str,
        *,
        base_url: str,
        key: Key,
        options: ChatOptions,
        capabilities: Capabilities,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.name, self.model, self.options, self.capabilities = name, model, options, capabilities
        self.limits: RateLimits | None = None
        self.peer = Peer(name, base_url, key.variable)
        self._url = base_url.rstrip("/") + "/chat/completions"
        self._base = base_url.rstrip("/")
        self._max_tokens = options.max_tokens_field or "max_tokens"
        self._key = key
        self._headers = {**(headers or {}), **({"Authorization": f"Bearer {key.value}"} if key.value else {})}
        self._http = self._session()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.model!r}, {self.peer.shown!r})"

    async def __aenter__(self) -> Chat:
        self._key.check()
        await self._http.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._http.__aexit__(*exc)

    def identity(self) -> Mapping[str, str]:
        """Endpoint without credentials, and the user's revision."""
        return server_identity("chat", self.peer.endpoint, self.options.revision)

    def endpoint(self) -> Endpoint:
        """Where requests go."""
        headers = {"Authorization": f"Bearer ${self.peer.key_env}"} if self._key.used else {}
        return Endpoint(f"{self.peer.shown.rstrip('/')}/chat/completions", headers)

    def wire(self, request: Request) -> dict[str, Any]:
        """Return the body that ``complete`` sends.

        Raises:
            UsageError: A parameter that this server does not take.
        """
        return chat_body(
            self.name, self.model, request, max_tokens=self._max_tokens, structured_wire=self.structured_wire
        )

    def structured_wire(self, structured: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the body's fields that enforce a shape of output."""
        if "json_schema" not in structured:
            raise not_taken(self.name, f"structured.{next(iter(structured), '')}")
        schema = {"name": "answer", "schema": structured["json_schema"], "strict": structured.get("strict", True)}
        return {"response_format": {"type": "json_schema", "json_schema": schema}}

    def tokenizer(self) -> AbstractContextManager[Tokenizer]:
        """Open the server's ``/tokenize``, as vLLM and llama.cpp have it.

        Raises:
            UsageError: It has none.
            ProviderError: It cannot be reached.
        """
        from llmkit.providers.tokenizing import server_tokenizer

        return server_tokenizer(self._session(), self.peer.endpoint, self.model)

    def _session(self) -> Http:
        options = self.options
        return Http(
            self.peer,
            self._headers,
            timeout_s=options.timeout_s,
            connect_timeout_s=options.connect_timeout_s,
            read_timeout_s=options.read_timeout_s,
        )

    async def complete(self, request: Request) -> Completion:
        """Make one attempt."""
        reply = await self._http.post(self._url, self.wire(request))
        self.limits = rate_limits(reply.headers)
        return read_chat(self.peer, reply)

    async def post(self, path: str, body: Mapping[str, Any]) -> Reply:
        """Send JSON to another endpoint of the server: a path below ``/v1`` or, with ``../`` before it, beside that."""
        beside = path.removeprefix("../")
        base = self._base if beside == path else self._base.removesuffix("/v1")
        reply = await self._http.post(f"{base}/{beside}", body)
        self.limits = rate_limits(reply.headers)
        return reply


def chat_body(
    provider: str,
    model: str,
    request: Request,
    *,
    max_tokens: str = "max_tokens",
    structured_wire: Callable[[Mapping[str, Any]], Mapping[str, Any]],
) -> dict[str, Any]:
    """Return a chat request's body.

    Args:
        provider: For messages.
        model: As the server knows it.
        request: What is asked.
        max_tokens: The wire's name for it.
        structured_wire: A shape of output → the fields that enforce it.

    Raises:
        UsageError: A parameter that the wire has no field for.
    """
    body: dict[str, Any] = {
        "model": model,
        "messages": [{"role": message.role, "content": message.content} for message in request.messages],
    }
    for name, value in request.params.items():
        if name in SAME_NAMES:
            body[name] = value
        elif name == "max_tokens":
            body[max_tokens] = value
        elif name == "structured":
            body.update(structured_wire(value))
        elif name != "extra":
            raise not_taken(provider, name)
    if "top_logprobs" in body:
        body["logprobs"] = True
    return {**body, **(request.params.get("extra") or {})}


def read_chat(peer: Peer, reply: Reply) -> Completion:
    """Turn a Chat Completions answer into a completion.

    Raises:
        ProviderError: No choice, no text, a refusal, or a shape that is not the wire's.
    """
    document = reply.document
    choices = document.get("choices")
    if not isinstance(choices, list):
        raise malformed(peer, "JSON without choices")
    answer = answered(reply, chat_usage(document.get("usage")), request_id="x-request-id")
    if not choices:
        raise without_text(peer, "an empty list of choices", answer)
    choice = choices[0]
    message = choice.get("message") if isinstance(choice, Mapping) else None
    if not isinstance(message, Mapping):
        raise malformed(peer, "a choice without a message")
    reason = choice.get("finish_reason")
    text = _content(peer, message.get("content"))
    answer = replace(
        answer, text=text, finish_reason=FINISH.get(reason, "other") if isinstance(reason, str) else "other"
    )
    if not text:
        raise _no_text(peer, message, answer)
    return replace(answer, logprobs=read_logprobs(peer, choice.get("logprobs")))


def answered(reply: Reply, usage: Usage, *, request_id: str) -> Completion:
    """Read what all three wires say of an answer beside its text; ``request_id`` is the header that names the call."""
    served, name = reply.document.get("model"), reply.headers.get(request_id) or reply.document.get("id")
    return Completion(
        text="",
        finish_reason="other",
        usage=usage,
        latency_s=reply.latency_s,
        served_model=served if isinstance(served, str) else None,
        request_id=name if isinstance(name, str) else None,
    )


def chat_usage(usage: object) -> Usage:
    """Read the wire's usage; what is missing or no count is None."""
    if not isinstance(usage, Mapping):
        return Usage()
    prompt = usage.get("prompt_tokens_details")
    output = usage.get("completion_tokens_details")
    prompt = prompt if isinstance(prompt, Mapping) else {}
    output = output if isinstance(output, Mapping) else {}
    return Usage(
        input=count(usage.get("prompt_tokens")),
        output=count(usage.get("completion_tokens")),
        cached=count(prompt.get("cached_tokens")),
        cache_write=count(prompt.get("cache_write_tokens")),
        reasoning=count(output.get("reasoning_tokens")),
    )


def read_logprobs(peer: Peer, logprobs: object) -> tuple[TokenLogprob, ...] | None:
    """Read ``choices[].logprobs.content``; None where there is none."""
    content = logprobs.get("content") if isinstance(logprobs, Mapping) else None
    return read_tokens(peer, content) if isinstance(content, list) else None


def read_tokens(peer: Peer, content: list[Any]) -> tuple[TokenLogprob, ...]:
    """Read a list of tokens with their log-probabilities."""
    try:
        return tuple(
            TokenLogprob(
                clean(entry["token"]),
                finite_logprob(entry["logprob"]),
                tuple((clean(top["token"]), finite_logprob(top["logprob"])) for top in entry.get("top_logprobs") or ()),
            )
            for entry in content
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise malformed(peer, "log-probabilities of an unknown shape") from error


def count(value: object) -> int | None:
    """A token count, or None for what is none."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def clean(text: str) -> str:
    """Replace lone surrogates, which JSON can spell and UTF-8 cannot hold."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def finite_logprob(value: object) -> float:
    """Read a log-probability; ``ValueError`` where it is none."""
    number = float(value)  # type: ignore[arg-type]
    if math.isnan(number) or number == math.inf:
        raise ValueError(value)
    return max(number, -1e9)  # some servers spell "impossible" as -inf, which JSON and the store cannot hold


def without_text(
    peer: Peer, what: str, answer: Completion, *, refused: bool = False, hint: str | None = None
) -> ProviderError:
    """Build the error for a paid answer that holds nothing to score. It carries it, so it can be paid for."""
    error = ProviderError(
        "refused" if refused else "empty", f"{peer.provider} answered {what}", status=200, maybe_billed=True, hint=hint
    )
    error.usage, error.answer = answer.usage, answer
    return error


def not_taken(provider: str, name: str) -> UsageError:
    """Build the error for a parameter that the wire has no field for."""
    return UsageError(
        f"{provider} does not take {name}", hint="Leave it out, or write a field of the wire as extra.NAME"
    )


def server_identity(api: str, endpoint: str, revision: str | None) -> dict[str, str]:
    """Return what decides the answer beside the body, for a server."""
    identity = {"api": api, "endpoint": strip_credentials(endpoint.rstrip("/"))}
    return {**identity, "revision": revision} if revision else identity


def _content(peer: Peer, content: object) -> str:
    if content is None:
        return ""
    if isinstance(content, str):
        return clean(content)
    if isinstance(content, list):  # some compatible servers answer in parts
        parts = [part.get("text") for part in content if isinstance(part, Mapping)]
        return clean("".join(part for part in parts if isinstance(part, str)))
    raise malformed(peer, "content that is no text")


def _no_text(peer: Peer, message: Mapping[str, Any], answer: Completion) -> ProviderError:
    refusal = message.get("refusal")
    if refusal and isinstance(refusal, str):
        return without_text(peer, f"with a refusal: {one_line(refusal)}", answer, refused=True)
    if answer.finish_reason == "content_filter":
        return without_text(peer, "nothing: its content filter took the answer", answer, refused=True)
    if answer.finish_reason == "length":
        hint = "max_tokens was used up before any text (by reasoning, it may be): raise it"
        return without_text(peer, "no text", answer, hint=hint)
    if message.get("tool_calls"):
        return without_text(peer, "with tool calls and no text", answer)
    return without_text(peer, "empty content", answer)
