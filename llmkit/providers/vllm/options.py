"""What ``-M`` and llmkit.toml set for ``vllm/``: of a server, or of an engine that llmkit starts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from llmkit.errors import UsageError
from llmkit.providers.chat import ChatOptions, ServerOptions
from llmkit.providers.params import NamesText, NonEmpty, validate

MAX_NUM_SEQS = 256
"""Requests computed at once where ``max_num_seqs`` is not set. vLLM's own default depends on the card; a fixed one
makes the same run on two machines the same run."""


def is_template(value: str) -> bool:
    """Whether a text is a template itself, and no path: it holds an opening mark of Jinja's, or several lines."""
    return any(mark in value for mark in ("{{", "{%", "{#", "\n"))


Size = Annotated[int, Field(ge=1)] | Annotated[str, Field(pattern=r"^[1-9]\d{0,11}[KMGT]?$")]


class VllmOptions(ChatOptions):
    """Options of both; an engine's have vLLM's own names ("Engine Arguments").

    None that loads code: ``trust_remote_code``, plugins and the like are vLLM's, and a suite could set them.

    Attributes:
        dtype: Of weights and computation.
        quantization: ``fp8``, ``awq``, ``gptq``, …, where the weights' own configuration does not say it.
        kv_cache_dtype: Of the cache.
        max_model_len: Tokens of prompt and answer together; by default the model's own.
        max_num_seqs: Requests computed at once.
        max_num_batched_tokens: Tokens of one step.
        tensor_parallel_size: GPUs that share each layer.
        pipeline_parallel_size: GPUs that share the layers.
        gpu_memory_utilization: Share of a GPU's memory that the engine takes.
        kv_cache_memory_bytes: Of the cache on each GPU, in place of what is left: ``4G``, ``512M``.
        enable_prefix_caching: Reuse the common beginning of prompts.
        enforce_eager: No compilation and no CUDA graphs: starts sooner, runs slower.
        speculative_config: A draft model's or n-grams', as vLLM takes it.
        rope_scaling: RoPE scaling in place of the model's, for longer contexts.
        rope_theta: Base of the rotary embedding, in place of the model's.
        lora: Folder, or name on the hub, of a LoRA adapter.
        chat_template: A file with a Jinja template, or the template itself, in place of the model's.
        load_format: As vLLM takes it: ``auto``, ``safetensors``, ….
        start_timeout_s: For the engine's start.
    """

    dtype: Literal["auto", "bfloat16", "float16", "float32"] | None = None
    quantization: NonEmpty | None = None
    kv_cache_dtype: NonEmpty | None = None
    max_model_len: Annotated[int, Field(ge=1)] | None = None
    max_num_seqs: Annotated[int, Field(ge=1, le=65536)] | None = None
    max_num_batched_tokens: Annotated[int, Field(ge=1)] | None = None
    tensor_parallel_size: Annotated[int, Field(ge=1, le=1024)] | None = None
    pipeline_parallel_size: Annotated[int, Field(ge=1, le=1024)] | None = None
    gpu_memory_utilization: Annotated[float, Field(gt=0, le=1)] | None = None
    kv_cache_memory_bytes: Size | None = None
    enable_prefix_caching: bool | None = None
    enforce_eager: bool | None = None
    speculative_config: dict[str, Any] | None = None
    rope_scaling: dict[str, Any] | None = None
    rope_theta: Annotated[float, Field(gt=0)] | None = None
    lora: NonEmpty | None = None
    chat_template: Annotated[NonEmpty | None, NamesText(is_template)] = None
    load_format: Literal["auto", "safetensors", "mistral", "dummy"] | None = None
    start_timeout_s: Annotated[float, Field(gt=0)] = 1800.0


OF_ENGINES = frozenset(VllmOptions.model_fields) - frozenset(ChatOptions.model_fields)
OF_SERVERS = frozenset(ServerOptions.model_fields) - {"timeout_s", "revision"}
_UNITS = {"K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}


def checked(model: str, options: Mapping[str, Any], url: str | None) -> VllmOptions:
    """Check options, and that none is of the other kind.

    Args:
        model: For messages.
        options: As given.
        url: Of the server; None: an engine is to be started.

    Raises:
        UsageError: One is wrong, or an engine's where a server is asked.
    """
    found = validate(VllmOptions, options, what="vllm")
    given = found.model_fields_set
    if url and (wrong := sorted(given & OF_ENGINES)):
        raise UsageError(
            f"{', '.join(wrong)}: of an engine that llmkit starts, and vllm/{model} is asked at a server",
            hint="Leave it out, or start the server with it",
        )
    if found.speculative_config is not None:
        _check_drafting(found.speculative_config)
    if not url and (wrong := sorted(given & (OF_SERVERS | {"max_tokens_field"}))):
        raise UsageError(
            f"{', '.join(wrong)}: of a server, and vllm/{model} names none",
            hint=f"Write vllm/{model}@http://127.0.0.1:8000",
        )
    return found


def _check_drafting(config: Mapping[str, Any]) -> None:
    """Refuse what loads code by its name, and what would be passed over: a draft model is given to vLLM as a folder.

    Raises:
        UsageError: There is such a thing.
    """
    wrong = sorted({"draft_load_config", "revision", "code_revision", "trust_remote_code"} & set(config))
    if wrong or config.get("method") == "custom_class":
        what = ", ".join(wrong) or "method: custom_class"
        raise UsageError(f"speculative_config may not hold {what}", hint="Name a draft model's folder, or ORG/NAME")


def in_bytes(size: int | str) -> int:
    """Return a size in bytes; ``4G`` is four times 2 to the 30th."""
    if isinstance(size, int):
        return size
    return int(size[:-1]) * _UNITS[size[-1]] if size[-1] in _UNITS else int(size)
