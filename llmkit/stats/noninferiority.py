"""Non-inferiority on a fixed sample: the gate's rules at one look.

A gate looks up to eight times; two runs that are there already are looked at once. The rules, and what each verdict
proves, are those of :mod:`llmkit.stats.sequential`; all of alpha is spent at the one look.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from llmkit.stats.proportion import binomial_tail
from llmkit.stats.sequential import Measure, Reading, Series, Trial
from llmkit.stats.sequential.roots import crossing
from llmkit.stats.sequential.sizing import discordance_seen, planned_n, planned_n_graded
from llmkit.stats.sequential.trial import ALPHA

_LEAST, _LARGEST = 1e-6, 0.999


def decide(
    measures: Sequence[Measure], series: Mapping[str, Series], *, alpha: float = ALPHA, seed: int = 0
) -> Mapping[str, Reading]:
    """Say of each measure whether a worsening by its margin is ruled out (pass), or a worsening is proven (fail).

    One of J measures fails by its own data with an error of alpha/J, and the alpha of those that have failed is passed
    on to the rest (Holm); each passes with an error of alpha, since all must.

    Args:
        measures: With their margins; of different names.
        series: By measure: complete pairs, and one count, that of all of them.
        alpha: One-sided, in (0, 0.5).
        seed: Of random sign flips.

    Returns:
        By measure. Where both hold it passes, and ``drop_proven`` says so.
    """
    trial = Trial(measures, n_max=max([1, *(s.counts[-1] for s in series.values())]), looks=1, alpha=alpha, seed=seed)
    trial.look(series)
    return trial.readings


def beyond(reading: Reading, *, higher_is_better: bool, level: float = ALPHA) -> bool:
    """Say of a failure whether the worsening is shown to be larger than the margin, and not merely there.

    The bound of the worsening must lie beyond the margin. Scores of 0 and 1 must also have more losses than a loss of
    the margin's probability explains (exact binomial test): without gains the score's bound errs in up to 5.4 %.

    Args:
        reading: Of :func:`decide`.
        higher_is_better: Direction of the metric.
        level: One-sided error: the measure's share of alpha.
    """
    bound = reading.high if higher_is_better else reading.low
    if reading.verdict != "fail" or bound is None or abs(bound) <= reading.margin:
        return False
    return not _binary(reading) or binomial_tail(reading.losses, reading.n, reading.margin) <= level


def spread_seen(reading: Reading, series: Series, span: float) -> tuple[float, bool]:
    """Return the discordance of scores of 0 and 1, or the variance of a unit's difference as a share of the span.

    Returns:
        It, in [0, 1]; and whether it is a discordance.
    """
    if _binary(reading):
        return discordance_seen(reading.losses, reading.gains, reading.n), True
    return min(1.0, float((series.head - series.base).var(ddof=1)) / (span * series.span) ** 2), False


def needed(margin: float, spread: float, *, binary: bool, share: float = 1.0, alpha: float = ALPHA) -> int:
    """Return the units of one look that fail a drop of twice the margin, and pass no change, with 80 % each.

    Args:
        margin: As a share of what ``spread`` is one of, in (0, 1): the span, times ``Series.span``.
        spread: What :func:`spread_seen` returned.
        binary: Whether that is a discordance.
        share: The measure's share of alpha for its failure.
        alpha: One-sided.
    """
    rule = planned_n if binary else planned_n_graded
    # Of unequal units the spread is that of their own differences already: no more is to be multiplied.
    return rule(margin, spread, alpha=alpha, inflation=None, deff=1.0, share=share).n


def decidable(n: int, spread: float, *, binary: bool, share: float = 1.0, alpha: float = ALPHA) -> float | None:
    """Return the smallest margin that ``n`` units decide, None where they decide none; as of :func:`needed`."""

    def spare(margin: float) -> float:
        return float(n - needed(margin, spread, binary=binary, share=share, alpha=alpha))

    return crossing(spare, _LEAST, _LARGEST, tolerance=1e-6) if spare(_LARGEST) >= 0 else None


def _binary(reading: Reading) -> bool:
    """Whether each unit's difference is −1, 0 or 1."""
    return reading.method.startswith("exact-walk")
