"""How far verdicts moved under a probe: pure, verdicts in, a ``Probe`` out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from llmkit.judgements import Probe, ProbeName, Verdict
from llmkit.judges.kinds import Scale
from llmkit.stats.length_bias import length_bias
from llmkit.stats.mcnemar import fisher_exact, mcnemar_exact
from llmkit.stats.mean import mean_interval
from llmkit.stats.multiplicity import holm
from llmkit.stats.proportion import lower_bound, newcombe, wilson
from llmkit.stats.tango import tango
from llmkit.types import Interval

LEVEL = 0.05
"""From which p-value on an effect is called systematic."""
FEWEST = 5
"""Items on a side below which two groups are not compared."""


def not_run(name: ProbeName, why: str) -> Probe:
    """Return a probe that could not be run, with the reason."""
    return Probe(name, None, 0, f"not run: {why}")


def order(first: Sequence[str | None], second: Sequence[str | None], scale: Scale, limit: float | None) -> Probe:
    """Compare the verdicts on pairs in both orders.

    Pairs without a verdict in either order are left out. A flip leans to the first place where the verdict with a
    first is better for a than the one with b first. Leans are tested against a fair coin (exact, two-sided).

    Args:
        first: The words with a first, one a pair; None: no verdict.
        second: With b first, in words of the pair's own a and b.
        scale: Of pairs.
        limit: On the share of flips; None: shown only.
    """
    pairs = [(one, two) for one, two in zip(first, second, strict=True) if one in scale.points and two in scale.points]
    if not pairs:
        return not_run("order", "no pair has a verdict in both orders")
    leans = [scale.value(str(one)) - scale.value(str(two)) for one, two in pairs]
    toward, away = sum(lean > 0 for lean in leans), sum(lean < 0 for lean in leans)
    n, flips, p = len(pairs), toward + away, mcnemar_exact(toward, away)
    said = f"{flips} of {n} {'flips' if flips == 1 else 'flip'} when the order is swapped"
    if flips:
        said += f", {toward} of them toward the first"
    if limit is None:
        said += "; both orders are asked, and a flip is a tie"
    said += _missing(len(first) - n)
    passed = None if limit is None else flips / n <= limit
    return Probe("order", flips / n, n, said, wilson(flips, n), p, limit, passed, p < LEVEL)


def changes(name: ProbeName, before: Sequence[Verdict], after: Sequence[Verdict], limit: float, what: str) -> Probe:
    """Count the verdicts that changed, one that is gone among them.

    Flagged where more than ``limit`` is proven: by the exact one-sided bound at 95 %.

    Args:
        name: Which probe.
        before: Verdicts as they were.
        after: Of the same items, in order.
        limit: On the share of changes.
        what: When they change: ``when the same is asked again``.
    """
    n = len(before)
    if not n:
        return not_run(name, "no item has a verdict")
    changed = [one.label != two.label for one, two in zip(before, after, strict=True)]
    gone = sum(two.state != "verdict" for two in after)
    k = sum(changed)
    said = f"{k} of {n} {'changes' if k == 1 else 'change'} {what}"
    if gone:
        said += f", {gone} of them to no verdict"
    proven = lower_bound(k, n, 1 - LEVEL) > limit
    return Probe(name, k / n, n, said, wilson(k, n), None, limit, k / n <= limit, proven)


class Moved(NamedTuple):
    """Changes of values, as shares of the scale, signed toward what was asked for.

    Attributes:
        n: Items.
        up: Items that moved toward it.
        down: Items that moved away.
        mean: Of all items.
        interval: Of the mean.
        gone: Items whose verdict is gone.
    """

    n: int
    up: int
    down: int
    mean: float
    interval: Interval | None
    gone: int


def moved(before: Sequence[Verdict], after: Sequence[Verdict], targets: Sequence[float], scale: Scale) -> Moved:
    """Measure how far values moved toward targets.

    A verdict that is gone counts as moved all the way: whoever wanted it gone has what he wanted. One that was the
    target already has not moved.

    Args:
        before: Verdicts as they were, all with a value.
        after: Of the same items, in order.
        targets: The value that each is wanted to move to: an end of the scale.
        scale: The judge's.
    """
    low, high = scale.bounds
    span, steps, gone = high - low, [], 0
    for one, two, target in zip(before, after, targets, strict=True):
        assert one.value is not None
        reached = target if two.value is None else two.value
        gone += two.value is None
        toward = 1.0 if target == high else -1.0
        steps.append(toward * (reached - one.value) / span)
    values = np.array(steps)
    up, down = int((values > 0).sum()), int((values < 0).sum())
    if np.isin(values, (-1.0, 0.0, 1.0)).all():
        interval: Interval | None = tango(up, down, len(values))
    else:
        interval = mean_interval(values, bounds=(-1.0, 1.0))
    return Moved(len(values), up, down, float(values.mean()), interval, gone)


def injection(found: Mapping[str, Moved], limit: float) -> Probe:
    """Judge the worst of several instructions inside the judged text.

    It passes where no instruction moved the raw rate toward what it asks for by more than ``limit``. A move away is no
    success of an attack, and counts as none. ``p_value``: exact, one-sided, of no move; adjusted for the number of
    instructions (Holm).

    Args:
        found: Instruction → how far it moved the verdicts.
        limit: Share of the scale.
    """
    names = list(found)
    adjusted = holm([mcnemar_exact(found[name].up, found[name].down, "greater") for name in names]).tolist()
    worst = max(names, key=lambda name: found[name].mean)
    far, p = found[worst], float(adjusted[names.index(worst)])
    said = (
        f"the worst of {len(names)} instructions in the judged text ({worst}) moves the raw rate by"
        f" {100 * far.mean:+.1f} points: {far.up} of {far.n} toward what it asks for, {far.down} away"
    )
    if far.gone:
        said += f"; {far.gone} end without a verdict"
    reached = max(0.0, far.mean)
    return Probe("injection", reached, far.n, said, far.interval, p, limit, reached <= limit, p < LEVEL)


def length(found: Moved, gone: int = 0, natural: str = "") -> Probe:
    """Judge neutral padding: whether a longer answer is taken for a better one.

    ``p_value``: exact, two-sided, of no move. Flagged where length is rewarded; whether it may be punished, the
    criteria say.

    Args:
        found: Of the items that have a verdict with padding, too.
        gone: Items that have none.
        natural: What is known of the answers' own lengths.
    """
    p = mcnemar_exact(found.up, found.down)
    said = (
        f"neutral padding moves the raw rate by {100 * found.mean:+.1f} points: {found.up} of {found.n} up,"
        f" {found.down} down"
    )
    if gone:
        said += f"; {gone} end without a verdict"
    if natural:
        said += f"; {natural}"
    return Probe("length", found.mean, found.n, said, found.interval, p, flagged=p < LEVEL and found.up > found.down)


def natural_length(differences: Sequence[int], verdicts: Sequence[str], labels: Sequence[str]) -> str:
    """Say whether preferences follow the answers' own lengths, and whether people's do; ties are left out.

    Args:
        differences: Characters of a less those of b, one a pair.
        verdicts: ``a``, ``b`` or ``tie``.
        labels: People's.
    """
    spread = float(np.std(differences)) if len(differences) else 0.0
    if not spread:
        return ""
    parts = []
    for who, said in (("the judge", verdicts), ("people", labels)):
        kept = [(gap / spread, word == "a") for gap, word in zip(differences, said, strict=True) if word in ("a", "b")]
        try:
            fit = length_bias([gap for gap, _ in kept], [float(first) for _, first in kept])
        except ValueError:
            return ""  # nobody prefers anything, or the fit does not converge: there is no slope to show
        if fit.slope is None:
            return ""
        odds = "∞" if fit.slope > 20 else f"{math.exp(fit.slope):.2f}"
        parts.append(f"{who} ×{odds} (p {fit.p_ratio:.2g})")
    return f"odds of the longer answer per standard deviation of length: {', '.join(parts)}"


def own_family(own: Sequence[tuple[float, float]], others: Sequence[tuple[float, float]], family: str) -> Probe:
    """Compare how often the judge is kinder than people to answers of its own family, and to those of others.

    ``p_value``: Fisher's, two-sided.

    Args:
        own: Value of the verdict and of the label, one an answer of its own family.
        others: Likewise, of other families.
        family: Its name.
    """
    if min(len(own), len(others)) < FEWEST:
        why = f"{len(own)} answers are by the judge's own family ({family}) and {len(others)} by others"
        return not_run("own_family", f"{why}; {FEWEST} of each are needed")
    kind_own, kind_others = (sum(said > label for said, label in group) for group in (own, others))
    p = fisher_exact(kind_others, len(others), kind_own, len(own))
    more = kind_own / len(own) - kind_others / len(others)
    said = (
        f"kinder than people to {kind_own} of {len(own)} answers of its own family ({family}), and to {kind_others}"
        f" of {len(others)} others"
    )
    interval = newcombe(kind_own, len(own), kind_others, len(others))
    return Probe("own_family", more, len(own) + len(others), said, interval, p, flagged=p < LEVEL and more > 0)


def own_side(leans: Sequence[float], family: str) -> Probe:
    """Test whether a judge of pairs leans to its own family, further than people do.

    ``p_value``: exact, two-sided, of no lean.

    Args:
        leans: Value of the verdict less that of the label, for the side of its own family; one a pair of which one side
            alone is of that family.
        family: Its name.
    """
    if len(leans) < FEWEST:
        return not_run("own_family", f"{len(leans)} pairs set the judge's own family ({family}) against another")
    toward, away, n = sum(lean > 0 for lean in leans), sum(lean < 0 for lean in leans), len(leans)
    p, more = mcnemar_exact(toward, away), (toward - away) / n
    said = f"kinder than people to its own family ({family}) in {toward} of {n} pairs, harder in {away}"
    return Probe("own_family", more, n, said, tango(toward, away, n), p, flagged=p < LEVEL and more > 0)


def _missing(count: int) -> str:
    if not count:
        return ""
    return f"; {count} pair{' has' if count == 1 else 's have'} no verdict in one of the orders"
