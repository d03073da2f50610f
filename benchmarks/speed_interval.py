"""How often the interval of `compare`'s speed holds the truth. Prints the table of docs/variants.md.

    python benchmarks/speed_interval.py [--runs 400] [--seed 0]

Two engines with continuous batching answer the same samples: b drafts four tokens a step, of which a sample's own
share is accepted, and its steps are a quarter longer. A step takes longer the more calls are in flight, and the
machine's pace swings by so much, over so many steps. The truth is the geometric mean of the ratio over all runs. The
interval is that of `llmkit.stats.ratio.rate_ratio`, which `compare` calls.
"""

from __future__ import annotations

import argparse
import math

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from llmkit.stats.ratio import rate_ratio

Floats = NDArray[np.float64]

SLOTS = 16
DRAFTED = 4
SWINGS = ((0.0, 1), (0.1, 1), (0.02, 50), (0.1, 50), (0.2, 200))
"""How far the machine's pace swings (its logarithm's standard deviation), and over how many steps."""


def served(tokens: Floats, accepted: Floats | None, swing: float, steps: int, random: Generator) -> Floats:
    """Serve all runs at once, step by step; returns the seconds that each answer took, shape (runs, samples).

    Args:
        tokens: Each answer's length, shape (runs, samples).
        accepted: How likely a drafted token of a sample's is accepted; None: nothing is drafted.
        swing: Of the machine's pace.
        steps: Over how many steps it swings.
        random: Of the drafts and the swings.
    """
    runs, samples = tokens.shape
    at, rows = np.tile(np.arange(SLOTS), (runs, 1)), np.arange(runs)[:, None]
    left, busy = tokens[rows, at].copy(), np.ones((runs, SLOTS), bool)
    began, clock, took = np.zeros((runs, SLOTS)), np.zeros(runs), np.full((runs, samples), np.nan)
    following, pace = np.full(runs, SLOTS), random.normal(size=runs) * swing
    memory = math.exp(-1 / steps) if steps > 1 else 0.0
    while busy.any():
        pace = memory * pace + math.sqrt(1 - memory**2) * swing * random.normal(size=runs)
        clock += (0.02 + 0.0006 * busy.sum(1)) * (1.25 if accepted is not None else 1.0) * np.exp(pace)
        written = np.ones((runs, SLOTS))
        if accepted is not None:
            right = random.random((runs, SLOTS, DRAFTED)) < accepted[rows, at][..., None]
            written += np.cumprod(right, axis=2).sum(2)  # a token counts if all before it do
        left -= np.where(busy, written, 0)
        for run, slot in zip(*np.nonzero(busy & (left <= 0)), strict=True):
            took[run, at[run, slot]] = clock[run] - began[run, slot]
            if following[run] == samples:
                busy[run, slot] = False
                continue
            at[run, slot], began[run, slot] = following[run], clock[run]
            left[run, slot] = tokens[run, following[run]]
            following[run] += 1
    return took


def row(samples: int, swing: float, steps: int, runs: int, seed: int) -> str:
    """Return a line of the table."""
    random = np.random.default_rng([seed, samples, steps, round(1000 * swing)])
    tokens = np.ceil(random.lognormal(3.6, 0.6, (runs, samples)))
    plain = served(tokens, None, swing, steps, random)
    drafting = served(tokens, random.beta(3, 2, (runs, samples)), swing, steps, random)
    logs = np.log(plain.sum(1) / drafting.sum(1))
    truth = math.exp(logs.mean())
    found = [rate_ratio((t, a), (t, b), seed=seed) for t, a, b in zip(tokens, plain, drafting, strict=True)]
    known = [interval for interval in found if interval is not None]
    covered = sum(one.low <= truth <= one.high for one in known) / runs
    half = np.mean([math.log(one.high / one.low) / 2 for one in known])
    over = "each step anew" if steps == 1 else f"{steps} steps"
    what = f"{swing:.0%}, {over}" if swing else "none"
    return f"| {samples} | {what} | {truth:.2f} | {covered:.3f} | ±{half:.1%} | ±{1.96 * logs.std():.1%} |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    print(f"95 % intervals, {given.runs} runs a row, {SLOTS} calls in flight, seed {given.seed}\n")
    print("| samples | swings of the machine | ratio | covered | interval | runs spread by |\n|-|-|-|-|-|-|")
    for samples in (50, 200):
        for swing, steps in SWINGS:
            print(row(samples, swing, steps, given.runs, given.seed), flush=True)


if __name__ == "__main__":
    main()
