"""How much a suite's paired differences vary: from what was run before, else from what is stated as assumed.

In this order, for each metric: the last A/A pair, the last gate's pair, two epochs of one run, the value of the last
run with independent answers assumed, and last the worst that values in [0, 1] can do.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from llmkit.plan.past import AMOUNTS, Pairs, Past, cluster_codes, paired, read_past
from llmkit.plans import Spread
from llmkit.runs.store import RunRow, Store
from llmkit.stats.mean import design_effect
from llmkit.stats.quantiles import normal_quantile
from llmkit.stats.sequential.sizing import discordance_limit
from llmkit.suites.gating import span_of
from llmkit.suites.suite import Suite

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Sources = Iterable[Callable[[str], Spread | None]]

LATENCY = AMOUNTS[-1]
UPPER = 0.8
"""Planned with this one-sided upper limit of the spread seen: a few samples easily show too little of it."""
LATEST = 50
"""Past runs of the suite and model that are looked at for one that serves."""
FAILING = 0.01
"""Share of calls that are assumed to fail where nothing is known: the largest rise that a gate usually lets through."""
_ULPS = 1e-9  # what sums of halves and thirds may miss a whole number by
FEWEST = 2
QUANTILE = re.compile(r"latency_p(\d\d)")
BEYOND = 5
"""Latencies that must lie beyond a quantile, or its spread cannot be told."""
"""Samples below which nothing can be said of spread."""


Kind = Literal["binary", "graded"]


class _Moments(NamedTuple):
    """What differences vary by, one number a sample, over which the uncertainty is taken."""

    kind: Kind
    per_sample: Floats
    base_rate: float | None
    within: float | None
    deff: float | None


def spread_of(
    store: Store | None, suite: Suite, model: str, *, params: Mapping[str, Any] | None = None
) -> Mapping[str, Spread]:
    """Return what to plan each metric of a suite with.

    Every scorer has one, and ``failures``; ``cost``, ``latency_mean`` and the latency's quantiles that the suite is
    gated on, as shares of base's, where it is known.

    Args:
        store: Past runs; None where there are none.
        suite: The suite as it is now; past runs of other data or scorers serve, and the spread says so.
        model: ``provider/model``.
        params: Sampling parameters; where past runs had others, the spread says so. None: not looked at.
    """
    found: dict[str, Spread] = {}
    names = [*(s.name for s in suite.scorers), *AMOUNTS, *filter(QUANTILE.fullmatch, suite.spec.gate or ())]
    for source in _sources(store, suite, model, params):
        for name in names:
            if name not in found and (spread := source(name)) is not None:
                found[name] = spread
        if all(name in found for name in names):
            break
    return {name: found[name] for name in names if name in found}


def _sources(store: Store | None, suite: Suite, model: str, params: Mapping[str, Any] | None) -> Sources:
    """Yield, best first, what may know a metric's spread; a run is read only where those before it did not suffice."""
    runs = [] if store is None else runs_of(store, suite.name, model)
    for word, kind in (("A/A", "aa"), ("gate", "gate")):
        for a, b in pairs_among(runs, kind):
            assert store is not None
            pairs = paired(read_past(store, a, suite.scorers), read_past(store, b, suite.scorers))
            if len(pairs.at_a):
                yield _of_pairs(pairs, suite, params, word)
                break
    if (run := next((r for r in runs if _ended(r) and r.config.get("epochs", 1) > 1), None)) and store is not None:
        yield _of_epochs(read_past(store, run, suite.scorers), suite, params)
    if (run := next(filter(_ended, runs), None)) and store is not None:
        yield _of_values(read_past(store, run, suite.scorers), suite, params)
    yield _assumed(suite)


def runs_of(store: Store, suite: str, model: str) -> list[RunRow]:
    """Return the latest runs of the suite (by name) and model that asked something, those that broke left out."""
    mine = (
        r
        for r in store.runs()
        if (r.suite, r.model) == (suite, model) and r.rescored_from is None and r.status != "failed"
    )
    return [run for run, _ in zip(mine, range(LATEST), strict=False)]


