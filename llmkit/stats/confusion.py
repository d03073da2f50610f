"""Yes/no verdicts against yes/no labels: four cells, and every rate that they give."""

from __future__ import annotations

import math
from typing import NamedTuple


class Confusion(NamedTuple):
    """How verdicts fall on labelled items. ``positive`` is an item whose label is yes: one that passes.

    Cells need not be whole: effective counts, where labels carry weights or come in clusters. A rate that has nothing
    to divide by is None.

    Attributes:
        tp: Label yes, verdict yes.
        fn: Label yes, verdict no.
        fp: Label no, verdict yes.
        tn: Label no, verdict no.
    """

    tp: float
    fn: float
    fp: float
    tn: float

    @property
    def positives(self) -> float:
        """Items whose label is yes."""
        return self.tp + self.fn

    @property
    def negatives(self) -> float:
        """Items whose label is no."""
        return self.fp + self.tn

    @property
    def total(self) -> float:
        """All of them."""
        return self.positives + self.negatives

    @property
    def tpr(self) -> float | None:
        """Sensitivity: the share of the labels yes that the verdicts find."""
        return _share(self.tp, self.positives)

    @property
    def tnr(self) -> float | None:
        """Specificity: the share of the labels no that the verdicts find."""
        return _share(self.tn, self.negatives)

    @property
    def youden(self) -> float | None:
        """TPR + TNR − 1 (W. J. Youden, Cancer 3, 1950): 0 for a coin."""
        # The same number as the sum, and exactly 0 for a judge that knows nothing.
        return _share(self.tp * self.tn - self.fn * self.fp, self.positives * self.negatives)

    @property
    def accuracy(self) -> float | None:
        """The share of verdicts that are right."""
        return _share(self.tp + self.tn, self.total)

    @property
    def balanced_accuracy(self) -> float | None:
        """(TPR + TNR) / 2."""
        tpr, tnr = self.tpr, self.tnr
        return None if tpr is None or tnr is None else (tpr + tnr) / 2

    @property
    def f1(self) -> float | None:
        """2tp / (2tp + fp + fn): the harmonic mean of precision and recall."""
        return _share(2 * self.tp, 2 * self.tp + self.fp + self.fn)

    @property
    def mcc(self) -> float | None:
        """Matthews' correlation (Biochim. Biophys. Acta 405, 1975): Pearson's, of the two yes/no columns."""
        margins = (self.tp + self.fp) * self.positives * self.negatives * (self.tn + self.fn)
        return _share(self.tp * self.tn - self.fp * self.fn, math.sqrt(margins))

    @property
    def kappa(self) -> float | None:
        """Cohen's κ (Educ. Psychol. Meas. 20, 1960), in its form for two classes."""
        expected = (self.tp + self.fp) * self.negatives + self.positives * (self.fn + self.tn)
        return _share(2 * (self.tp * self.tn - self.fp * self.fn), expected)


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None
