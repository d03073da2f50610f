"""``openai/MODEL``: OpenAI and every server that speaks its wire.

Chat Completions are spoken over aiohttp, which costs a quarter of the SDK's time a call; the Responses API
(``-M api=responses``) goes through the SDK.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from llmkit.providers.account import OpenAIOptions, account_headers, address, is_own_host
from llmkit.providers.base import Capabilities
from llmkit.providers.chat import Chat, not_taken
from llmkit.providers.echoed import Texts, loglikelihoods
from llmkit.providers.params import validate
from llmkit.providers.tokenizing import without
from llmkit.tokens import Tokenizer
from llmkit.types import Completion, Request

if TYPE_CHECKING:
    from llmkit.providers.responses import Responses

CAPABILITIES = Capabilities(logprobs=True, seed=True, structured=frozenset({"json_schema"}))


class OpenAI(Chat):
    """OpenAI's Chat Completions, or a compatible server's by ``base_url`` or ``OPENAI_BASE_URL``.

    OpenAI's own hosts take ``max_completion_tokens`` (``max_tokens`` is deprecated there and refused by reasoning
    models); compatible servers know ``max_tokens``. ``-M max_tokens_field=…`` overrides the rule.
    """

    Options: ClassVar = OpenAIOptions

    def __init__(
        self, model: str, options: Mapping[str, Any] | OpenAIOptions | None = None, *, display: bool = False
    ) -> None:
        chosen = _checked(options)
        base_url, key = address(chosen, display=display)
        if is_own_host(base_url) and chosen.max_tokens_field is None:
            chosen = chosen.model_copy(update={"max_tokens_field": "max_completion_tokens"})
        super().__init__(
            "openai",
            model,
            base_url=base_url,
            key=key,
            options=chosen,
            capabilities=replace(CAPABILITIES, loglikelihood=frozenset({"none"} if chosen.loglikelihood else ())),
            headers=account_headers(chosen),
        )

    @classmethod
    def from_options(cls, model: str, options: Mapping[str, Any], *, display: bool = False) -> OpenAI | Responses:
        """Build the provider for the wire that ``api`` names."""
        chosen = _checked(options)
        if chosen.api == "responses":
            from llmkit.providers.responses import Responses

            return Responses(model, chosen, display=display)
        return cls(model, chosen, display=display)

    @classmethod
    def for_display(cls, model: str, options: Mapping[str, Any]) -> OpenAI | Responses:
        """Build one that shows its requests and needs no key; without one it cannot be started."""
        return cls.from_options(model, options, display=True)

    def tokenizer(self) -> AbstractContextManager[Tokenizer]:
        """Open a compatible server's ``/tokenize``; OpenAI's own hosts have none.

        Raises:
            UsageError: There is none.
        """
        if is_own_host(self.peer.endpoint):
            raise without("OpenAI's API")
        return super().tokenizer()

    async def loglikelihoods(self, request: Request) -> Completion:
        """Measure the request's continuations after plain text; see ``echoed``.

        Raises:
            ProviderError: Whatever failed.
        """
        extra = request.params.get("extra") or {}
        return await loglikelihoods(self.peer, self.post, Texts(self.peer), self.model, request, extra)

    def wire(self, request: Request) -> dict[str, Any]:
        """Return the body that ``complete`` sends."""
        if "top_k" in request.params and is_own_host(self.peer.endpoint):
            raise not_taken("openai", "top_k")
        return super().wire(request)


def _checked(options: Mapping[str, Any] | OpenAIOptions | None) -> OpenAIOptions:
    return options if isinstance(options, OpenAIOptions) else validate(OpenAIOptions, options or {}, what="openai")
