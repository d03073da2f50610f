"""What a threshold decides."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmkit.stats.thresholds import agreed, decide
from llmkit.types import Interval

AROUND = Interval(0.75, 0.87, "wilson")


@pytest.mark.parametrize(
    ("bound", "minimum", "maximum"),
    [
        (0.70, "pass", "fail"),
        (0.75, "pass", "undecided"),
        (0.80, "undecided", "undecided"),
        (0.87, "undecided", "pass"),
        (0.90, "fail", "pass"),
    ],
)
def test_the_interval_decides(bound, minimum, maximum):
    assert decide(0.82, AROUND, bound) == minimum
    assert decide(0.82, AROUND, bound, higher_is_better=False) == maximum


def test_the_point_decides_when_asked():
    assert decide(0.82, AROUND, 0.82, point=True) == "pass"
    assert decide(0.82, AROUND, 0.83, point=True) == "fail"
    assert decide(0.82, AROUND, 0.82, higher_is_better=False, point=True) == "pass"
    assert decide(0.82, AROUND, 0.81, higher_is_better=False, point=True) == "fail"
    assert decide(0.82, None, 0.8, point=True) == "pass"


@pytest.mark.parametrize("point", [True, False])
def test_nothing_scored_decides_nothing(point):
    assert decide(None, None, 0.0, point=point) == "undecided"


def test_without_an_interval_only_the_point_can_decide():
    assert decide(1.0, None, 0.1) == "undecided"


def test_a_bound_is_a_number():
    with pytest.raises(ValueError, match="not NaN"):
        decide(1.0, None, math.nan)


@pytest.mark.parametrize(
    ("readings", "decision"),
    [
        (("pass",), "pass"),
        (("pass", "pass"), "pass"),
        (("fail", "fail"), "fail"),
        (("pass", "fail"), "undecided"),
        (("fail", "pass"), "undecided"),
        (("pass", "undecided"), "undecided"),
        (("fail", "undecided"), "undecided"),
    ],
)
def test_two_readings_decide_where_they_agree(readings, decision):
    assert agreed(*readings) == decision


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_raising_the_bar_never_turns_a_failure_into_a_pass(low, high, bound):
    order = ["pass", "undecided", "fail"]
    interval = Interval(min(low, high), max(low, high), "wilson")
    easier, harder = (decide(0.5, interval, b) for b in (bound, bound + 0.1))
    assert order.index(easier) <= order.index(harder)
