"""What llmkit costs over the bare requests: whole process against whole process, in one run.

    python benchmarks/eval_overhead.py [--runs 5] [--bench ../shared/bench]

A server on loopback answers 2,000 sums after 20 ms each. `floor.py` asks it with no harness (bare aiohttp, bare openai
SDK); llmkit asks the same at the same concurrency of 64, scores and stores. The commands take turns, so that a machine
that drifts drifts for all; ratios are taken turn by turn. Then: `llmkit --help`, and a re-run of 10,000 samples that
are all in the cache.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

SUITE = """\
version: 1
name: add
data: rows.jsonl
map: {id: id, target: answer}
messages: [{role: user, content: "What is {{a}} + {{b}} = ? Answer with the number only."}]
scorers: [exact_match]
params: {max_tokens: 16, temperature: 0}
"""
LLMKIT = [sys.executable, "-m", "llmkit"]


@dataclass(frozen=True)
class Cost:
    """Of one whole process."""

    wall: float
    cpu: float
    rss_mib: float


def measure(command: Sequence[str], folder: Path, environment: dict[str, str]) -> Cost:
    begin = time.perf_counter()
    process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.stderr is not None
    said = process.stderr.read().decode()
    process.stderr.close()
    if process.returncode:
        sys.exit(f"{' '.join(command)}: exit {process.returncode}: {said}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def write_suite(folder: Path, rows: int) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "llmkit.toml").touch()
    (folder / "suite.yaml").write_text(SUITE)
    with (folder / "rows.jsonl").open("w") as out:
        for a in range(rows):
            out.write(json.dumps({"id": str(a), "a": a, "b": a * 7 % 1000, "answer": str(a + a * 7 % 1000)}) + "\n")


def line(name: str, costs: Sequence[Cost], base: Sequence[Cost] | None = None) -> str:
    wall, cpu, rss = (statistics.median(v) for v in zip(*((c.wall, c.cpu, c.rss_mib) for c in costs), strict=True))
    text = f"| {name} | {wall:.2f} | {cpu:.2f} | {rss:.0f} |"
    if base is None:
        return text + " |"
    ratios = sorted(c.wall / b.wall for c, b in zip(costs, base, strict=True))
    return text + f" {statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f}) |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--bench", type=Path, default=Path(__file__).resolve().parents[2] / "shared" / "bench")
    parser.add_argument("--port", type=int, default=8790)
    arguments = parser.parse_args()
    if not (arguments.bench / "mock_server.py").exists():
        sys.exit(f"{arguments.bench} has no mock_server.py: name its folder with --bench")
    port = str(arguments.port)
    url = f"http://127.0.0.1:{port}/v1"
    environment = {**os.environ, "OPENAI_BASE_URL": url, "OPENAI_API_KEY": "none"}
    server = subprocess.Popen(
        [sys.executable, str(arguments.bench / "mock_server.py"), "--port", port], stdout=subprocess.PIPE
    )
    try:
        assert server.stdout is not None
        server.stdout.readline()
        with tempfile.TemporaryDirectory() as made:
            compare(Path(made), arguments.bench, port, environment, arguments.runs)
    finally:
        server.terminate()
        server.wait()
        server.stdout.close()


def compare(folder: Path, bench: Path, port: str, environment: dict[str, str], runs: int) -> None:
    write_suite(folder / "add", 2000)
    write_suite(folder / "cached", 10_000)
    floor = [sys.executable, str(bench / "floor.py")]
    ask = [*LLMKIT, "eval", "suite.yaml", "-m", "openai/mock", "--json"]
    commands = {
        "bare aiohttp": [*floor, "aiohttp", "2000", "64", port],
        "bare openai SDK": [*floor, "openai", "2000", "64", port],
        "llmkit eval": [*ask, "--concurrency", "64", "--no-cache", "--fresh"],
    }
    costs: dict[str, list[Cost]] = {name: [] for name in commands}
    for turn in range(runs + 1):
        for name, command in commands.items():
            cost = measure(command, folder / "add", environment)
            if turn:  # the first turn warms the file system's cache
                costs[name].append(cost)
    print(f"2,000 samples, 20 ms a call, concurrency 64; medians of {runs} turns\n")
    print("| | wall s | CPU s | peak RSS MiB | wall ÷ bare aiohttp |\n|---|---|---|---|---|")
    base = costs["bare aiohttp"]
    for name, found in costs.items():
        print(line(name, found, None if name == "bare aiohttp" else base))
    measure(ask, folder / "cached", environment)
    print(line("llmkit --help", [measure([*LLMKIT, "--help"], folder, environment) for _ in range(runs)]))
    rerun = [measure([*ask, "--fresh"], folder / "cached", environment) for _ in range(runs)]
    print(line("re-run of 10,000 cached samples", rerun))


if __name__ == "__main__":
    main()
