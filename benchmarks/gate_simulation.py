"""What the gate's verdicts hold to: seeded simulation of the very tests that it runs. Prints the tables of the docs.

    python benchmarks/gate_simulation.py [--runs 1000] [--binary-runs 10000] [--only binary,graded,…]

Scores of 0 and 1 are simulated many trials at once (`llmkit.stats.sequential.power`), all else trial by trial
(`llmkit.stats.sequential.simulation`). "ever" follows one boundary to the end of the data, whatever the other says:
that is the error which alpha bounds.
"""

from __future__ import annotations

import argparse
import itertools
import math
import time
from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from llmkit.stats.sequential import (
    CorpusDifference,
    Difference,
    Measure,
    QuantileRise,
    RatioOfMeans,
    Reading,
    Series,
    Trial,
    units,
)
from llmkit.stats.sequential.power import powered_n, simulate
from llmkit.stats.sequential.rises import planned_n_quantile, planned_n_ratio
from llmkit.stats.sequential.simulation import Draw, simulate_trials
from llmkit.stats.sequential.sizing import fixed_n, metric_power, planned_n, planned_n_graded

Floats = NDArray[np.float64]
MARGINS = (0.02, 0.05, 0.10)


def table(title: str, head: str, rows: Iterable[Iterable[object]]) -> None:
    print(f"\n### {title}\n\n| {head} |\n|{'-|' * (head.count('|') + 1)}", flush=True)
    for row in rows:
        print(f"| {' | '.join(str(cell) for cell in row)} |", flush=True)


def share(value: float | np.floating) -> str:
    return f"{float(value):.3f}"


def binary(runs: int) -> None:
    def errors() -> Iterable[Iterable[object]]:
        for psi in (0.005, 0.02, 0.1, 0.2, 0.5):
            same = [simulate(0.05, psi / 2, psi / 2, n, runs=runs, seed=1) for n in (50, 200, 1000, 2000)]
            yield psi, *(share(o.ever_failed.mean()) for o in same)

    table("Scores of 0 and 1, no difference: ever a false fail", "discordance | n = 50 | 200 | 1,000 | 2,000", errors())

    passes = []

    def planned() -> Iterable[Iterable[object]]:
        for margin, psi in itertools.product(MARGINS, (0.005, 0.02, 0.05, 0.1, 0.2, 0.5)):
            sizes, fixed = planned_n(margin, psi), fixed_n(margin, psi).n
            few = min(runs, 4000)

            def at(drop: float, n: int, psi: float = psi, margin: float = margin, few: int = few):  # type: ignore[no-untyped-def]
                spread = max(psi, drop)
                return simulate(margin, (spread + drop) / 2, (spread - drop) / 2, n, runs=few, seed=2)

            same, limit, twice, thrice = (at(k * margin, sizes.n) for k in (0, 1, 2, 3))
            passes.append(float(same.passed.mean()))
            mended = powered_n(margin, psi)
            yield (
                margin, psi, fixed, sizes.n, share(same.passed.mean()), f"{mended.n}: {mended.pass_at_no_change:.3f}",
                share(limit.ever_passed.mean()), share(twice.failed.mean()), f"{thrice.n.mean() / fixed:.2f}",
                f"{same.n.mean() / fixed:.2f}",
            )  # fmt: skip

    table(
        "Scores of 0 and 1 at the planned n",
        "margin | discordance | n of one look | planned n | no change: pass | n raised to: pass | drop m: ever a "
        "pass | drop 2m: fail | drop 3m: mean n / one look | no change: the same",
        planned(),
    )
    print(f"\nNo change at the planned n: pass in {min(passes):.3f} at least, {np.median(passes):.3f} in the median.")


def nothing_differs() -> None:
    def passes(margin: float, n: int) -> bool:
        return bool(simulate(margin, 0.0, 0.0, n, runs=1).passed[0])

    rows = []
    for margin in MARGINS:
        guess = math.ceil(3.7 / margin)
        least = next(n for n in range(guess - 10, guess + 20) if passes(margin, n))
        stays = all(passes(margin, n) for n in (*range(least, least + 20), *range(least, 2001, 97), 2000))
        rows.append((margin, least, "yes" if stays else "no", "no" if not passes(margin, 20) else "yes"))
    table("No discordant pair", "margin | passes from n | and at larger n up to 2,000 | at n = 20", rows)


