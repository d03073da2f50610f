"""The three roads to a server, each with a key that must never be seen again."""

from __future__ import annotations

from typing import Any

import pytest

from llmkit.providers.base import ModelRef, Provider
from llmkit.providers.registry import create
from llmkit.types import Message, Request
from tests.providers.server import Server

KEY = "sk-proj-verysecretvalue0123456789"
ROADS = ("chat", "responses", "anthropic")


def provider_at(
    road: str, server: Server | str, monkeypatch: pytest.MonkeyPatch, *, key: str | None = KEY, **options: Any
) -> Provider:
    """Build the provider of a road, pointed at a server (or an origin), with the key in the environment."""
    origin = server if isinstance(server, str) else server.origin
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"):
        monkeypatch.delenv(name, raising=False)
        if key is not None and name != "ANTHROPIC_AUTH_TOKEN":
            monkeypatch.setenv(name, key)
    if road == "anthropic":
        return create(ModelRef("anthropic/claude-x", {}, {"base_url": origin, **options}))
    api = {"api": "responses"} if road == "responses" else {}
    return create(ModelRef("openai/gpt-x", {}, {"base_url": f"{origin}/v1", **api, **options}))


def ask(text: str = "What is 6 * 7?", **params: Any) -> Request:
    """A request of one user message."""
    return Request((Message("user", text),), params)
