"""What a sandbox costs: short programs a second in each kind, beside bare subprocesses.

    python benchmarks/sandbox.py [--programs 60] [--turns 3] [--at-once 2]

Each program is a fresh process that prints a sum. `bare` is `subprocess.run` of the same interpreter on the same file
in a fresh folder, with nothing between it and this machine. Kinds take turns, so that a busy machine is busy for all of
them; the median of the turns is shown. `-S` leaves out site-packages, which takes Python a third of its start.
It exits with 1 where a sandbox that programs go to by themselves is below the floor, and where there is none.
`benchmarks/code_scorer.py` measures the same within the scorer.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from llmkit.errors import NoIsolationError
from llmkit.sandbox.base import Limits, Program
from llmkit.sandbox.choose import AUTOMATIC, CANDIDATES, probe
from llmkit.sandbox.unsafe import UnsafeLocal

SOURCE = "print(sum(range(1000)))"
ANSWER = b"499500\n"
FLOOR = 30  # executions a second on two cores, two at once: what llmkit promises


def bare() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "main.py").write_text(SOURCE, encoding="utf-8")
        command = [sys.executable, "-I", "-S", "main.py"]
        return subprocess.run(command, capture_output=True, cwd=folder, env={}, check=True).stdout


def kinds() -> dict[str, Callable[[], bytes]]:
    found: dict[str, Callable[[], bytes]] = {"bare": bare}
    program, limits = Program(("-S", "main.py"), {"main.py": SOURCE.encode()}), Limits()
    for name in CANDIDATES:
        sandbox = probe(name)
        if isinstance(sandbox, NoIsolationError):
            print(f"{name}: not here ({sandbox.message})", file=sys.stderr)
        else:
            found[name] = lambda sandbox=sandbox: sandbox.start(program, limits).wait().stdout
    found["unsafe-local"] = lambda: UnsafeLocal().start(program, limits).wait().stdout
    return found


def rate(one: Callable[[], bytes], programs: int, at_once: int) -> float:
    with ThreadPoolExecutor(at_once) as threads:
        start = time.perf_counter()
        answers = list(threads.map(lambda _: one(), range(programs)))
        took = time.perf_counter() - start
    assert answers == [ANSWER] * programs
    return programs / took


def troubles(medians: Mapping[str, float], floor: float) -> list[str]:
    """Say what the medians show that must not be; nothing where all is well."""
    measured = {name: medians[name] for name in AUTOMATIC if name in medians}
    if not measured:
        return [f"none of {', '.join(AUTOMATIC)} is here: nothing isolates programs, and no speed is known"]
    return [
        f"{name}: {value:.1f} programs a second are fewer than {floor:g}"
        for name, value in measured.items()
        if value < floor
    ]


def main(given: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", type=int, default=60)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--at-once", type=int, default=2)
    parser.add_argument("--floor", type=float, default=FLOOR, help="Exit 1 where one that isolates is slower.")
    arguments = parser.parse_args(given)
    found = kinds()
    rates: dict[str, list[float]] = {name: [] for name in found}
    for _ in range(arguments.turns):
        for name, one in found.items():
            rates[name].append(rate(one, arguments.programs, arguments.at_once))
    print(f"{arguments.programs} programs, {arguments.at_once} at once; medians of {arguments.turns} turns\n")
    print("| | programs a second | of bare |\n|---|---|---|")
    medians = {name: statistics.median(values) for name, values in rates.items()}
    for name, value in medians.items():
        print(f"| {name} | {value:.0f} | {value / medians['bare']:.0%} |")
    found_wanting = troubles(medians, arguments.floor)
    for trouble in found_wanting:
        print(trouble, file=sys.stderr)
    return 1 if found_wanting else 0


if __name__ == "__main__":
    sys.exit(main())
