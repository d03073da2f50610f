"""A project with a judge in it, as people lay one out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from llmkit.judges.judge import Judge
from llmkit.judges.load import load_judge
from llmkit.shipped import shipped

GUIDELINE = "An answer passes where it answers what was asked."


def project(folder: Path, *, guideline: str = GUIDELINE, prompt: str | None = None, **fields: Any) -> Path:
    """Write ``judges/relevance.yaml`` with its guideline and prompt; returns its path."""
    kind = fields.setdefault("kind", "pass_fail")
    shape = kind if isinstance(kind, str) else next(iter(kind))
    said = {
        "version": 1,
        "name": "relevance",
        "criterion": "guidelines/relevance.md",
        "model": "scripted/judge",
        "prompt": "../prompts/relevance.prompty",
        **fields,
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "llmkit.toml").touch()
    (folder / "judges" / "guidelines").mkdir(parents=True, exist_ok=True)
    (folder / "prompts").mkdir(exist_ok=True)
    (folder / "judges" / "guidelines" / "relevance.md").write_text(guideline, encoding="utf-8")
    text = shipped("prompts", f"judges/{shape}.prompty").read_text(encoding="utf-8") if prompt is None else prompt
    (folder / "prompts" / "relevance.prompty").write_text(text, encoding="utf-8")
    path = folder / "judges" / "relevance.yaml"
    lines = (f"{key}: {json.dumps(value)}\n" for key, value in said.items())  # JSON is YAML
    path.write_text("".join(lines), encoding="utf-8")
    return path


def judge_of(folder: Path, **fields: Any) -> Judge:
    """Write a judge, and load it."""
    return load_judge(str(project(folder, **fields)))
