"""Engine or server: which of the two ``vllm/MODEL`` means."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, ClassVar

from llmkit.providers.vllm.options import VllmOptions, checked
from llmkit.providers.vllm.server import VllmServer

URL_ENV = "VLLM_BASE_URL"


class Vllm:
    """A server where a URL is given, in the name or by ``VLLM_BASE_URL``; else an engine that llmkit starts."""

    Options: ClassVar = VllmOptions

    @classmethod
    def from_options(cls, model: str, options: Mapping[str, Any], *, display: bool = False) -> Any:
        """Build the provider; nothing is started yet.

        Raises:
            UsageError: An option is wrong, or of the other kind; no such model.
            MissingExtraError: vLLM is not installed, and no server is named.
            MissingKeyError: The variable named as the key's holds none.
        """
        said = options.get("base_url") or os.environ.get(URL_ENV)
        url = said if isinstance(said, str) else None
        found = checked(model, options, url)
        if url:
            return VllmServer(model, url, found, display=display)
        from llmkit.providers.vllm.embedded import VllmEngine

        return VllmEngine(model, found)

    @classmethod
    def for_display(cls, model: str, options: Mapping[str, Any]) -> Any:
        """Build one that shows its requests and needs no key; without one it cannot be started."""
        return cls.from_options(model, options, display=True)
