"""Frozen records of what a variant does: margins held or not, answers that stay the same, and its speed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from llmkit.speculation import Speculation
from llmkit.types import Interval

Verdict = Literal["pass", "fail", "undecided"]


@dataclass(frozen=True, slots=True)
class MarginVerdict:
    """Whether side b is worse than side a by the margin or more, in one metric.

    Units are samples, averaged over their epochs, or clusters of them. A failure that is the model's own doing (an
    answer that cannot be parsed, or lacks its form) counts as wrong; a pair of which a side has no answer, or whose
    scorer crashed, is left out.

    Attributes:
        metric: Its name.
        margin: By how much b may be worse, in the metric's unit.
        verdict: ``pass``: a worsening as large as the margin is ruled out, also with every failure counted as wrong.
            ``fail``: a worsening is proven, and it is not shown to be within the margin. ``undecided``: neither.
        a: Its value on side a over the units; None where it is unknown.
        b: On side b.
        difference: b − a.
        interval: Of the difference, from two one-sided bounds: ``method`` names the tests that they invert. A bound
            that cannot be had is the end of the scale.
        n: Units.
        losses: Units on which b is worse.
        gains: Units on which b is better.
        ties: Units on which both are equal.
        clustered: Whether the units are clusters.
        ruled_out: The smallest worsening that is ruled out; None where none is.
        within: A worsening is proven, and shown to be within the margin: a pass with a warning.
        beyond: Of a failure: the worsening is shown to be larger than the margin.
        wrong_a: Failures of side a among the pairs that count as wrong answers here.
        wrong_b: Of side b.
        left_out: Pairs, a sample in an epoch, that are left out.
        failures_wrong: The verdict with those counted as wrong answers, too; None where there are none.
        needs: Units that a new run needs for both verdicts, at the spread seen; of an undecided one, where it is known.
        decidable: The smallest margin that so many units as here can decide, at the spread seen.
        reason: Why it is undecided, where it is not for want of samples.
        method: The tests that decided.
        higher_is_better: Direction.
        alpha: One-sided error of either verdict; several metrics share that of a failure.
    """

    metric: str
    margin: float
    verdict: Verdict
    a: float | None = None
    b: float | None = None
    difference: float | None = None
    interval: Interval | None = None
    n: int = 0
    losses: int = 0
    gains: int = 0
    ties: int = 0
    clustered: bool = False
    ruled_out: float | None = None
    within: bool = False
    beyond: bool = False
    wrong_a: int = 0
    wrong_b: int = 0
    left_out: int = 0
    failures_wrong: Verdict | None = None
    needs: int | None = None
    decidable: float | None = None
    reason: str | None = None
    method: str = ""
    higher_is_better: bool = True
    alpha: float = 0.05


@dataclass(frozen=True, slots=True)
class Sameness:
    """How many answers are the same on both sides, to the byte, and why the others are not.

    A pair differs from a near tie where, at the first token in which its two answers part, the two candidates'
    log-probabilities lie within ``tolerance`` of each other on each side that tells of both.

    Attributes:
        pairs: Pairs, a sample in an epoch, with an answer on both sides, each of them asked for.
        same: Of them, those whose texts are equal.
        tied: Those that differ from a near tie.
        beyond: Those that differ by more than a near tie.
        unknown: Those that differ, and nothing stored says by how much.
        shared: Pairs that share one stored answer, which cannot differ: they are in none of the other figures.
        tolerance: In nats: how close two candidates are, at most, that are called a tie.
        logged: Of ``unknown``, those of which log-probabilities are stored on a side, yet do not settle it.
        examples: Ids of some samples that differ, those beyond a tie first.
    """

    pairs: int
    same: int
    tied: int
    beyond: int
    unknown: int
    shared: int
    tolerance: float
    logged: int = 0
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast an engine answered a run's own calls.

    Attributes:
        calls: Calls that were answered.
        busy_s: Seconds in which at least one was under way.
        in_flight: Calls under way at once, on average over those seconds; None where they took no time.
        input_tokens: Of all prompts; None where a call does not tell.
        output_tokens: Of all answers.
        speculation: What drafting came to; None where the engine drafts nothing, or does not tell.
    """

    calls: int
    busy_s: float
    in_flight: float | None
    input_tokens: int | None
    output_tokens: int | None
    speculation: Speculation | None = None

    @property
    def output_rate(self) -> float | None:
        """Tokens written a second, over all calls; None where unknown."""
        return self.output_tokens / self.busy_s if self.output_tokens is not None and self.busy_s > 0 else None

    @property
    def input_rate(self) -> float | None:
        """Tokens of prompts read a second; with a cache of prefixes, more than were computed."""
        return self.input_tokens / self.busy_s if self.input_tokens is not None and self.busy_s > 0 else None


@dataclass(frozen=True, slots=True)
class Speed:
    """Two engines' speed on the same samples.

    ``a_each`` and ``b_each`` are tokens a second of an answer's own time, ``sum(tokens) / sum(seconds)`` over the
    pairs. At equal calls in flight their ratio is that of the throughputs (Little's law), and as it is made of
    pairs it has an interval: over samples, not over repetitions of the run.

    Attributes:
        a: Side a's pace; None where none of its answers was asked for by its own run, or a file holds it.
        b: Side b's.
        a_each: Tokens a second of an answer's time, on side a.
        b_each: On side b.
        ratio: ``b_each / a_each``.
        interval: Of the ratio.
        n: Pairs behind it.
        unknown: Why there is no ratio, or nobody knows whether it compares the engines.
        reads: Whether prompts' tokens are counted, for the answers write nothing; else those written.
        cached: Pairs whose answers other runs asked for, of a and of b; they are not behind the ratio.
    """

    a: Pace | None
    b: Pace | None
    a_each: float | None = None
    b_each: float | None = None
    ratio: float | None = None
    interval: Interval | None = None
    n: int = 0
    unknown: str | None = None
    reads: bool = False
    cached: tuple[int, int] = (0, 0)

    @property
    def alike(self) -> bool:
        """Whether both sides had about as many calls in flight: else their speeds say little of each other."""
        flights = [side.in_flight for side in (self.a, self.b) if side is not None and side.in_flight]
        return len(flights) < 2 or max(flights) <= 1.25 * min(flights)


def overall(margins: tuple[MarginVerdict, ...]) -> Verdict | None:
    """Return what several margins come to: one that fails fails all, and a pass takes them all; None without any."""
    verdicts = {one.verdict for one in margins}
    if not verdicts:
        return None
    return "fail" if "fail" in verdicts else "undecided" if "undecided" in verdicts else "pass"
