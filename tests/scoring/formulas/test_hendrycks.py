"""Spelling of LaTeX, normalised as the MATH paper did."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmkit.scoring.formulas.hendrycks import equal, normalized


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"\dfrac12", r"\frac{1}{2}"),
        (r"\tfrac1{72}", r"\frac{1}{72}"),
        (r"\frac{1}{2}", r"\frac{1}{2}"),
        (r"1 + \frac", r"1+\frac"),
        (r"\sqrt3 + \sqrt{2}", r"\sqrt{3}+\sqrt{2}"),
        (r"\left( 3, \frac{\pi}{2} \right)", r"(3,\frac{\pi}{2})"),
        (r"90^\circ", "90"),
        (r"90^{\circ}", "90"),
        (r"5\text{ cm}", "5"),
        (r"\text{Evelyn}", r"\text{Evelyn}"),
        (r"\$18", "18"),
        (r"28\%", "28"),
        (".5", r"\frac{1}{2}"),
        ("1 + .5", "1+0.5"),
        ("k = 7", "7"),
        ("a+b = 7", "a+b=7"),
        ("x = y = 7", "x=y=7"),
        ("-3/4", r"\frac{-3}{4}"),
        ("03/4", "03/4"),
        ("1/2/3", "1/2/3"),
        (r"11,\! 111", "11,111"),
        ("", ""),
    ],
)
def test_the_normal_form(text: str, expected: str) -> None:
    assert normalized(text) == expected


def test_nothing_is_computed() -> None:
    assert not equal("2/4", "1/2")
    assert not equal("1,2", "2,1")


@given(st.integers(-(10**6), 10**6), st.integers(1, 10**6))
def test_a_fraction_may_be_written_in_any_of_four_ways(top: int, bottom: int) -> None:
    ways = {rf"\frac{{{top}}}{{{bottom}}}", rf"\dfrac{{{top}}}{{{bottom}}}", f"{top}/{bottom}", f" {top} / {bottom} "}
    assert len({normalized(way) for way in ways}) == 1


@given(st.text(alphabet="\\frac sqrt{}()=/.,-0123456789xy$%^", max_size=60))
def test_every_text_has_a_normal_form(text: str) -> None:
    assert isinstance(normalized(text), str)
