"""A request's body → vLLM's sampling parameters, as its HTTP server reads them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SAME = (
    "temperature", "top_p", "top_k", "min_p", "seed", "stop", "presence_penalty", "frequency_penalty",
    "repetition_penalty", "min_tokens", "ignore_eos", "stop_token_ids", "bad_words", "allowed_token_ids",
    "include_stop_str_in_output", "skip_special_tokens", "spaces_between_special_tokens",
)  # fmt: skip
"""Fields of the body that are ``SamplingParams``' own."""


def sampling_params(body: Mapping[str, Any], defaults: Mapping[str, Any], room: int) -> Any:
    """Return ``SamplingParams``.

    Args:
        body: A chat request.
        defaults: The model's own (its generation_config.json), which hold where the body says nothing.
        room: Tokens that the context still holds after the prompt.

    Raises:
        ValueError: vLLM refuses a value.
    """
    from vllm.sampling_params import RequestOutputKind, SamplingParams

    given = {name: body[name] for name in SAME if body.get(name) is not None}
    most = body.get("max_tokens") or defaults.get("max_tokens") or room
    bias = {int(token): float(value) for token, value in (body.get("logit_bias") or {}).items()}
    return SamplingParams(
        **{**{name: value for name, value in defaults.items() if name in SAME}, **given},
        max_tokens=min(int(most), room),
        logprobs=int(body.get("top_logprobs") or 0) if body.get("logprobs") else None,
        structured_outputs=_shape(body),
        logit_bias=bias or None,
        output_kind=RequestOutputKind.FINAL_ONLY,
    )


def _shape(body: Mapping[str, Any]) -> Any:
    from vllm.sampling_params import StructuredOutputsParams

    if shape := body.get("structured_outputs"):
        return StructuredOutputsParams(**shape)
    wanted = body.get("response_format") or {}
    if wanted.get("type") == "json_object":
        return StructuredOutputsParams(json_object=True)
    if wanted.get("type") == "json_schema":
        return StructuredOutputsParams(json=wanted["json_schema"]["schema"])
    return None
