"""``vllm/ORG/MODEL@http://host:port``: a running vLLM server.

Source: vLLM's "OpenAI-Compatible Server" and "Structured Outputs". Shapes travel as ``structured_outputs``; the older
``guided_*`` fields are ignored by today's servers without a word.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import urlsplit

from llmkit.errors import UsageError
from llmkit.providers.account import checked_url
from llmkit.providers.base import Capabilities
from llmkit.providers.chat import Chat, ChatOptions
from llmkit.providers.echoed import TEMPLATE, Tokens, loglikelihoods
from llmkit.providers.keys import find_key
from llmkit.providers.params import SHAPES, validate
from llmkit.types import Completion, Request

KEY_ENV = "VLLM_API_KEY"
URL_ENV = "VLLM_BASE_URL"
CAPABILITIES = Capabilities(
    logprobs=True, loglikelihood=frozenset({"chat", "none"}), seed=True, structured=SHAPES, billed=False
)
_WIRE_SHAPES = {"json_schema": "json", "regex": "regex", "choice": "choice", "grammar": "grammar"}


class Vllm(Chat):
    """A model that a vLLM server serves. Its tokens have no price unless llmkit.toml gives one."""

    Options: ClassVar = ChatOptions

    def __init__(
        self, model: str, options: Mapping[str, Any] | ChatOptions | None = None, *, display: bool = False
    ) -> None:
        if not isinstance(options, ChatOptions):
            options = validate(ChatOptions, options or {}, what="vllm")
        url = options.base_url or os.environ.get(URL_ENV)
        if not url:
            raise UsageError(
                f"vllm/{model} needs the URL of a running server",
                hint=f"Start one (vllm serve {model}) and write vllm/{model}@http://127.0.0.1:8000, or set {URL_ENV}",
            )
        needed = options.api_key_env is not None
        key = find_key("vllm", options.api_key_env or KEY_ENV, needed=needed, display=display)
        super().__init__(
            "vllm",
            model,
            base_url=_with_version(checked_url(url)),
            key=key,
            options=options,
            capabilities=CAPABILITIES,
        )

    @classmethod
    def for_display(cls, model: str, options: Mapping[str, Any]) -> Vllm:
        """Build one that shows its requests and needs no key; without one it cannot be started."""
        return cls(model, options, display=True)

    async def loglikelihoods(self, request: Request) -> Completion:
        """Measure the request's continuations; see ``echoed``.

        Raises:
            ProviderError: Whatever failed.
        """
        extra = request.params.get("extra") or {}
        template = {name: value for name, value in extra.items() if name in TEMPLATE}
        others = {name: value for name, value in extra.items() if name not in TEMPLATE}
        way = Tokens(self.peer, self.post, self.model, template)
        return await loglikelihoods(self.peer, self.post, way, self.model, request, others)

    def structured_wire(self, structured: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the body's fields that enforce a shape of output."""
        shapes = {shape: value for shape, value in structured.items() if shape != "strict"}
        return {"structured_outputs": {_WIRE_SHAPES[shape]: value for shape, value in shapes.items()}}


def _with_version(url: str) -> str:
    return url if urlsplit(url).path.strip("/") else f"{url}/v1"
