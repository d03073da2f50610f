"""An interval of the true rate that counts the labels' uncertainty in, on any run that the judge is used on."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from llmkit.stats.confusion import Confusion
from llmkit.stats.correction.counts import Corrected, check_verdicts, unit
from llmkit.stats.correction.rogan_gladen import informative, rogan_gladen
from llmkit.stats.quantiles import z_of
from llmkit.types import Interval

Floats = NDArray[np.float64]


def lang_reiczigel(labels: Confusion, passed: float, n: float, confidence: float = 0.95) -> Corrected:
    """Return Rogan and Gladen's estimate with the interval of Lang and Reiczigel (Prev. Vet. Med. 113, 2014).

    In the form of Lee et al. (arXiv 2511.21140). Assumes that the judge's TPR and TNR on the scored items are those on
    the labelled ones. Nothing is assumed of how many labelled items are of which class, so enriched labels are fine,
    and so is a run with another true rate than the labels'. ``se`` is the interval's; its centre is shifted, so
    ``value`` need not lie in the middle.

    With half the labels in each class it covered .944 or more of all that was simulated. With a handful in one class
    (random labels of a run at .98) it is too narrow on a run that has many of that class: .66 in the worst case, .91
    with five labels there, .93 with ten. Below :data:`FEW` use :func:`exact_corrected`.

    One-sided bounds at confidence c are the ends of the two-sided interval at 2c − 1.

    Args:
        labels: The judge's verdicts on labelled items.
        passed: Verdicts "pass" on the items without a label.
        n: Verdicts on the items without a label.
        confidence: Two-sided.

    Raises:
        ValueError: For impossible counts; for a class without labels; where TPR + TNR ≤ 1, as seen or after one
            right and one wrong verdict were added to each class, as the interval does.
    """
    adjusted, shift, se = _adjusted(labels, passed, n, confidence)
    half = z_of(confidence) * se
    interval = Interval(unit(adjusted + shift - half), unit(adjusted + shift + half), "lang-reiczigel", confidence)
    return Corrected(rogan_gladen(labels, passed, n).value, interval, se)


def adjusted_rate(labels: Confusion, passed: float, n: float, confidence: float = 0.95) -> float:
    """Return θ′, the uncut estimate from adjusted counts that :func:`lang_reiczigel` builds on, before its shift.

    Arguments and errors as there.
    """
    return _adjusted(labels, passed, n, confidence)[0]


def adjusted_youden(labels: Confusion) -> float:
    """Return TPR + TNR − 1 with one right and one wrong verdict added to each class, as the interval uses it."""
    return (labels.tp + 1) / (labels.positives + 2) + (labels.tn + 1) / (labels.negatives + 2) - 1


def lang_reiczigel_bounds(
    tp: ArrayLike, fn: ArrayLike, fp: ArrayLike, tn: ArrayLike, passed: ArrayLike, n: ArrayLike, z: float
) -> tuple[Floats, Floats]:
    """Return the ends of many intervals at once, for simulations; NaN where :func:`lang_reiczigel` refuses.

    Args:
        tp: Counts as in :class:`Confusion`, of any shapes that broadcast together.
        fn: See ``tp``.
        fp: See ``tp``.
        tn: See ``tp``.
        passed: Verdicts "pass" on items without a label, broadcast with them.
        n: Verdicts on items without a label, broadcast with them.
        z: Two-sided critical value of the normal.
    """
    cells = [np.asarray(cell, dtype=np.float64) for cell in (tp, fn, fp, tn)]
    tp, fn, fp, tn = cells
    adjusted, shift, se = _parts(tp, fn, fp, tn, passed, n, z)
    refused = tp * tn <= fn * fp  # a Youden index of 0 or less, or a class without labels
    centre = np.where(refused, np.nan, adjusted + shift)
    return np.clip(centre - z * se, 0.0, 1.0), np.clip(centre + z * se, 0.0, 1.0)


def _adjusted(labels: Confusion, passed: float, n: float, confidence: float) -> tuple[float, float, float]:
    informative(labels)
    check_verdicts(passed, n)
    adjusted, shift, se = (float(part) for part in _parts(*labels, passed, n, z_of(confidence)))
    if math.isnan(adjusted):
        raise ValueError(
            "TPR + TNR ≤ 1 once one right and one wrong verdict are added to each class: too few labels "
            f"to tell this judge from chance ({labels.positives:g} items that pass, {labels.negatives:g} that fail)"
        )
    return adjusted, shift, se


def _parts(
    tp: ArrayLike, fn: ArrayLike, fp: ArrayLike, tn: ArrayLike, passed: ArrayLike, n: ArrayLike, z: float
) -> tuple[Floats, Floats, Floats]:
    """Return θ′, the shift dθ and the standard error; NaN where TPR′ + TNR′ ≤ 1."""
    tp, fn, fp, tn, k, n = (np.asarray(count, dtype=np.float64) for count in (tp, fn, fp, tn, passed, n))
    z2 = z * z
    rate = (k + z2 / 2) / (n + z2)
    tpr, tnr = (tp + 1) / (tp + fn + 2), (tn + 1) / (fp + tn + 2)
    index = tpr + tnr - 1
    youden = np.where(index > 0, index, np.nan)
    theta = (rate + tnr - 1) / youden
    of_tpr, of_tnr = tpr * (1 - tpr) / (tp + fn + 2), tnr * (1 - tnr) / (fp + tn + 2)
    shift = 2 * z2 * (theta * of_tpr - (1 - theta) * of_tnr)
    se = np.sqrt(rate * (1 - rate) / (n + z2) + (1 - theta) ** 2 * of_tnr + theta**2 * of_tpr) / youden
    return theta, shift, se
