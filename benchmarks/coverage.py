"""How often the intervals that `llmkit eval` and `compare` print hold the truth: the tables of docs/statistics.md.

    python benchmarks/coverage.py [--runs 2000] [--seed 1] [--jobs 2]
    python benchmarks/coverage.py --eval [--runs 2000]
    python benchmarks/coverage.py --bleu [--runs 1000]

Paired answers of 0 and 1 are not simulated: all outcomes are added up with their probabilities. Everything else is
drawn and goes through `paired_difference` and `summarise`, the functions that `compare` and `eval` call.

`--bleu` sets the forms for corpus metrics against each other: sentences drawn from WMT17, of which the true difference
between two systems is known. It needs `benchmarks/wmt17_en_de_all.json.gz` in the folder that LLMKIT_DATA names.
"""

from __future__ import annotations

import argparse
import gzip
import json
import math
import os
import sys
import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.random import Generator

from llmkit.scoring import Item, create
from llmkit.stats.bootstrap import bca, jackknife, percentile, replicates, unit_totals
from llmkit.stats.difference import paired_difference
from llmkit.stats.paired_interval import paired_corpus_interval
from llmkit.stats.proportion import wilson
from llmkit.stats.quantiles import z_of
from llmkit.stats.resampling import difference_of
from llmkit.stats.summary import summarise
from llmkit.stats.tango import tango_bounds

SIZES = (20, 50, 100, 200, 500)
CLUSTERS = (10, 20, 50, 100)
RUN_SIZES = (20, 50, 100, 200)
MEMBERS = 5

# (discordance, true difference): all discordance one way where they are equal.
BINARY = ((0.02, 0), (0.05, 0), (0.05, 0.05), (0.1, 0), (0.1, 0.05), (0.2, 0), (0.2, 0.1), (0.2, 0.2), (0.5, 0.2))


class Data(NamedTuple):
    """What `paired_difference` is given."""

    kind: str
    a: np.ndarray
    b: np.ndarray
    value: Any = None
    sample: Any = None
    clusters: Any = None


class Setting(NamedTuple):
    """One row of the table: how data of n units are drawn, and the truth."""

    name: str
    draw: Callable[[Generator, int], Data]
    truth: float
    bounds: tuple[float, float] | None = None


def shifted(change: Callable[[Generator, int], np.ndarray]) -> Callable[[Generator, int], Data]:
    """Graded values whose differences are drawn: side a is in the middle, so that every difference is possible."""

    def draw(random: Generator, n: int) -> Data:
        return Data("mean", np.zeros(n), change(random, n))

    return draw


def sometimes(share: float, size: Callable[[Generator, int], np.ndarray]) -> Callable[[Generator, int], np.ndarray]:
    return lambda random, n: np.where(random.random(n) < share, size(random, n), 0.0)


def either_way(random: Generator, n: int) -> np.ndarray:
    return random.uniform(-1, 1, n)


def worse(random: Generator, n: int) -> np.ndarray:
    return -random.random(n)


def epochs(a: float, b: float) -> Callable[[Generator, int], Data]:
    """Four answers of 0 or 1 to each sample; samples' own rates are Beta(a, b)."""

    def draw(random: Generator, n: int) -> Data:
        rates = np.repeat(random.beta(a, b, n), 4)
        first, second = (random.random((2, 4 * n)) < rates).astype(float)
        return Data("proportion", first, second, sample=np.repeat(np.arange(n), 4))

    return draw


def members(random: Generator, count: int, unlike: bool) -> np.ndarray:
    """Number the samples by cluster: five each, or log-normally many (σ = .8), the same in every run."""
    sizes = np.full(count, MEMBERS)
    if unlike:
        sizes = np.maximum(1, np.exp(np.random.default_rng(count).normal(0, 0.8, count)) * MEMBERS).astype(int)
    return np.repeat(np.arange(count), sizes)


def clustered_binary(discordance: float, theta: float, rho: float, unlike: bool = False) -> Callable[..., Data]:
    """Dirichlet-multinomial wins, losses and ties: two samples of a cluster correlate by rho."""
    shares = np.maximum([(discordance + theta) / 2, (discordance - theta) / 2, 1 - discordance], 1e-9)

    def draw(random: Generator, count: int) -> Data:
        clusters = members(random, count, unlike)
        rates = random.dirichlet(shares * (1 - rho) / rho, count)[clusters]
        u = random.random(len(clusters))
        won, lost = u < rates[:, 0], (u >= rates[:, 0]) & (u < rates[:, 0] + rates[:, 1])
        both = random.random(len(clusters)) < 0.5
        return Data("proportion", np.where(won, 0.0, lost | both), np.where(lost, 0.0, won | both), clusters=clusters)

    return draw


