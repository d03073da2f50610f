"""The log-likelihood of continuations by a server's ``/completions``, which can echo a prompt with its probabilities.

Sources: OpenAI's API reference, "Completions" (``echo``, ``logprobs``; the newer models of OpenAI's own have neither),
and vLLM's ``vllm/entrypoints/openai/completion``. ``max_tokens: 0`` has nothing generated. All continuations of a
sample are prompts of one call.

A server of which no more is known (``Texts``) is sent texts, and the tokens that it echoes say where a continuation
begins; the chat template is the server's, and this wire does not go through it: plain text is all that can be measured.
vLLM (``Tokens``) also has ``/tokenize`` and ``/detokenize``, beside ``/v1``: the template's own text is obtained by
tokenising the messages and spelling the tokens out, and prompt and continuation are then tokenised as one text. Where
a tokenizer does not give its own text back (SentencePiece of the first generation), the continuation is sent as the
beginning of the assistant's message (``continue_final_message``) instead. On vLLM 0.32.0, run on a processor, both ways
give the same figures, and so do ``Texts`` and ``Tokens``.
"""

from __future__ import annotations

import asyncio
import unicodedata
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from llmkit.errors import ProviderError
from llmkit.providers.chat import answered, chat_usage, clean, finite_logprob
from llmkit.providers.faults import Peer, malformed
from llmkit.providers.http import Reply
from llmkit.providers.likelihood import Context, Measured, Place, by_context, checked_start, compared
from llmkit.types import Completion, Request

Post = Callable[[str, Mapping[str, Any]], Awaitable[Reply]]
"""Sends a body to a path below ``/v1`` or, with ``../`` before it, beside that."""

TEMPLATE = frozenset({"chat_template", "chat_template_kwargs", "tools"})
"""Fields of ``extra`` that are the chat template's; the others are the completion's."""


class Way(Protocol):
    """How prompts are made of texts, and continuations found in what is echoed."""

    async def prompts(self, context: Context, texts: Sequence[str]) -> tuple[Sequence[Any], int | None]:
        """Return what is sent, in order, and where continuations begin; None: the first is the prompt alone."""
        ...


async def loglikelihoods(
    peer: Peer, post: Post, way: Way, model: str, request: Request, extra: Mapping[str, Any]
) -> Completion:
    """Measure all continuations of a request in one call.

    Args:
        peer: The server, for messages.
        post: Sends JSON to it.
        way: ``Texts`` or ``Tokens``.
        model: As the server knows it.
        request: With continuations.
        extra: Further fields of the call.

    Raises:
        ProviderError: Whatever failed; ``bad_request`` where the server cannot do it.
    """
    asked = [(context, texts, *await way.prompts(context, texts)) for context, texts in by_context(request).items()]
    sent = [prompt for _, _, prompts, _ in asked for prompt in prompts]
    body = {"model": model, "prompt": sent, "max_tokens": 0, "echo": True, "logprobs": 1, "temperature": 0, **extra}
    reply = await post("completions", body)
    echoes = iter(_echoes(peer, reply, sent))
    found: dict[Place, Measured] = {}
    for context, texts, prompts, start in asked:
        tokens = [next(echoes) for _ in prompts]
        if start is None:
            start = checked_start(peer.provider, *_spelled(tokens))
            tokens = tokens[1:]
        for text, whole in zip(texts, tokens, strict=True):
            found[context, text] = _measured(peer, whole[start:], text)
    said = answered(reply, chat_usage(reply.document.get("usage")), request_id="x-request-id")
    return compared(request, found, replace(said, usage=replace(said.usage, output=said.usage.output or 0)))


