"""What a gate on a judged metric holds to: seeded simulation of its very rules.

    python benchmarks/judged_gate.py [--runs 10000] [--seed 1] [--jobs 2]

Prints the tables of docs/judge_statistics.md. Each trial draws its own labels, so that what they do not know of the
judge is part of what may go wrong. "ever" follows one boundary to the end of the data, whatever the other says: that is
the error which alpha bounds.
"""

from __future__ import annotations

import argparse
import itertools
import math
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import NamedTuple

import numpy as np

from llmkit.stats.correction import corrected_rate_bounds
from llmkit.stats.proportion import clopper_pearson
from llmkit.stats.sequential.judged_power import World, draw_labels, simulate_judged
from llmkit.stats.sequential.power import simulate

JUDGES = (0.75, 0.85, 0.95)
PAIRS = tuple(itertools.product(JUDGES, JUDGES))


class Labels(NamedTuple):
    """How many labels there are, and which share of them passes, exactly or on average."""

    size: int
    share: float
    exact: bool

    def __str__(self) -> str:
        return f"{self.size}, {'half' if self.exact else f'{self.share:.0%} by chance'} pass"


LABELS = (Labels(50, 0.5, True), Labels(100, 0.5, True), Labels(100, 0.8, False), Labels(200, 0.8, False))
PLANS = ((0.1, 200), (0.1, 500), (0.1, 1000), (0.05, 1000))
WORLDS = {
    "the truth moves on 10 %": {"rate": 0.8, "moved": 0.1},
    "answers alike in 9 of 10": {"rate": 0.8, "moved": 0.02, "alike": 0.9},
    "rate .95": {"rate": 0.95, "moved": 0.02},
}


class Cell(NamedTuple):
    """One setting; ``drops`` in margins."""

    tpr: float
    tnr: float
    labels: Labels
    margin: float
    n: int
    world: str
    drops: float


class Seen(NamedTuple):
    """Shares of trials."""

    passed: float
    failed: float
    ever_passed: float
    ever_failed: float


def run(runs: int, seed: int, cell: Cell) -> Seen:
    key = [seed, *(round(1000 * part) for part in (*cell[:2], *cell.labels, cell.margin, cell.n, cell.drops))]
    random = np.random.default_rng([*key, list(WORLDS).index(cell.world)])
    world = World(cell.tpr, cell.tnr, drop=cell.drops * cell.margin, **WORLDS[cell.world])
    count, share, exact = cell.labels
    yes = np.full(runs, round(count * share)) if exact else np.clip(random.binomial(count, share, runs), 1, count - 1)
    labels = draw_labels(world, count, yes, random)
    found = simulate_judged(world, labels, cell.margin, cell.n, seed=int(random.integers(2**32)))
    return Seen(*(float(part.mean()) for part in (found.passed, found.failed, found.ever_passed, found.ever_failed)))


def table(head: Sequence[object], rows: Sequence[Sequence[object]]) -> None:
    print(f"| {' | '.join(map(str, head))} |\n|{'-|' * len(head)}")
    for row in rows:
        print(f"| {' | '.join(map(str, row))} |", flush=True)


def at_the_margin(runs: int, seed: int, pool: ProcessPoolExecutor) -> None:
    grid = [
        Cell(*judge, labels, *plan, world, 1.0)
        for judge, labels, plan, world in itertools.product(PAIRS, LABELS, PLANS, WORLDS)
    ]
    found = dict(zip(grid, pool.map(partial(run, runs, seed), grid, chunksize=4), strict=True))
    print("### A true drop of the margin: ever a pass, most of 12 cells (three worlds, margins and n)\n")
    rows = []
    for tpr, tnr in PAIRS:
        most = [max(s.ever_passed for c, s in found.items() if c[:2] == (tpr, tnr) and c.labels == m) for m in LABELS]
        rows.append((tpr, tnr, *(f"{share:.3f}" for share in most)))
    table(("TPR", "TNR", *LABELS), rows)
    worst = sorted(grid, key=lambda cell: -found[cell].ever_passed)[:4]
    again = pool.map(partial(run, 10 * runs, seed + 1), worst)
    print(
        f"\n{len(grid)} cells, standard error {math.sqrt(0.05 * 0.95 / runs):.4f}."
        f" The highest, with {10 * runs:,} new draws:\n"
    )
    for cell, seen in zip(worst, again, strict=True):
        said = f"TPR {cell.tpr}, TNR {cell.tnr}, {cell.labels}, m {cell.margin}, n {cell.n}, {cell.world}"
        print(f"- {said}: {found[cell].ever_passed:.4f}, then {seen.ever_passed:.4f}")


