"""Intervals on one axis, drawn with characters."""

import pytest

from llmkit.reports.interval_plot import Bar, Plot
from tests.reports.records import printed


def drawn(*bars, width=80, **ends):
    return printed(Plot(bars, **ends), width=width).splitlines()


def test_value_interval_and_bound_stand_where_they_belong():
    axis, line = drawn(Bar("TPR", 0.5, 0.25, 0.75, 0.0))
    assert axis.split() == ["0", "0.5", "1"]
    marks = line.removeprefix("  TPR   ")
    assert len(marks) == 61
    assert [marks.index(mark) for mark in "┃├●┤"] == [0, 15, 30, 45]


def test_what_lies_beyond_the_axis_is_drawn_at_its_end():
    marks = drawn(Bar("x", 2.0, -1.0, 3.0))[1].removeprefix("  x   ")
    assert (marks[0], marks[-1]) == ("├", "●")


@pytest.mark.parametrize(("width", "lines"), [(20, 0), (40, 2), (200, 2)])
def test_it_is_left_out_where_it_has_no_room(width, lines):
    found = drawn(Bar("TPR", 0.5, 0.25, 0.75), width=width)
    assert len([line for line in found if line.strip()]) == lines
    assert all(len(line) <= width for line in found)


def test_nothing_is_drawn_of_nothing():
    assert "".join(drawn()).strip() == ""
