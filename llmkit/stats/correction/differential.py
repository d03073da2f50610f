"""Whether a judge errs on one side of a comparison more than on the other."""

from __future__ import annotations

from typing import NamedTuple

from llmkit.stats.confusion import Confusion
from llmkit.stats.mcnemar import fisher_exact
from llmkit.stats.multiplicity import holm


class Differential(NamedTuple):
    """Two judges' errors compared, or one judge's on two sides.

    Attributes:
        tpr_p: Holm's p-value of "TPR is the same"; None where a side has no label of that class.
        tnr_p: The same of TNR.
        flagged: Whether one of them differs provably. Not flagged is not proven equal.
    """

    tpr_p: float | None
    tnr_p: float | None
    flagged: bool


def differential_error(base: Confusion, head: Confusion, alpha: float = 0.05) -> Differential:
    """Compare TPR and TNR between the labels of two sides: Fisher's exact test of each class, by Holm's method.

    A judge that likes head's style less shows a drop where there is none: no correction mends that. Effective counts
    are rounded to whole ones.

    Args:
        base: The judge's verdicts on labelled answers of base.
        head: On those of head.
        alpha: Of both tests together.
    """
    tests = (
        (round(base.tp), round(base.tp) + round(base.fn), round(head.tp), round(head.tp) + round(head.fn)),
        (round(base.tn), round(base.tn) + round(base.fp), round(head.tn), round(head.tn) + round(head.fp)),
    )
    p_values = [fisher_exact(k1, n1, k2, n2) if n1 and n2 else None for k1, n1, k2, n2 in tests]
    known = iter(holm([p for p in p_values if p is not None]))
    tpr_p, tnr_p = (None if p is None else float(next(known)) for p in p_values)
    return Differential(tpr_p, tnr_p, any(p is not None and p <= alpha for p in (tpr_p, tnr_p)))
