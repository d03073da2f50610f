"""One million rows through a suite: time, and memory above that of ten rows.

    python benchmarks/million_rows.py [ROWS]

Writes a JSON Lines file of about 150 bytes a row into a temporary folder, checks it (fields, ids) and streams its
samples. The aim: constant text in memory, and ids at 16 bytes a row at most.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from pathlib import Path

from llmkit.suites import load_suites

SUITE = """\
version: 1
name: million
data: rows.jsonl
map: {id: id, target: answer, slices: [topic]}
messages: [{role: user, content: "{{question}}"}]
scorers: [exact_match]
"""


def peak() -> int:
    """Bytes of the largest resident set so far (Linux counts in KiB, macOS in bytes)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def main(rows: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with (folder / "rows.jsonl").open("w") as file:
            for i in range(rows):
                row = {"id": f"row-{i}", "question": f"What is {i} + {i}? {'x' * 80}", "answer": 2 * i, "topic": i % 7}
                file.write(json.dumps(row) + "\n")
        (folder / "suite.yaml").write_text(SUITE)
        (suite,) = load_suites(str(folder / "suite.yaml"))
        suite.check(10)
        before = peak()
        for what, work in (("check", suite.check), ("samples", lambda: sum(1 for _ in suite.samples()))):
            start = time.perf_counter()
            count = work()
            seconds = time.perf_counter() - start
            print(
                f"{what}: {count:,} rows in {seconds:.2f} s, {seconds / count * 1e6:.2f} µs a row, "
                f"{(peak() - before) / count:.1f} bytes a row above ten rows' peak"
            )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
