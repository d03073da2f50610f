"""``vllm/ORG/MODEL@http://host:port``: a running vLLM server.

Source: vLLM's "OpenAI-Compatible Server" and "Structured Outputs". Shapes travel as ``structured_outputs``; the older
``guided_*`` fields are ignored by today's servers without a word.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from llmkit.errors import ProviderError
from llmkit.providers.account import checked_url
from llmkit.providers.base import Capabilities
from llmkit.providers.chat import Chat
from llmkit.providers.echoed import TEMPLATE, Tokens, loglikelihoods
from llmkit.providers.keys import find_key
from llmkit.providers.params import SHAPES
from llmkit.providers.vllm.metrics import speculation
from llmkit.providers.vllm.options import VllmOptions
from llmkit.speculation import Speculation
from llmkit.types import Completion, Request

KEY_ENV = "VLLM_API_KEY"
CAPABILITIES = Capabilities(
    logprobs=True,
    loglikelihood=frozenset({"chat", "none"}),
    seed=True,
    structured=SHAPES,
    billed=False,
    reuses_prefixes=True,  # vLLM's default; to a server without it the order is as good as any
)
_WIRE_SHAPES = {"json_schema": "json", "regex": "regex", "choice": "choice", "grammar": "grammar"}


class VllmServer(Chat):
    """A model that a vLLM server serves. Its tokens have no price unless llmkit.toml gives one.

    Args:
        model: As the server knows it.
        url: Of the server; ``/v1`` is appended where it has no path.
        options: Timeouts, key and the like.
        display: Built to show requests; it needs no key, and without one cannot be started.
    """

    def __init__(self, model: str, url: str, options: VllmOptions, *, display: bool = False) -> None:
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

    async def speculation(self) -> Speculation | None:
        """Read what speculative decoding came to out of ``/metrics``; None where the server does not tell.

        The counts are the server's, since its start: whoever else uses it is among them.
        """
        base = self.peer.endpoint.rstrip("/").removesuffix("/v1")
        try:
            return speculation(await self._http.text(f"{base}/metrics"), self.model)
        except ProviderError:  # a gateway in front of it shows no metrics, and that is no failure of the run
            return None

    def structured_wire(self, structured: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the body's fields that enforce a shape of output."""
        return shapes_wire(structured)


def shapes_wire(structured: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return ``structured_outputs``, which vLLM's server and engine take alike."""
    shapes = {shape: value for shape, value in structured.items() if shape != "strict"}
    return {"structured_outputs": {_WIRE_SHAPES[shape]: value for shape, value in shapes.items()}}


def _with_version(url: str) -> str:
    return url if urlsplit(url).path.strip("/") else f"{url}/v1"
