"""An upper bound on a request's prompt tokens, from nothing but its bytes."""

from __future__ import annotations

import json
from typing import Any

from llmkit.types import Request

PER_MESSAGE = 16
"""Role markers and separators around one message; ChatML's are 4 or 5, Llama 3's 6, Anthropic's of the same size."""
PER_REQUEST = 256
"""A template's fixed text: begin-of-text, the generation prompt, a default system message, a date line."""
PER_TOOLS = 2048
"""The hidden system prompt that a provider adds where tools are sent (Anthropic documents up to some 800 tokens)."""
_SCHEMAS = ("response_format", "structured", "extra")


def token_bound(request: Request) -> int:
    """Bound the prompt's tokens from above by its UTF-8 bytes, with room for the template.

    Byte-level BPE (every billed model's tokenizer) starts from single bytes and only merges them, so a text never
    has more tokens than bytes. A schema or tools that the server writes into the prompt count by their JSON's bytes.
    """
    total = PER_REQUEST
    for message in request.messages:
        total += PER_MESSAGE + len(message.content.encode("utf-8", "surrogatepass"))
    for name in _SCHEMAS:
        value: Any = request.params.get(name)
        if value:
            total += len(json.dumps(value, ensure_ascii=False, default=str).encode("utf-8", "surrogatepass"))
            total += PER_TOOLS if name == "extra" else PER_REQUEST
    return total
