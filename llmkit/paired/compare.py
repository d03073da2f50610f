"""Compare two runs: the one function behind ``llmkit compare`` and the end of an evaluation of several models."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from llmkit.comparisons import Comparison, MetricDifference, Side
from llmkit.config import load_settings
from llmkit.errors import UnknownNameError
from llmkit.paired import flips
from llmkit.paired.amounts import amounts
from llmkit.paired.cautions import cautions
from llmkit.paired.comparability import check, metrics_of
from llmkit.paired.differences import metric_difference
from llmkit.paired.differing import differs
from llmkit.paired.exported import ENDINGS, ExportedRun
from llmkit.paired.held import Held, hold
from llmkit.paired.margins import check as check_margins
from llmkit.paired.margins import verdicts
from llmkit.paired.pairing import Pairs, pair
from llmkit.paired.rows import Source
from llmkit.paired.sameness import TIE, sameness
from llmkit.paired.scorers import Measure, measure
from llmkit.paired.speed import speed
from llmkit.paired.stored import StoredRun
from llmkit.runs.store import Store


def compare(
    a: str,
    b: str,
    *,
    store: Path | None = None,
    force: bool = False,
    metric: str | None = None,
    losses: int = flips.LOSSES,
    gains: int = flips.GAINS,
    confidence: float = 0.95,
    seed: int = 0,
    margins: Mapping[str, float] | None = None,
    tie_tolerance: float = TIE,
) -> Comparison:
    """Pair two runs by sample and epoch and compare them: ``a`` came before, ``b`` after.

    Args:
        a: A run's id or its start, ``latest``, ``latest~1``, or a file that ``llmkit runs export`` wrote.
        b: The other one.
        store: Folder of the store; the project's where None. Two files need none.
        force: Compare also where data, right answers or scorers differ; ``Comparison.forced`` then says what does.
        metric: In which metric to look for samples that flipped; the first one where None.
        losses: At most so many samples on which b is worse come with their texts.
        gains: At most so many on which b is better.
        confidence: Of the intervals, two-sided; and 1 less the one-sided error of a margin's verdict.
        seed: Of the resampling.
        margins: Metric → by how much b may be worse, in its unit: ``Comparison.margins`` says whether it is.
        tie_tolerance: Nats: how close two tokens are, at most, of which it is called a near tie that an answer took one
            and not the other.

    Raises:
        UsageError: No such run, file or metric; the runs cannot be compared; a margin that nothing can be decided with.
        DataError: A file's line is no sample.
        StoreError: There is no store.
    """
    with _sources(a, b, store) as (one, two):
        held_a, held_b = hold(one), hold(two)
        pairs = pair(held_a, held_b)
        forced = check(held_a, held_b, pairs, force=force)
        shared = [name for name in metrics_of(held_b) if name in metrics_of(held_a)]
        if metric is not None and metric not in shared:
            raise UnknownNameError("metric", metric, shared)
        check_margins(margins or {}, shared, confidence)
        measures = {name: measure(name, held_a, held_b) for name in shared}
        found = _metrics(measures, held_a, held_b, pairs, confidence, seed)
        sides = (one, held_a), (two, held_b)
        looked_at = metric or next((name for name in shared if found[name].unknown is None), shared[0])
        better = found[looked_at].higher_is_better
        chosen = flips.choose(looked_at, held_a, held_b, pairs, better, losses, gains)
        return Comparison(
            a=_side(held_a), b=_side(held_b), pairs=len(pairs), only_a=pairs.only_a, only_b=pairs.only_b,
            metrics=found, amounts=amounts(held_a, held_b, pairs, confidence=confidence, seed=seed),
            flips=tuple(flips.flips(looked_at, *sides, pairs, chosen)), flipped=chosen.flipped,
            forced=forced, confidence=confidence, seed=seed, differs=tuple(differs(one.setup, two.setup)),
            notes=(
                *_judged(found, held_a, held_b), *_notes(held_a, held_b, pairs),
                *(how.note for how in measures.values() if how.note is not None), *cautions(found, confidence),
            ),
            margins=verdicts(margins or {}, *sides, pairs, measures, confidence=confidence, seed=seed),
            sameness=sameness(*sides, pairs, tolerance=tie_tolerance),
            speed=speed(*sides, pairs, confidence=confidence, seed=seed),
        )  # fmt: skip


def _metrics(
    measures: Mapping[str, Measure], a: Held, b: Held, pairs: Pairs, confidence: float, seed: int
) -> dict[str, MetricDifference]:
    return {
        name: metric_difference(name, a, b, pairs, how, confidence=confidence, seed=seed)
        for name, how in measures.items()
    }


def is_file(name: str) -> bool:
    """Whether a run is named by a file: by one of the endings that exports have, or a path that is there."""
    return name.lower().endswith(ENDINGS) or ("/" in name and Path(name).expanduser().is_file())


@contextlib.contextmanager
def _sources(a: str, b: str, folder: Path | None) -> Iterator[tuple[Source, Source]]:
    """Open both runs; the store is opened only where one of them lies in it."""
    with contextlib.ExitStack() as open_:
        store = None
        if not (is_file(a) and is_file(b)):
            store = open_.enter_context(Store(folder or load_settings().store_path, create=False, read_only=True))

        def source(name: str) -> Source:
            return ExportedRun(name) if store is None or is_file(name) else StoredRun(store, name)

        yield source(a), source(b)


def _side(held: Held) -> Side:
    setup = held.setup
    return Side(
        setup.name, setup.run_id, setup.suite, setup.model, setup.status, len(held.places), held.failed, held.cost_usd,
        setup.stored, setup.alias,
    )  # fmt: skip


def _judged(metrics: Mapping[str, MetricDifference], a: Held, b: Held) -> Iterator[str]:
    """Say of each judge's metric that raw verdicts are compared, and what the judge was measured to be."""
    for name, metric in metrics.items():
        if not metric.signature.startswith("judge:"):
            continue
        one, two = (side.setup.judges.get(name, "not known to be calibrated") for side in (a, b))
        status = one if one == two else f"a: {one}, b: {two}"
        yield (
            f"{name}: a judge's raw verdicts ({status}) are compared, and nothing is corrected: its errors shrink a"
            " true difference, and where they differ between a and b they make one"
        )


def _notes(a: Held, b: Held, pairs: Pairs) -> Iterator[str]:
    for which, side in (("a", a), ("b", b)):
        if side.setup.status not in (None, "completed"):
            yield f"run {side.setup.run_id} ({which}) is {side.setup.status}: only what it has is compared"
    for which, side, other in (("a", a, b), ("b", b, a)):
        if alone := [name for name in metrics_of(side) if name not in metrics_of(other)]:
            yield f"only {which} has {', '.join(alone)}"
    if a.setup.gate is not None and a.setup.gate == b.setup.gate:
        yield "both are sides of one gate, which may have stopped early; the gate's own intervals account for that"
    shared = int(np.count_nonzero((a.answers[pairs.a] == b.answers[pairs.b]) & (a.answers[pairs.a] >= 0)))
    if shared:
        yield f"{shared:,} of {len(pairs):,} pairs share one stored answer: it was asked once, and cannot differ"
