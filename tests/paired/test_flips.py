"""What is shown of the samples that differ: the worst losses first, then the greatest gains."""

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from llmkit.comparisons import Answered
from llmkit.paired.differences import metric_difference
from llmkit.paired.flips import choose, flips
from llmkit.paired.pairing import pair
from llmkit.paired.scorers import Measure
from tests.paired.sides import SETUP, Listed, held, row, values


def chosen(a, b, losses=5, gains=3, *, higher_is_better=True):
    """Return (sample, epoch, change) of what is chosen, and how many samples flipped."""
    a, b = held(a), held(b)
    pairs = pair(a, b)
    found = choose("exact_match", a, b, pairs, higher_is_better, losses, gains)
    keys = b.keys(pairs.b[list(found.pairs)].tolist())
    shown = [(*keys[int(pairs.b[p])], round(c, 9)) for p, c in zip(found.pairs, found.changes, strict=True)]
    return shown, found.flipped


def test_losses_come_first_then_gains_each_with_the_largest_ahead():
    shown, flipped = chosen(values([0.5, 1.0, 0.2, 0.0, 0.4]), values([0.4, 0.1, 0.9, 0.3, 0.4]))
    assert shown == [("s1", 1, -0.9), ("s0", 1, -0.1), ("s2", 1, 0.7), ("s3", 1, 0.3)]
    assert flipped == 4


def test_lower_is_better_makes_a_rise_a_loss():
    shown, _ = chosen(values([0.1, 0.9]), values([0.8, 0.1]), higher_is_better=False)
    assert shown == [("s0", 1, -0.7), ("s1", 1, 0.8)]


def test_no_more_are_shown_than_asked_for_and_all_are_counted():
    shown, flipped = chosen(values([1] * 6 + [0] * 6), values([0] * 6 + [1] * 6), losses=2, gains=1)
    assert [sample for sample, _, _ in shown] == ["s0", "s1", "s6"]
    assert flipped == 12
    assert chosen(values([1]), values([0]), losses=0, gains=0) == ([], 1)


def test_ties_and_failures_are_no_flips():
    assert chosen(values([1, None, 0]), values([1, 0, None])) == ([], 0)


def test_a_sample_is_shown_once_in_the_epoch_that_changed_most():
    a = [row("x", 0.6, epoch=1), row("x", 1.0, epoch=2), row("x", 0.5, epoch=3)]
    b = [row("x", 0.5, epoch=1), row("x", 0.2, epoch=2), row("x", 0.9, epoch=3)]
    assert chosen(a, b) == ([("x", 2, -0.8)], 1)


def test_epochs_that_cancel_out_are_no_flip():
    a = [row("x", 1, epoch=1), row("x", 0, epoch=2)]
    assert chosen(a, [row("x", 0, epoch=1), row("x", 1, epoch=2)]) == ([], 0)


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=30))
def test_what_flipped_is_what_was_won_and_lost(pairs_of):
    a, b = (held(values([p[side] / 4 for p in pairs_of])) for side in (0, 1))
    pairs = pair(a, b)
    d = metric_difference("exact_match", a, b, pairs, Measure(), confidence=0.95, seed=0)
    found = choose("exact_match", a, b, pairs, True, 100, 100)
    assert found.flipped == len(found.pairs) == d.won + d.lost
    assert (np.sign(found.changes) == np.sort(np.sign(found.changes))).all()


def test_texts_are_fetched_of_what_is_shown_alone():
    asked = []

    class Watched(Listed):
        def texts(self, keys):
            asked.append(set(keys))
            return super().texts(keys)

    rows_a, rows_b = values([1, 1, 0]), values([1, 0, 0])
    sides = [(Watched(rows, SETUP), held(rows)) for rows in (rows_a, rows_b)]
    pairs = pair(sides[0][1], sides[1][1])
    found = choose("exact_match", sides[0][1], sides[1][1], pairs, True, 5, 3)
    (flip,) = flips("exact_match", *sides, pairs, found)
    assert asked == [{("s1", 1)}, {("s1", 1)}]
    assert (flip.sample_id, flip.metric, flip.change, flip.question) == ("s1", "exact_match", -1.0, "q s1")
    assert (flip.a, flip.b) == (Answered("answer s1", 1.0), Answered("answer s1", 0.0))
    assert replace(flip, change=0.0).references == ("r",)
