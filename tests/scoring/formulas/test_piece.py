"""Which piece of an answer or of a reference is compared."""

import pytest

from llmkit.scoring.formulas.piece import SEARCHED, piece, reference_piece
from tests.timing import processor_time_below


def formula(text: str, where: str) -> str | None:
    found = piece(text, where)
    assert found is None or found.form == "formula", found
    return found and found.text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x^2 + 1", "x^2 + 1"),
        ("29.00", "29.00"),
        (" $\\frac{1}{2}$. ", "\\frac{1}{2}"),
        ("\\[ x = 5 \\]", "x = 5"),
        ("$$1, 2$$", "1, 2"),
        ("\\text{Evelyn}", "\\text{Evelyn}"),
        ("\\begin{pmatrix} 1 \\\\ 2 \\end{pmatrix}", "\\begin{pmatrix} 1 \\\\ 2 \\end{pmatrix}"),
        ("2 \\sin b \\cos a + arctan x", "2 \\sin b \\cos a + arctan x"),
        ("5 cm", "5 cm"),
        ("x = 1 or x = 2", "x = 1 or x = 2"),
        ("12 apples", None),
        ("The answer is 5", None),
        ("$1$ and $2$", None),
        ("\\boxed{5}", None),
        ("", None),
        ("1+" * 600 + "1", None),
    ],
)
def test_whole_is_one_formula_and_no_prose(text: str, expected: str | None) -> None:
    assert formula(text, "whole") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"\boxed{1} and then \boxed{\frac{1}{2}}.", r"\frac{1}{2}"),
        (r"\boxed{two words}", "two words"),
        (r"\boxed{}", None),
        (r"\boxed{5", None),
        ("5", None),
    ],
)
def test_boxed_is_what_the_last_box_holds(text: str, expected: str | None) -> None:
    assert formula(text, "boxed") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("so the answer is $x^2$.\nI checked 3 times", "x^2"),
        ("Answer: 4\nAnswer: 5", "5"),
        ("2*9=18\n#### 18", "18"),
        ("The answer is: \\[\n\\frac{1}{2}\n\\]\nas 3 says", "\\frac{1}{2}"),
        ("It is $5$", None),
    ],
)
def test_announced_is_the_line_that_the_answer_is_said_in(text: str, expected: str | None) -> None:
    assert formula(text, "announced") == expected


def test_what_is_announced_in_prose_is_searched() -> None:
    assert piece("The answer is 5 apples, not 6.", "announced") == ("5 apples, not 6.", "search")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("first $1$, then $x + 1$.", "x + 1"),
        ("\\(2\\) then \\[ 3 \\]", "3"),
        ("$$a$$", "a"),
        ("$x$ is 7 of them", "7"),
        ("it costs $5 and then $7", "$7"),
        ("it costs \\$5", "\\$5"),
        ("1 then 2", "2"),
        ("an open $x", None),
        ("nothing", None),
    ],
)
def test_last_is_the_last_formula_or_a_number_behind_it(text: str, expected: str | None) -> None:
    assert formula(text, "last") == expected


def test_auto_searches_the_end_of_what_is_not_one_formula() -> None:
    assert piece("x + 1", "auto") == ("x + 1", "formula")
    assert piece("The answer is $5$", "auto") == ("The answer is $5$", "search")
    assert piece("It costs $4.00 + $2.00\n#### 6", "auto") == ("6", "formula")
    assert piece("#### A heading\nThe answer is $5$", "auto").form == "search"
    assert piece("word " * SEARCHED + "$5$", "auto") == (("word " * SEARCHED + "$5$")[-SEARCHED:], "search")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"\left( 3, \frac{\pi}{2} \right)", (r"\left( 3, \frac{\pi}{2} \right)", "formula")),
        ("$1$ and $2$", ("$1$ and $2$", "search")),
        (r"Thus it is $\boxed{5}$.", (r"Thus it is $\boxed{5}$.", "search")),
        ("9*2=18\n#### 18", ("18", "formula")),
        ("$4.00 + $2.00 is the answer\n#### 6", ("6", "formula")),
        ("125 miles", ("125", "formula")),
        ("3 apples and 4 pears", None),
        ("none", None),
        ("", None),
    ],
)
def test_a_reference_says_one_thing(text: str, expected: tuple[str, str] | None) -> None:
    assert reference_piece(text) == expected


@pytest.mark.parametrize("mark", ["$", "\\(", "\\[", "$1", "\\$", "####", "answer is ", "\\boxed{"])
def test_many_marks_take_no_time(mark: str) -> None:
    with processor_time_below(1):
        for where in ("auto", "boxed", "announced", "last", "whole"):
            piece(mark * (100_000 // len(mark)), where)
