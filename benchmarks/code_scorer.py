"""How many short programs a second the scorer `code` runs: an answer and its tests, each in a sandbox of its own.

    python benchmarks/code_scorer.py [--rows 100] [--turns 3] [--processors 2] [--floor 30]

Answers are HumanEval's and MBPP's own solutions, from `benchmarks/` in the folder that LLMKIT_DATA names
(`../shared/data`), and one small function, which stands alone where that is absent. The median of the turns is shown.
It exits with 1 where a median is below the floor, where an answer did not pass, and where nothing isolates programs;
what else the machine was doing meanwhile is not taken off.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from pathlib import Path
from typing import Any

from llmkit.errors import NoIsolationError
from llmkit.sandbox import choose
from llmkit.scoring import Item, Scorer, create
from llmkit.types import Score

DATA = Path(os.environ.get("LLMKIT_DATA", "../shared/data")) / "benchmarks"
SMALL = {"test_list": ["assert add(1, 2) == 3", "assert add('a', 'b') == 'ab'"]}
BROKEN = {367}  # of MBPP: its own solution fails its tests
EXECUTIONS = 2  # an answer: its program and its tests, at the same time
FLOOR = 30.0  # executions a second on two cores: what llmkit promises


def rows(name: str, count: int) -> list[dict[str, Any]]:
    """Return the first rows of a data set; none where it is absent."""
    path = DATA / f"{name}.jsonl"
    if not path.is_file():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()[:count]]


def sets(count: int) -> dict[str, tuple[str, list[Item]]]:
    """Return shape and items of each measurement."""
    found = {"one small function": ("mbpp", [Item("def add(a, b):\n    return a + b", (), SMALL)] * count)}
    if mbpp := [row for row in rows("mbpp_test", count) if row["task_id"] not in BROKEN]:
        found["MBPP"] = ("mbpp", [Item(f"```python\n{row['code']}\n```", (), row) for row in mbpp])
    if humaneval := rows("humaneval", count):
        found["HumanEval"] = ("humaneval", [Item(row["canonical_solution"], (), row) for row in humaneval])
    return found


def measure(scorer: Scorer, items: list[Item]) -> tuple[float, int]:
    """Return the executions a second, and how many answers did not pass."""
    begin = time.perf_counter()
    found = scorer.score(items)
    took = time.perf_counter() - begin
    wrong = sum(not isinstance(each, Score) or each.value != 1 for each in found)
    return EXECUTIONS * len(items) / took, wrong


def troubles(name: str, rates: list[float], wrong: list[int], floor: float) -> list[str]:
    """Say what one set's turns show that must not be; nothing where all is well."""
    said = []
    if max(wrong) > 0:
        said.append(f"{name}: {max(wrong)} answers did not pass, and each is a right one")
    if statistics.median(rates) < floor:
        said.append(f"{name}: {statistics.median(rates):.1f} executions a second are fewer than {floor:g}")
    return said


def main(arguments: list[str] | None = None) -> int:
    """Print one line for each set; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--processors", type=int, default=2, help="At most so many are used; as many answers at once.")
    parser.add_argument("--sandbox", default=choose.AUTO, choices=[choose.AUTO, *choose.CANDIDATES])
    parser.add_argument("--floor", type=float, default=FLOOR, help="Exit 1 where fewer are executed a second.")
    options = parser.parse_args(arguments)
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.processors])
    processors = len(os.sched_getaffinity(0))
    with choose.asked(options.sandbox):
        try:
            sandbox = choose.choose()
        except NoIsolationError as error:
            print(error, file=sys.stderr)
            return 1
        if not sandbox.isolated:
            print(f"{sandbox.name} isolates nothing, and its speed says nothing", file=sys.stderr)
            return 1
        print(
            f"{sandbox.name}, {processors} processors, load {os.getloadavg()[0]:.1f}, median of {options.turns} turns"
        )
        found = []
        for name, (shape, items) in sets(options.rows).items():
            scorer = create("code", {"shape": shape, "workers": processors, "timeout": 60})
            measure(scorer, items[:2])
            rates, wrong = map(list, zip(*(measure(scorer, items) for _ in range(options.turns)), strict=True))
            right, spread = len(items) - max(wrong), f"{min(rates):.1f} to {max(rates):.1f}"
            print(f"{name:20} {right}/{len(items)} pass  {statistics.median(rates):6.1f} executions/s ({spread})")
            found += troubles(name, rates, wrong, options.floor)
    for trouble in found:
        print(trouble, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
