"""What labels and verdicts are worth that carry weights or come in groups."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmkit.stats.confusion import Confusion
from llmkit.stats.correction import corrected_rate, effective_confusion, effective_labels, effective_trials

bits = st.integers(0, 1)
rows = st.lists(st.tuples(bits, bits, st.floats(0.01, 50), st.integers(0, 6)), min_size=1, max_size=40)


def columns(items):
    return [list(column) for column in zip(*items, strict=True)]


def counted(labels, verdicts):
    pairs = list(zip(labels, verdicts, strict=True))
    return Confusion(*(pairs.count(cell) for cell in ((1, 1), (1, 0), (0, 1), (0, 0))))


@given(rows, st.floats(0.1, 10))
def test_equal_weights_and_no_groups_are_the_plain_counts(items, weight):
    labels, verdicts, _, _ = columns(items)
    plain = counted(labels, verdicts)
    assert effective_confusion(labels, verdicts) == pytest.approx(plain)
    assert effective_confusion(labels, verdicts, [weight] * len(labels)) == pytest.approx(plain)


@given(rows)
def test_groups_of_one_change_nothing(items):
    labels, verdicts, _, _ = columns(items)
    alone = list(range(len(labels)))
    assert effective_confusion(labels, verdicts, groups=alone) == pytest.approx(counted(labels, verdicts))
    assert effective_trials(verdicts, alone) == pytest.approx((sum(verdicts), len(verdicts)))


@given(rows)
def test_rates_are_the_weighted_ones_and_sizes_never_above_the_items(items):
    labels, verdicts, weights, groups = columns(items)
    found, plain = effective_confusion(labels, verdicts, weights, groups), counted(labels, verdicts)
    assert found.positives <= plain.positives + 1e-9
    assert found.negatives <= plain.negatives + 1e-9
    assert min(found) >= 0
    so, said, w = (np.array(column, dtype=float) for column in (labels, verdicts, weights))
    if plain.positives:
        assert found.tpr == pytest.approx(np.average(said[so == 1], weights=w[so == 1]))
    if plain.negatives:
        assert found.tnr == pytest.approx(np.average(1 - said[so == 0], weights=w[so == 0]))


@given(rows, st.floats(0.1, 10))
def test_the_unit_of_the_weights_does_not_matter(items, unit):
    labels, verdicts, weights, groups = columns(items)
    scaled = [unit * weight for weight in weights]
    before, after = (effective_confusion(labels, verdicts, w, groups) for w in (weights, scaled))
    assert after == pytest.approx(before, abs=1e-9)


def test_unequal_weights_are_worth_kishs_size_where_errors_weigh_little():
    """Forty right items of weight 9 and ten wrong ones of 1, an error of weight 9 counted in: (370 + 9)² / …"""
    found = effective_confusion([1] * 50, [1] * 40 + [0] * 10, [9] * 40 + [1] * 10)
    assert found.positives == pytest.approx(min(379**2 / (40 * 81 + 10 + 81) - 1, 50))
    assert found.tpr == pytest.approx(360 / 370)


def test_they_are_worth_less_where_errors_weigh_much():
    """Forty right items of weight 1 and two wrong ones of 9: what is not known are the wrong ones."""
    found = effective_confusion([1] * 42, [1] * 40 + [0] * 2, [1] * 40 + [9] * 2)
    p = 40 / 67
    variance = (40 * (1 - p) ** 2 + 3 * 81 * p**2) / 67**2
    assert found.positives == pytest.approx(p * (1 - p) / variance - 1)
    assert found.positives < (58 + 9) ** 2 / (40 + 3 * 81) - 1


def test_a_class_that_lacks_the_heavy_items_is_worth_less_for_it():
    """Fifty failing items of weight 1 prove little where each passing item stands for twenty."""
    labels, verdicts = [1] * 20 + [0] * 50, [1] * 20 + [0] * 50
    found = effective_confusion(labels, verdicts, [20] * 20 + [1] * 50)
    assert found.positives == pytest.approx(20)
    assert found.negatives < 12


def test_groups_whose_members_are_alike_are_worth_one_item_each():
    random = np.random.default_rng(1)
    said = np.repeat(random.random(100) < 0.8, 5).astype(int)
    found = effective_trials(said, np.repeat(np.arange(100), 5))
    assert 80 < found.n < 110
    assert found.passed / found.n == pytest.approx(said.mean())


def test_of_groups_that_all_pass_no_more_than_the_groups_is_known():
    assert effective_trials([1] * 30, [0] * 10 + [1] * 10 + [2] * 10) == pytest.approx((3, 3))


def test_groups_that_do_not_matter_cost_little():
    random = np.random.default_rng(2)
    found = effective_trials((random.random(500) < 0.8).astype(int), np.arange(500) // 2)
    assert 400 < found.n <= 500


def test_labels_of_groups_count_by_how_far_they_lie_together_from_their_verdicts_mean():
    random = np.random.default_rng(3)
    groups = np.arange(400) // 4
    said = random.random(400) < 0.5
    alike = np.repeat(random.random(100) < 0.5, 4)
    mixed = random.random(400) < 0.5
    assert 85 < effective_labels(alike, said, groups) < 130
    assert 300 < effective_labels(mixed, said, groups) <= 400
    assert effective_labels(mixed, said, np.arange(400)) == pytest.approx(400)
    assert effective_labels(alike, alike, groups) < 110  # no error to go by: members are taken to be alike
    assert effective_labels([], [], []) == 0


def test_an_interval_of_clustered_verdicts_is_wider():
    labels, said = Confusion(90, 10, 10, 90), np.repeat([1, 1, 1, 0], 100)
    passed, n = effective_trials(said, np.arange(400) // 10)
    one, other = (
        corrected_rate(labels, *given, same_population=False, random=True).interval
        for given in ((300, 400), (passed, n))
    )
    assert other.high - other.low > 1.2 * (one.high - one.low)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (([1, 2], [1, 0]), "a label is 0 or 1"),
        (([1, 0], [1, 0.5]), "a verdict is 0 or 1"),
        (([1, 0], [1]), "needs its verdict"),
        (([1, 0], [1, 0], [1, 0]), "above 0"),
        (([1, 0], [1, 0], None, ["a"]), "needs its group"),
    ],
)
def test_what_does_not_fit_is_refused(given, why):
    with pytest.raises(ValueError, match=why):
        effective_confusion(*given)
