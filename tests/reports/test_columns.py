"""Cells under their headings, for a console of any width."""

import io

from rich.console import Console

from llmkit.reports.columns import Columns

TABLE = Columns(["", "value", "note"], [["accuracy", "0.95", "fine"], ["κ", "0.9", ""]])


def shown(width, *, terminal):
    console = Console(file=io.StringIO(), width=width, force_terminal=terminal, no_color=True, highlight=False)
    console.print(TABLE)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def test_cells_stand_under_their_headings():
    assert shown(60, terminal=False) == [
        "             value   note",
        "  accuracy   0.95    fine",
        "  κ          0.9",
    ]


def test_at_a_narrow_terminal_they_stand_below_each_other_and_empty_ones_nowhere():
    assert shown(20, terminal=True) == [
        "  accuracy",
        "    value  0.95",
        "    note  fine",
        "  κ",
        "    value  0.9",
    ]


def test_a_pipe_gets_the_table_whatever_its_width():
    assert shown(26, terminal=False)[1] == "  accuracy   0.95    fine"
