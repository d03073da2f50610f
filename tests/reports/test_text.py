"""Text from models and data on a terminal."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from llmkit.reports.text import one_line, visible


def test_control_characters_show_as_escapes():
    assert visible("a\x1b[31mb\x07\x9b\r\u202e") == r"a\x1b[31mb\x07\x9b\r\u202e"


def test_lines_and_tabs_stay_unless_one_line_is_asked_for():
    assert visible("a\n\tb") == "a\n\tb"
    assert one_line("a\n\tb") == r"a\n\tb"


def test_ordinary_writing_stays_as_it_is():
    text = "Größe [bold]日本語[/bold] 👩‍🔬 \\x1b"
    assert one_line(text) == text


@given(st.text(st.characters(exclude_categories=[])))
def test_nothing_that_moves_a_cursor_or_cannot_be_encoded_is_left(text):
    shown = one_line(text)
    assert not {unicodedata.category(c) for c in shown} & {"Cc", "Cs"}
    shown.encode("utf-8")
