"""What the verdicts of `llmkit compare --margin` hold to. Prints the tables of docs/variants.md.

    python benchmarks/noninferiority.py [--runs 500]

Scores of 0 and 1 are enumerated: every count of losses and gains, its probability and its verdict, so that the errors
are exact. The verdict of every count is computed at once, and counts drawn at random are put to
`llmkit.stats.noninferiority.decide` itself, which must agree. Graded scores and clusters are simulated with a seed.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from llmkit.stats.noninferiority import beyond, decide, needed
from llmkit.stats.proportion import binomial_tail
from llmkit.stats.quantiles import normal_quantile
from llmkit.stats.sequential import Difference, Series, units
from llmkit.stats.sequential.signs import critical_losses
from llmkit.stats.sequential.tango import least_margin, tango_scores

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ALPHA = 0.05
MARGINS = (0.02, 0.05, 0.1)
SIZES = (20, 50, 100, 200, 500, 1000)
GAINS = (0.0, 0.01, 0.05, 0.1, 0.2)
CHECKED = 200
RARE = 9.0  # standard deviations beyond which counts are not enumerated: 1e-18 of the probability


class Shares(NamedTuple):
    """How often each is said.

    Attributes:
        passed: The margin is ruled out.
        proven: A drop is proven, within the margin or not.
        failed: A drop is proven, and the margin not ruled out.
        beyond: The same, and the drop is shown to be larger than the margin.
    """

    passed: float
    proven: float
    failed: float
    beyond: float


def enumerate_binary(n: int, margin: float, loss: float, gain: float) -> Shares:
    """Return the exact probabilities of the verdicts on scores of 0 and 1.

    Args:
        n: Pairs.
        margin: In (0, 1).
        loss: Probability that b alone is wrong.
        gain: Probability that a alone is wrong.
    """
    losses, gains = _support(n, loss), _support(n, gain)
    lost, won = (grid.ravel() for grid in np.meshgrid(losses, gains, indexing="ij"))
    lost, won = lost[lost + won <= n], won[lost + won <= n]
    passed, failed, larger = verdicts_at(lost, won, n, margin)
    weight = np.exp(_log_probability(lost, won, n, loss, gain))
    return Shares(*(float(weight[which].sum()) for which in (passed, failed, failed & ~passed, larger)))


def verdicts_at(lost: Ints, won: Ints, n: int, margin: float) -> tuple[NDArray[np.bool_], ...]:
    """Return for each count whether the margin is ruled out, a drop is proven, and it fails by more than that."""
    z = -normal_quantile(ALPHA)
    lost_, won_ = lost.astype(float), won.astype(float)
    passed = (tango_scores(lost_, won_, n, margin) >= z) & (least_margin(n, z) <= margin)
    most = int((lost + won).max(initial=0))
    critical = np.array([critical_losses([pairs], [ALPHA])[0] for pairs in range(most + 1)])
    failed = lost >= critical[lost + won]
    tails = np.array([binomial_tail(losses, n, margin) for losses in range(most + 1)])
    larger = failed & ~passed & (tango_scores(won_, lost_, n, -margin) > z) & (tails[lost] <= ALPHA)
    return passed, failed, larger


def check(n: int, margin: float, seed: int) -> None:
    """Put counts to the test itself, and compare."""
    rng = np.random.default_rng(seed)
    lost = rng.integers(0, max(2, n // 4), CHECKED)
    won = np.minimum(rng.integers(0, max(2, n // 4), CHECKED), n - lost)
    passed, failed, _ = verdicts_at(lost, won, n, margin)
    for b, c, p, f in zip(lost.tolist(), won.tolist(), passed.tolist(), failed.tolist(), strict=True):
        found = decide([Difference("m", margin)], {"m": binary_series(b, c, n)}, alpha=ALPHA)["m"].verdict
        wanted = "pass" if p else "fail" if f else "undecided"
        assert found == wanted, f"n={n} margin={margin} losses={b} gains={c}: {found}, enumerated as {wanted}"


def binary_series(losses: int, gains: int, n: int) -> Series:
    """Return pairs with so many losses and gains."""
    head = np.zeros(n)
    head[:losses], head[losses : losses + gains] = -1.0, 1.0
    return Series(np.where(head < 0, 1.0, 0.0), np.where(head > 0, 1.0, 0.0), n, (n,))


def _support(n: int, p: float) -> Ints:
    spread = RARE * math.sqrt(n * p * (1 - p)) + 20 * (p > 0)
    return np.arange(max(0, math.floor(n * p - spread)), min(n, math.ceil(n * p + spread)) + 1)


def _log_probability(lost: Ints, won: Ints, n: int, loss: float, gain: float) -> Floats:
    logs = np.cumsum([0.0, *np.log(np.arange(1, n + 1))])
    rest = n - lost - won
    found: Floats = logs[n] - logs[lost] - logs[won] - logs[rest]
    for count, p in ((lost, loss), (won, gain), (rest, 1 - loss - gain)):
        if p > 0:
            found = found + count * math.log(p)
    return found


def graded(kind: str, drop: float, n: int, rng: np.random.Generator) -> Series:
    """Return pairs of graded or clustered scores with a true drop."""
    if kind == "judge, noise .1":
        base = rng.uniform(0.3, 0.9, n)
        head = base - drop
        return _series(*(side + rng.uniform(-0.1, 0.1, n) for side in (base, head)))
    if kind == "rare collapse":  # one sample in ten or so falls to 0, whose chance is the drop
        base = np.full(n, 0.9) + rng.uniform(-0.02, 0.02, n)
        falls = rng.random(n) < drop / 0.9
        return _series(base, np.where(falls, 0.0, base))
    if kind == "4 epochs":
        p = rng.beta(2, 1, n) * (1 - drop) + drop
        return _series(rng.binomial(4, p) / 4, rng.binomial(4, p - drop) / 4)
    sizes = np.full(n, 5) if kind == "clusters of 5" else np.where(rng.random(n) < 0.5, 8, 2)
    cluster = np.repeat(np.arange(n), sizes)
    p = rng.beta(2, 1, n)[cluster] * (1 - drop) + drop
    base, head = ((rng.random(len(cluster)) < side).astype(float) for side in (p, p - drop))
    one, two = units(base, head, np.arange(len(cluster)), cluster)
    return Series(one, two, n, (n,), float((sizes**2).mean() / sizes.mean() ** 2))


def _series(base: Floats, head: Floats) -> Series:
    return Series(base, head, len(base), (len(base),))


def simulate(kind: str, drop: float, margin: float, n: int, runs: int) -> Shares:
    """Return how often each verdict comes on graded or clustered scores."""
    rng = np.random.default_rng([n, int(1000 * drop), len(kind)])
    counts = np.zeros(4)
    for run in range(runs):
        found = decide([Difference("m", margin)], {"m": graded(kind, drop, n, rng)}, alpha=ALPHA, seed=run)["m"]
        passed, failed = found.verdict == "pass", found.verdict == "fail"
        counts += (passed, found.drop_proven, failed, beyond(found, higher_is_better=True, level=ALPHA))
    return Shares(*(counts / runs).tolist())


KINDS = ("judge, noise .1", "rare collapse", "4 epochs", "clusters of 5", "clusters of 8 or 2")


def table(title: str, head: str, rows: Iterable[Iterable[object]]) -> None:
    print(f"\n### {title}\n\n| {head} |\n|{'-|' * (head.count('|') + 1)}", flush=True)
    for row in rows:
        print(f"| {' | '.join(f'{cell:.3f}' if isinstance(cell, float) else str(cell) for cell in row)} |", flush=True)


def sizes_of_errors() -> Iterator[Iterable[object]]:
    for margin in MARGINS:
        for n in SIZES:
            check(n, margin, seed=n)
            at = [enumerate_binary(n, margin, margin + gain, gain) for gain in GAINS]
            same = [enumerate_binary(n, margin, half, half) for half in (0.005, 0.025, 0.05, 0.1, 0.25)]
            worst = max(one.passed for one in at), max(one.proven for one in same), max(one.beyond for one in at)
            yield (str(margin), n, *worst)


def power() -> Iterator[Iterable[object]]:
    for margin in MARGINS:
        for discordance in (0.005, 0.02, 0.1, 0.2, 0.5):
            n = needed(margin, discordance, binary=True)
            half = discordance / 2
            same = enumerate_binary(n, margin, half, half)
            rest = max(0.0, discordance - 2 * margin) / 2
            twice, thrice = (enumerate_binary(n, margin, k * margin + rest, rest) for k in (2, 3))
            yield (str(margin), str(discordance), n, same.passed, twice.failed, thrice.failed, thrice.beyond)


def graded_rows(runs: int) -> Iterator[Iterable[object]]:
    margin = 0.05
    for kind in KINDS:
        for n in (50, 200, 500):
            at, none, twice = (simulate(kind, drop, margin, n, runs) for drop in (margin, 0.0, 2 * margin))
            yield (kind, n, at.passed, none.proven, at.beyond, none.passed, twice.failed)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=500)
    runs, start = parser.parse_args().runs, time.perf_counter()
    table(
        "Scores of 0 and 1: the errors, exact (the worst over discordances)",
        "margin | n | drop = margin: pass | no drop: one is proven | drop = margin: called larger than it",
        sizes_of_errors(),
    )
    table(
        "Scores of 0 and 1 at the n that is named as needed, exact",
        "margin | discordance | n | no drop: pass | drop 2m: fail | drop 3m: fail | and called larger than the margin",
        power(),
    )
    table(
        f"Graded and clustered scores, margin .05, {runs:,} trials a cell",
        "data | n | drop = margin: pass | no drop: proven | drop = margin: larger | no drop: pass | drop 2m: fail",
        graded_rows(runs),
    )
    print(f"\n{time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
