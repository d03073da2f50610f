"""A token's part of the key-value cache, from a model's config.json.

It is a key and a value of ``head_dim`` numbers for each key-value head of each layer (vLLM's ``FullAttentionSpec``, a
page over its block size); with multi-head latent attention it is one vector of ``kv_lora_rank + qk_rope_head_dim``
numbers a layer (``MLAAttentionSpec``; DeepSeek-V2, arXiv:2405.04434, section 2.1). Layers that keep less than every
token (windows, chunks, states) have no fixed size a token. A wrong figure is worse than none, so only families are
reckoned that are known to keep every token in every layer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeGuard

UNIFORM = frozenset(
    {
        "cohere", "ernie4_5", "gemma", "glm", "glm4", "glm4_moe", "gpt_neox", "granite", "granitemoe",
        "internlm2", "llama", "mistral", "mixtral", "nemotron", "olmo", "olmo2", "olmoe", "phi", "phi3", "qwen2",
        "qwen2_moe", "qwen3", "qwen3_moe", "seed_oss", "smollm3", "stablelm", "starcoder2",
    }
)  # fmt: skip
"""Families (``model_type``) whose layers all keep every token, unless their configuration names windows."""
LATENT = frozenset({"deepseek_v2", "deepseek_v3", "kimi_k2"})
"""Those with multi-head latent attention and nothing beside it."""
_ALL_HEADS = frozenset({"cohere", "gpt_neox", "llama", "olmo", "phi"})
"""Families that mean all heads by naming no key-value heads; elsewhere the missing number is a class's default."""
_OWN_WIDTH = frozenset({"ernie4_5", "gemma", "glm", "glm4", "glm4_moe", "qwen3", "qwen3_moe", "seed_oss"})
"""Families whose ``head_dim``, where it is not named, is not ``hidden_size / num_attention_heads``."""
_CACHED: Mapping[str, int] = {
    "float16": 2, "bfloat16": 2, "fp8": 1, "fp8_e4m3": 1, "fp8_e5m2": 1,
}  # fmt: skip
"""Types of vLLM's cache that hold numbers alone; others keep scales beside them."""


def bytes_per_token(
    config: Mapping[str, Any], number: int, *, cached: str | None = None, tensor_parallel: int = 1
) -> int | None:
    """Return a token's bytes, over all GPUs together; None where they are no fixed figure or nobody knows.

    GPUs that share a layer share its key-value heads; each has one at least, and a latent vector whole.

    Args:
        config: The model's.
        number: Bytes of a number that the model computes with.
        cached: The cache's type, by vLLM's name; None and ``auto``: the model's.
        tensor_parallel: GPUs that share each layer.
    """
    size = number if cached in (None, "auto") else _CACHED.get(str(cached))
    if size is None or _own_cache(config):
        return None
    layers, family = config.get("num_hidden_layers"), config.get("model_type")
    if not _count(layers):
        return None
    if family in LATENT:
        latent, rope = config.get("kv_lora_rank"), config.get("qk_rope_head_dim")
        return layers * (latent + rope) * size * tensor_parallel if _count(latent) and _count(rope) else None
    if family not in UNIFORM or _windows(config):
        return None
    heads, width = _heads(config), _width(config)
    if heads is None or width is None:
        return None
    return 2 * layers * max(1, heads // tensor_parallel) * tensor_parallel * width * size


def _own_cache(config: Mapping[str, Any]) -> bool:
    """Whether quantised weights name a type for the cache, too."""
    found = config.get("quantization_config")
    return isinstance(found, dict) and any(found.get(name) for name in ("kv_cache_scheme", "kv_cache_quant_algo"))


def _windows(config: Mapping[str, Any]) -> bool:
    kinds = config.get("layer_types")
    if isinstance(kinds, list):
        return any(kind != "full_attention" for kind in kinds)
    return bool(config.get("sliding_window")) and config.get("use_sliding_window") is not False


def _heads(config: Mapping[str, Any]) -> int | None:
    heads = config.get("num_key_value_heads")
    if heads is None and config.get("model_type") in _ALL_HEADS:
        heads = config.get("num_attention_heads")
    return heads if _count(heads) else None


def _width(config: Mapping[str, Any]) -> int | None:
    width = config.get("head_dim")
    if width is None and config.get("model_type") not in _OWN_WIDTH:
        hidden, heads = config.get("hidden_size"), config.get("num_attention_heads")
        width = hidden // heads if _count(hidden) and _count(heads) else None
    return width if _count(width) else None


def _count(value: Any) -> TypeGuard[int]:
    return type(value) is int and value > 0
