"""Racing: candidates are set against each other on the same items, and those that are provably worse stop early.

The idea is that of O. Maron and A. W. Moore ("Hoeffding races", NIPS 6, 1994; Artif. Intell. Rev. 11, 1997) and of
F-Race (M. Birattari et al., GECCO 2002). The proof is another: bets that hold at every look, on pairs, without
replacement (``stats.sequential.bets``), each against whoever led before the item. The candidate that the full grid
would choose is stopped only if a game that is fair to it multiplied its stake by 1/α: so **the race's pick is the full
grid's with a probability of at least 1 − α**, however many candidates there are and whenever one looks. That rests on
the items' random order alone.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from llmkit.judges.together import together
from llmkit.stats.mcnemar import mcnemar_exact
from llmkit.stats.sequential.bets import Bets

Floats = NDArray[np.float64]

ALPHA = 0.05
"""Probability that the race stops the candidate that the full grid would have picked."""
BLOCK = 5
"""Items of the first block. Each candidate must be asked about some before any can be stopped; a hopeless one is proven
so after about a dozen."""
GROWTH = 8
"""A later block is this part of what has been asked: fewer rounds, each a little longer."""

JudgeBlock = Callable[[int, Sequence[int]], Awaitable[Sequence[bool | None]]]
"""``judge_block(candidate, items)``: whether each verdict is right; None: there is none, which counts as wrong."""
Judged = Callable[[int, int], None]
"""Is told of a block: the candidate and how many items."""


def class_weights(labels: Sequence[str]) -> Floats:
    """Return a weight an item, at most 1, under which the mean is the balanced accuracy: classes count alike."""
    counts = {label: labels.count(label) for label in set(labels)}
    least = min(counts.values(), default=1)
    return np.array([least / counts[label] for label in labels], dtype=np.float64)


class Race:
    """The decisions of a race; it asks nothing.

    Args:
        candidates: How many; the first of equals leads.
        weights: One an item in the order of asking, which must be a random one; more than 0, at most 1.
        alpha: Probability that the candidate which all items would choose is stopped.

    Attributes:
        running: Candidates that are still asked.
        stopped: Candidate → items that it was asked about, of those that were proven worse.
        asked: Items that the running ones have been asked about.
        scores: Weighted right verdicts of each so far.
    """

    def __init__(self, candidates: int, weights: Floats, *, alpha: float = ALPHA) -> None:
        self._weights, self._proof = np.asarray(weights, dtype=np.float64), math.log(1 / alpha)
        self._bets = Bets(candidates, len(self._weights))
        self.running: tuple[int, ...] = tuple(range(candidates))
        self.stopped: dict[int, int] = {}
        self.asked = 0
        self.scores: Floats = np.zeros(candidates)

    @property
    def items(self) -> int:
        """All items."""
        return len(self._weights)

    @property
    def leader(self) -> int:
        """The running candidate with the best score so far; the first of equals."""
        return max(self.running, key=lambda candidate: (self.scores[candidate], -candidate))

    def block(self) -> range:
        """Return the places of the items to ask next; all that are left once a single candidate runs."""
        left = self.items - self.asked
        size = left if len(self.running) == 1 else min(left, max(BLOCK, self.asked // GROWTH))
        return range(self.asked, self.asked + size)

    def take(self, right: NDArray[np.bool_]) -> None:
        """Take the outcomes of a block, and stop whoever is provably worse.

        Args:
            right: Shape (running candidates, items of the block), in their orders; a missing verdict is not right.
        """
        running = np.array(self.running)
        points = np.zeros((len(self.scores), right.shape[1]))
        points[running] = right * self._weights[self.asked : self.asked + right.shape[1]]
        for column in points.T:
            leader = self.leader  # before the item is seen: a bet
            self._bets.draw(column[leader] - column, self.scores[leader] - self.scores)
            self.scores = self.scores + column
        self.asked += right.shape[1]
        leader = self.leader
        proven = [c for c in self.running if c != leader and self._bets.peaks[c] >= self._proof]
        self.stopped |= dict.fromkeys(proven, self.asked)
        self.running = tuple(c for c in self.running if c not in proven)

    def ranking(self) -> tuple[int, ...]:
        """Return all candidates, best first: those that ran to the end, then those that ran longest; by share right."""
        sums = np.concatenate([[0.0], np.cumsum(self._weights)])
        reached = {c: self.stopped.get(c, self.asked) for c in range(len(self.scores))}

        def place(c: int) -> tuple[bool, int, float, int]:
            share = self.scores[c] / sums[reached[c]] if reached[c] else 0.0
            return c in self.stopped, -reached[c], -share, c

        return tuple(sorted(reached, key=place))


@dataclass(frozen=True, slots=True)
class Raced:
    """What a race came to.

    Attributes:
        ranking: Candidates, best first.
        outcomes: Of each candidate: item → right, wrong (False), none (None); of the items that it was asked about.
        stopped: Candidate → items that it was asked about, of those that were proven worse.
        runner_up_p: McNemar's exact p-value between the first two, on the items that both were asked about; None with
            one candidate or no item.
    """

    ranking: tuple[int, ...]
    outcomes: tuple[Mapping[int, bool | None], ...]
    stopped: Mapping[int, int]
    runner_up_p: float | None


async def race(
    candidates: int,
    weights: Sequence[float] | Floats,
    judge_block: JudgeBlock,
    *,
    seed: int,
    alpha: float = ALPHA,
    told: Judged | None = None,
) -> Raced:
    """Run a race; the candidates of a block are asked at once.

    Args:
        candidates: How many.
        weights: One an item; see ``class_weights``.
        judge_block: Asks one candidate about items, by their positions in ``weights``.
        seed: Of the order of the items, the same for all.
        alpha: Probability that the full grid's pick is stopped.
        told: Is told of each block that a candidate has done.

    Raises:
        Exception: Whatever ``judge_block`` raises, the first of several; see ``judges.together``.
    """
    weights = np.asarray(weights, dtype=np.float64)
    order = np.random.default_rng(seed).permutation(len(weights))
    state = Race(candidates, weights[order], alpha=alpha)
    outcomes: list[dict[int, bool | None]] = [{} for _ in range(candidates)]
    while state.asked < state.items:
        block = [int(order[place]) for place in state.block()]
        told_right = await _asked(state.running, block, judge_block, told)
        for candidate, right in zip(state.running, told_right, strict=True):
            outcomes[candidate].update(zip(block, right, strict=True))
        state.take(np.array([[ok is True for ok in right] for right in told_right]))
    ranking = state.ranking()
    p = _between(outcomes[ranking[0]], outcomes[ranking[1]]) if candidates > 1 else None
    return Raced(ranking, tuple(outcomes), dict(state.stopped), p)


async def _asked(
    running: Sequence[int], block: Sequence[int], judge_block: JudgeBlock, told: Judged | None
) -> list[Sequence[bool | None]]:
    async def one(candidate: int) -> Sequence[bool | None]:
        right = await judge_block(candidate, block)
        if told is not None:
            told(candidate, len(block))
        return right

    return await together([partial(one, candidate) for candidate in running], len(running))


def _between(first: Mapping[int, bool | None], second: Mapping[int, bool | None]) -> float | None:
    shared = first.keys() & second.keys()
    if not shared:
        return None
    won = sum(first[item] is True and second[item] is not True for item in shared)
    lost = sum(second[item] is True and first[item] is not True for item in shared)
    return mcnemar_exact(won, lost)
