"""A small project to try suites in."""

import json

import pytest


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A folder with suites/, prompts/ and the configuration that makes it a project; the current folder."""
    (tmp_path / "llmkit.toml").write_text("")
    (tmp_path / "suites").mkdir()
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "add.prompty").write_text("---\nname: add\n---\nuser:\n{{question}}\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


ADD = """\
version: 1
name: add
data: add.jsonl
map: {id: id, target: answer}
prompt: ../prompts/add.prompty
scorers: [exact_match]
"""
ROWS = [{"id": "a", "question": "1+1?", "answer": 2}, {"id": "b", "question": "1+2?", "answer": 3}]


@pytest.fixture
def write(project):
    """Write a suite and its rows; return the suite's path."""

    def write(text=ADD, rows=ROWS, name="add"):
        path = project / "suites" / f"{name}.yaml"
        path.write_text(text)
        if rows is not None:
            path.with_suffix(".jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        return str(path)

    return write
