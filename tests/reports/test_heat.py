"""The grid of a run: found in its slices, ordered as numbers are, with what has no value told apart."""

import pytest

from llmkit.reports.document import document
from llmkit.reports.heat import heat_maps
from llmkit.reports.heat_table import COLOURS, HeatTable, colour_of
from llmkit.reports.table import results_table
from tests.reports.grids import CELLS, cell, grid
from tests.reports.records import LOCAL, metric, printed, run


def test_lengths_and_depths_are_ordered_as_numbers():
    (found,) = heat_maps(grid())
    assert found.columns == ("500", "1000", "16000")
    assert found.rows == ("0%", "50%", "100%")
    assert (found.across, found.down, found.metric.name) == ("length", "depth", "needle")


def test_rows_may_be_kinds_of_questions():
    (found,) = heat_maps(grid({"500 @ count": cell(1.0), "500 @ compare": cell(0.0)}, down="asks"))
    assert found.rows == ("compare", "count")


def test_other_slices_make_none():
    assert heat_maps(LOCAL) == []
    alone = metric("needle", 1.0, slices={"cell": CELLS})
    assert heat_maps(run(metrics=(alone,))) == []


TEXT = """\
needle  value n=samples [95 % interval]
  depth ↓  length →  500           1000          16000         all
  0%                 1.00 n=3      1.00 n=2      3 overflow    0.50 n=9
                     [0.60, 1.00]  [0.60, 1.00]                [0.10, 0.90]
                                   1 failed
  50%                0.00 n=3      3 failed      3 overflow    0.50 n=9
                     [0.00, 0.40]                              [0.10, 0.90]
  100%               0.67 n=3      1.00 n=2      2 overflow    0.50 n=9
                     [0.27, 1.00]  [0.60, 1.00]  1 failed      [0.10, 0.90]
                                   1 overflow
  all                0.50 n=9      0.50 n=9      0.50 n=9      0.61 n=15
                     [0.10, 0.90]  [0.10, 0.90]  [0.10, 0.90]  [0.40, 0.80]
                                                               9 overflow
                                                               3 failed
  9 overflowed: the prompt is longer than the model's context; no value, not 0
"""


def table(**options):
    (found,) = heat_maps(grid())
    return printed(HeatTable(found, "needle"), **options)


def test_every_cell_says_its_value_n_interval_and_what_failed():
    assert table() == TEXT


def test_columns_that_do_not_fit_follow_below():
    narrow = table(width=50, force_terminal=True, color_system=None)
    assert max(map(len, narrow.splitlines())) <= 50
    assert narrow.count("depth ↓  length →") == 2
    assert {figure for figure in TEXT.split() if "." in figure} <= set(narrow.split())


def test_colours_change_no_letter():
    coloured = table(force_terminal=True, color_system="truecolor")
    assert "\x1b[" in coloured
    assert "overflow" in coloured


@pytest.mark.parametrize(("share", "step"), [(0.0, 0), (0.19, 0), (0.5, 2), (0.99, 4), (1.0, 4)])
def test_a_share_has_its_colour(share, step):
    assert colour_of(share)[0] == COLOURS[step]


def test_letters_stand_out_from_their_colour():
    for step in range(len(COLOURS)):
        colour, white = colour_of((step + 0.5) / len(COLOURS))
        assert contrast(colour, "#ffffff" if white else "#000000") >= 4.5  # WCAG 2.2, 1.4.3


def contrast(one, other):
    lights = sorted((luminance(one), luminance(other)))
    return (lights[1] + 0.05) / (lights[0] + 0.05)


def luminance(colour):
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_the_worst_of_an_error_rate_is_its_highest():
    cells = {name: metric("wer", value, higher_is_better=False) for name, value in (("1 @ 0%", 0.0), ("1 @ 1%", 2.0))}
    slices = {"length": {"1": cells["1 @ 0%"]}, "depth": {"0": cells["1 @ 0%"], "1": cells["1 @ 1%"]}, "cell": cells}
    (found,) = heat_maps(run(metrics=(metric("wer", 1.0, higher_is_better=False, slices=slices),)))
    assert [found.shade(each) for each in cells.values()] == [1, 0]


def test_the_report_shows_the_map_in_place_of_its_slices():
    text = printed(results_table([grid()]), width=120)
    assert "needle · needle  value n=samples [95 % interval]" in text
    assert "by length" not in text
    assert "by cell" not in text
    assert "9 beyond the model's context · 3 failed" in text
    assert "3 failed + 9 overflowed: 0.30 if wrong" in text


def test_the_document_holds_the_map():
    (found,) = document([grid()])["runs"][0]["heat_maps"]
    assert (found["columns"], found["rows"]) == (["500", "1000", "16000"], ["0%", "50%", "100%"])
    assert len(found["cells"]) == 9
    assert found["cells"][2] == {
        "row": "0%", "column": "16000", "value": None, "ci": None, "ci_method": None, "n": 0, "failed": 3,
        "overflowed": 3,
    }  # fmt: skip
