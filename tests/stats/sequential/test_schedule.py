"""When a measure is looked at."""

import pytest

from llmkit.stats.sequential.schedule import schedule


def test_looks_below_twenty_units_are_left_out_and_their_error_goes_on():
    found = schedule((10, 25, 40), 40, alpha=0.05, final=True)
    assert found.counts == (25, 40)
    assert found.levels[-1] == 0.05


def test_a_look_with_no_new_unit_is_none_unless_it_is_the_last():
    assert schedule((30, 30), 100, alpha=0.05, final=False) is None
    assert schedule((30, 30), 100, alpha=0.05, final=True).counts == (30, 30)


def test_the_last_look_has_all_of_alpha_though_pairs_were_lost():
    found = schedule((50, 90), 100, alpha=0.05, final=True)
    assert found.fractions == (0.5, 0.9)
    assert found.levels[-1] == 0.05
    assert schedule((50, 90), 100, alpha=0.05, final=False).levels[-1] < 0.05


@pytest.mark.parametrize("counts", [(), (0,), (12,)])
def test_too_few_units_are_no_look(counts):
    assert schedule(counts, 100, alpha=0.05, final=False) is None


def test_even_one_unit_is_looked_at_last():
    assert schedule((1,), 100, alpha=0.05, final=True).n == 1
