"""``openai/MODEL``: OpenAI and every server that speaks its wire.

Chat Completions are spoken over aiohttp, which costs a quarter of the SDK's time a call; the Responses API
(``-M api=responses``) goes through the SDK.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal
from urllib.parse import urlsplit

from llmkit.errors import UsageError
from llmkit.providers.base import Capabilities
from llmkit.providers.chat import Chat, ChatOptions, not_taken
from llmkit.providers.keys import Key, find_key
from llmkit.providers.params import validate
from llmkit.redact import strip_credentials
from llmkit.types import Request

if TYPE_CHECKING:
    from llmkit.providers.responses import Responses

BASE_URL = "https://api.openai.com/v1"
KEY_ENV = "OPENAI_API_KEY"
OWN_HOSTS = ("api.openai.com", "openai.azure.com")
CAPABILITIES = Capabilities(logprobs=True, seed=True, structured=frozenset({"json_schema"}))


class OpenAIOptions(ChatOptions):
    """``api`` picks the wire; ``organization`` and ``project`` are OpenAI's headers."""

    api: Literal["chat", "responses"] = "chat"
    organization: str | None = None
    project: str | None = None


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
            capabilities=CAPABILITIES,
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

    def wire(self, request: Request) -> dict[str, Any]:
        """Return the body that ``complete`` sends."""
        if "top_k" in request.params and is_own_host(self.peer.endpoint):
            raise not_taken("openai", "top_k")
        return super().wire(request)


def _checked(options: Mapping[str, Any] | OpenAIOptions | None) -> OpenAIOptions:
    return options if isinstance(options, OpenAIOptions) else validate(OpenAIOptions, options or {}, what="openai")


def address(options: OpenAIOptions, *, display: bool = False) -> tuple[str, Key]:
    """Find base URL and key.

    A server that the user named may need no key; OpenAI's own always does.

    Raises:
        MissingKeyError: No key for OpenAI itself, and not for display.
    """
    base_url = checked_url(options.base_url or os.environ.get("OPENAI_BASE_URL") or BASE_URL)
    needed = is_own_host(base_url) or options.api_key_env is not None
    return base_url, find_key("openai", options.api_key_env or KEY_ENV, needed=needed, display=display)


def account_headers(options: OpenAIOptions) -> dict[str, str]:
    """Organization and project, from the options or the variables that OpenAI's SDK reads."""
    organization = options.organization or os.environ.get("OPENAI_ORG_ID")
    project = options.project or os.environ.get("OPENAI_PROJECT_ID")
    return {
        **({"OpenAI-Organization": organization} if organization else {}),
        **({"OpenAI-Project": project} if project else {}),
    }


def is_own_host(base_url: str) -> bool:
    """Whether a URL is OpenAI's own (or Azure's OpenAI), subdomains included."""
    host = urlsplit(base_url).hostname or ""
    return any(host == own or host.endswith(f".{own}") for own in OWN_HOSTS)


def checked_url(url: str) -> str:
    """Return the URL if it can be called.

    Raises:
        UsageError: No scheme or host.
    """
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        raise UsageError("base_url is not a URL", hint="For example: http://127.0.0.1:8000/v1") from None
    if not good:
        raise UsageError(
            f"base_url {strip_credentials(url)!r} is not a URL", hint="For example: http://127.0.0.1:8000/v1"
        )
    return url.rstrip("/")
