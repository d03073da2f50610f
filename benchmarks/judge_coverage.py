"""How often the interval of a corrected rate holds the truth: seeded simulation of what llmkit chooses.

    python benchmarks/judge_coverage.py [--runs 10000] [--seed 1] [--jobs 2]

Prints the tables of docs/judge_statistics.md. A cell is one judge, number of labels, number of verdicts, rate and way
of sampling; a row is many cells, its coverage that of the worst. The worst cells of all are drawn again, 20 times as
often and from another seed: the smallest of thousands of shares is mostly luck.
"""

from __future__ import annotations

import argparse
import itertools
import math
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from llmkit.judgements import Verdict
from llmkit.judges.figures import counts_of
from llmkit.judges.kinds import Scale
from llmkit.judges.labels import Labelled, LabelSet
from llmkit.judges.split import divide
from llmkit.judges.subject import Subject
from llmkit.stats.correction import corrected_rate_bounds, effective_confusion, post_stratified_mean

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
Cells = tuple[Floats, Floats, Floats, Floats]

RATES = (0.5, 0.7, 0.8, 0.9, 0.95, 0.98)
ERRORS = (0.7, 0.75, 0.8, 0.9, 0.98)
LABELS = (30, 50, 100, 200, 500)
VERDICTS = (100, 500, 1000, 5000)
SHIFTS = (0.0, -0.2, -0.1, 0.1, 0.2)
PROMISED = 0.94


class Cell(NamedTuple):
    """One setting. ``way``: ``same`` (random labels of the scored items), ``other`` (of a run at ``labelled``),
    ``balanced`` (half of the labels pass), ``verdicts`` (half of the labels have the verdict pass; weighted)."""

    way: str
    tpr: float
    tnr: float
    labels: int
    n: int
    rate: float
    labelled: float


class Seen(NamedTuple):
    """What came of a cell: its coverage where an interval was printed, how often one was, and its median width."""

    coverage: float
    printed: float
    width: float


def cells() -> Iterator[Cell]:
    for tpr, tnr, labels, n, rate in itertools.product(ERRORS, ERRORS, LABELS, VERDICTS, RATES):
        for way in ("same", "balanced", "verdicts"):
            yield Cell(way, tpr, tnr, labels, n, rate, rate)
        for shift in SHIFTS:
            if 0 < rate + shift < 1:
                yield Cell("other", tpr, tnr, labels, n, rate, round(rate + shift, 3))


def simulate(runs: int, seed: int, cell: Cell) -> Seen:
    random = np.random.default_rng([seed, *(round(1000 * part) for part in cell[1:]), len(cell.way)])
    shown = cell.rate * cell.tpr + (1 - cell.rate) * (1 - cell.tnr)  # the raw rate
    passed = random.binomial(cell.n, shown, runs).astype(float)
    counts = of_verdicts(cell, shown, runs, random) if cell.way == "verdicts" else of_labels(cell, runs, random)
    low, high = corrected_rate_bounds(
        counts, passed, cell.n, same_population=cell.way == "same", random=cell.way in ("same", "other")
    )
    printed = ~np.isnan(low)
    if not printed.any():
        return Seen(math.nan, 0.0, math.nan)
    held = (low <= cell.rate) & (cell.rate <= high)
    return Seen(float(held[printed].mean()), float(printed.mean()), float(np.median((high - low)[printed])))


