"""Stored runs that a judge is put to work on."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from llmkit.providers.base import ModelRef
from llmkit.runs.evaluate import evaluate_async
from llmkit.runs.options import Options

SUITE = """\
version: 1
name: questions
data: rows.jsonl
map: {id: id, target: target, cluster: talk}
messages: [{role: user, content: "{{q}}"}]
scorers: [exact_match]
"""


async def run_of(
    folder: Path, answer: Callable[[int], str], *, n: int = 40, model: str = "first", epochs: int = 1, talks: int = 0
) -> str:
    """Evaluate ``n`` questions with scripted answers, keep the run in ``folder/.llmkit``; returns its id."""
    names = [f"s{number:03d}" for number in range(n)]
    rows: list[Mapping[str, Any]] = [
        {"id": name, "q": f"question of {name}.", "target": f"{name} reference",
         "talk": f"t{number % talks}" if talks else name}
        for number, name in enumerate(names)
    ]  # fmt: skip
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    (folder / "questions.yaml").write_text(SUITE, encoding="utf-8")
    file = folder / f"{model}.jsonl"
    said = [{"match": f"question of {name}.", "text": answer(number)} for number, name in enumerate(names)]
    file.write_text("".join(json.dumps(each) + "\n" for each in said), encoding="utf-8")
    ref = ModelRef(f"scripted/{model}", {}, {"file": str(file)})
    options = Options(store=folder / ".llmkit", epochs=epochs)
    (ending,) = await evaluate_async(str(folder / "questions.yaml"), [ref], options=options)
    assert ending.error is None
    return ending.result.run_id


def good_share(share: float, n: int = 40) -> Callable[[int], str]:
    """Answers of which a share is good, the first ones."""
    return lambda number: f"s{number:03d} {'good' if number < share * n else 'bad'}"
