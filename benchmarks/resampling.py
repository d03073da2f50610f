"""What resampling costs: 10,000 resamples of 10,000 pairs, and WMT17 against sacrebleu in the same process.

    python benchmarks/resampling.py [--resamples 2000] [--turns 3]

The second part needs `benchmarks/wmt17_en_de_all.json.gz` in the folder that LLMKIT_DATA names (`../shared/data`) and
is left out where it is absent. Only the resampling is timed: both are given the sufficient statistics, taken once.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import resource
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from llmkit.scoring import Item, create
from llmkit.stats.bootstrap import bca
from llmkit.stats.difference import paired_difference
from llmkit.stats.resampling import difference_of, paired_replicates, randomisation, sacrebleu_p_value
from llmkit.stats.signflip import sign_flip

PAIRS = RESAMPLES = 10_000
BASELINE = "newstest2017.LIUM-NMT.4900.en-de"
DATA = Path(os.environ.get("LLMKIT_DATA", "../shared/data")) / "benchmarks/wmt17_en_de_all.json.gz"


def seconds(call: Callable[[], object]) -> tuple[float, float]:
    """Return the seconds that went by, and those of the processor, which say what a busy machine does not."""
    begin, used = time.perf_counter(), time.process_time()
    call()
    return time.perf_counter() - begin, time.process_time() - used


def peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def ten_thousand_pairs() -> None:
    random = np.random.default_rng(0)
    words = random.integers(3, 40, PAIRS).astype(float)
    a, b = (np.stack([random.binomial(words.astype(int), p), words], axis=1) for p in (0.2, 0.205))
    graded = random.random(PAIRS), random.random(PAIRS)
    right = (random.random((2, PAIRS)) < 0.7).astype(float)
    clusters = np.arange(PAIRS) // 5

    def ratio(totals: np.ndarray) -> np.ndarray:
        return np.asarray(totals[..., 0] / totals[..., 1])

    tasks: Sequence[tuple[str, Callable[[], object]]] = (
        ("sign-flip", lambda: sign_flip(graded[1] - graded[0], resamples=RESAMPLES)),
        ("paired bootstrap, 2 × 2 statistics", lambda: bca(*difference_of(a, b, ratio), resamples=RESAMPLES)),
        ("paired bootstrap, 2 × 18 statistics", lambda: many_columns(random)),
        ("approximate randomisation", lambda: randomisation(a, b, ratio, resamples=RESAMPLES)),
        ("a comparison: corpus metric", lambda: paired_difference("corpus", a, b, ratio, resamples=RESAMPLES)),
        ("a comparison: graded", lambda: paired_difference("mean", *graded, resamples=RESAMPLES)),
        ("a comparison: 0/1", lambda: paired_difference("proportion", *right, resamples=RESAMPLES)),
        (
            "a comparison: 0/1 in 2,000 clusters",
            lambda: paired_difference("proportion", *right, clusters=clusters, resamples=RESAMPLES),
        ),
    )
    print(f"{PAIRS:,} pairs, {RESAMPLES:,} resamples (before: {peak_mib():.0f} MiB)\n")
    print("| | s | CPU s | peak so far, MiB |\n|---|---|---|---|")
    for name, call in tasks:
        wall, used = seconds(call)
        print(f"| {name} | {wall:.2f} | {used:.2f} | {peak_mib():.0f} |")


def many_columns(random: np.random.Generator) -> None:
    """As many statistics as chrF++ has."""
    sides = [random.integers(0, 50, (PAIRS, 18)).astype(float) for _ in range(2)]
    paired_replicates(sides, lambda totals: totals[..., 0], resamples=RESAMPLES)


class Known:
    """sacrebleu's BLEU, which looks statistics up instead of taking them from the texts."""

    def __new__(cls, by_first: dict[str, list[list[int]]]) -> Any:
        from sacrebleu.metrics.bleu import BLEU

        class WithStatistics(BLEU):
            def _extract_corpus_statistics(self, hypotheses: Sequence[str], references: Any) -> Any:
                return by_first[hypotheses[0]]

        metric = WithStatistics(tokenize="none", force=True)
        metric.num_refs = 1
        return metric