def judged(drop: float, noise: float = 0.1) -> Draw:
    """Grades with a judge's noise on both sides; a drop is answers that get 0."""

    def draw(random: np.random.Generator, n: int) -> tuple[Floats, Floats]:
        quality = random.beta(4, 2, n)
        base, head = (np.clip(quality + random.normal(0, noise, n), 0, 1) for _ in range(2))
        return base, np.where(random.random(n) < drop * 1.5, 0.0, head)

    return draw


def epochs(drop: float, answers: int = 4) -> Draw:
    def draw(random: np.random.Generator, n: int) -> tuple[Floats, Floats]:
        rate = random.beta(2, 1, n)
        fallen = np.where(random.random(n) < drop * 1.5, 0, rate)
        return random.binomial(answers, rate) / answers, random.binomial(answers, fallen) / answers

    return draw


def collapse(drop: float) -> Draw:
    """Nearly constant grades; a drop is one answer in many that gets 0."""

    def draw(random: np.random.Generator, n: int) -> tuple[Floats, Floats]:
        base, head = (np.clip(random.normal(0.95, 0.01, n), 0, 1) for _ in range(2))
        return base, np.where(random.random(n) < drop / 0.95, 0.0, head)

    return draw


def clusters(sizes: str) -> Callable[[float], Draw]:
    """A tenth of the clusters is answered anew, alike within; a drop is whole clusters that fall to 0."""

    def with_drop(drop: float) -> Draw:
        def draw(random: np.random.Generator, n: int) -> tuple[Floats, Floats]:
            size = drawn_sizes(random, n, sizes)
            cluster = np.repeat(np.arange(n), size)
            base = (random.random(len(cluster)) < 0.6).astype(float)
            head = np.where((random.random(n) < 0.1)[cluster], (random.random(n) < 0.6)[cluster], base)
            head = np.where((random.random(n) < drop / 0.6)[cluster], 0.0, head)
            return units(base, head, np.arange(len(cluster)), cluster)

        return draw

    return with_drop


def drawn_sizes(random: np.random.Generator, n: int, kind: str) -> NDArray[np.int64]:
    if kind == "5 each":
        return np.full(n, 5)
    return 1 + random.geometric(0.25, n) if kind == "geometric" else np.where(random.random(n) < 0.1, 30, 2)


def span_of(kind: str) -> float:
    size = drawn_sizes(np.random.default_rng(0), 100_000, kind).astype(float)
    return float((size**2).mean() / size.mean() ** 2)


GRADED: tuple[tuple[str, Callable[[float], Draw], float], ...] = (
    ("judge, noise .1", judged, 1.0),
    ("judge, noise .02", lambda drop: judged(drop, 0.02), 1.0),
    ("4 epochs", epochs, 1.0),
    ("rare collapse", collapse, 1.0),
    *((f"clusters, {kind}", clusters(kind), span_of(kind)) for kind in ("5 each", "geometric", "30 or 2")),
)


