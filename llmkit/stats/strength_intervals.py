"""Intervals of Bradley–Terry strengths whose comparisons are not independent: one sample, several pairs of models."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from llmkit.stats.bradley_terry import BradleyTerry
from llmkit.stats.quantiles import t_of
from llmkit.types import Interval

Floats = NDArray[np.float64]


def strength_intervals(
    fit: BradleyTerry,
    first: ArrayLike,
    second: ArrayLike,
    outcomes: ArrayLike,
    clusters: ArrayLike,
    *,
    confidence: float = 0.95,
) -> list[Interval] | None:
    """Return an interval of each log strength, by the sandwich over clusters.

    With C the fit's covariance and g_c the sum of the score contributions (y − p_ij)(e_i − e_j) of cluster c's
    comparisons, Var = G/(G − 1) · C (Σ g_c g_cᵀ) C (Liang and Zeger, Biometrika 73, 1986); t with G − 1 degrees of
    freedom. Ties count as half a win: y is 1, ½ or 0.

    Args:
        fit: Of the same comparisons.
        first: Shape (n,): model i of each comparison.
        second: Model j.
        outcomes: 1 where i won, 0 where j did, ½ for a tie.
        clusters: A number a cluster: the sample that both answered, or the conversation that it is of.
        confidence: Two-sided.

    Returns:
        None with fewer than two clusters.

    Raises:
        ValueError: For arrays that do not fit together.
    """
    i, j = np.asarray(first, dtype=np.int64), np.asarray(second, dtype=np.int64)
    y, of = np.asarray(outcomes, dtype=np.float64), np.asarray(clusters)
    if not len(i) == len(j) == len(y) == len(of):
        raise ValueError(f"arrays of different lengths: {sorted({len(i), len(j), len(y), len(of)})}")
    names, at = np.unique(of, return_inverse=True)
    groups = len(names)
    if groups < 2:
        return None
    strengths = np.asarray(fit.log_strengths)
    left = y - np.exp(-np.logaddexp(0, strengths[j] - strengths[i]))
    scores: Floats = np.zeros((groups, len(strengths)))
    np.add.at(scores, (at, i), left)
    np.add.at(scores, (at, j), -left)
    bread = np.asarray(fit.covariance)
    variances = np.diag(bread @ (scores.T @ scores) @ bread) * groups / (groups - 1)
    reach = t_of(confidence, groups - 1)
    return [
        Interval(s - reach * math.sqrt(v), s + reach * math.sqrt(v), "cluster-sandwich", confidence)
        for s, v in zip(strengths.tolist(), np.maximum(variances, 0).tolist(), strict=True)
    ]
