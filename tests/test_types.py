"""The records that cross rooms, where they count."""

from __future__ import annotations

from llmkit.types import Totals, summed

PAID = Totals(input=10, output=2, calls=1, http_attempts=2, cost_usd=0.5, lost_attempts=1, lost_usd=0.25)


def test_bills_add_up_part_by_part():
    assert summed([PAID, PAID, Totals()]) == Totals(
        input=20, output=4, calls=2, http_attempts=4, cost_usd=1.0, lost_attempts=2, lost_usd=0.5
    )
    assert summed([]) == Totals()


def test_a_sum_with_an_unknown_part_is_unknown():
    found = summed([PAID, Totals(cost_usd=None, output=None)])
    assert (found.cost_usd, found.output, found.input, found.lost_usd) == (None, None, 10, 0.25)


def test_what_was_paid_counts_lost_attempts_in():
    assert PAID.dollars == 0.75
    assert Totals(cost_usd=0.5, lost_attempts=1, lost_usd=None).dollars is None
    assert Totals(cost_usd=None).dollars is None
