"""A server that answers ``/tokenize``, ``/detokenize`` and ``/completions`` as vLLM documents them.

Its model is a bigram: ``likely(before, token)`` is a token's log-probability after another. A token is a word with the
space before it, or any other single character; an empty sequence begins with ``<s>`` where ``bos`` is set.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from tests.providers.server import Exchange

TOKEN = re.compile(r"<[|/]?\w+[|]?>| ?\w+|.", re.DOTALL)
BOS = "<s>"


def split(text: str) -> list[str]:
    return TOKEN.findall(text)


def likely(before: str, token: str) -> float:
    """Some log-probability between -8 and -0.01, always the same."""
    return -0.01 - zlib.crc32(f"{before}→{token}".encode()) % 800 / 100


class Vllm:
    """The server's mind; ``await server`` it as a behaviour.

    Args:
        bos: Whether prompts given as texts begin with a token of their own.
        lossy: Whether tokens of a chat, spelled out, read as other tokens, as with the first SentencePiece models.
        echo: Whether ``/completions`` echoes.
        extra: A token that is generated after each prompt, whatever was asked.
        shuffled: Whether choices come in reverse order.
    """

    def __init__(
        self, *, bos: bool = False, lossy: bool = False, echo: bool = True, extra: bool = False, shuffled: bool = False
    ) -> None:
        self.bos, self.lossy, self.echo, self.extra, self.shuffled = bos, lossy, echo, extra, shuffled
        self._words: list[str] = [BOS]

    async def __call__(self, exchange: Exchange) -> None:
        path, body = exchange.seen.path, exchange.seen.body
        answer = {"/tokenize": self._tokenize, "/detokenize": self._spell, "/v1/completions": self._complete}.get(path)
        if answer is None:
            await exchange.send(404, json.dumps({"error": {"message": f"no {path}"}}).encode())
        else:
            await exchange.send(200, json.dumps(answer(body)).encode())

    def prompt_of(self, body: dict[str, Any]) -> str:
        """Apply the chat template."""
        turns = [f"<|{m['role']}|>{m['content']}" for m in body["messages"]]
        text = "".join(f"{turn}</s>" for turn in turns[:-1]) + turns[-1]
        if body.get("continue_final_message"):
            return text
        return f"{text}</s><|assistant|>" if body.get("add_generation_prompt", True) else f"{text}</s>"

    def _id(self, token: str) -> int:
        if token not in self._words:
            self._words.append(token)
        return self._words.index(token)

    def _ids(self, text: str, *, special: bool) -> list[int]:
        return [0] * (self.bos and special) + [self._id(token) for token in split(text)]

    def _tokenize(self, body: dict[str, Any]) -> dict[str, Any]:
        if "prompt" in body:
            ids = self._ids(body["prompt"], special=body.get("add_special_tokens", True))
        else:
            ids = self._ids(self.prompt_of(body), special=body.get("add_special_tokens", False))
        return {"tokens": ids, "count": len(ids), "max_model_len": 4096}

    def _spell(self, body: dict[str, Any]) -> dict[str, Any]:
        text = "".join(self._words[i] for i in body["tokens"])
        return {"prompt": f" {text}" if self.lossy else text}

    def _complete(self, body: dict[str, Any]) -> dict[str, Any]:
        prompts = body["prompt"] if isinstance(body["prompt"], list) else [body["prompt"]]
        choices = [self._choice(i, prompt) for i, prompt in enumerate(prompts)]
        read = sum(len(choice.pop("read")) for choice in choices)
        usage = {"prompt_tokens": read, "completion_tokens": len(choices) * self.extra, "total_tokens": read}
        ordered = choices[::-1] if self.shuffled else choices
        return {"id": "cmpl-1", "object": "text_completion", "model": body["model"], "choices": ordered, "usage": usage}

    def _choice(self, index: int, prompt: str | Sequence[int]) -> dict[str, Any]:
        ids = self._ids(prompt, special=True) if isinstance(prompt, str) else list(prompt)
        tokens = [self._words[i] for i in ids] + ["!"] * self.extra
        values = [None, *(likely(*pair) for pair in pairwise(tokens))]
        logprobs = {"tokens": tokens, "token_logprobs": values, "text_offset": [], "top_logprobs": None}
        said = {"logprobs": logprobs} if self.echo else {"logprobs": {"tokens": ["!"], "token_logprobs": [-1.0]}}
        return {"index": index, "text": "".join(tokens), "finish_reason": "length", "read": ids, **said}
