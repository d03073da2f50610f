"""The best that labels can show of a judge, before any call: what a perfect one would be called, what is missing."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from llmkit.calibrations import Best
from llmkit.judgements import Status, Verdict
from llmkit.judges.figures import counts_of, kappa_form
from llmkit.judges.judge import Judge
from llmkit.judges.kinds import Scale
from llmkit.judges.status import ITEMS, confidence_of
from llmkit.stats.acceptance import MOST, chance, trials_needed
from llmkit.stats.proportion import lower_bound

GOOD = 0.95
"""The good judge that is planned for: right 95 times of 100 on every class."""
POWER = 0.8
"""It is to be certified four times of five: the power that plans usually ask for."""
_ROUNDING = 1e-9


def sizes_of(
    scale: Scale,
    labels: Sequence[str],
    *,
    weights: Sequence[float] | None = None,
    groups: Sequence[str | None] | None = None,
) -> dict[str, float]:
    """Return what test labels are worth by :func:`best`: word → as many independent items of equal weight.

    They are the counts that a test of a judge without a mistake would end with; its arguments are those of
    :func:`llmkit.judges.figures.counts_of`.
    """
    right = [Verdict("verdict", label, scale.value(label)) for label in labels]
    table = counts_of(scale, labels, right, weights=weights, groups=groups).table
    return {label: float(sum(row)) for label, row in zip(scale.labels, table, strict=True)}


def best(judge: Judge, sizes: Mapping[str, float], *, items: int | None = None, looks: int = 1) -> Best:
    """Return the best status that test labels can reach.

    Pass and fail: the exact one-sided bounds of TPR and TNR; pairs: of agreement. Both from the binomial distribution.
    Grades and choices: the bound of kappa at these labels' shares; what a judge that is right 95 times of 100 takes is
    simulated with a fixed seed, its errors being the neighbouring grades, or all other choices alike.

    Args:
        judge: With its bounds.
        sizes: Word → test items with that label, effective ones where they have weights or come in groups
            (:func:`sizes_of`); a word without any may be left out.
        items: How many labelled items these are; as many as ``sizes`` say where None.
        looks: How many definitions these test labels will have been used for.

    Returns:
        ``needs`` and ``needs_at_95`` in test labels, each worth as much as one of these is; ``needs_at_95`` lacks a
        class where no number would do.
    """
    accept, confidence = judge.spec.accept, confidence_of(judge, looks)
    perfect: Mapping[str, float | None]
    if judge.scale.kind == "pass_fail":
        bounds = {"pass": accept.tpr_lower, "fail": accept.tnr_lower}
        have = {label: sizes.get(label, 0.0) for label in bounds}
        perfect = {label: _needed(have[label], bound, confidence) for label, bound in bounds.items()}
        good = _both(have, bounds, confidence)
    elif judge.scale.kind == "pairwise":
        have = {ITEMS: sum(sizes.values())}
        perfect = {ITEMS: _needed(have[ITEMS], accept.agreement_lower, confidence)}
        good = {ITEMS: trials_needed(accept.agreement_lower, GOOD, confidence, POWER)}
    else:
        have = {ITEMS: sum(sizes.values())}
        perfect, good = _kappas(judge.scale, sizes, accept.kappa_lower, confidence)
    effective = sum(sizes.values())
    each = max(1.0, items / effective) if items is not None and effective else 1.0
    needs, needs_at_95 = _missing(have, perfect, each), _missing(have, good, each)
    status: Status = "provisional" if needs or None in perfect.values() else "calibrated"
    return Best(status, needs, needs_at_95, _said(have, needs, needs_at_95, None in good.values(), effective=each > 1))


def _needed(have: float, bound: float, confidence: float) -> float | None:
    """Return how many that are all right show a bound; of a fraction that does, itself."""
    if have and lower_bound(have, have, confidence) >= bound:
        return have
    return trials_needed(bound, 1.0, confidence)


def _both(have: Mapping[str, float], bounds: Mapping[str, float], confidence: float) -> dict[str, int | None]:
    """Return how many of each class show both bounds at once, four times of five.

    A class that has more than its share leaves the other less to do.
    """
    first, second = bounds
    alone = {label: trials_needed(bound, GOOD, confidence, POWER**0.5) for label, bound in bounds.items()}
    for label, other in ((first, second), (second, first)):
        enough = alone[other]
        if enough is not None and have[other] > enough:
            sure = chance(int(have[other]), bounds[other], GOOD, confidence)
            if sure > POWER:
                alone[label] = trials_needed(bounds[label], GOOD, confidence, POWER / sure)
    return alone


def _kappas(
    scale: Scale, sizes: Mapping[str, float], bound: float, confidence: float
) -> tuple[dict[str, int | None], dict[str, int | None]]:
    import numpy as np

    from llmkit.stats.agreement.kappa_bound import kappa_items_needed

    weights, scores = kappa_form(scale)
    margin = np.array([sizes.get(label, 0) for label in scale.labels], dtype=np.float64)
    if (margin > 0).sum() < 2:  # one class cannot be told from another: as if all were equally frequent
        margin = np.ones(len(margin))
    found: list[int | None] = []
    for right in (1.0, GOOD):
        table = margin[:, None] * np.array(_errors(scale, right))
        found.append(kappa_items_needed(table, bound, weights, scores=scores, confidence=confidence, power=POWER))
    return {ITEMS: found[0]}, {ITEMS: found[1]}


def _errors(scale: Scale, right: float) -> Sequence[Sequence[float]]:
    """Return what a judge says of each label, in shares: ``right`` on it, the rest on its neighbours or all others."""
    count = len(scale.labels)
    rows = []
    for label in range(count):
        others = [at for at in range(count) if at != label and (not scale.ordered or abs(at - label) == 1)]
        rows.append([right if at == label else (1 - right) / len(others) * (at in others) for at in range(count)])
    return rows


def _missing(have: Mapping[str, float], wanted: Mapping[str, float | None], each: float) -> dict[str, int]:
    """Return how many items are wanting, of which ``each`` are worth one."""
    lacking = {name: number - have[name] for name, number in wanted.items() if number is not None}
    return {name: math.ceil(round(number * each, 9)) for name, number in lacking.items() if number > _ROUNDING}


def _said(
    have: Mapping[str, float], needs: Mapping[str, int], needs_at_95: Mapping[str, int], never: bool, *, effective: bool
) -> str:
    of = " (effective)" if effective else ""
    held = " and ".join(f"{number:.1f}".removesuffix(".0") + f"{of} {_of(name)}" for name, number in have.items())
    first = (
        f"a judge without a mistake would be provisional: it takes {_more(needs)}"
        if needs
        else "a judge without a mistake would be calibrated"
    )
    if never:
        second = f"one that is right {GOOD:.0%} of the time is not certified by any number up to {MOST:,}"
    elif needs_at_95:
        second = f"one that is right 95 times of 100 takes {_more(needs_at_95)} to be certified four times of five"
    else:
        second = "one that is right 95 times of 100 at least four times of five"
    return f"with {held} to test on, {first}; {second}"


def _more(needs: Mapping[str, int]) -> str:
    return " and ".join(f"{number} more {_of(name)}" for name, number in needs.items())


def _of(name: str) -> str:
    return name if name == ITEMS else f"labelled {name}"
