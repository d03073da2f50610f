"""The true rate of the population that the labels were drawn from at random, sharpened by the judge's verdicts."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from llmkit.stats.confusion import Confusion
from llmkit.stats.correction.counts import Corrected, check_labels, check_verdicts, unit
from llmkit.stats.quantiles import z_of
from llmkit.types import Interval

Floats = NDArray[np.float64]


def post_stratified(labels: Confusion, passed: float, n: float, confidence: float = 0.95) -> Corrected:
    """Return θ = q·PPV + (1 − q)·FOR: the labels' rate within each verdict, weighted by how many have that verdict.

    Post-stratification (W. G. Cochran, Sampling Techniques, 3rd ed., 1977, section 5A.9) with one right and one wrong
    label added to each verdict: PPV = (tp+1)/(tp+fp+2), FOR = (fn+1)/(fn+tn+2). q is the share of "pass" among all
    verdicts, those on labelled items included, with z²/2 of z² added. The standard error is the delta method's. It
    holds for any judge, a useless one included, but only where the labels are a random sample of the scored items
    themselves: with 300 labels of a run at .8 it covers a run at .7 15 % of the time, not 95 %.

    One-sided bounds at confidence c are the ends of the two-sided interval at 2c − 1.

    Args:
        labels: The judge's verdicts on labelled items.
        passed: Verdicts "pass" on the items without a label.
        n: Verdicts on the items without a label.
        confidence: Two-sided.

    Raises:
        ValueError: For impossible counts, and without labels.
    """
    check_labels(labels)
    check_verdicts(passed, n)
    z = z_of(confidence)
    theta, se = (float(part) for part in _parts(*labels, passed, n, z))
    interval = Interval(unit(theta - z * se), unit(theta + z * se), "post-stratified", confidence)
    return Corrected(theta, interval, se)


def post_stratified_bounds(
    tp: ArrayLike, fn: ArrayLike, fp: ArrayLike, tn: ArrayLike, passed: ArrayLike, n: ArrayLike, z: float
) -> tuple[Floats, Floats]:
    """Return the ends of many intervals at once, for simulations.

    Args:
        tp: Counts as in :class:`Confusion`, of any shapes that broadcast together.
        fn: See ``tp``.
        fp: See ``tp``.
        tn: See ``tp``.
        passed: Verdicts "pass" on items without a label, broadcast with them.
        n: Verdicts on items without a label, broadcast with them.
        z: Two-sided critical value of the normal.
    """
    theta, se = _parts(tp, fn, fp, tn, passed, n, z)
    return np.clip(theta - z * se, 0.0, 1.0), np.clip(theta + z * se, 0.0, 1.0)


def _parts(
    tp: ArrayLike, fn: ArrayLike, fp: ArrayLike, tn: ArrayLike, passed: ArrayLike, n: ArrayLike, z: float
) -> tuple[Floats, Floats]:
    tp, fn, fp, tn, k, n = (np.asarray(count, dtype=np.float64) for count in (tp, fn, fp, tn, passed, n))
    z2 = z * z
    all_verdicts = n + tp + fn + fp + tn + z2
    q = (k + tp + fp + z2 / 2) / all_verdicts
    ppv, omitted = (tp + 1) / (tp + fp + 2), (fn + 1) / (fn + tn + 2)
    variance = (
        (ppv - omitted) ** 2 * q * (1 - q) / all_verdicts
        + q**2 * ppv * (1 - ppv) / (tp + fp + 2)
        + (1 - q) ** 2 * omitted * (1 - omitted) / (fn + tn + 2)
    )
    return q * ppv + (1 - q) * omitted, np.sqrt(variance)
