"""What is asked here, and of which weights. The model is weak: no test rests on its words."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from llmkit.providers.base import ModelRef
from llmkit.providers.registry import create
from llmkit.types import Continuation, Continuations, Message, Request

ENGINE = {"enforce_eager": True, "max_model_len": 1024, "kv_cache_memory_bytes": "256M", "dtype": "float32"}
"""Options of an engine that starts in seconds. In float32 sums in another order differ little enough to be compared."""
GREEDY = {"temperature": 0.0}
PROMPTS = (
    "Count to 20, with commas between the numbers.",
    "Repeat the word apple ten times.",
    "List the days of the week.",
    "Explain photosynthesis in one sentence.",
    "What is the capital of France?",
    "Write the alphabet.",
    "Say something about cats.",
    "Which is larger, 7 or 12?",
)


def folder(name: str = "smollm2") -> Path:
    """The folder of the whole model, or of one of its variants."""
    return Path(os.environ["LLMKIT_VLLM_MODEL"]).resolve().parent / name


def provider(name: str | Path = "smollm2", **options: Any) -> Any:
    """A model in an engine of its own, not yet started."""
    path = folder(name) if isinstance(name, str) else name
    return create(ModelRef(f"vllm/{path}", {}, {**ENGINE, **options}))


def asked(text: str, *, system: str | None = None, **params: Any) -> Request:
    """A question, answered greedily unless ``params`` say otherwise."""
    messages = (Message("system", system),) if system else ()
    return Request((*messages, Message("user", text)), {**GREEDY, **params})


def among(
    text: str, *choices: str, chat: bool = True, space: str = "", unconditional: str | None = None, **params: Any
) -> Request:
    """A question whose answer is the likeliest of some."""
    texts = tuple(Continuation(choice, space) for choice in choices)
    return Request((Message("user", text),), params, Continuations(texts, chat, unconditional))


def typed(options: Mapping[str, Any]) -> list[str]:
    """Options as they are typed."""
    pairs = (f"{name}={value if isinstance(value, str) else json.dumps(value)}" for name, value in options.items())
    return [word for pair in pairs for word in ("-M", pair)]