def _ended(run: RunRow) -> bool:
    return run.result is not None and not run.config.get("experiment")


def pairs_among(runs: Sequence[RunRow], kind: str) -> Iterator[tuple[RunRow, RunRow]]:
    """Yield the two runs of each experiment of this kind, base or arm 1 first; complete ones, then the others."""
    by_id: dict[str, list[RunRow]] = {}
    for run in runs:
        if (found := run.config.get("experiment", {}).get(kind)) is not None:
            by_id.setdefault(str(found), []).append(run)
    whole = [sorted(two, key=_place) for two in by_id.values() if len(two) == 2]
    for two in sorted(whole, key=lambda two: any(run.status != "completed" for run in two)):
        yield two[0], two[1]


def _place(run: RunRow) -> tuple[int, str]:
    experiment = run.config["experiment"]
    return int(experiment.get("arm", 0)), str(experiment.get("side", ""))


# --- one source each: the differences of a metric, as moments ---


def _of_pairs(
    pairs: Pairs, suite: Suite, params: Mapping[str, Any] | None, word: str
) -> Callable[[str], Spread | None]:
    run = pairs.b.run
    what = f"{word} run {run.config['experiment'][word.lower().replace('/', '')]}"

    def find(name: str) -> Spread | None:
        if (found := _quantile(name)) is not None:
            both = [past.values[LATENCY][at] for past, at in ((pairs.a, pairs.at_a), (pairs.b, pairs.at_b))]
            return _of_latencies(np.concatenate(both), found, what, _differs(run, suite, name, params))
        if name not in pairs.a.values or name not in pairs.b.values:
            return None
        a, b, samples, clusters = pairs.metric(name)
        moments = _pair_moments(name, a, b, samples, clusters, suite, alike=word == "A/A")
        return None if moments is None else _spread(moments, name, suite, what, _differs(run, suite, name, params))

    return find


def _pair_moments(
    name: str, a: Floats, b: Floats, samples: Ints, clusters: Ints | None, suite: Suite, *, alike: bool
) -> _Moments | None:
    """Return the moments of b − a; with ``alike`` both sides are the same prompt, and all of it is noise."""
    scale = _scale(name, a)
    if scale is None or len(np.unique(samples)) < FEWEST:
        return None
    d = (b - a) / scale
    own = _means(d, samples)
    n = len(own)
    binary = _binary(name, suite, a, b)
    about_zero = binary or alike  # equal prompts differ by 0 on the mean
    squares = _means(d**2, samples) if about_zero else _means((d - own.mean()) ** 2, samples) * n / (n - 1)
    within = float(squares.mean()) if alike else _noise(a / scale, b / scale, samples)
    groups = None if clusters is None else _first(clusters, samples)
    return _Moments(_kind(binary), squares, float(_means(a, samples).mean()), within, _deff(own, groups))


def _of_epochs(past: Past, suite: Suite, params: Mapping[str, Any] | None) -> Callable[[str], Spread | None]:
    """Two epochs of one sample are an A/A pair: their mean squared difference is twice the variance within."""
    all_samples = np.unique([key[0] for key in past.keys], return_inverse=True)[1]
    what = f"the epochs of run {past.run.run_id}"

    def find(name: str) -> Spread | None:
        if name not in past.values:
            return None
        scored = np.isfinite(past.values[name])
        values, samples = past.values[name][scored], all_samples[scored]
        scale = _scale(name, values)
        twice = _within(values / scale, samples) if scale else np.empty(0)
        if len(twice) < FEWEST:
            return None
        binary = _binary(name, suite, values)
        rate = float(_means(values, samples).mean())
        moments = _Moments(_kind(binary), 2 * twice, rate, float(2 * twice.mean()), None)
        return _spread(moments, name, suite, what, _differs(past.run, suite, name, params))

    return find


