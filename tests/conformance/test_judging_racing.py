"""Racing over the 20 judges of LLMBar, replayed: far fewer calls than the full grid, and the same pick."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from llmkit.calibration.racing import Race

FOLDER = Path(os.environ.get("LLMKIT_VECTORS", "../shared/vectors"))
LLMBAR = FOLDER.parent / "data/judging/llmbar_pairwise.jsonl"
SEEDS = 25

pytestmark = pytest.mark.skipif(not LLMBAR.is_file(), reason="no recorded judges: set LLMKIT_VECTORS")


@pytest.fixture(scope="module")
def right():
    """Whether each of 20 configurations met people's preference, shape (20, 419); an unparsed answer did not."""
    rows = [json.loads(line) for line in LLMBAR.read_text().splitlines()]
    names = list(rows[0]["judges"])
    return np.array([[row["judges"][name][0] == str(row["gold"]) for row in rows] for name in names])


def replayed(right, size, seeds):
    """Race on resampled items; per seed: the share of the full grid's calls, and its pick's lead on the whole set."""
    shares, leads = [], []
    for seed in range(seeds):
        sample = right[:, np.random.default_rng(seed).integers(0, right.shape[1], size)]
        state, calls = Race(len(sample), np.ones(size)), 0
        while state.asked < size:
            block = list(state.block())
            calls += len(block) * len(state.running)
            state.take(sample[np.ix_(state.running, block)])
        full = int(sample.sum(axis=1).argmax())
        shares.append(calls / sample.size)
        leads.append(right[full].mean() - right[state.ranking()[0]].mean())
    return np.array(shares), np.array(leads)


def test_with_at_most_two_fifths_of_the_calls_the_pick_is_as_good_as_the_full_grids(right):
    shares, leads = replayed(right, right.shape[1], SEEDS)
    assert shares.max() <= 0.4
    assert abs(leads.mean()) <= 0.01


def test_on_two_hundred_items_too(right):
    shares, leads = replayed(right, 200, SEEDS)
    assert shares.mean() <= 0.4
    assert abs(leads.mean()) <= 0.01
