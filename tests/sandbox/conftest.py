"""What the tests of sandboxes share."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path

import pytest

from llmkit.sandbox.base import Execution, Limits, Program, Sandbox
from tests.sandbox.kinds import ALL, TRIED, sandbox

Run = Callable[..., Execution]


@pytest.fixture(params=ALL)
def any_sandbox(request: pytest.FixtureRequest, tmp_path: Path) -> Sandbox:
    """Each kind that works here."""
    return sandbox(request.param, tmp_path)


@pytest.fixture(params=TRIED)
def isolating(request: pytest.FixtureRequest, tmp_path: Path) -> Sandbox:
    """Each kind that isolates and works here."""
    return sandbox(request.param, tmp_path)


@pytest.fixture
def marker() -> str:
    """A word that no other process has in its command line."""
    return f"marker-{secrets.token_hex(8)}"


def run(kind: Sandbox, source: str, *arguments: str, limits: Limits | None = None, **more: object) -> Execution:
    """Run one file to its end."""
    program = Program(("-S", "main.py", *arguments), {"main.py": source.encode()}, **more)  # type: ignore[arg-type]
    return kind.start(program, limits or Limits()).wait()
