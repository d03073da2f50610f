"""How many answers a second the scorer `code` examines, each with its tests, in two sandboxes of their own.

    python benchmarks/code_scorer.py [--rows 100] [--turns 3] [--workers 2]

Answers are HumanEval's and MBPP's own solutions, from `benchmarks/` in the folder that LLMKIT_DATA names
(`../shared/data`); where it is absent, one small function. The processors are those that this process may use. Seconds
of the processor, the programs' own included as far as the system tells, say what a busy machine does not.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import time
from pathlib import Path
from typing import Any

from llmkit.scoring import Item, Scorer, create
from llmkit.types import Score

DATA = Path(os.environ.get("LLMKIT_DATA", "../shared/data")) / "benchmarks"
SMALL = {"test_list": ["assert add(1, 2) == 3", "assert add('a', 'b') == 'ab'"]}


def rows(name: str, count: int) -> list[dict[str, Any]]:
    """Return the first rows of a data set; none where it is absent."""
    path = DATA / f"{name}.jsonl"
    if not path.is_file():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()[:count]]


def sets(count: int) -> dict[str, tuple[str, list[Item]]]:
    """Return shape and items of each measurement."""
    found = {"one small function": ("mbpp", [Item("def add(a, b):\n    return a + b", (), SMALL)] * count)}
    if mbpp := rows("mbpp_test", count):
        found["MBPP"] = ("mbpp", [Item(f"```python\n{row['code']}\n```", (), row) for row in mbpp])
    if humaneval := rows("humaneval", count):
        found["HumanEval"] = ("humaneval", [Item(row["canonical_solution"], (), row) for row in humaneval])
    return found


def used() -> float:
    """Return the seconds of the processor that this process and those that it waited for have used."""
    each = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in each)


def measure(scorer: Scorer, items: list[Item]) -> tuple[float, float, int]:
    """Return the seconds that went by, those of the processor, and how many answers passed."""
    begin, before = time.perf_counter(), used()
    found = scorer.score(items)
    right = sum(isinstance(each, Score) and each.value == 1 for each in found)
    return time.perf_counter() - begin, used() - before, right


def main() -> None:
    """Print one line for each set: the fastest turn, for others only tell what else the machine was doing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--workers", type=int, default=None)
    parser.add_argument("--isolation", default="auto")
    options = parser.parse_args()
    processors = len(os.sched_getaffinity(0))
    print(f"{processors} processors, load {os.getloadavg()[0]:.1f}")
    for name, (shape, items) in sets(options.rows).items():
        given = {"shape": shape, "workers": options.workers, "isolation": options.isolation, "timeout": 60}
        scorer = create("code", given)
        measure(scorer, items[:2])
        wall, processor, right = min(measure(scorer, items) for _ in range(options.turns))
        print(
            f"{name:20} {right}/{len(items)} pass  {len(items) / wall:6.1f} answers/s"
            f"  {processor / len(items) * 1e3:5.1f} ms of processor time an answer"
        )
    print(scorer.signature)


if __name__ == "__main__":
    main()
