"""How well a judge's verdicts agree with people's labels: counts first, and every figure from the counts."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from llmkit.judgements import Counts, Figures, Rate, State, Verdict
from llmkit.judges.kinds import Scale
from llmkit.stats.proportion import wilson
from llmkit.types import Interval

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


def figures(
    scale: Scale,
    labels: Sequence[str],
    verdicts: Sequence[Verdict],
    *,
    weights: Sequence[float] | None = None,
    groups: Sequence[str | None] | None = None,
    drawn: Sequence[str | None] | None = None,
    confidence: float = 0.95,
) -> Figures:
    """Compare verdicts with labels.

    All but ``consistency`` (of pairs judged in both orders) is :func:`figures_of` the counts, so that a lock's counts
    bring it back.

    Args:
        scale: What the judge can say.
        labels: What people say, one a item.
        verdicts: What the judge says of the same items, in order.
        weights: Items of the population that each stands for, up to a factor; equal ones where it is not said.
        groups: Items of one group are not independent; None is a group of its own.
        drawn: Items of one of these may have come into the labels together; ``groups`` where it is not said. Copies
            that were drawn one by one are one group, and yet each tells of the population that they were drawn from.
        confidence: Of the intervals, two-sided.

    Raises:
        ValueError: For lists of different lengths, a label that is no word of the scale, weights that are not above 0.
    """
    counts = counts_of(scale, labels, verdicts, weights=weights, groups=groups, drawn=drawn, confidence=confidence)
    both = [verdict.orders for verdict in verdicts if verdict.orders is not None and None not in verdict.orders]
    same = sum(first == second for first, second in both)
    return figures_of(scale, counts, confidence, _share(same, len(both), confidence) if both else None)


def counts_of(
    scale: Scale,
    labels: Sequence[str],
    verdicts: Sequence[Verdict],
    *,
    weights: Sequence[float] | None = None,
    groups: Sequence[str | None] | None = None,
    drawn: Sequence[str | None] | None = None,
    confidence: float = 0.95,
) -> Counts:
    """Count verdicts against labels; arguments as for :func:`figures`.

    With unequal weights, or groups of several, the cells are effective counts. Of pass and fail each class has its own
    effective size, since TPR and TNR are what is bounded: across classes the table then says nothing of how frequent
    each is; that says ``Counts.drawn``. Of other kinds the table has the weighted shares of all items, at their
    effective number.
    """
    beside = (verdicts, *(labels if given is None else given for given in (weights, groups, drawn)))
    if {len(labels)} != set(map(len, beside)):
        raise ValueError("each label needs its verdict, weight and group")
    unknown = sorted({label for label in labels if label not in scale.points})
    if unknown:
        raise ValueError(f"the label {unknown[0]!r} is none of {', '.join(scale.labels)}")
    told = [at for at, verdict in enumerate(verdicts) if verdict.state == "verdict"]
    cannot_tell = _by_label(scale, labels, verdicts, "cannot_tell")
    unread = _by_label(scale, labels, verdicts, "unread")
    pairs = [(labels[at], str(verdicts[at].label)) for at in told]
    kept = None if weights is None else [weights[at] for at in told]
    of = None if groups is None else [groups[at] for at in told]
    came = of if drawn is None else [drawn[at] for at in told]
    plain = Counts(
        scale.labels, _plain(scale, pairs), sum(cannot_tell), sum(unread), cannot_tell_of=cannot_tell, unread_of=unread
    )
    if not pairs or not (_unequal(kept) or _together(of)):
        return plain
    return replace(
        plain,
        table=_effective(scale, pairs, kept, of, confidence),
        weighted=True,
        items=len(verdicts),
        drawn=() if _unequal(kept) else _as_drawn(scale, plain.table, pairs, came, confidence),
    )


def figures_of(scale: Scale, counts: Counts, confidence: float = 0.95, consistency: Rate | None = None) -> Figures:
    """Compute every figure that follows from counts.

    Shares have Wilson's interval, with effective counts in the place of counts where labels carry weights or come in
    groups; ``Rate.n`` is then the effective number, rounded. Balanced accuracy is the mean share of right verdicts over
    the labels that occur, its interval from those of the shares (Zou and Donner, Stat. Med. 27, 2008). Grades count as
    the numbers that they are: Spearman's ρ from mid-ranks of the words, and the mean absolute difference.

    Args:
        scale: What the judge can say.
        counts: Verdicts against labels.
        confidence: Of the intervals, two-sided.
        consistency: Of both orders, for pairs; no table holds it.
    """
    right = sum(row[at] for at, row in enumerate(counts.table))
    shares = [_share(row[at], sum(row), confidence) for at, row in enumerate(counts.table)]
    binary, graded = scale.kind == "pass_fail", scale.ordered
    spearman, mae = _of_grades(scale, counts, confidence) if graded else (None, None)
    return Figures(
        counts=counts,
        accuracy=_share(right, counts.n, confidence),
        balanced_accuracy=_balanced(shares, confidence, all_needed=binary),
        kappa=_kappa(scale, counts, confidence, weighted=False),
        weighted_kappa=_kappa(scale, counts, confidence, weighted=True) if graded else None,
        ac1=_ac1(counts, confidence),
        tpr=shares[0] if binary else None,
        tnr=shares[1] if binary else None,
        spearman=spearman,
        mae=mae,
        consistency=consistency,
    )


def kappa_form(scale: Scale) -> tuple[Literal["quadratic", "identity"], list[float] | None]:
    """Return how kappa weighs a scale's words, and where they lie: grades quadratically, as numbers."""
    return ("quadratic", list(scale.points.values())) if scale.ordered else ("identity", None)