def clustered_graded(rho: float, unlike: bool = False) -> Callable[..., Data]:
    def draw(random: Generator, count: int) -> Data:
        clusters = members(random, count, unlike)
        shared, own = random.normal(size=count)[clusters], random.normal(size=len(clusters))
        change = 0.05 + 0.2 * (math.sqrt(rho) * shared + math.sqrt(1 - rho) * own)
        return Data("mean", np.zeros(len(clusters)), change, clusters=clusters)

    return draw


def clusters_that_fall(random: Generator, count: int) -> Data:
    """One to nine samples a cluster: of 15 % of the clusters, 80 % of the samples fall; of the others, 3 % gain."""
    clusters = np.repeat(np.arange(count), random.integers(1, 10, count))
    fallen = (random.random(count) < 0.15)[clusters] & (random.random(len(clusters)) < 0.8)
    gained = ~fallen & (random.random(len(clusters)) < 0.03)
    return Data("proportion", np.where(gained, 0.0, 1.0), np.where(fallen, 0.0, 1.0), clusters=clusters)


def clusters_that_collapse(random: Generator, count: int) -> Data:
    """Noise on every sample, and one cluster in twenty falls as a whole; sizes are unlike."""
    clusters = members(random, count, True)
    fallen = (random.random(count) < 0.05)[clusters]
    change = np.where(fallen, -0.8, 0.0) + random.normal(0, 0.05, len(clusters))
    return Data("mean", np.zeros(len(clusters)), change, clusters=clusters)


def rare_collapse(share: float) -> Callable[[Generator, int], np.ndarray]:
    return lambda random, n: np.where(random.random(n) < share, -0.9, random.normal(0, 0.05, n))


def skewed(random: Generator, count: int, unlike: bool = False) -> Data:
    clusters = members(random, count, unlike)
    change = 0.05 * (random.exponential(1, count)[clusters] + random.exponential(1, len(clusters)))
    return Data("mean", np.zeros(len(clusters)), change, clusters=clusters)


def ratio(totals: np.ndarray) -> np.ndarray:
    return np.asarray(totals[..., 0] / totals[..., 1])


def errors(touched: float = 1.0, heavy: bool = False, rise: float = 0.02) -> Callable[..., Data]:
    """Word errors of two systems that fail on the same samples; the second touches a share of them."""

    def draw(random: Generator, n: int) -> Data:
        words = np.exp(random.normal(2, 1.2, n)).astype(int) + 1 if heavy else random.integers(3, 30, n)
        hard = random.beta(1, 4, n) * 0.8
        first = random.binomial(words, hard)
        moved = random.random(n) < touched
        second = np.where(moved, random.binomial(words, hard + rise / touched), first)
        return Data("corpus", table(first, words), table(second, words), ratio)

    return draw


def table(count: np.ndarray, words: np.ndarray) -> np.ndarray:
    return np.stack([count, words], axis=1).astype(float)


def clustered_errors(unlike: bool = False) -> Callable[..., Data]:
    def draw(random: Generator, count: int) -> Data:
        clusters = members(random, count, unlike)
        words, hard = random.integers(3, 30, len(clusters)), random.beta(1, 4, len(clusters)) * 0.6
        more = random.uniform(0, 0.1, count)[clusters]
        first, second = random.binomial(words, hard), random.binomial(words, hard + more)
        return Data("corpus", table(first, words), table(second, words), ratio, clusters=clusters)

    return draw


