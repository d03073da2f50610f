"""A judge with labels in a project, and a model that is right as often as a test wants."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from llmkit.calibration.options import CalibrateOptions
from llmkit.judges.judge import Judge
from llmkit.judges.load import load_judge
from llmkit.providers.scripted import Scripted
from llmkit.types import Request
from tests.judges.project import project
from tests.judges.seats import says

ANSWER = re.compile(r"<answer-[^>]*>\s*(?:answer )?(\w+) (good|bad)")


def labelled(folder: Path, *, n: int = 200, passing: float = 0.5, locked: bool = False, **labels: Any) -> Judge:
    """Write a judge with ``n`` labelled items, a share of which passes; the answer says what a right verdict is."""
    lines, items = [], []
    for number in range(n):
        good = number < passing * n
        name = f"i{number:03d}"
        items.append({"id": name, "input": f"question {number}", "answer": f"{name} {'good' if good else 'bad'}"})
        lines.append({"id": name, "label": "pass" if good else "fail", "annotator": "ana"})
    named = {"file": "labels/relevance.jsonl", "items": "labels/relevance.items.jsonl", "sampling": "random"}
    path = project(
        folder, labels={**named, "population": {"run": "r1", "fingerprint": "0" * 64, "size": 5000}, **labels}
    )
    (path.parent / "labels").mkdir(exist_ok=True)
    for file, rows in (("relevance.jsonl", lines), ("relevance.items.jsonl", items)):
        (path.parent / "labels" / file).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return load_judge(str(path), locked=locked)


def judged_item(request: Request) -> tuple[str, bool]:
    """Return which item a request is about, and whether its answer is good."""
    name, word = ANSWER.findall(request.messages[-1].content)[-1]
    return name, word == "good"


def right_at(rate: float, salt: str = "") -> Callable[[Request], str]:
    """A model that is right on this share of the items, the same ones whenever it is asked."""

    def answer(request: Request) -> str:
        name, good = judged_item(request)
        chance = int(hashlib.sha256(f"{salt}{name}".encode()).hexdigest()[:8], 16) / 16**8
        return says("pass" if good == (chance < rate) else "fail")

    return answer


def options(folder: Path, function: Callable[[Request], str], **fields: Any) -> CalibrateOptions:
    """Options whose model ``scripted/judge`` is a function."""
    model = Scripted("judge", {"revision": "1"}, function=function)
    return CalibrateOptions(
        store=folder / ".llmkit", providers={"scripted/judge": model}, **{"probe_items": 10, **fields}
    )