def _plain(scale: Scale, pairs: Sequence[tuple[str, str]]) -> tuple[tuple[float, ...], ...]:
    place = {label: at for at, label in enumerate(scale.labels)}
    table = [[0] * len(place) for _ in place]
    for label, verdict in pairs:
        table[place[label]][place[verdict]] += 1
    return tuple(map(tuple, table))


def _unequal(weights: Sequence[float] | None) -> bool:
    return weights is not None and min(weights) != max(weights)


def _together(groups: Sequence[str | None] | None) -> bool:
    named = [group for group in groups or () if group is not None]
    return len(set(named)) < len(named)


def _effective(
    scale: Scale,
    pairs: Sequence[tuple[str, str]],
    weights: Sequence[float] | None,
    groups: Sequence[str | None] | None,
    confidence: float,
) -> tuple[tuple[float, ...], ...]:
    import numpy as np

    from llmkit.stats.correction.weighted import effective_confusion

    of = None if groups is None else _numbered(groups)
    if scale.kind == "pass_fail":
        labels, said = ([int(pair[side] == "pass") for pair in pairs] for side in (0, 1))
        cells = effective_confusion(labels, said, weights, of, confidence=confidence)
        return (cells.tp, cells.fn), (cells.fp, cells.tn)
    right = [int(label == verdict) for label, verdict in pairs]
    size = effective_confusion([1] * len(pairs), right, weights, of, confidence=confidence).positives
    place = {label: at for at, label in enumerate(scale.labels)}
    table = np.zeros((len(place), len(place)))
    rows, columns = np.array([(place[label], place[verdict]) for label, verdict in pairs]).T
    np.add.at(table, (rows, columns), 1.0 if weights is None else np.asarray(weights, dtype=np.float64))
    return tuple(tuple(row) for row in (table * (size / table.sum())).tolist())


def _as_drawn(
    scale: Scale,
    table: tuple[tuple[float, ...], ...],
    pairs: Sequence[tuple[str, str]],
    groups: Sequence[str | None] | None,
    confidence: float,
) -> tuple[tuple[float, ...], ...]:
    """Return the table of items, all cells alike scaled to the number of independent ones."""
    from llmkit.stats.correction.weighted import effective_labels

    if groups is None or not _together(groups):
        return table
    values = [scale.value(label) for label, _ in pairs]
    size = effective_labels(values, [verdict for _, verdict in pairs], _numbered(groups), confidence=confidence)
    return tuple(tuple(cell * size / len(pairs) for cell in row) for row in table)


def _by_label(scale: Scale, labels: Sequence[str], verdicts: Sequence[Verdict], state: State) -> tuple[int, ...]:
    """Count the items of a state by their labels, in the scale's order; nothing where there are none."""
    found = Counter(label for label, verdict in zip(labels, verdicts, strict=True) if verdict.state == state)
    return tuple(found[label] for label in scale.labels) if found else ()


