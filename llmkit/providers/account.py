"""Where OpenAI's wires go, and as whom: base URL, key, organization, project."""

from __future__ import annotations

import os
from typing import Literal
from urllib.parse import urlsplit

from llmkit.errors import UsageError
from llmkit.providers.chat import ChatOptions
from llmkit.providers.keys import Key, find_key
from llmkit.redact import strip_credentials

BASE_URL = "https://api.openai.com/v1"
KEY_ENV = "OPENAI_API_KEY"
OWN_HOSTS = ("api.openai.com", "openai.azure.com")


class OpenAIOptions(ChatOptions):
    """``api`` picks the wire; ``organization`` and ``project`` are OpenAI's headers.

    ``loglikelihood`` says that the server's ``/completions`` echoes prompts with their log-probabilities.
    """

    api: Literal["chat", "responses"] = "chat"
    loglikelihood: bool = False
    organization: str | None = None
    project: str | None = None


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
