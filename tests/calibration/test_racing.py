"""Candidates race over the same items; who is provably worse stops, and the best one seldom does."""

import numpy as np
import pytest

from llmkit.calibration.racing import BLOCK, Race, class_weights, race
from llmkit.stats.mcnemar import mcnemar_exact


def run(right, weights=None, **options):
    """Play a table of right and wrong verdicts, shape (candidates, items), in its own order."""
    table = np.asarray(right, dtype=bool)
    state = Race(len(table), np.ones(table.shape[1]) if weights is None else weights, **options)
    calls = 0
    while state.asked < state.items:
        block = list(state.block())
        calls += len(block) * len(state.running)
        state.take(table[np.ix_(state.running, block)])
    return state, calls


def drawn(shares, items, seed):
    return np.random.default_rng(seed).random((len(shares), items)) < np.array(shares)[:, None]


def test_each_class_counts_alike():
    labels = ["pass"] * 6 + ["fail"] * 2
    weights = class_weights(labels)
    right = np.array([1, 1, 1, 0, 0, 0, 1, 0])
    assert float(weights @ right / weights.sum()) == pytest.approx((3 / 6 + 1 / 2) / 2)
    assert weights.max() == 1


def test_a_candidate_that_is_always_wrong_is_stopped_after_a_few_items():
    state, calls = run([[True] * 100, [False] * 100])
    assert state.running == (0,)
    assert BLOCK < state.stopped[1] <= 15
    assert calls == 100 + state.stopped[1]


def test_equals_run_to_the_end():
    state, _ = run([drawn([0.7], 60, 1)[0]] * 3)
    assert state.running == (0, 1, 2)
    assert state.ranking() == (0, 1, 2)


def test_the_full_grids_pick_is_seldom_stopped_among_many_that_are_as_good():
    wrong = 0
    for seed in range(150):
        table = drawn([0.7] * 8, 40, seed)
        state, _ = run(table)
        wrong += int(table.sum(axis=1).argmax()) not in state.running
    assert wrong / 150 <= 0.05


def test_weights_decide_what_is_worse():
    labels = np.array(["pass"] * 90 + ["fail"] * 10)[np.random.default_rng(0).permutation(100)]
    passes_all, fair = labels == "pass", np.random.default_rng(1).random(100) < 0.85
    by_class, _ = run([passes_all, fair], class_weights(labels.tolist()))
    alike, _ = run([passes_all, fair])
    assert by_class.ranking()[0] == 1
    assert alike.ranking()[0] == 0


def test_those_that_ran_longest_rank_first_then_those_with_the_larger_share():
    state, _ = run(drawn([0.05, 0.95, 0.55, 0.05], 100, 3))
    first, second, *_ = state.ranking()
    assert (first, second) == (1, 2)
    assert sorted(state.ranking()) == [0, 1, 2, 3]


def test_blocks_grow_and_the_last_one_running_gets_all_that_is_left():
    state = Race(2, np.ones(400))
    sizes = []
    while state.asked < 200:
        sizes.append(len(state.block()))
        state.take(np.ones((2, sizes[-1]), dtype=bool))
    assert sizes[0] == BLOCK
    assert sizes == sorted(sizes)
    assert sizes[-1] > BLOCK
    alone = Race(1, np.ones(400))
    assert len(alone.block()) == 400


class Table:
    """Answers from a table, and keeps what was asked."""

    def __init__(self, right):
        self.right, self.asked = right, []

    async def __call__(self, candidate, items):
        self.asked.append((candidate, tuple(items)))
        return [self.right[candidate][item] for item in items]


async def test_all_candidates_are_asked_about_the_same_items_in_a_seeded_order():
    table = Table([[True] * 30, [True] * 30])
    await race(2, [1.0] * 30, table, seed=4)
    of = [[items for candidate, items in table.asked if candidate == each] for each in (0, 1)]
    assert of[0] == of[1]
    assert sorted(item for items in of[0] for item in items) == list(range(30))
    again = Table(table.right)
    await race(2, [1.0] * 30, again, seed=4)
    other = Table(table.right)
    await race(2, [1.0] * 30, other, seed=5)
    assert again.asked == table.asked
    assert other.asked != table.asked


async def test_a_missing_verdict_is_a_wrong_one_in_the_race_and_stays_missing_in_the_outcome():
    found = await race(2, [1.0] * 40, Table([[None] * 40, [True] * 40]), seed=0)
    assert found.ranking == (1, 0)
    assert set(found.outcomes[0].values()) == {None}
    assert found.stopped == {0: len(found.outcomes[0])}


async def test_the_winner_has_all_items_and_is_compared_with_the_second_on_those_of_both():
    table = drawn([0.5, 0.9, 0.6], 80, 2).tolist()
    found = await race(3, [1.0] * 80, Table(table), seed=0)
    first, second = found.ranking[:2]
    assert first == 1
    assert len(found.outcomes[first]) == 80
    shared = found.outcomes[second].keys()
    assert len(shared) < 80
    won = sum(table[first][item] and not table[second][item] for item in shared)
    lost = sum(table[second][item] and not table[first][item] for item in shared)
    assert found.runner_up_p == mcnemar_exact(won, lost)


async def test_one_candidate_races_nobody():
    found = await race(1, [1.0] * 5, Table([[True] * 5]), seed=0)
    assert found.ranking == (0,)
    assert found.runner_up_p is None


async def test_what_a_candidate_raises_ends_the_race():
    async def broken(candidate, items):
        if candidate == 1:
            raise ValueError("no such model")
        return [True] * len(items)

    with pytest.raises(ValueError, match="no such model"):
        await race(2, [1.0] * 5, broken, seed=0)