def of_labels(cell: Cell, runs: int, random: np.random.Generator) -> Cells:
    """Label items drawn at random, or as many of each class."""
    half = np.full(runs, cell.labels // 2)
    yes = half if cell.way == "balanced" else random.binomial(cell.labels, cell.labelled, runs)
    tp, tn = random.binomial(yes, cell.tpr), random.binomial(cell.labels - yes, cell.tnr)
    return tp.astype(float), (yes - tp).astype(float), (cell.labels - yes - tn).astype(float), tn.astype(float)


def of_verdicts(cell: Cell, shown: float, runs: int, random: np.random.Generator) -> Cells:
    """Label as many items with each verdict: each stands for as many as have its own, as weights in the labels say."""
    half = cell.labels // 2
    rest = cell.labels - half
    tp = random.binomial(half, cell.rate * cell.tpr / shown, runs)
    tn = random.binomial(rest, (1 - cell.rate) * cell.tnr / (1 - shown), runs)
    return effective(tp, rest - tn, half - tp, tn, shown / half, (1 - shown) / rest)


def effective(tp: Counts, fn: Counts, fp: Counts, tn: Counts, passed: float, failed: float) -> Cells:
    """Return :func:`llmkit.stats.correction.effective_confusion` of labels with a weight for each verdict."""

    def scaled(right: Counts, wrong: Counts, weights: tuple[float, float]) -> tuple[Floats, Floats]:
        pairs, place = np.unique(np.stack([right, wrong]), axis=1, return_inverse=True)
        found = np.array([worth(k, m, *weights) for k, m in pairs.T.tolist()]).reshape(-1, 2)[place.ravel()]
        return found[:, 0], found[:, 1]

    (tp_, fn_), (tn_, fp_) = scaled(tp, fn, (passed, failed)), scaled(tn, fp, (failed, passed))
    return tp_, fn_, fp_, tn_


def worth(right: int, wrong: int, of_right: float, of_wrong: float) -> tuple[float, float]:
    """Return the effective counts of one class. An item of the other class has the heavier of the two weights."""
    said = [1] * right + [0] * (wrong + 1)
    weights = [of_right] * right + [of_wrong] * wrong + [max(of_right, of_wrong)]
    found = effective_confusion([1] * (right + wrong) + [0], said, weights)
    return found.tp, found.fn


WAYS = {
    "same": "random labels of the scored items: post-stratified",
    "other, same rate": "random labels of another run at the same rate",
    "other, ± .1": "… at a rate .1 away",
    "other, ± .2": "… at a rate .2 away",
    "balanced": "as many labels of each class, any run",
    "verdicts": "as many labels of each verdict, weighted",
}


def way_of(cell: Cell) -> str:
    if cell.way != "other":
        return cell.way
    apart = round(abs(cell.labelled - cell.rate), 3)
    return f"other, ± {apart:.1f}".replace("0.", ".") if apart else "other, same rate"


def table(found: Sequence[tuple[Cell, Seen]]) -> None:
    print("| labels | cells | " + " | ".join(f"{m} labels" for m in LABELS) + " |\n|-|-|" + "-|" * len(LABELS))
    for way, name in WAYS.items():
        rows = [(cell, seen) for cell, seen in found if way_of(cell) == way]
        shown = []
        for labels in LABELS:
            part = [seen for cell, seen in rows if cell.labels == labels and seen.printed]
            low = min(seen.coverage for seen in part)
            shown.append(f"{low:.3f} ({np.median([seen.width for seen in part]):.2f})")
        print(f"| {name} | {len(rows)} | {' | '.join(shown)} |")


def printed(found: Sequence[tuple[Cell, Seen]]) -> None:
    print("| labels | " + " | ".join(f"{m} labels" for m in LABELS) + " |\n|-|" + "-|" * len(LABELS))
    for way, name in WAYS.items():
        shown = []
        for labels in LABELS:
            part = [
                seen.printed
                for cell, seen in found
                if way_of(cell) == way and cell.labels == labels and min(cell.tpr, cell.tnr) >= 0.75
            ]
            shown.append(f"{min(part):.3f}")
        print(f"| {name} | {' | '.join(shown)} |")


def means(runs: int, seed: int) -> None:
    """Grades 0 to 4 of the labelled population."""
    print("| true shares of the grades 0 to 4 | judge right in | 30 labels | 100 labels | 300 labels |\n|-|-|-|-|-|")
    values = np.arange(5.0)
    for shares in (
        [0.2] * 5, [0.5, 0, 0, 0, 0.5], [0.02, 0.03, 0.05, 0.2, 0.7], [0, 0, 0.02, 0.08, 0.9], [0.02, 0, 0, 0, 0.98],
        [0, 0.05, 0.9, 0.05, 0],
    ):  # fmt: skip
        for right in (0.3, 0.6, 0.9):
            judge = np.full((5, 5), (1 - right) / 4) + (right - (1 - right) / 4) * np.eye(5)
            joint, truth, shown = np.array(shares)[:, None] * judge, float(np.array(shares) @ values), []
            for m in (30, 100, 300):
                random, held = np.random.default_rng([seed, m, round(100 * right), round(1e4 * truth)]), 0
                for _ in range(runs):
                    labels = random.multinomial(m, joint.ravel()).reshape(5, 5)
                    seen = post_stratified_mean(labels, values, random.multinomial(1000, joint.sum(axis=0)))
                    held += seen.interval is not None and seen.interval.low <= truth <= seen.interval.high
                shown.append(f"{held / runs:.3f}")
            print(f"| {', '.join(f'{share:g}' for share in shares)} | {right:g} | {' | '.join(shown)} |", flush=True)


def silent(runs: int, seed: int) -> None:
    """The judge cannot tell of some items, of failing ones more often than of passing ones or less."""
    print("| no verdict on passing, failing items | true rate | 30 labels | 100 labels | 300 labels |\n|-|-|-|-|-|")
    for (passing, failing), rate in itertools.product([(0, 0.24), (0.1, 0), (0.05, 0.05), (0, 0.9)], [0.6, 0.9, 0.98]):
        open_ = passing * rate + failing * (1 - rate)
        if open_ > 0.1:
            continue
        joint = np.array([
            [rate * (1 - passing) * 0.9, rate * (1 - passing) * 0.1, rate * passing],
            [(1 - rate) * (1 - failing) * 0.1, (1 - rate) * (1 - failing) * 0.9, (1 - rate) * failing],
        ])  # fmt: skip
        shown = []
        for m in (30, 100, 300):
            random, held = np.random.default_rng([seed, m, round(1e4 * open_), round(1e4 * rate)]), 0
            for _ in range(runs):
                labels = random.multinomial(m, joint.ravel()).reshape(2, 3)
                others = random.multinomial(2000 - m, joint.ravel()).reshape(2, 3)
                truth = (labels[0].sum() + others[0].sum()) / 2000
                seen = post_stratified_mean(labels, [1, 0], others.sum(axis=0)).interval
                held += seen is not None and seen.low <= truth <= seen.high
            shown.append(f"{held / runs:.3f}")
        print(f"| {passing:.0%}, {failing:.0%} | {rate:g} | {' | '.join(shown)} |", flush=True)


REPEATS: dict[str, Callable[[np.random.Generator], Counts]] = {
    "half of it one item": lambda random: np.where(random.random(2000) < 0.5, -1, np.arange(2000)),
    "half of it three items": lambda random: np.where(
        random.random(2000) < 0.5, -(np.arange(2000) % 3), np.arange(2000)
    ),
    "as often as Zipf's law says, 1.5": lambda random: np.minimum(random.zipf(1.5, 2000), 2000),
    "each item twice": lambda random: np.arange(2000) // 2,
}


def repeating(runs: int, seed: int) -> None:
    """A population that repeats itself: random labels of it, divided as a calibration does, TPR = TNR = .8."""
    print("| population | 100 labels | 100, searched | 300, searched |\n|-|-|-|-|")
    for name, draw in REPEATS.items():
        shown = []
        for m, searched in ((100, False), (100, True), (300, True)):
            held = sum(_repeats(draw, m, np.random.default_rng([seed, m, run]), searched) for run in range(runs))
            shown.append(f"{held / runs:.3f}")
        print(f"| {name} | {' | '.join(shown)} |", flush=True)


def _repeats(
    draw: Callable[[np.random.Generator], Counts], m: int, random: np.random.Generator, searched: bool
) -> bool:
    which, scale = draw(random), Scale("pass_fail", {"pass": 1.0, "fail": 0.0})
    _, of = np.unique(which, return_inverse=True)
    passes, right = random.random(2000) < 0.5, random.random(2000) < 0.8
    truth, said = passes[of], (passes == right)[of]
    words = [("fail", "pass")[int(one)] for one in truth]
    labels = LabelSet(
        tuple(Labelled(Subject(str(n), f"{which[n]}"), words[n]) for n in random.choice(2000, m, replace=False)), ()
    )
    division = divide(labels, few_shot=0, dev=searched, test=0.5, seed=0)
    groups = [division.group[name] for name in division.test]
    counts = counts_of(
        scale,
        [words[int(name)] for name in division.test],
        [Verdict("verdict", ("fail", "pass")[int(said[int(name)])]) for name in division.test],
        groups=groups,
        drawn=groups if division.dev else [None] * len(groups),
    )
    table = np.array(counts.drawn or counts.table)
    rest = np.array([said.sum(), (~said).sum()]) - table.sum(axis=0) * len(groups) / table.sum()
    seen = post_stratified_mean(table, [1, 0], np.maximum(rest, 0)).interval
    return seen is not None and bool(seen.low <= truth.mean() <= seen.high)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    given = parser.parse_args()
    start, grid = time.perf_counter(), list(cells())
    with ProcessPoolExecutor(given.jobs) as pool:
        found = list(zip(grid, pool.map(partial(simulate, given.runs, given.seed), grid, chunksize=64), strict=True))
        known = [(cell, seen) for cell, seen in found if seen.printed * given.runs >= 1000]
        worst = sorted(known, key=lambda pair: pair[1].coverage)[:12]
        again = list(pool.map(partial(simulate, 20 * given.runs, given.seed + 1), [cell for cell, _ in worst]))
    error = math.sqrt(PROMISED * (1 - PROMISED) / given.runs)
    below = sum(seen.coverage < PROMISED for _, seen in known)
    print(f"### Least coverage of a cell (median width), {given.runs:,} draws each\n")
    table(known)
    print(f"\n{len(known):,} cells, {below} below {PROMISED}; standard error of one {error:.4f}.")
    print("\n### Least share of draws with an interval, where TPR and TNR are .75 or more\n")
    printed(found)
    print(f"\n### The cells that came out lowest, {20 * given.runs:,} new draws each\n")
    print("| labels | TPR | TNR | labels | verdicts | rate | labels' rate | first | again |\n|-|-|-|-|-|-|-|-|-|")
    for (cell, seen), new in zip(worst, again, strict=True):
        print(f"| {' | '.join(map(str, cell))} | {seen.coverage:.4f} | {new.coverage:.4f} |")
    print("\n### Means of grades, post-stratified on the verdict\n")
    means(min(given.runs, 4000), given.seed)
    print("\n### Items without a verdict, as a stratum of their own\n")
    silent(min(given.runs, 4000), given.seed)
    print("\n### A population that repeats itself\n")
    repeating(min(given.runs, 1000), given.seed)
    print(f"\n{time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
