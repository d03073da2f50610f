"""A project to run, with nothing of the machine's own environment."""

import pytest

from tests.runs.project import Project

FOREIGN = ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "LLMKIT_MODEL", "LLMKIT_STORE")


@pytest.fixture
def project(tmp_path, monkeypatch):
    for name in FOREIGN:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return Project(tmp_path, monkeypatch)