def _of_values(past: Past, suite: Suite, params: Mapping[str, Any] | None) -> Callable[[str], Spread | None]:
    """Two answers that know nothing of each other differ by twice the variance of one."""
    all_samples = np.unique([key[0] for key in past.keys], return_inverse=True)[1]

    def find(name: str) -> Spread | None:
        if (found := _quantile(name)) is not None:
            notes = _differs(past.run, suite, name, params)
            return _of_latencies(past.values[LATENCY], found, f"run {past.run.run_id}", notes)
        if name not in past.values:
            return None
        scored = np.isfinite(past.values[name])
        own = _means(past.values[name][scored], all_samples[scored]) if scored.any() else np.empty(0)
        scale = _scale(name, own) if len(own) >= FEWEST else None
        if scale is None:
            return None
        rate, binary = float(own.mean()), _binary(name, suite, past.values[name][scored])
        variance = 2 * rate * (1 - rate) if binary else 2 * float(np.var(own / scale, ddof=1))
        clusters = " and of no clusters" if cluster_codes(past) is not None else ""
        what = f"the value of run {past.run.run_id}, independent answers{clusters} assumed"
        if binary and variance == 0:  # all right or all wrong: a few wrong ones may yet come
            variance = 2 * (p := _limit(np.zeros(len(own)))) * (1 - p)
        spread = Spread(_kind(binary), variance, rate, 1.0, len(own), what, seen=variance, measured=False)
        return replace(spread, notes=_differs(past.run, suite, name, params))

    return find


def _quantile(name: str) -> float | None:
    """Return .95 for ``latency_p95``; None for other metrics."""
    found = QUANTILE.fullmatch(name)
    return int(found[1]) / 100 if found else None


def _of_latencies(values: Floats, quantile: float, what: str, notes: tuple[str, ...]) -> Spread | None:
    """Return a sample's share in the variance of the logarithm of two quantiles' ratio, taken for independent.

    2·q(1−q)·(d log Q/dq)², the large-sample variance (Serfling, Approximation Theorems of Mathematical Statistics,
    1980, §2.3.3); the slope is taken between the quantiles half-way to the end on either side.
    """
    known = values[np.isfinite(values) & (values > 0)]
    if len(known) * min(quantile, 1 - quantile) < BEYOND:
        return None
    step = min(quantile, 1 - quantile) / 2
    low, centre, high = np.quantile(known, [quantile - step, quantile, quantile + step])
    variance = 2 * quantile * (1 - quantile) * float(np.log(high / low) / (2 * step)) ** 2
    return Spread(
        "graded", variance, float(centre), 1.0, len(known), f"the latencies of {what}", seen=variance, notes=notes
    )  # fmt: skip


def _assumed(suite: Suite) -> Callable[[str], Spread | None]:
    """Return the largest variance that two independent answers in [0, 1] can differ by: ½, at a rate of ½."""
    scorers = {s.name: s for s in suite.scorers}

    def find(name: str) -> Spread | None:
        if name == "failures":
            psi = 2 * FAILING * (1 - FAILING)
            what = f"assumed: {100 * FAILING:g} % of the calls fail"
            return Spread("binary", psi, FAILING, 1.0, 0, what, seen=psi, measured=False)
        if name not in scorers:
            return None
        binary = scorers[name].kind == "proportion"
        half = 0.5 * span_of(scorers[name]) ** 2
        what = "assumed: nothing is known, the worst case"
        return Spread(_kind(binary), half, 0.5 if binary else None, 1.0, 0, what, seen=half, measured=False)

    return find


# --- from moments to a spread ---


