"""A judge and its labels in a folder, for tests."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from llmkit.judges.judge import Judge
from llmkit.judges.kinds import scale_of
from llmkit.judges.labels import Label, Labelled, LabelSet, majority_of
from llmkit.judges.spec import JudgeSpec
from llmkit.judges.subject import Subject
from llmkit.prompts import load_prompt
from llmkit.providers.base import ModelRef

PROMPT = """---
name: relevance
template: {format: {kind: jinja2}, parser: {kind: prompty}}
---
system:
You grade answers.
user:
{{criterion}} {{input}} {{answer}}
"""
GUIDELINE = "Relevant answers pass."


def judge_in(folder: Path, *, kind: Any = "pass_fail", guideline: str = GUIDELINE, **labels: Any) -> Judge:
    """A judge whose files lie in ``folder``: labels in labels.jsonl, items in items.jsonl unless ``items=None``."""
    (folder / "llmkit.toml").touch()
    (folder / "guideline.md").write_text(guideline)
    (folder / "relevance.prompty").write_text(PROMPT)
    named = {"file": "labels.jsonl", "items": "items.jsonl", **labels}
    spec = JudgeSpec.model_validate(
        {
            "version": 1,
            "name": "relevance",
            "criterion": "guideline.md",
            "kind": kind,
            "model": "scripted/judge",
            "prompt": "relevance.prompty",
            "labels": {key: value for key, value in named.items() if value is not None},
        }
    )
    return Judge(
        name="relevance",
        path=folder / "relevance.yaml",
        spec=spec,
        scale=scale_of(spec),
        criterion=guideline,
        criterion_path=folder / "guideline.md",
        prompt=load_prompt(folder / "relevance.prompty"),
        model=ModelRef("scripted/judge"),
        method=spec.method,
    )


def write(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def write_items(folder: Path, ids: Iterable[str], **fields: Any) -> None:
    write(
        folder / "items.jsonl",
        [{"id": name, "input": f"question {name}", "answer": f"answer {name}", **fields} for name in ids],
    )


def write_labels(folder: Path, *rows: Mapping[str, Any]) -> None:
    write(folder / "labels.jsonl", rows)


def labelled(id: str, *said: str, gold: str | None = None, **fields: Any) -> Labelled:
    """An item labelled by a, b, …."""
    subject = Subject(id, **{"input": f"question {id}", "answer": f"answer {id}", **fields})
    by = dict(zip("abcdefghij", said, strict=False))
    return Labelled(subject, gold or majority_of(said), by)


def label_set(items: Iterable[Labelled], **fields: Any) -> LabelSet:
    items = tuple(items)
    labels = tuple(
        Label(item.subject.id, label, name, where=f"labels.jsonl:{line}")
        for line, item in enumerate(items, 1)
        for name, label in item.said.items()
    )
    return LabelSet(items, labels, **fields)