def wmt17(resamples: int, turns: int) -> None:
    if not DATA.is_file():
        print(f"\nWMT17 is left out: no {DATA}; set LLMKIT_DATA to the folder that holds benchmarks/")
        return
    from sacrebleu.significance import PairedTest

    with gzip.open(DATA, "rt", encoding="utf-8") as file:
        data = json.load(file)
    vector = [BASELINE, *(name for name, _ in data["systems"] if name in SYSTEMS)]
    texts, scorer = dict(data["systems"]), create("bleu", {"tokenize": "none"})
    stats = [
        np.array(
            [
                score.stats
                for score in scorer.score([Item(t, (r,)) for t, r in zip(texts[name], data["ref"], strict=True)])
            ]
        )
        for name in vector
    ]
    # sacrebleu is handed one made-up sentence a row, by which it finds the statistics of the system.
    known = {f"{name}#0": table.astype(int).tolist() for name, table in zip(vector, stats, strict=True)}
    named = [(name, [f"{name}#{row}" for row in range(len(data["ref"]))]) for name in vector]
    own = [float(scorer.corpus_value(table.sum(axis=0))) for table in stats]
    values: dict[str, list[float]] = {}

    def ours() -> None:
        drawn = paired_replicates(stats, scorer.corpus_value, resamples=resamples, seed=12345)
        values["ours"] = [sacrebleu_p_value(drawn[:, k] - drawn[:, 0], own[k] - own[0]) for k in range(1, len(vector))]

    def theirs() -> None:
        test = PairedTest(named, {"BLEU": Known(known)}, None, test_type="bs", n_samples=resamples)
        _, scores = test()
        values["theirs"] = [result.p_value for result in scores["BLEU"][1:]]

    turns_taken = [(seconds(ours), seconds(theirs)) for _ in range(turns)]
    print(f"\nWMT17 English to German: {len(vector) - 1} systems against {BASELINE}, {len(data['ref']):,} sentences,")
    print(f"BLEU, {resamples:,} paired bootstrap resamples, median of {turns} turns\n")
    print("| | s | CPU s |\n|---|---|---|")
    for who, side in (("sacrebleu", 1), ("llmkit", 0)):
        wall, used = (statistics.median(turn[side][clock] for turn in turns_taken) for clock in (0, 1))
        print(f"| {who} | {wall:.2f} | {used:.2f} |")
    ratios = [[other[clock] / mine[clock] for mine, other in turns_taken] for clock in (0, 1)]
    wall, used = (f"{statistics.median(part):.1f} (at least {min(part):.1f})" for part in ratios)
    print(f"| ratio | {wall} | {used} |")
    print("\n| system | llmkit's p | sacrebleu's |\n|---|---|---|")
    for name, a, b in zip(vector[1:], values["ours"], values["theirs"], strict=True):
        print(f"| {name} | {a:.4f} | {b:.4f} |")
    print(f"\npeak memory of the process, sacrebleu's part included: {peak_mib():.0f} MiB")


SYSTEMS = {
    f"newstest2017.{name}.en-de"
    for name in (
        "C-3MA.4959",
        "FBK.4870",
        "LMU-nmt-reranked.4934",
        "LMU-nmt-single.4893",
        "online-B.0",
        "online-F.0",
        "PROMT-Rule-based.4735",
        "RWTH-nmt-ensemble.4921",
        "TALP-UPC.4834",
        "uedin-nmt.4722",
    )
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--resamples", type=int, default=2_000)
    parser.add_argument("--turns", type=int, default=3)
    given = parser.parse_args()
    ten_thousand_pairs()
    wmt17(given.resamples, given.turns)


if __name__ == "__main__":
    main()