GRADED = (
    Setting("graded, normal, no ties", shifted(lambda r, n: r.normal(0.05, 0.1, n)), 0.05),
    Setting("graded, exponential, no ties", shifted(lambda r, n: r.exponential(1, n)), 1.0),
    Setting("graded, uniform, no ties", shifted(lambda r, n: r.uniform(-0.5, 0.5, n)), 0.0),
    Setting("graded, N(0, .05), 10 % fall by .9", shifted(rare_collapse(0.1)), -0.09),
    Setting("graded, N(0, .05), 3 % fall by .9", shifted(rare_collapse(0.03)), -0.027),
    Setting("graded, 10 % tie, else N(.3, .2)", shifted(sometimes(0.9, lambda r, n: r.normal(0.3, 0.2, n))), 0.27),
    Setting("graded, 70 % tie, either way", shifted(sometimes(0.3, either_way)), 0.0, (0, 1)),
    Setting("graded, 70 % tie, else worse", shifted(sometimes(0.3, worse)), -0.15, (0, 1)),
    Setting("graded, 90 % tie, else worse", shifted(sometimes(0.1, worse)), -0.05, (0, 1)),
    Setting("graded, 95 % tie, else worse", shifted(sometimes(0.05, worse)), -0.025, (0, 1)),
    Setting("graded, 98 % tie, else worse", shifted(sometimes(0.02, worse)), -0.01, (0, 1)),
    Setting("4 epochs, every sample right in 80 %", epochs(800, 200), 0.0),
    Setting("4 epochs, samples' rates Beta(.3, .1)", epochs(0.3, 0.1), 0.0),
)
CORPUS = (
    Setting("corpus ratio", errors(), 0.02),
    Setting("corpus ratio, heavy-tailed lengths", errors(heavy=True), 0.02),
    Setting("corpus ratio, 90 % of samples alike", errors(touched=0.1), 0.02),
)
CLUSTERED = (
    Setting("clustered 0/1, ψ .2, θ 0, ρ .2", clustered_binary(0.2, 0, 0.2), 0.0),
    Setting("clustered 0/1, ψ .2, θ .1, ρ .2", clustered_binary(0.2, 0.1, 0.2), 0.1),
    Setting("clustered 0/1, ψ .1, θ .1, ρ .3", clustered_binary(0.1, 0.1, 0.3), 0.1),
    Setting("clustered 0/1, ψ .2, θ .1, ρ .2, unlike sizes", clustered_binary(0.2, 0.1, 0.2, True), 0.1),
    Setting("clustered graded, ρ .3", clustered_graded(0.3), 0.05),
    Setting("clustered graded, ρ .3, unlike sizes", clustered_graded(0.3, True), 0.05),
    Setting("clustered graded, exponential", skewed, 0.1),
    Setting("clustered graded, exponential, unlike sizes", lambda r, n: skewed(r, n, True), 0.1),
    Setting("clustered 0/1, 15 % of clusters fall, 3 % gain, sizes 1 to 9", clusters_that_fall, -0.12 + 0.88 * 0.03),
    Setting("clustered graded, 5 % of clusters fall, unlike sizes", clusters_that_collapse, -0.04),
    Setting("clustered corpus ratio", clustered_errors(), 0.05),
    Setting("clustered corpus ratio, unlike sizes", clustered_errors(True), 0.05),
)
SETTINGS = {setting.name: setting for setting in (*GRADED, *CORPUS, *CLUSTERED)}


def binary_coverage(n: int, discordance: float, theta: float, confidence: float = 0.95) -> float:
    """Add up the probabilities of the outcomes whose interval holds ``theta``."""
    won, lost = (side.ravel() for side in np.meshgrid(np.arange(n + 1), np.arange(n + 1)))
    kept = won + lost <= n
    won, lost = won[kept], lost[kept]
    chances = np.exp(trinomial(won, lost, n, (discordance + theta) / 2, (discordance - theta) / 2))
    likely = chances > 1e-10
    won, lost, chances = won[likely].astype(float), lost[likely].astype(float), chances[likely]
    low, high = tango_bounds(won, lost, n, z_of(confidence))
    return float(chances[(low <= theta + 1e-12) & (theta - 1e-12 <= high)].sum())


def trinomial(won: np.ndarray, lost: np.ndarray, n: int, p_won: float, p_lost: float) -> np.ndarray:
    logs = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, n + 1)))])
    tied = n - won - lost
    total = logs[n] - logs[won] - logs[lost] - logs[tied] + tied * math.log(1 - p_won - p_lost)
    for count, p in ((won, p_won), (lost, p_lost)):
        total = total + (count * math.log(p) if p > 0 else np.where(count > 0, -np.inf, 0.0))
    return np.asarray(total)


def wilson_coverage(n: int, p: float) -> float:
    """Add up the probabilities of the counts whose Wilson interval holds ``p``."""
    held = (wilson(k, n).low <= p <= wilson(k, n).high for k in range(n + 1))
    return sum(math.comb(n, k) * p**k * (1 - p) ** (n - k) for k, kept in enumerate(held) if kept)


