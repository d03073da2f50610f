"""What the engine gives back → the documents that vLLM's HTTP server would send."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def chat(output: Any, *, model: str, tokenizer: Any, top: int | None) -> dict[str, Any]:
    """Return a Chat Completions document.

    Args:
        output: A finished ``RequestOutput``.
        model: As it is called.
        tokenizer: Spells tokens that vLLM did not.
        top: Alternatives at each token; None: no log-probabilities.
    """
    answer = output.outputs[0]
    content = None
    if top is not None and answer.logprobs is not None:
        content = [
            _token(step, token, tokenizer, top) for token, step in zip(answer.token_ids, answer.logprobs, strict=True)
        ]
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": answer.text},
        "finish_reason": answer.finish_reason,
        "logprobs": None if content is None else {"content": content},
    }
    return {"id": output.request_id, "model": model, "choices": [choice], "usage": usage([output])}


def echo(outputs: Sequence[Any], *, model: str, tokenizer: Any) -> dict[str, Any]:
    """Return a Completions document that echoes prompts with their log-probabilities and holds nothing more.

    Args:
        outputs: Finished ``RequestOutput``s with ``prompt_logprobs``, in the order of the prompts.
        model: As it is called.
        tokenizer: Spells tokens that vLLM did not.
    """
    return {
        "id": outputs[0].request_id,
        "model": model,
        "choices": [_echo(index, output, tokenizer) for index, output in enumerate(outputs)],
        "usage": {**usage(outputs), "completion_tokens": 0},
    }


def usage(outputs: Sequence[Any]) -> dict[str, Any]:
    """Return the sum over outputs, in tokens."""
    return {
        "prompt_tokens": sum(len(output.prompt_token_ids) for output in outputs),
        "completion_tokens": sum(len(answer.token_ids) for output in outputs for answer in output.outputs),
        "prompt_tokens_details": {"cached_tokens": sum(output.num_cached_tokens or 0 for output in outputs)},
    }


def _token(step: Mapping[int, Any], token: int, tokenizer: Any, top: int) -> dict[str, Any]:
    ranked = sorted(step.items(), key=lambda item: item[1].rank or 0)[:top]
    return {
        "token": _spelled(token, step[token], tokenizer),
        "logprob": step[token].logprob,
        "top_logprobs": [
            {"token": _spelled(each, found, tokenizer), "logprob": found.logprob} for each, found in ranked
        ],
    }


def _echo(index: int, output: Any, tokenizer: Any) -> dict[str, Any]:
    steps = output.prompt_logprobs
    tokens, values = [], []
    for token, step in zip(output.prompt_token_ids, steps, strict=True):
        found = None if step is None else step[token]
        tokens.append(tokenizer.decode([token]) if found is None else _spelled(token, found, tokenizer))
        values.append(None if found is None else found.logprob)
    return {"index": index, "text": "", "logprobs": {"tokens": tokens, "token_logprobs": values}}


def _spelled(token: int, found: Any, tokenizer: Any) -> str:
    text = found.decoded_token
    return tokenizer.decode([token]) if text is None else str(text)
