"""What is printed inside GitHub Actions."""

import io

import pytest

from llmkit.reports.actions import harmless, unheard

INSIDE = {"GITHUB_ACTIONS": "true"}


def test_what_is_printed_in_actions_is_not_heard_as_commands():
    stream = io.StringIO()
    with unheard(INSIDE, stream):
        stream.write("::error::forged\n")
    first, forged, last = stream.getvalue().splitlines()
    token = first.removeprefix("::stop-commands::")
    assert len(token) == 32
    assert (forged, last) == ("::error::forged", f"::{token}::")


def test_an_error_within_lets_commands_be_heard_again():
    stream = io.StringIO()
    with pytest.raises(ValueError, match="broken"), unheard(INSIDE, stream):
        raise ValueError("broken")
    assert stream.getvalue().splitlines()[-1].startswith("::")


def test_elsewhere_nothing_is_printed_around_it():
    stream = io.StringIO()
    with unheard({}, stream):
        pass
    assert stream.getvalue() == ""


def test_what_another_program_prints_can_be_made_harmless():
    text = "a\n  ::error::forged\nb ##[add-mask]x :: y"
    assert harmless(text, INSIDE) == "a\n|   ::error::forged\nb # #[add-mask]x :: y"
    assert harmless(text, {}) == text
