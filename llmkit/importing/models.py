"""Models as other tools name them, in llmkit's words."""

from __future__ import annotations

from typing import NamedTuple

_SERVERS = {
    "ollama": "http://localhost:11434/v1",
    "openrouter": "https://openrouter.ai/api/v1",
    "deepseek": "https://api.deepseek.com/v1",
    "mistral": "https://api.mistral.ai/v1",
    "groq": "https://api.groq.com/openai/v1",
    "togetherai": "https://api.together.xyz/v1",
    "xai": "https://api.x.ai/v1",
    "localai": "http://localhost:8080/v1",
    "cerebras": "https://api.cerebras.ai/v1",
}
"""Providers that speak OpenAI's wire, and where: a suite may name no server, a user may."""
_KINDS = frozenset({"chat", "responses", "messages", "completion", "completions"})


class Named(NamedTuple):
    """What became of a name.

    Attributes:
        model: ``provider/model``; None where llmkit has none.
        given: What the user can write after ``-m`` where a suite may not say it.
        why: Why it is not in the suite.
    """

    model: str | None = None
    given: str | None = None
    why: str = ""


def promptfoo_model(name: str) -> Named:
    """Read ``openai:chat:gpt-4o``, ``anthropic:messages:claude-…``, ``ollama:chat:llama3``, ``echo``."""
    provider, _, rest = name.partition(":")
    kind, _, model = rest.partition(":")
    if kind not in _KINDS:
        kind, model = "", rest
    if name == "echo":
        return Named("scripted/echo")
    if kind.startswith("completion") and provider == "openai":
        return Named(why="llmkit asks chat models, and this is the older endpoint for completions")
    if provider in ("openai", "anthropic") and model:
        return Named(f"{provider}/{model}")
    if provider in _SERVERS and model:
        return Named(given=f"openai/{model}@{_SERVERS[provider]}", why="a suite may not name a server")
    return Named(why=f"llmkit has no provider {provider!r}")


def github_model(name: str) -> Named:
    """Read ``openai/gpt-4o``, as GitHub Models names them; other makers' were served by GitHub alone."""
    maker, _, model = name.partition("/")
    if not model:
        return Named(f"openai/{maker}") if maker.startswith(("gpt-", "o1", "o3", "o4")) else Named(why=_ENDED)
    return Named(f"openai/{model}") if maker == "openai" else Named(why=_ENDED)


_ENDED = "GitHub's service, which served it, ended"
