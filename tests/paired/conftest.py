"""A project whose models' answers are written down, and a way to run them."""

from __future__ import annotations

import json

import pytest

import llmkit
from llmkit.runs.evaluate import evaluate_async
from tests.runs.conftest import project

__all__ = ["asked", "project"]

TOML = '[models."scripted/{0}"]\nfile = "{0}.jsonl"\n'
SUITE = """\
version: 1
name: sums
data: rows.jsonl
map: {id: id, target: answer, slices: [topic]}
messages: [{role: user, content: "What is {{question}}?"}]
scorers: [exact_match, bleu]
"""
COUNT = 12


@pytest.fixture
def asked(project):
    """Two models: ``good`` answers all, ``bad`` every third wrongly and one not at all."""
    rows = [
        {"id": f"s{n:02}", "question": f"{n}+1", "answer": f"the sum is {n + 1}", "topic": ["even", "odd"][n % 2]}
        for n in range(COUNT)
    ]
    (project.folder / "rows.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    for name in ("good", "bad"):
        lines = [{"match": f"is {r['question']}?", "text": r["answer"]} for r in rows]
        for line in lines[::3] if name == "bad" else []:
            line["text"] = "the sum is not known"
        if name == "bad":
            lines[1]["text"] = ""
        (project.folder / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (project.folder / "llmkit.toml").write_text(TOML.format("good") + TOML.format("bad"))
    (project.folder / "sums.yaml").write_text(SUITE)

    async def run(model="good", suite="sums.yaml", hooks=None, **options):
        (ending,) = await evaluate_async(suite, f"scripted/{model}", options=llmkit.Options(**options), hooks=hooks)
        return ending.result

    return run