def _numbered(groups: Sequence[str | None]) -> list[int]:
    """Return a number a group; who has none is alone."""
    known: dict[str, int] = {}
    return [
        len(groups) + at if group is None else known.setdefault(group, len(known)) for at, group in enumerate(groups)
    ]


def _share(part: float, whole: float, confidence: float) -> Rate:
    if not whole:
        return Rate(None, 0)
    part = min(part, whole)  # sums of fractions may miss it by an ulp
    return Rate(part / whole, round(whole), wilson(part, whole, confidence))


def _balanced(shares: Sequence[Rate], confidence: float, *, all_needed: bool) -> Rate | None:
    """Return the mean of shares; each misses its own interval's end on its own, so that distances add as squares do."""
    known = [(rate.value, rate.interval) for rate in shares if rate.value is not None and rate.interval is not None]
    if len(known) < 2 or (all_needed and len(known) < len(shares)):
        return None
    value = sum(share for share, _ in known) / len(known)
    down = math.sqrt(sum((share - interval.low) ** 2 for share, interval in known)) / len(known)
    up = math.sqrt(sum((interval.high - share) ** 2 for share, interval in known)) / len(known)
    interval = Interval(max(0.0, value - down), min(1.0, value + up), "mover-wilson", confidence)
    return Rate(value, sum(rate.n for rate in shares), interval)


def _kappa(scale: Scale, counts: Counts, confidence: float, *, weighted: bool) -> Rate:
    from llmkit.stats.agreement.kappa import cohen_kappa

    if not counts.n:
        return Rate(None, 0)
    weights, scores = kappa_form(scale) if weighted else ("identity", None)
    found = cohen_kappa(counts.table, weights, scores=scores, confidence=confidence, effective=True)
    return Rate(None, round(counts.n)) if found is None else Rate(found.value, found.n, found.interval)


def _ac1(counts: Counts, confidence: float) -> Rate:
    from llmkit.stats.agreement.ac1 import gwet_of_table

    if not counts.n:
        return Rate(None, 0)
    found = gwet_of_table(counts.table, confidence=confidence)
    return Rate(None, round(counts.n)) if found is None else Rate(found.value, found.n, found.interval)


def _of_grades(scale: Scale, counts: Counts, confidence: float) -> tuple[Rate, Rate]:
    """Return Spearman's ρ and the mean absolute difference, with t intervals, from the table alone."""
    import numpy as np

    from llmkit.stats.correlation import spearman_interval
    from llmkit.stats.quantiles import t_of

    table, at = np.asarray(counts.table, dtype=np.float64), np.array(list(scale.points.values()))
    n = float(table.sum())
    if not n:
        return Rate(None, 0), Rate(None, 0)
    rho = _rank_correlation(table)
    known = None if rho is None else spearman_interval(rho, n, confidence)
    apart = np.abs(at[:, None] - at)
    mean = float((table * apart).sum()) / n
    interval = None
    if n > 1 and (table > 0).sum() > 1:
        se = math.sqrt(float((table * (apart - mean) ** 2).sum()) / (n - 1) / n)
        half = t_of(confidence, n - 1) * se
        if half > 0:
            interval = Interval(max(0.0, mean - half), min(float(np.ptp(at)), mean + half), "t", confidence)
    return Rate(rho, round(n), known), Rate(mean, round(n), interval)


def _rank_correlation(table: Floats) -> float | None:
    """Return Spearman's ρ of a table: Pearson's of mid-ranks, a word's being half of it and all of those below."""
    import numpy as np

    n = table.sum()
    down, across = table.sum(axis=1), table.sum(axis=0)
    one, two = (np.cumsum(margin) - margin / 2 for margin in (down, across))
    one, two = one - one @ down / n, two - two @ across / n
    spread = math.sqrt(float(one**2 @ down) * float(two**2 @ across))
    if spread <= 0 or (down > 0).sum() < 2 or (across > 0).sum() < 2:
        return None
    return min(1.0, max(-1.0, float(one @ table @ two) / spread))
