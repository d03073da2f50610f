"""What racing spares: the 20 recorded judges of LLMBar, resampled and replayed, against the full grid.

    python benchmarks/judge_racing.py [--seeds 500] [--data ../shared/data/judging/llmbar_pairwise.jsonl]

For several sizes of the dev part, drawn with replacement: the share of the full grid's calls that the race makes (mean,
and 95th percentile), how often its pick is the full grid's, and how much less accurate it is on the whole set.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from llmkit.calibration.racing import ALPHA, Race

SIZES = (50, 100, 150, 200, 300, 419)


def read(path: Path) -> np.ndarray:
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    names = list(rows[0]["judges"])
    return np.array([[row["judges"][name][0] == str(row["gold"]) for row in rows] for name in names])


def replay(sample: np.ndarray) -> tuple[int, int]:
    """Return the pick and the calls."""
    state, calls = Race(len(sample), np.ones(sample.shape[1])), 0
    while state.asked < state.items:
        block = list(state.block())
        calls += len(block) * len(state.running)
        state.take(sample[np.ix_(state.running, block)])
    return state.ranking()[0], calls


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=500)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/judging/llmbar_pairwise.jsonl"))
    options = parser.parse_args()
    right = read(options.data)
    truth = right.mean(axis=1)
    print(f"{len(right)} judges, {right.shape[1]} pairs, {options.seeds} seeds, alpha {ALPHA}")
    print("items   calls: mean    p95   same pick   accuracy lost")
    for size in SIZES:
        calls, same, lost = [], [], []
        for seed in range(options.seeds):
            sample = right[:, np.random.default_rng([size, seed]).integers(0, right.shape[1], size)]
            full = int(sample.sum(axis=1).argmax())
            pick, made = replay(sample)
            calls.append(made / sample.size)
            same.append(pick == full)
            lost.append(truth[full] - truth[pick])
        print(
            f"{size:5}   {np.mean(calls):11.3f} {np.quantile(calls, 0.95):6.3f}   {np.mean(same):9.3f}"
            f"   {np.mean(lost):+13.4f}"
        )


if __name__ == "__main__":
    main()
