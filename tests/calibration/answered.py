"""A project with runs that have answers to label."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import llmkit
from llmkit.runs.evaluate import evaluate_async
from llmkit.types import RunResult

SUITE = """\
version: 1
name: sums
data: rows.jsonl
map: {id: id, target: answer, cluster: book, slices: [topic]}
messages: [{role: user, content: "What is {{question}}?"}]
scorers: [exact_match]
"""
COUNT = 60
WRONG = 12
"""Of ``good``'s answers; ``bad`` is wrong twice as often, and once says nothing."""


def make_project(folder: Path) -> None:
    """Write the suite, and two models whose answers are written down."""
    rows = [
        {
            "id": f"s{n:02}",
            "question": f"{n}+100",
            "answer": f"the sum is {n + 100}",
            "topic": ["even", "odd"][n % 2],
            "book": f"b{n // 3}",
        }
        for n in range(COUNT)
    ]
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    for name, step in (("good", COUNT // WRONG), ("bad", COUNT // WRONG // 2)):
        lines = [{"match": f"is {row['question']}?", "text": row["answer"]} for row in rows]
        for line in lines[::step]:
            line["text"] = "the sum is not known"
        if name == "bad":
            lines[1]["text"] = ""
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (folder / "llmkit.toml").write_text(
        'model = "scripted/good"\n'
        + "".join(f'[models."scripted/{name}"]\nfile = "{name}.jsonl"\n' for name in ("good", "bad"))
    )
    (folder / "sums.yaml").write_text(SUITE)


Run = Callable[..., Awaitable[RunResult]]


async def run(model: str = "good", **options: object) -> RunResult:
    """Run the suite of the current folder."""
    (ending,) = await evaluate_async("sums.yaml", f"scripted/{model}", options=llmkit.Options(**options))  # type: ignore[arg-type]
    return ending.result
