"""Which estimator corrects a judged rate: it follows from how the labels were drawn, and from what."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from llmkit.stats.confusion import Confusion
from llmkit.stats.correction.counts import Corrected, check_labels, check_verdicts
from llmkit.stats.correction.exact import FEW, exact_corrected, exact_corrected_bounds
from llmkit.stats.correction.lang_reiczigel import adjusted_youden, lang_reiczigel, lang_reiczigel_bounds
from llmkit.stats.correction.post_stratified import post_stratified, post_stratified_bounds
from llmkit.stats.quantiles import z_of
from llmkit.types import Interval

Floats = NDArray[np.float64]

SAME = "the labels are a random sample of the very items scored"
ELSEWHERE = "assumes that the judge errs on each class as often here as on the labelled items"


class Correction(NamedTuple):
    """A corrected rate or mean, or why there is none.

    Attributes:
        value: The estimate; None where there is none.
        interval: Around it, the labels' uncertainty included; None where there is none.
        se: Standard error; None where there is none, or the interval is not made from one.
        estimator: ``post-stratified``, ``lang-reiczigel``, ``exact-bonferroni``; None where nothing corrects it.
        why: One line: why this estimator and what it assumes, or why none.
    """

    value: float | None
    interval: Interval | None
    se: float | None
    estimator: str | None
    why: str


def no_correction(why: str) -> Correction:
    """Return that there is no corrected figure, and why."""
    return Correction(None, None, None, None, why)


def corrected_rate(
    labels: Confusion, passed: float, n: float, *, same_population: bool, random: bool, confidence: float = 0.95
) -> Correction:
    """Correct a judge's raw rate by the estimator whose assumption holds.

    Labels that are a random sample of the very items scored: :func:`post_stratified`, which asks nothing of the judge.
    Any other run, or enriched labels: :func:`lang_reiczigel`, and :func:`exact_corrected` where the smaller class has
    fewer than :data:`FEW` labels, or the judge is hardly better than chance; both assume that TPR and TNR are the same
    there. Neither can say anything of a judge with TPR + TNR ≤ 1, or from labels of one class: then there is no figure.

    Args:
        labels: The judge's verdicts on labelled items; effective counts where labels carry weights or come in groups.
        passed: Verdicts "pass" on the scored items that are not among ``labels``.
        n: All verdicts on those.
        same_population: Whether the labels were drawn from the very items scored.
        random: Whether they were drawn at random, each item with the same chance.
        confidence: Of the interval, two-sided.

    Raises:
        ValueError: For impossible counts; without labels, or without verdicts.
    """
    check_labels(labels)
    check_verdicts(passed, n)
    if same_population and random:
        return _of(post_stratified(labels, passed, n, confidence), "post-stratified", SAME)
    refusal = _refusal(labels)
    if refusal:
        return no_correction(refusal)
    where = "enriched labels" if same_population else "not the items that the labels were drawn from"
    if min(labels.positives, labels.negatives) < FEW or not adjusted_youden(labels) > 0:
        why = f"{where}, and too few labels of a class ({FEW} do): exact, hence wide; {ELSEWHERE}"
        return _of(exact_corrected(labels, passed, n, confidence), "exact-bonferroni", why)
    return _of(lang_reiczigel(labels, passed, n, confidence), "lang-reiczigel", f"{where}; {ELSEWHERE}")


def corrected_rate_bounds(
    labels: tuple[ArrayLike, ArrayLike, ArrayLike, ArrayLike],
    passed: ArrayLike,
    n: ArrayLike,
    *,
    same_population: bool,
    random: bool,
    confidence: float = 0.95,
) -> tuple[Floats, Floats]:
    """Return the ends of many intervals of :func:`corrected_rate` at once, for simulations; NaN where it has none.

    Args:
        labels: tp, fn, fp and tn, of any shapes that broadcast together.
        passed: As there, broadcast with them.
        n: As there, broadcast with them.
        same_population: As there.
        random: As there.
        confidence: As there.
    """
    given = [np.asarray(count, dtype=np.float64) for count in (*labels, passed, n)]
    tp, fn, fp, tn, k, m = np.broadcast_arrays(*given)
    if same_population and random:
        return post_stratified_bounds(tp, fn, fp, tn, k, m, z_of(confidence))
    low, high = (np.array(end) for end in lang_reiczigel_bounds(tp, fn, fp, tn, k, m, z_of(confidence)))
    few = (np.minimum(tp + fn, fp + tn) < FEW) | np.isnan(low)
    if few.any():
        low[few], high[few] = exact_corrected_bounds(tp[few], fn[few], fp[few], tn[few], k[few], m[few], confidence)
    return low, high


def _refusal(labels: Confusion) -> str:
    """Say why nothing can be said of another population; empty where something can."""
    tpr, tnr, youden = labels.tpr, labels.tnr, labels.youden
    if tpr is None or tnr is None or youden is None:
        return f"no labelled item {'passes' if tpr is None else 'fails'}: how often the judge errs there is unknown"
    if youden <= 0:
        return f"TPR {tpr:.2f} + TNR {tnr:.2f} ≤ 1: verdicts of a judge that is no better than chance say nothing"
    return ""


def _of(found: Corrected, estimator: str, why: str) -> Correction:
    return Correction(found.value, found.interval, found.se, estimator, why)