def _spread(m: _Moments, name: str, suite: Suite, what: str, notes: tuple[str, ...]) -> Spread:
    n, seen = len(m.per_sample), float(m.per_sample.mean())
    worst = 1.0 if m.kind == "binary" or name in AMOUNTS else _span(name, suite) ** 2
    limit = _limit(m.per_sample / worst) * worst if m.kind == "binary" or not seen else _moment_limit(m.per_sample)
    if m.deff is None and suite.spec.map.cluster is not None:
        notes = (*notes, "what its clusters do to it is unknown")
    return Spread(
        m.kind, limit, m.base_rate, m.deff or 1.0, n, f"{what}, {n} samples", seen=seen, within=m.within, notes=notes
    )  # fmt: skip


def _limit(shares: Floats) -> float:
    """Return the upper limit of a mean of values in [0, 1], read as a share of so many trials, rounded up."""
    return discordance_limit(math.ceil(float(shares.sum()) - _ULPS), len(shares), UPPER)


def _moment_limit(squares: Floats) -> float:
    """Return the upper limit of a variance, from the spread of the squares that it is the mean of."""
    return float(squares.mean() + normal_quantile(UPPER) * squares.std(ddof=1) / np.sqrt(len(squares)))


def _differs(run: RunRow, suite: Suite, name: str, params: Mapping[str, Any] | None) -> tuple[str, ...]:
    notes = []
    if run.config["fingerprints"].get("data") != suite.fingerprints()["data"]:
        notes.append("of other data")
    now = {s.name: s.signature for s in suite.scorers}
    if name in now and run.config["suite"]["scorers"].get(name) != now[name]:
        notes.append("of another version of the scorer")
    if params is not None and dict(run.config.get("params", {})) != dict(params):
        notes.append("with other parameters")
    if run.status != "completed":
        notes.append(f"of a run that is {run.status}")
    return tuple(notes)


def _binary(name: str, suite: Suite, *sides: Floats) -> bool:
    """Whether a metric's values are all 0 or 1, as it says itself."""
    says = name == "failures" or any(s.name == name and s.kind == "proportion" for s in suite.scorers)
    return says and all(bool(np.isin(side, (0.0, 1.0)).all()) for side in sides)


def _kind(binary: bool) -> Kind:
    return "binary" if binary else "graded"


def _span(name: str, suite: Suite) -> float:
    return span_of(next(s for s in suite.scorers if s.name == name))


def _scale(name: str, base: Floats) -> float | None:
    """Return what the metric's differences are measured in: base's mean for cost and latency, else its own unit."""
    if name not in ("cost", "latency_mean"):
        return 1.0
    mean = float(base.mean()) if len(base) else 0.0
    return mean if mean > 0 else None  # a model that costs nothing has no relative cost


def _means(values: Floats, samples: Ints) -> Floats:
    """Average the rows of each sample: shape (samples,), in the order of their numbers."""
    _, codes = np.unique(samples, return_inverse=True)
    return np.asarray(np.bincount(codes, weights=values) / np.bincount(codes), dtype=np.float64)


def _first(codes: Ints, samples: Ints) -> Ints:
    return codes[np.unique(samples, return_index=True)[1]]


def _within(values: Floats, samples: Ints) -> Floats:
    """Return the variance within each sample that has several rows (n−1 below the line)."""
    _, codes, times = np.unique(samples, return_inverse=True, return_counts=True)
    centred = values - (np.bincount(codes, weights=values) / times)[codes]
    several = times > 1
    return np.asarray(np.bincount(codes, weights=centred**2)[several] / (times[several] - 1), dtype=np.float64)


def _noise(a: Floats, b: Floats, samples: Ints) -> float | None:
    """Return the noise within samples of one answer a side; None where each sample was asked once."""
    sides = [_within(side, samples) for side in (a, b)]
    return float(sum(side.mean() for side in sides)) if all(map(len, sides)) else None


def _deff(own: Floats, clusters: Ints | None) -> float | None:
    """Return how many times clusters multiply the variance, never below 1; None where that cannot be seen."""
    if clusters is None or len(np.unique(clusters)) < FEWEST or not np.ptp(own):
        return None
    return max(1.0, design_effect(own, clusters))
