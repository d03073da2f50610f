"""An interval of the true rate that holds however few labels there are, and is wide where they are few."""

from __future__ import annotations

import math

from llmkit.stats.confusion import Confusion
from llmkit.stats.correction.counts import Corrected, check_verdicts, unit
from llmkit.stats.correction.rogan_gladen import informative, rogan_gladen
from llmkit.stats.proportion import clopper_pearson
from llmkit.types import Interval

FEW = 15
"""Labels of a class below which Lang and Reiczigel's interval can be too narrow on a run with many of that class.

With this interval in its place below 10, 15 or 20, coverage was .941, .941 and .942 at worst of what was simulated.
"""


def exact_corrected(labels: Confusion, passed: float, n: float, confidence: float = 0.95) -> Corrected:
    """Return Rogan and Gladen's estimate with an interval from exact ones of the raw rate, TPR and TNR.

    Each is Clopper and Pearson's at 1 − (1 − c)/3, so that all three hold at once with probability c or more
    (Bonferroni). The corrected rate rises with the raw rate and with TNR, and falls with TPR: its ends lie at their
    ends, and at 0 and 1 where TPR + TNR may be 1. It assumes what :func:`lang_reiczigel` does, promises its coverage
    for any counts, and is wider; ``se`` is unknown. It may be all of [0, 1]: then these labels say nothing.

    Args:
        labels: The judge's verdicts on labelled items.
        passed: Verdicts "pass" on the items without a label.
        n: Verdicts on the items without a label.
        confidence: Two-sided.

    Raises:
        ValueError: For impossible counts; for a class without labels; where TPR + TNR ≤ 1.
    """
    informative(labels)
    check_verdicts(passed, n)
    if not 0 < confidence < 1:
        raise ValueError(f"a confidence lies in (0, 1), not {confidence}")
    each = 1 - (1 - confidence) / 3
    rate = clopper_pearson(passed, n, each)
    tpr = clopper_pearson(labels.tp, labels.positives, each)
    tnr = clopper_pearson(labels.tn, labels.negatives, each)
    low, high = _rate(rate.low, tpr.high, tnr.low), _rate(rate.high, tpr.low, tnr.high)
    interval = Interval(
        0.0 if math.isnan(low) else low, 1.0 if math.isnan(high) else high, "exact-bonferroni", confidence
    )
    return Corrected(rogan_gladen(labels, passed, n).value, interval, None)


def _rate(rate: float, tpr: float, tnr: float) -> float:
    """Return the corrected rate; NaN where there is none."""
    youden = tpr + tnr - 1
    return unit((rate + tnr - 1) / youden) if youden > 0 else math.nan
