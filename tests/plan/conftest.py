"""A project to plan for, with nothing of the machine's own environment."""

import pytest

from tests.plan.noisy import Noisy
from tests.runs.conftest import FOREIGN
from tests.runs.project import Project


@pytest.fixture
def project(tmp_path, monkeypatch):
    for name in FOREIGN:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return Project(tmp_path, monkeypatch)


@pytest.fixture
async def noisy():
    async with Noisy() as server:
        yield server
