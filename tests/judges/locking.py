"""A judge with labels and a lock, in a folder, for tests."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from llmkit.judgements import Counts, Probe
from llmkit.judges.judge import PARSER, Judge
from llmkit.judges.load import load_judge
from llmkit.judges.lock import Chosen, Lock, files_of, lock_path, path_from, write_lock
from llmkit.judges.verdict import schema_digest
from tests.judges.project import project

DAY = datetime.now(UTC).date().isoformat()
"""Today: a lock grows old, and tests with it."""

CLEAN = (
    Probe("injection", 0.0, 100, "0 of 100 verdicts move", None, None, 0.02, True),
    Probe("order", 0.0, 100, "0 of 100 flip", None, None, 0.1, True),
    Probe("repeat", 0.0, 100, "0 of 100 change", None, None, 0.1, True),
    Probe("rewording", 0.0, 100, "0 of 100 change", None, None, 0.1, True),
)
"""Probes that moved nothing, as many as a judge of any kind needs."""


def labelled_project(folder: Path, n: int = 8, **fields: Any) -> Path:
    """Write a judge with ``n`` labelled items, every other one passing; returns its file."""
    path = project(folder, labels={"file": "labels/relevance.jsonl", "items": "labels/items.jsonl"}, **fields)
    (path.parent / "labels").mkdir(exist_ok=True)
    items = [{"id": f"i{at}", "input": f"question {at}", "answer": f"answer {at}"} for at in range(n)]
    labels = [{"id": f"i{at}", "label": "fail" if at % 2 else "pass", "annotator": "ann"} for at in range(n)]
    for name, rows in (("items", items), ("relevance", labels)):
        text = "".join(f"{json.dumps(row)}\n" for row in rows)
        (path.parent / "labels" / f"{name}.jsonl").write_text(text, encoding="utf-8")
    return path


def lock_for(judge: Judge, **changed: Any) -> Lock:
    """A lock of the judge as it is now."""
    assert judge.prompt.path is not None
    made = Lock(
        judge=judge.name,
        status="calibrated",
        reasons=("TPR 0.96 on 50 passing items: at least 0.87 with 95 % confidence",),
        chosen=Chosen(
            judge.model.name,
            dict(judge.model.params),
            path_from(judge.path.parent, judge.prompt.path),
            judge.method.model_dump(),
            tuple(example.subject.id for example in judge.examples),
        ),
        definition=judge.fingerprint,
        files=files_of(judge),
        verdict_schema=schema_digest(judge),
        parser=PARSER,
        served="judge-2026",
        identity={"provider": "scripted", "model": "judge"},
        split={"few_shot": (), "dev": (), "test": ("i0", "i1")},
        folds=0,
        seed=0,
        test=Counts(("pass", "fail"), ((48, 2), (1, 49))),
        dev=None,
        confidence=0.95,
        looks=(judge.fingerprint,),
        sampling="random",
        population=None,
        estimator="lang-reiczigel",
        probes=CLEAN,
        created=DAY,
        versions={"llmkit": "0.1"},
    )
    return replace(made, **changed)


def locked_project(folder: Path, *, n: int = 8, lock: dict[str, Any] | None = None, **fields: Any) -> Path:
    """Write a judge, its labels and its lock; returns the judge's file."""
    path = labelled_project(folder, n, **fields)
    write_lock(lock_path(path), lock_for(load_judge(str(path)), **(lock or {})))
    return path