class Texts:
    """Prompts are texts; the first is the one without a continuation, whose tokens tell where they begin."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer

    async def prompts(self, context: Context, texts: Sequence[str]) -> tuple[Sequence[str], None]:
        """Return the prompt, and it with each continuation."""
        if context.messages is not None:
            raise ProviderError(
                "bad_request",
                f"{self._peer.provider}: the server's chat template is not known, so that only plain text is measured",
                hint="Write likelihood: {template: none, …}; a vLLM server does both: vllm/MODEL@http://…",
            )
        if not context.text:
            raise ProviderError("bad_request", f"{self._peer.provider}: no text stands before the continuations")
        return [context.text, *(context.text + text for text in texts)], None


class Tokens:
    """Prompts are tokens, made by vLLM's ``/tokenize``.

    Args:
        peer: The server, for messages.
        post: Sends JSON to it.
        model: As the server knows it.
        extra: Further fields for the chat template.
    """

    def __init__(self, peer: Peer, post: Post, model: str, extra: Mapping[str, Any]) -> None:
        self._peer, self._post, self._model, self._extra = peer, post, model, extra

    async def prompts(self, context: Context, texts: Sequence[str]) -> tuple[Sequence[list[int]], int]:
        """Return the tokens of prompt and continuation, and where those of the continuations begin."""
        if context.messages is None:
            ids, *wholes = await self._all({"prompt": context.text + text} for text in ("", *texts))
        else:
            ids, *wholes = await self._after_template(context, texts)
        return wholes, checked_start(self._peer.provider, ids, wholes)

    async def _after_template(self, context: Context, texts: Sequence[str]) -> list[list[int]]:
        messages = [{"role": message.role, "content": message.content} for message in context.messages or ()]
        chat = {"messages": messages, "add_generation_prompt": True, **self._extra}
        ids = await self._ids(chat)
        prompt = await self._spell(ids)
        plain: dict[str, Any] = {"add_special_tokens": False}
        if await self._ids({"prompt": prompt, **plain}) == ids:
            opened = [prompt + context.text + text for text in ("", *texts)]
            return await self._all({"prompt": text, **plain} for text in opened)
        if any((context.text + text)[:1].isspace() for text in texts):
            raise ProviderError(
                "bad_request",
                f"{self._peer.provider}: under this model's chat template an answer cannot begin with white space",
                hint="Write likelihood: {separator: '', …}",
            )
        going_on = {**chat, "add_generation_prompt": False, "continue_final_message": True}
        opened = [context.text + text for text in texts]
        bodies = [{**going_on, "messages": [*messages, {"role": "assistant", "content": text}]} for text in opened]
        start = {**going_on, "messages": [*messages, {"role": "assistant", "content": context.text}]}
        return await self._all([start if context.text else chat, *bodies])

    async def _all(self, bodies: Any) -> list[list[int]]:
        return list(await asyncio.gather(*(self._ids(body) for body in bodies)))

    async def _ids(self, body: Mapping[str, Any]) -> list[int]:
        if body.get("prompt") == "":
            return []
        reply = await self._post("../tokenize", {"model": self._model, **body})
        tokens = reply.document.get("tokens")
        if not isinstance(tokens, list) or not all(type(token) is int for token in tokens):
            raise malformed(self._peer, "JSON without tokens")
        return tokens

    async def _spell(self, ids: Sequence[int]) -> str:
        reply = await self._post("../detokenize", {"model": self._model, "tokens": list(ids)})
        prompt = reply.document.get("prompt")
        if not isinstance(prompt, str):
            raise malformed(self._peer, "JSON without a prompt")
        return prompt


Echoed = list[tuple[str, float | None]]
"""A prompt's tokens with their log-probabilities; the first has none."""


def _echoes(peer: Peer, reply: Reply, sent: Sequence[Any]) -> list[Echoed]:
    """Read what was echoed of each prompt, in the order in which they were sent."""
    choices = reply.document.get("choices")
    if not isinstance(choices, list) or len(choices) != len(sent):
        raise malformed(peer, f"another number of choices than the {len(sent)} prompts")
    try:
        choices = sorted(choices, key=lambda choice: choice["index"])
        found = [_echo(choice["logprobs"]) for choice in choices]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _without_echo(peer) from error
    for prompt, echo in zip(sent, found, strict=True):
        if not isinstance(prompt, str) and len(prompt) != len(echo):
            raise _without_echo(peer)
    return found


def _echo(logprobs: Mapping[str, Any]) -> Echoed:
    values = [None if value is None else finite_logprob(value) for value in logprobs["token_logprobs"]]
    return [(clean(token), value) for token, value in zip(logprobs["tokens"], values, strict=True)]


def _without_echo(peer: Peer) -> ProviderError:
    return ProviderError(
        "bad_request",
        f"{peer.provider} did not echo the prompts with their log-probabilities",
        hint="The server's /completions must take echo, logprobs and max_tokens: 0, as vLLM's does",
    )


def _spelled(tokens: Sequence[Echoed]) -> tuple[list[str], list[list[str]]]:
    prompt, *wholes = [[token for token, _ in echo] for echo in tokens]
    return prompt, wholes


def _measured(peer: Peer, tokens: Echoed, text: str) -> Measured:
    """Check that the tokens are the continuation's, and take their log-probabilities."""
    spelled, wanted = _bare("".join(token for token, _ in tokens)), _bare(text)
    if "\ufffd" not in spelled and not spelled.endswith(wanted):
        raise _without_echo(peer)
    if any(value is None for _, value in tokens):
        raise ProviderError("bad_request", f"{peer.provider}: a continuation's first token has no likelihood")
    return Measured(tuple((token, value) for token, value in tokens if value is not None))


def _bare(text: str) -> str:
    """Drop what tokenizers change in the text of a lone token: white space, and compatible forms of characters."""
    return "".join(unicodedata.normalize("NFKC", text).split())
