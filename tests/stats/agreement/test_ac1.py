"""Gwet's AC1 and AC2."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmkit.stats.agreement.ac1 import counts_of_table, gwet, gwet_of_table
from llmkit.stats.agreement.categories import nearness, tally
from llmkit.stats.agreement.kappa import cohen_kappa

ratings = st.lists(st.lists(st.sampled_from([None, 0, 1, 2]), min_size=1, max_size=5), min_size=1, max_size=10)
paired = ratings.filter(lambda rows: any(sum(r is not None for r in row) > 1 for row in rows))
weightings = st.sampled_from(["identity", "linear", "quadratic"])


@given(paired, weightings)
def test_the_coefficient_is_its_definition_over_pairs(rows, weights):
    near, units = nearness(3, weights), [[r for r in row if r is not None] for row in rows]
    pairs = [[near[a, b] for a, b in itertools.permutations(unit, 2)] for unit in units if len(unit) > 1]
    observed = np.mean([np.mean(unit) for unit in pairs])
    shares = np.mean([np.bincount(unit, minlength=3) / len(unit) for unit in units if unit], axis=0)
    expected = near.sum() / 6 * (shares * (1 - shares)).sum()
    found = gwet(tally(rows, [0, 1, 2]), weights)
    assert (found.observed, found.expected) == pytest.approx((observed, expected))
    assert found.value == pytest.approx((observed - expected) / (1 - expected))
    assert found.n == sum(bool(unit) for unit in units)


@given(paired, weightings)
def test_the_interval_holds_the_value_and_stays_on_the_scale(rows, weights):
    found = gwet(tally(rows, [0, 1, 2]), weights)
    if found.interval is not None:
        assert -1 <= found.interval.low <= found.value + 1e-12
        assert found.value - 1e-12 <= found.interval.high <= 1
        assert 0 <= found.p_value <= 1


def test_it_stays_high_where_kappa_falls_to_nothing_for_want_of_the_other_category():
    table = [[95, 3], [2, 0]]
    assert cohen_kappa(table).value < 0
    assert gwet(counts_of_table(table)).value > 0.9


def test_the_standard_error_is_near_the_jackknifes():
    random = np.random.default_rng(5)
    rows = np.array(
        [random.multinomial(4, (0.8, 0.1, 0.1) if x else (0.2, 0.5, 0.3)) for x in random.random(120) < 0.6]
    )
    for weights in ("identity", "quadratic"):
        left_out = [gwet(np.delete(rows, i, axis=0), weights).value for i in range(len(rows))]
        jackknife = np.sqrt((len(rows) - 1) * np.var(left_out))
        assert gwet(rows, weights).se == pytest.approx(jackknife, rel=0.02)


def test_a_table_of_two_raters_is_two_ratings_an_item():
    assert sorted(counts_of_table([[2, 1], [0, 3]]).tolist()) == [[0, 2]] * 3 + [[1, 1]] + [[2, 0]] * 2


def test_an_unused_category_makes_agreement_by_chance_less_likely():
    assert gwet([[2, 0, 0], [1, 1, 0], [2, 0, 0]]).expected < gwet([[2, 0], [1, 1], [2, 0]]).expected


def test_items_without_a_rating_are_no_items():
    rows = [[2, 0], [1, 1], [0, 2], [3, 0]]
    assert gwet([*rows, [0, 0]]) == gwet(rows)


def test_without_spread_between_items_no_interval_is_known():
    perfect = gwet([[2, 0]] * 9)
    assert (perfect.value, perfect.interval, perfect.p_value) == (1, None, None)
    one = gwet([[2, 1]])
    assert (one.se, one.interval, one.p_value) == (None, None, None)


def test_one_category_is_undefined():
    assert gwet([[2], [2]]) is None


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: gwet([[1, 0], [0, 1]]), "an item with two ratings"),
        (lambda: gwet([[0, 0]]), "an item with two ratings"),
        (lambda: gwet([[2, 0]], "cubic"), "not 'cubic'"),
        (lambda: counts_of_table([[1, 2, 3], [0, 1, 2]]), "square"),
    ],
)
def test_what_is_undefined_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_table_is_as_good_as_its_items() -> None:
    table = [[20, 5, 1], [10, 15, 0], [0, 0, 0]]
    of_items, of_table = gwet(counts_of_table(table)), gwet_of_table(table)
    assert of_items is not None
    assert of_table is not None
    assert of_table.n == of_items.n
    for name in ("value", "se", "p_value"):
        assert getattr(of_table, name) == pytest.approx(getattr(of_items, name))
    with pytest.raises(ValueError, match="square"):
        gwet_of_table([[1, 2, 3], [1, 2, 3]])