def no_drop(runs: int, seed: int, pool: ProcessPoolExecutor) -> None:
    world = next(iter(WORLDS))
    grid = [
        Cell(*judge, labels, *plan, world, drops)
        for judge, labels, plan, drops in itertools.product(PAIRS, LABELS, PLANS, (0.0, 2.0))
    ]
    found = dict(zip(grid, pool.map(partial(run, runs, seed), grid, chunksize=4), strict=True))
    print(
        "\n### Power, the truth moving on 10 %, 100 labels of which half pass:"
        " no drop passes / a drop of twice the margin fails\n"
    )
    rows = []
    for tpr, tnr in PAIRS:
        cells = []
        for margin, n in PLANS:
            none, twice = (found[Cell(tpr, tnr, LABELS[1], margin, n, world, drops)] for drops in (0.0, 2.0))
            cells.append(f"{none.passed:.2f} / {twice.failed:.2f}")
        rows.append((tpr, tnr, *cells))
    table(("TPR", "TNR", *(f"m = {margin}, n = {n:,}" for margin, n in PLANS)), rows)
    most = max(seen.ever_failed for cell, seen in found.items() if not cell.drops)
    print(f"\nNo drop, ever a false fail: {most:.3f} at most, of {len(grid) // 2} cells.")


def traps(runs: int, seed: int) -> None:
    print("\n### What goes wrong otherwise, m = .1, n = 1,000\n")
    random = np.random.default_rng(seed)
    weak, good = World(0.8, 0.8, drop=0.1), World(0.9, 0.9)
    raw = simulate(0.1, *weak.moves(), 1000, runs=runs, seed=seed)
    rows = [("a plain gate on verdicts, TPR .8, TNR .8, drop .1: pass", f"{raw.ever_passed.mean():.2f}")]
    for head in (0.86, 0.8):
        world = World(0.9, 0.9, tpr_head=head)
        found = simulate_judged(world, draw_labels(good, 200, np.full(runs, 100), random), 0.1, 1000, seed=seed)
        said = f"TPR .9 on base and {head:g} on head, TNR .9, no drop: false fail / pass"
        rows.append((said, f"{found.failed.mean():.2f} / {found.passed.mean():.2f}"))
    table(("", "share"), rows)


def calibrated(runs: int, seed: int) -> None:
    """Only those sets of labels that call the judge calibrated: the lucky ones, where it is not clearly good."""
    print(
        "\n### Given that 200 labels, half of which pass, call the judge calibrated (87 of 100 right in each class)\n"
    )
    least = next(k for k in range(101) if clopper_pearson(k, 100, 0.9).low >= 0.8)
    rows = []
    for q in (0.8, 0.85, 0.9, 0.95):
        random, world = np.random.default_rng([seed, round(100 * q)]), World(q, q, drop=0.1)
        labels = draw_labels(world, 200, np.full(20 * runs, 100), random)
        sound = (labels[:, 0] >= least) & (labels[:, 3] >= least)
        kept = labels[sound][:runs]
        passed = random.binomial(1000, 0.8 * q + 0.2 * (1 - q), len(kept))
        low, high = corrected_rate_bounds(tuple(kept.T), passed, 1000, same_population=False, random=False)
        held = float(((low <= 0.8) & (high >= 0.8)).mean())
        gate = float(simulate_judged(world, kept, 0.1, 1000, seed=seed).ever_passed.mean())
        error = math.sqrt(0.05 * 0.95 / len(kept))
        share = float(sound.mean())
        rows.append((q, f"{share:.3f}", f"{held:.3f}", f"{gate:.3f} ± {3 * error:.3f}", f"{share * gate:.4f}"))
    head = ("TPR = TNR", "calibrated", "interval covers", "drop of the margin: ever a pass", "both")
    table(head, rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    given = parser.parse_args()
    start = time.perf_counter()
    with ProcessPoolExecutor(given.jobs) as pool:
        at_the_margin(given.runs, given.seed, pool)
        no_drop(min(given.runs, 4_000), given.seed, pool)
    traps(given.runs, given.seed)
    calibrated(min(given.runs, 5_000), given.seed)
    print(f"\n{time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
