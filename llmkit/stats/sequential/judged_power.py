"""What a gate on a judged metric really holds: seeded simulation of its very rules, many trials at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llmkit.stats.confusion import Confusion
from llmkit.stats.sequential.boundary import boundary
from llmkit.stats.sequential.corrected import Youden, youden_bounds
from llmkit.stats.sequential.power import Outcomes, outcomes_of
from llmkit.stats.sequential.signs import critical_losses_many
from llmkit.stats.sequential.spending import GATE
from llmkit.stats.sequential.tango import least_margin, tango_scores
from llmkit.stats.sequential.trial import ALPHA, LOOKS, look_counts

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

_USELESS = Youden(0.0, -1.0, 1.0)


@dataclass(frozen=True)
class World:
    """What is true of a comparison.

    Attributes:
        tpr: Of the judge; on head's answers ``tpr_head``, where that is another.
        tnr: On both sides.
        rate: Base's true rate.
        drop: By how much head's is lower.
        moved: Share of units of which the truth differs beyond the drop, as many each way.
        alike: Share of the other units on which one verdict stands for both sides: their answers are the same.
        tpr_head: A judge that likes head's style less, or more; None where it does not care.
    """

    tpr: float
    tnr: float
    rate: float = 0.8
    drop: float = 0.0
    moved: float = 0.1
    alike: float = 0.0
    tpr_head: float | None = None

    def moves(self) -> tuple[float, float]:
        """Return how likely a unit's verdict is a loss, and a gain: errors are independent given the truth."""
        lost, gained = self.drop + self.moved / 2, self.moved / 2
        head, fpr = self.tpr if self.tpr_head is None else self.tpr_head, 1 - self.tnr
        right, wrong = ((1 - self.alike) * share for share in (self.rate - lost, 1 - self.rate - gained))
        loss = lost * self.tpr * self.tnr + gained * fpr * (1 - head)
        gain = gained * self.tnr * head + lost * (1 - self.tpr) * fpr
        errors = wrong * self.tnr * fpr
        return loss + right * self.tpr * (1 - head) + errors, gain + right * (1 - self.tpr) * head + errors


def draw_labels(world: World, labels: int, positives: Ints, random: np.random.Generator) -> Ints:
    """Return tp, fn, fp and tn of sets of ``labels`` labels, shape (runs, 4).

    Args:
        world: What is true.
        labels: Of each set.
        positives: Shape (runs,): how many of them pass.
        random: Random numbers.
    """
    tp, tn = random.binomial(positives, world.tpr), random.binomial(labels - positives, world.tnr)
    return np.stack([tp, positives - tp, labels - positives - tn, tn], axis=1)


def simulate_judged(
    world: World, labels: Ints, margin: float, n_max: int, *, seed: int = 0, alpha: float = ALPHA, looks: int = LOOKS
) -> Outcomes:
    """Run a trial on each set of labels, as :class:`~.corrected.CorrectedDifference` decides it.

    Args:
        world: What is true.
        labels: Shape (runs, 4): tp, fn, fp, tn. Those with TPR + TNR ≤ 1 can decide nothing.
        margin: The true drop that a pass rules out.
        n_max: Units at the last look.
        seed: Of the verdicts.
        alpha: One-sided.
        looks: Looks at most.
    """
    counts = np.array(list(look_counts(n_max, looks).values()))
    loss, gain = world.moves()
    random, rates = np.random.default_rng(seed), [loss, gain, 1 - loss - gain]
    steps = np.diff(counts, prepend=0)
    drawn = np.stack([random.multinomial(k, rates, size=len(labels))[:, :2] for k in steps], axis=1).cumsum(axis=1)
    lost, gained = drawn[:, :, 0], drawn[:, :, 1]
    fractions = [count / n_max for count in counts]
    levels = [GATE(t, alpha) for t in fractions]
    over = lost >= critical_losses_many(lost + gained, levels)
    under = np.zeros_like(over)
    for look, (n, z) in enumerate(zip(counts.tolist(), boundary(fractions, levels), strict=True)):
        youden, low = _youdens(labels, z)
        over[:, look] &= low > 0
        under[:, look] = rules_out_many(lost[:, look], gained[:, look], n, z, margin, youden, low)
    return outcomes_of(over, under, counts)


def rules_out_many(lost: Ints, gained: Ints, n: int, z: float, margin: float, youden: Floats, low: Floats) -> Bools:
    """Return :meth:`CorrectedDifference.rules_out` of many counts at once, shape (runs,) each.

    Args:
        lost: Units whose verdict is a loss.
        gained: Units whose verdict is a gain.
        n: All units.
        z: The look's critical value.
        margin: The true drop.
        youden: J of the labels.
        low: Its lower bound at ``z``.
    """
    below = margin * youden - (lost - gained) / n
    uncertain = margin * (youden - low)
    may = (low > 0) & (below > uncertain)
    raw = np.where(may, margin * youden - below + np.sqrt(np.maximum(below**2 - uncertain**2, 0.0)), 0.5)
    scores = tango_scores(lost.astype(np.float64), gained.astype(np.float64), n, raw)
    return np.asarray(may & (raw >= least_margin(n, z)) & (scores >= z))


def _youdens(labels: Ints, z: float) -> tuple[Floats, Floats]:
    """Return J and its lower bound of each row, shape (runs,) each."""
    rows, place = np.unique(labels, axis=0, return_inverse=True)
    cells = [Confusion(*row) for row in rows.tolist()]
    found = np.array([youden_bounds(c, z) if (c.youden or 0) > 0 else _USELESS for c in cells])[place.ravel()]
    return found[:, 0], found[:, 1]
