"""The true rate behind a judge's raw rate, from how often the judge errs on each class."""

from __future__ import annotations

import math

from llmkit.stats.confusion import Confusion
from llmkit.stats.correction.counts import Corrected, check_labels, check_verdicts, unit
from llmkit.stats.quantiles import z_of
from llmkit.types import Interval


def rogan_gladen(labels: Confusion, passed: float, n: float, confidence: float = 0.95) -> Corrected:
    """Return (p + TNR − 1)/(TPR + TNR − 1) (W. J. Rogan and B. Gladen, Am. J. Epidemiol. 107, 1978), cut to [0, 1].

    Assumes that the judge errs on the scored items as often as on the labelled ones of the same class, however the
    labels were sampled. The interval is the delta method's, for comparison: it is too narrow with few labels, and
    without an error among them it ignores the labels altogether. Report :func:`lang_reiczigel`'s.

    Args:
        labels: The judge's verdicts on labelled items.
        passed: Verdicts "pass" on the items without a label.
        n: Verdicts on the items without a label.
        confidence: Two-sided.

    Raises:
        ValueError: For impossible counts; for a class without labels; where TPR + TNR ≤ 1.
    """
    tpr, tnr, youden = informative(labels)
    check_verdicts(passed, n)
    rate = passed / n
    value = (rate + tnr - 1) / youden
    variance = (
        rate * (1 - rate) / n
        + (1 - value) ** 2 * tnr * (1 - tnr) / labels.negatives
        + value**2 * tpr * (1 - tpr) / labels.positives
    )
    se = math.sqrt(variance) / youden
    half = z_of(confidence) * se
    interval = Interval(unit(value - half), unit(value + half), "rogan-gladen-delta", confidence) if se else None
    return Corrected(unit(value), interval, se)


def informative(labels: Confusion) -> tuple[float, float, float]:
    """Return TPR, TNR and TPR + TNR − 1 of a judge that is better than chance.

    Raises:
        ValueError: For impossible counts; for a class without labels; where TPR + TNR ≤ 1.
    """
    check_labels(labels)
    tpr, tnr, youden = labels.tpr, labels.tnr, labels.youden
    if tpr is None or tnr is None or youden is None:
        lacking = "passes" if tpr is None else "fails"
        raise ValueError(f"a correction needs labels of both classes: no labelled item {lacking}")
    if youden <= 0:
        raise ValueError(
            f"TPR + TNR ≤ 1: no correction of a judge that is no better than chance (TPR {tpr:.3f}, TNR {tnr:.3f})"
        )
    return tpr, tnr, youden
