"""How numbers are written."""

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from llmkit.reports.numbers import count, decimals, dollars, duration, estimate, figure, second_reading
from llmkit.types import Interval
from tests.reports.records import metric


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (None, "unknown"),
        (0.0, "$0"),
        (0.00009, "<$0.0001"),
        (0.0001, "$0.0001"),
        (0.0123, "$0.0123"),
        (1.0, "$1.00"),
        (1234.5, "$1,234.50"),
    ],
)
def test_dollars(amount, text):
    assert dollars(amount) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "0 ms"),
        (0.85, "850 ms"),
        (0.9999, "1.0 s"),
        (41.23, "41.2 s"),
        (59.97, "1 min 00 s"),
        (185.4, "3 min 05 s"),
        (3599.7, "1 h 00 min"),
        (7380, "2 h 03 min"),
    ],
)
def test_durations(seconds, text):
    assert duration(seconds) == text


def test_counts():
    assert (count(1234567), count(0), count(None)) == ("1,234,567", "0", "unknown")


@pytest.mark.parametrize(
    ("value", "interval", "text"),
    [
        (0.8246, (0.7497, 0.8742), "0.82 [0.75, 0.87]"),
        (0.8246, (0.8201, 0.8291), "0.825 [0.820, 0.829]"),
        (31.23, (28.04, 34.12), "31.2 [28.0, 34.1]"),
        (1.0, (0.94, 1.0), "1.00 [0.94, 1.00]"),
        (-0.001, (-0.2, 0.2), "0.00 [-0.20, 0.20]"),
        (0.9024, None, "0.902 [no interval]"),
        (None, None, "no value"),
    ],
)
def test_estimates(value, interval, text):
    assert estimate(metric("m", value, interval)) == text


@given(st.floats(0, 1), st.floats(1e-4, 0.5))
def test_rounding_blurs_a_bound_by_at_most_a_quarter_of_the_half_width(value, half):
    digits = decimals(value, Interval(value - half, value + half, "t"))
    assert 0.5 * 10**-digits <= half / 4 * (1 + 1e-6)


@given(st.floats(-1e5, 1e5), st.integers(0, 6))
def test_a_figure_reads_back_within_its_rounding_and_is_never_minus_zero(value, digits):
    text = figure(value, digits)
    back = float(text.replace(",", ""))
    assert back == pytest.approx(value, abs=0.5000001 * 10**-digits)
    assert math.copysign(1, back) > 0 or back != 0


@given(st.floats(0, 1e6), st.floats(0, 1e6))
def test_more_dollars_never_read_as_less(a, b):
    assume(a <= b)

    def read(text):
        return 0.00005 if text.startswith("<") else float(text[1:].replace(",", ""))

    assert read(dollars(a)) <= read(dollars(b))


def test_the_second_reading_is_there_only_where_something_failed():
    assert second_reading(metric("m", 0.8, (0.7, 0.9))) is None
    assert second_reading(metric("m", 0.8, (0.7, 0.9), failed=3, wrong=0.783)) == "3 failed: 0.78 if wrong"
    assert second_reading(metric("m", 1.0, (0.84, 1.0), failed=180, wrong=0.1, wrong_in=(0.066, 0.15))) == (
        "180 failed: 0.10 [0.07, 0.15] if wrong"
    )
    assert second_reading(metric("m", None, None, failed=1200)) == "1,200 failed: unknown if wrong"