def graded(runs: int) -> None:
    def errors() -> Iterable[Iterable[object]]:
        for name, make, span in GRADED:
            found = []
            for n in (50, 200, 1000, 2000):
                measure = Difference("x", 0.05)
                fail = simulate_trials(measure, make(0.0), n, runs=runs, seed=3, ask="fail", span=span).failed
                passing = simulate_trials(measure, make(0.05), n, runs=runs, seed=4, ask="pass", span=span).passed
                found.append(f"{share(fail)} / {share(passing)}")
            yield name, *found

    table(
        "Graded and clustered scores: ever a false fail at no difference / ever a pass at a drop of .05, the margin",
        "data | n = 50 | 200 | 1,000 | 2,000",
        errors(),
    )

    def planned() -> Iterable[Iterable[object]]:
        for (name, make, span), margin in itertools.product(GRADED, (0.05, 0.10)):
            base, head = make(0.0)(np.random.default_rng(5), 50_000)
            n = math.ceil(planned_n_graded(margin, float((head - base).var())).n * span)
            few, measure = max(200, runs // 2), Difference("x", margin)
            same = simulate_trials(measure, make(0.0), n, runs=few, seed=6, span=span)
            worse = simulate_trials(measure, make(2 * margin), n, runs=few, seed=7, span=span)
            yield name, margin, n, share(same.passed), share(worse.failed), round(same.n), round(worse.n)

    table(
        "Graded and clustered scores at the planned n",
        "data | margin | planned n | no change: pass | drop 2m: fail | mean n | mean n",
        planned(),
    )


def cost(rise: float, spread: float = 1.0, noise: float = 0.4, runaway: float | None = None) -> Draw:
    """Lognormal costs. The rise is in all answers, or in the share ``runaway`` of them."""

    def draw(random: np.random.Generator, n: int) -> tuple[Floats, Floats]:
        base = random.lognormal(0, spread, n)
        head = base * random.lognormal(-noise * noise / 2, noise, n)
        if runaway is None:
            return base, head * (1 + rise)
        return base, head * np.where(random.random(n) < runaway, 1 + rise / runaway, 1.0)

    return draw


def latency(rise: float, base_spread: float, head_spread: float, correlation: float = 0.0) -> Draw:
    """Lognormal times whose 95th percentiles differ by the rise."""
    z = 1.6448536269514722

    def draw(random: np.random.Generator, n: int) -> tuple[Floats, Floats]:
        shared, one, other = random.normal(size=(3, n))
        own = math.sqrt(1 - correlation**2)
        base = np.exp(base_spread * (correlation * shared + own * one))
        head = np.exp(head_spread * (correlation * shared + own * other - z) + base_spread * z)
        return base, (1 + rise) * head

    return draw


def error_rate(sums: Floats) -> Floats:
    return np.asarray(100 * sums[..., 0] / sums[..., 1])


def words(rise: float, longest: int) -> Draw:
    """Word errors; the rise is answers that are wrong from end to end."""

    def draw(random: np.random.Generator, n: int) -> tuple[Floats, Floats]:
        length = random.integers(1 if longest > 50 else 5, longest, n)
        base = random.binomial(length, 0.1)
        head = np.where(random.random(n) < rise / 90, length, random.binomial(length, 0.1))
        return np.stack([base, length], axis=1).astype(float), np.stack([head, length], axis=1).astype(float)

    return draw


def others(runs: int) -> None:
    costs, slow = RatioOfMeans("cost", 0.2), QuantileRise("latency_p95", 0.25)
    wer = CorpusDifference("wer", 5.0, error_rate, False, 100.0)
    cells: tuple[tuple[str, Measure, Callable[[float], Draw], float], ...] = (
        ("cost, σ 1, noise .4", costs, cost, 0.2),
        ("cost, σ 1.5, noise .8", costs, lambda r: cost(r, 1.5, 0.8), 0.2),
        ("cost, 1 of 20 runs away", costs, lambda r: cost(r, 1.0, 0.3, 0.05), 0.2),
        ("cost, 1 of 50 runs away", costs, lambda r: cost(r, 1.0, 0.3, 0.02), 0.2),
        ("p95, σ .5", slow, lambda r: latency(r, 0.5, 0.5), 0.25),
        ("p95, σ .5, correlation .8", slow, lambda r: latency(r, 0.5, 0.5, 0.8), 0.25),
        ("p95, σ .05 → .5", slow, lambda r: latency(r, 0.05, 0.5), 0.25),
        ("p95, σ .5 → .05", slow, lambda r: latency(r, 0.5, 0.05), 0.25),
        ("WER, 5–30 words", wer, lambda r: words(r, 30), 5.0),
        ("WER, 1–100 words", wer, lambda r: words(r, 100), 5.0),
    )

    def rows() -> Iterable[Iterable[object]]:
        for (name, measure, make, margin), n in itertools.product(cells, (100, 300, 1000)):
            few = max(100, runs // 5)
            fail = simulate_trials(measure, make(0.0), n, runs=runs, seed=8, ask="fail").failed
            passing = simulate_trials(measure, make(margin), n, runs=runs, seed=9, ask="pass").passed
            same = simulate_trials(measure, make(0.0), n, runs=few, seed=10)
            worse = simulate_trials(measure, make(2 * margin), n, runs=few, seed=11)
            yield name, n, share(fail), share(passing), share(same.passed), share(worse.failed)

    table(
        "Cost (margin .20), latency (.25) and a corpus metric (5 of 100)",
        "data | n | no rise: ever a fail | rise m: ever a pass | no rise: pass | rise 2m: fail",
        rows(),
    )


def rises(runs: int) -> None:
    """Cost and latency at the n that a plan gives them, whose spread is known."""
    few = max(200, runs // 2)
    costs, slow = RatioOfMeans("cost", 0.2), QuantileRise("latency_p95", 0.25)

    def rows() -> Iterable[Iterable[object]]:
        for own, noise in itertools.product((0.0, 0.5, 1.0), (0.0, 0.1, 0.2, 0.4, 0.6, 1.0)):
            shape = math.exp(own**2)
            sizes = planned_n_ratio(0.2, (math.exp(noise**2) - 1) * shape, shape - 1)
            same = simulate_trials(costs, cost(0.0, own, noise), sizes.n, runs=few, seed=14)
            worse = simulate_trials(costs, cost(0.4, own, noise), sizes.n, runs=few, seed=15)
            yield f"cost, σ {own:g}, noise {noise:g}", sizes.n, share(same.passed), share(worse.failed)
        for spread, correlation in itertools.product((0.2, 0.5, 1.0), (0.0, 0.8)):
            steps = np.quantile(np.random.default_rng(0).normal(size=1_000_000), [0.925, 0.975])
            variance = 2 * 0.95 * 0.05 * (spread * float(np.ptp(steps)) / 0.05) ** 2
            n = planned_n_quantile(0.25, variance, 0.95).n
            same = simulate_trials(slow, latency(0.0, spread, spread, correlation), n, runs=few, seed=14)
            worse = simulate_trials(slow, latency(0.5, spread, spread, correlation), n, runs=few, seed=15)
            yield f"p95, σ {spread:g}, correlation {correlation:g}", n, share(same.passed), share(worse.failed)

    table(
        "Cost (margin .20) and latency (.25) at the planned n",
        "data | planned n | no rise: pass | rise 2m: fail",
        rows(),
    )


def run_trial(measures: list[Measure], columns: dict[str, tuple[Floats, Floats]], n_max: int, seed: int) -> Trial:
    trial = Trial(measures, n_max=n_max, seed=seed)
    counts: tuple[int, ...] = ()
    while (count := trial.next_count()) is not None:
        counts = (*counts, count)
        trial.look({k: Series(b[:count], h[:count], count, counts) for k, (b, h) in columns.items()})
    return trial


def verdict_of(trial: Trial) -> str:
    said = [reading.verdict for reading in trial.readings.values()]
    return "fail" if "fail" in said else "pass" if set(said) == {"pass"} else "undecided"


def several(runs: int) -> None:
    names = ("a", "b", "c", "d")

    def pairs(
        random: np.random.Generator, n: int, rho: float, drops: tuple[float, ...]
    ) -> dict[str, tuple[Floats, Floats]]:
        common = random.normal(size=n)
        found = {}
        for name, drop in zip(names, drops, strict=True):
            latent = math.sqrt(rho) * common + math.sqrt(1 - rho) * random.normal(size=n)
            rank = 0.5 * np.vectorize(math.erfc)(-latent / math.sqrt(2))
            lost, gained = rank < (0.1 + drop) / 2, rank > 1 - (0.1 - drop) / 2
            found[name] = (lost.astype(float), gained.astype(float))
        return found

    def rows() -> Iterable[Iterable[object]]:
        n = planned_n(0.05, 0.1, power=metric_power(4), share=0.25).n
        for rho, drops in itertools.product(
            (0.0, 0.9), ((0.0,) * 4, (0.1, 0.0, 0.0, 0.0), (0.1, 0.1, 0.0, 0.0), (0.05, 0.0, 0.0, 0.0))
        ):
            random, said, wrong, named = np.random.default_rng(12), [], 0, 0.0
            for run in range(runs):
                trial = run_trial([Difference(name, 0.05) for name in names], pairs(random, n, rho, drops), n, run)
                said.append(verdict_of(trial))
                failed = {name for name, reading in trial.readings.items() if reading.verdict == "fail"}
                named += len(failed & {k for k, d in zip(names, drops, strict=True) if d > 0}) / max(
                    1, sum(map(bool, drops))
                )
                wrong += bool(failed & {k for k, d in zip(names, drops, strict=True) if d == 0})
            passed, fell = (share(said.count(v) / runs) for v in ("pass", "fail"))
            yield rho, " ".join(map(str, drops)), n, passed, fell, share(wrong / runs), share(named / runs)

    table(
        "Four metrics, margin .05, discordance .1, planned n",
        "correlation | drops | n | pass | fail | an unchanged one called failed | of the worse ones named",
        rows(),
    )


def readings(runs: int) -> None:
    def two(drop: float, psi: float) -> Draw:
        def draw(random: np.random.Generator, n: int) -> tuple[Floats, Floats]:
            u, lost = random.random(n), (psi + drop) / 2
            return (u < lost).astype(float), ((u >= lost) & (u < psi)).astype(float)

        return draw

    def shifted(drop: float) -> Draw:
        def draw(random: np.random.Generator, n: int) -> tuple[Floats, Floats]:
            base = np.clip(random.normal(0.6, 0.05, n), 0, 1)
            return base, np.clip(base - drop + random.normal(0, 0.15, n), 0, 1)

        return draw

    cells = (
        *((f"0/1, discordance .15, drop {d}", two(d, 0.15), -d, 400) for d in (0.1, 0.07, 0.05, 0.0)),
        *((f"graded, drop {d}", shifted(d), -d, 300) for d in (0.1, 0.06, 0.03, 0.0)),
    )

    def rows() -> Iterable[Iterable[object]]:
        for name, draw, truth, n in cells:
            random, found = np.random.default_rng(13), []
            for run in range(runs):
                found.append(run_trial([Difference("x", 0.05)], {"x": draw(random, n)}, n, run).readings["x"])
            early = [r for r in found if r.adjusted is not None]
            low = np.mean([r.low is None or r.low <= truth + 1e-9 for r in found])
            high = np.mean([r.high is None or r.high >= truth - 1e-9 for r in found])
            yield name, share(low), share(high), len(early), *bias(found, truth)

    table(
        "Intervals and estimates, margin .05: each end covers, and how far the median is from the truth",
        "data | low end covers | high end covers | stopped early | naive: median bias | adjusted: median bias | "
        "naive: below the truth | adjusted: below the truth",
        rows(),
    )


def bias(found: list[Reading], truth: float) -> tuple[str, str, str, str]:
    naive = np.array([r.estimate for r in found], dtype=float)
    adjusted = np.array([r.estimate if r.adjusted is None else r.adjusted for r in found], dtype=float)
    below = [f"{(x < truth - 1e-9).mean() + 0.5 * (abs(x - truth) <= 1e-9).mean():.2f}" for x in (naive, adjusted)]
    return f"{np.median(naive) - truth:+.4f}", f"{np.median(adjusted) - truth:+.4f}", below[0], below[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1_000)
    parser.add_argument("--binary-runs", type=int, default=10_000)
    parser.add_argument("--only", default="binary,nothing,graded,others,rises,several,readings")
    given = parser.parse_args()
    parts: dict[str, Callable[[], None]] = {
        "binary": lambda: binary(given.binary_runs),
        "nothing": nothing_differs,
        "graded": lambda: graded(given.runs),
        "others": lambda: others(given.runs),
        "rises": lambda: rises(given.runs),
        "several": lambda: several(given.runs // 3),
        "readings": lambda: readings(given.runs // 4),
    }
    begin = time.perf_counter()
    for name in given.only.split(","):
        parts[name]()
    print(
        f"\n{given.runs} trials a cell ({given.binary_runs} of scores of 0 and 1), {time.perf_counter() - begin:.0f} s."
    )


if __name__ == "__main__":
    main()
