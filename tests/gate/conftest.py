"""Repositories for tests of the gate."""

from pathlib import Path

import pytest

from tests.gate.repository import Repo
from tests.runs.conftest import project

__all__ = ["project"]


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repo:
    """A repository with one gated suite on ``main``, at its branch ``change``."""
    return Repo(tmp_path / "repo", monkeypatch).start()


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repo:
    """A folder that is to become one; ``start`` makes it."""
    return Repo(tmp_path / "repo", monkeypatch)
