"""What a comparison needs of a metric's scorer: its kind, its direction, and a corpus metric's function."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from llmkit.errors import LlmkitError
from llmkit.paired.held import Held
from llmkit.scoring.base import CorpusScorer, Scorer, bounds_of
from llmkit.scoring.registry import BUILTIN
from llmkit.suites.scorers import build

Value = Callable[[NDArray[np.float64]], NDArray[np.float64]]


class Measure(NamedTuple):
    """How a metric is computed from what is held.

    Attributes:
        value: Of a corpus metric: maps summed statistics to the metric. None: the metric is the mean of the values.
        higher_is_better: Direction.
        unknown: Why it cannot be computed.
        note: What was assumed.
        bounds: What values can be on either side, where the scorers say so.
    """

    value: Value | None = None
    higher_is_better: bool = True
    unknown: str | None = None
    note: str | None = None
    bounds: tuple[float, float] | None = None


def measure(metric: str, a: Held, b: Held) -> Measure:
    """Find out how a metric is computed: by what is stored of it, and by its scorer where that is not enough."""
    scorers = [found for side in (b, a) if (found := scorers_of(side).get(metric)) is not None]
    scorer = scorers[0] if scorers else None
    directions = (b.setup.higher_is_better.get(metric), a.setup.higher_is_better.get(metric))
    direction = next((d for d in directions if d is not None), scorer.higher_is_better if scorer else None)
    note = None if direction is not None else f"{metric}: nothing says whether higher is better; it is taken to be"
    direction = True if direction is None else direction
    columns = [side.columns[metric] for side in (a, b) if metric in side.columns]
    signature = scorer.signature if scorer else None
    corpus = scorer.kind == "corpus" if scorer else any(column.width for column in columns)
    if not corpus or not columns:
        return Measure(None, direction, note=note, bounds=_either(scorers))
    if not all(column.width for column in columns):
        why = "its statistics were not exported, and the mean of its values is another figure"
        return Measure(None, direction, why, note)
    if scorer is None or not isinstance(scorer, CorpusScorer):
        return Measure(None, direction, "its scorer, which alone can compute it, cannot be made again here", note)
    stored = (b.setup.signatures or {}).get(metric)
    if stored is not None and stored != signature:
        why = "the installed llmkit computes it otherwise: score both runs anew with `llmkit rescore`"
        return Measure(None, direction, why, note)
    if columns[0].width != columns[-1].width:
        return Measure(None, direction, "the two sides hold other statistics of it", note)
    return Measure(scorer.corpus_value, direction, note=note)


def _either(scorers: Sequence[Scorer]) -> tuple[float, float] | None:
    """Return what holds the values of both sides: their options may allow other ones."""
    ends = [bounds for scorer in scorers if (bounds := bounds_of(scorer)) is not None]
    return (min(low for low, _ in ends), max(high for _, high in ends)) if ends else None


def scorers_of(side: Held) -> Mapping[str, Scorer]:
    """Build a side's scorers by name; those that cannot be made here are left out.

    A file that does not say what its scorers were is taken at the metrics' names.
    """
    entries = side.setup.scorers
    if entries is None:
        entries = [name for name in side.columns if name in BUILTIN]
    found: dict[str, Scorer] = {}
    for entry in entries:
        try:
            scorer = build(entry)
        except LlmkitError:  # another package's, not installed here: what is stored of it must do
            continue
        found[scorer.name] = scorer
    return found