class Run(NamedTuple):
    """One row of a run's table: how one side's data of n units are drawn, and the truth."""

    name: str
    draw: Callable[[Generator, int], dict[str, Any]]
    truth: float


def one_side_in_clusters(p: float, rho: float) -> Callable[[Generator, int], dict[str, Any]]:
    def draw(random: Generator, n: int) -> dict[str, Any]:
        clusters = np.arange(n) // MEMBERS
        rates = random.beta(p * (1 - rho) / rho, (1 - p) * (1 - rho) / rho, n)[clusters]
        return {"kind": "proportion", "values": (random.random(n) < rates).astype(float), "clusters": clusters}

    return draw


def one_side_in_epochs(random: Generator, n: int) -> dict[str, Any]:
    rates = np.repeat(random.beta(4, 1, n), 4)
    values = (random.random(4 * n) < rates).astype(float)
    return {"kind": "proportion", "values": values, "sample": np.repeat(np.arange(n), 4)}


def one_sides_errors(heavy: bool) -> Callable[[Generator, int], dict[str, Any]]:
    def draw(random: Generator, n: int) -> dict[str, Any]:
        data = errors(heavy=heavy)(random, n)
        return {"kind": "corpus", "values": None, "stats": data.a, "value": ratio}

    return draw


ONE_SIDE = (
    Run("0/1 in clusters of five, p .8, ρ .2", one_side_in_clusters(0.8, 0.2), 0.8),
    Run("0/1 in clusters of five, p .95, ρ .3", one_side_in_clusters(0.95, 0.3), 0.95),
    Run("0/1 in four epochs, rates Beta(4, 1)", one_side_in_epochs, 0.8),
    Run("graded, Beta(2, 1)", lambda r, n: {"kind": "mean", "values": r.beta(2, 1, n)}, 2 / 3),
    Run("graded, Beta(.5, .1)", lambda r, n: {"kind": "mean", "values": r.beta(0.5, 0.1, n)}, 5 / 6),
    Run("word errors", one_sides_errors(False), 0.16),
    Run("word errors, heavy-tailed lengths", one_sides_errors(True), 0.16),
)


def simulate_run(place: int, n: int, runs: int, seed: int) -> tuple[float, str]:
    setting = ONE_SIDE[place]
    random = np.random.default_rng([seed, n, zlib.crc32(setting.name.encode())])
    held, forms = 0, Counter[str]()
    for run in range(runs):
        interval = summarise(**setting.draw(random, n), seed=run).interval
        assert interval is not None
        forms[interval.method] += 1
        held += interval.low <= setting.truth <= interval.high
    return held / runs, forms.most_common(1)[0][0]


def one_side(runs: int, seed: int, jobs: int) -> None:
    print(heading("a run's figures", RUN_SIZES, "n ="))
    for p in (0.5, 0.8, 0.95, 0.99):
        cells = " | ".join(f"{wilson_coverage(n, p):.1%}" for n in RUN_SIZES)
        print(f"| 0/1, p {p}, all outcomes added up | wilson | {cells} |")
    cells = [(place, n, runs, seed) for place in range(len(ONE_SIDE)) for n in RUN_SIZES]
    with ProcessPoolExecutor(jobs) as pool:
        found = list(pool.map(simulate_run, *zip(*cells, strict=True)))
    for place, setting in enumerate(ONE_SIDE):
        part = found[place * len(RUN_SIZES) : (place + 1) * len(RUN_SIZES)]
        forms = ", ".join(dict.fromkeys(form for _, form in part))
        print(f"| {setting.name} | {forms} | " + " | ".join(f"{share:.1%}" for share, _ in part) + " |")


class Seen(NamedTuple):
    """Shares of runs whose interval held the truth, and the form that most of them took."""

    coverage: float
    form: str
    without: int


def simulate(name: str, n: int, runs: int, seed: int) -> Seen:
    setting = SETTINGS[name]
    random = np.random.default_rng([seed, n, zlib.crc32(name.encode())])
    held, without, forms = 0, 0, Counter[str]()
    for _ in range(runs):
        data = setting.draw(random, n)
        # One resample: the p-value is not looked at here.
        found = paired_difference(*data, bounds=setting.bounds, resamples=1)
        if found.interval is None:
            without += 1
            continue
        forms[found.interval.method] += 1
        held += found.interval.low <= setting.truth <= found.interval.high
    return Seen(held / max(runs - without, 1), forms.most_common(1)[0][0], without)


def rows(settings: Sequence[Setting], sizes: Sequence[int], runs: int, seed: int, jobs: int) -> list[str]:
    cells = [(setting.name, n, runs, seed) for setting in settings for n in sizes]
    with ProcessPoolExecutor(jobs) as pool:
        found = list(pool.map(simulate, *zip(*cells, strict=True)))
    lines = []
    for place, setting in enumerate(settings):
        part = found[place * len(sizes) : (place + 1) * len(sizes)]
        forms = ", ".join(dict.fromkeys(seen.form for seen in part))
        lines.append(f"| {setting.name} | {forms} | " + " | ".join(f"{seen.coverage:.1%}" for seen in part) + " |")
        lost = {n: seen.without for n, seen in zip(sizes, part, strict=True) if seen.without}
        if lost:
            print(f"{setting.name}: no interval in {lost} of {runs} runs", file=sys.stderr)
    return lines


def heading(first: str, sizes: Sequence[int], of: str) -> str:
    columns = " | ".join(f"{of} {n}" for n in sizes)
    return f"| {first} | form | {columns} |\n|---|---|{'---|' * len(sizes)}"


def bleu(runs: int, seed: int) -> None:
    path = Path(os.environ.get("LLMKIT_DATA", "../shared/data")) / "benchmarks/wmt17_en_de_all.json.gz"
    if not path.is_file():
        sys.exit(f"no {path}; set LLMKIT_DATA to the folder that holds benchmarks/")
    with gzip.open(path, "rt", encoding="utf-8") as file:
        data = json.load(file)
    texts, scorer = dict(data["systems"]), create("bleu", {"tokenize": "none"})

    def statistics(name: str) -> np.ndarray:
        items = [Item(text, (reference,)) for text, reference in zip(texts[name], data["ref"], strict=True)]
        return np.array([score.stats for score in scorer.score(items)])

    first, second = (statistics(f"newstest2017.{name}.en-de") for name in ("LIUM-NMT.4900", "online-B.0"))
    table, difference = difference_of(first, second, scorer.corpus_value)
    truth = float(difference(table.sum(axis=0)))
    print("| sentences | percentile | bca | jackknife | printed by llmkit |\n|---|---|---|---|---|")
    for n in (30, 100, 300):
        held: Counter[str] = Counter()
        for run in range(runs):
            rows = np.random.default_rng([seed, n, run]).integers(0, len(table), n)
            sample = table[rows]
            drawn = replicates(unit_totals(sample, None), difference, resamples=1_000, seed=run)
            bounds = {"percentile": percentile(drawn)}
            for name, interval in (
                ("bca", bca(sample, difference, resamples=1_000, seed=run)),
                ("jackknife", jackknife(sample, difference)),
                ("printed", paired_corpus_interval(first[rows], second[rows], scorer.corpus_value)),
            ):
                assert interval is not None
                bounds[name] = interval.low, interval.high
            held.update(name for name, (low, high) in bounds.items() if low <= truth <= high)
        print(f"| {n} | " + " | ".join(f"{held[form] / runs:.1%}" for form in FORMS) + " |")


FORMS = ("percentile", "bca", "jackknife", "printed")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--eval", action="store_true", help="a run's own figures")
    parser.add_argument("--bleu", action="store_true")
    given = parser.parse_args()
    if given.bleu:
        return bleu(given.runs, given.seed)
    if given.eval:
        return one_side(given.runs, given.seed, given.jobs)
    print(heading("pairs of 0/1, all outcomes added up", SIZES, "n ="))
    for discordance, theta in BINARY:
        cells = " | ".join(f"{binary_coverage(n, discordance, theta):.1%}" for n in SIZES)
        print(f"| discordance {discordance}, difference {theta} | tango | {cells} |")
    error = math.sqrt(0.95 * 0.05 / given.runs)
    print(f"\n{given.runs:,} runs a cell, seed {given.seed}; standard error {error:.1%}\n")
    print(heading("pairs", SIZES, "n ="))
    print("\n".join(rows([*GRADED, *CORPUS], SIZES, given.runs, given.seed, given.jobs)))
    print()
    print(heading("clusters of five samples on average", CLUSTERS, "C ="))
    print("\n".join(rows(CLUSTERED, CLUSTERS, given.runs, given.seed, given.jobs)))


if __name__ == "__main__":
    main()
