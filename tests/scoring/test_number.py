"""Numbers in texts, read exactly."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmkit.scoring.number import numbers, whole


def read(text: str, mark: str = ".") -> list[str]:
    return [format(number.value.normalize(), "f") for number in numbers(text, mark)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("29.00", "29"), ("-5", "-5"), ("+5", "5"), ("−5", "-5"), (".5", "0.5"), ("-.5", "-0.5"), ("42.", "42"),
        ("1,234", "1234"), ("1,234,567.89", "1234567.89"), ("12,34,567", "1234567"), ("1'000", "1000"),
        ("1\u202f000", "1000"), ("1\u00a0000,", "1000"), (r"11,\! 111", "11111"), (r"1{,}000", "1000"),
        (r"1\,000", "1000"),
        ("$1,000", "1000"), ("-$5.50", "-5.5"), (r"\$18", "18"), ("€ 7", "7"), ("7€", "7"), ("5km", "5"), ("3 m²", "3"),
        ("1e3", "1000"), ("1.5E-3", "0.0015"), ("1.5 × 10^6", "1500000"), ("2x10^3", "2000"),
        (r"3 \times 10^{2}", "300"),
        ("4×10⁻²", "0.04"), ("10^6", "1000000"), ("2^{10}", "1024"), ("2^-1", "0.5"),
        ("3/4", "0.75"), ("1 / 8", "0.125"), ("1 1/2", "1.5"), (r"\frac{3}{4}", "0.75"), (r"-\frac{1}{2}", "-0.5"),
        (r"\frac14", "0.25"), (r"\dfrac{-1}{4}", "-0.25"), ("½", "0.5"), ("2½", "2.5"), ("2 ¼", "2.25"),
        ("50%", "50"), (r"20\%", "20"), ("٤٢", "42"), ("４２", "42"), ("答案是5", "5"), ("x=5", "5"),
        ("(7)", "7"), ("-0", "-0"),
        (r"1\frac{1}{2}", "1.5"), (r"-2 \frac{1}{4}", "-2.25"), (r"\frac{1.5}{3}", "0.5"), (r"\frac{1}{-4}", "-0.25"),
        ("2·10³", "2000"), (r"2 ⋅ 10^{-1}", "0.2"), ("2*10**3", "2000"), ("10**3", "1000"), ("1_000", "1000"),
        ("50 percent", "50"), ("50 per cent", "50"), ("**5**", "5"),
    ],
)  # fmt: skip
def test_one_number(text: str, expected: str) -> None:
    assert read(text) == [expected]


@pytest.mark.parametrize(
    "text",
    ["", "none", "H2O", "AZYUK2A", "x_1", "NaN", "inf", "-", ".", "1/0", "0^-1", "1e9999999", "10^99999999999", "²"],
)
def test_no_number(text: str) -> None:
    assert read(text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1,2,3", ["1", "2", "3"]),
        ("1, 234", ["1", "234"]),
        ("1 000", ["1", "0"]),
        ("5-3 = 2", ["5", "3", "2"]),
        ("pages 5–10", ["5", "10"]),
        ("12/25/2020", ["12", "25", "2020"]),
        ("COVID-19", ["19"]),
        ("1000,99", ["1000", "99"]),
        ("**5** 3", ["5", "3"]),
    ],
)
def test_several_numbers(text: str, expected: list[str]) -> None:
    assert read(text) == expected


def test_the_decimal_mark_can_be_a_comma() -> None:
    assert read("1.234,5", ",") == ["1234.5"]
    assert read("Es kostet 2,74 €", ",") == ["2.74"]


def test_thirds_are_thirds_however_they_are_written() -> None:
    values = [next(numbers(text)).value for text in ("1/3", r"\frac{1}{3}", "⅓", "2/6")]
    assert len(set(values)) == 1


def test_a_text_that_is_one_number() -> None:
    assert whole(" $29.00$. ").value == 29
    assert whole("1 000").value == 1000
    assert whole("-1 234 567.5").value == Decimal("-1234567.5")
    assert whole("29 apples") is None
    assert whole("1 2") is None
    assert whole("") is None


def test_a_number_of_any_length_is_exact() -> None:
    (number,) = numbers("9" * 10_000)
    assert number.value == Decimal("9" * 10_000)
    assert number.value != Decimal("9" * 9_999 + "8")


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**12), max_value=10**12))
def test_what_python_prints_is_read_back(value: Decimal) -> None:
    assert whole(f"{value:f}").value == value
    assert whole(f"{value:,f}").value == value
    assert [number.value for number in numbers(f"it is {value:,f} in all")] == [value]


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_floats_are_read_back(value: float) -> None:
    assert float(whole(repr(value)).value) == value


@given(st.text())
def test_any_text_can_be_searched(text: str) -> None:
    assert all(number.value.is_finite() for number in numbers(text))


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12, places=4))
def test_a_number_comes_back_however_it_is_written(number: Decimal) -> None:
    ways = (f"{number}", f"{number:,}", f"{number:.20e}", f"${number}$", f"\\text{{so}} {number}\\,\\text{{km}}")
    assert [next(numbers(way)).value for way in ways] == [number] * len(ways)


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(1, 10**6))
def test_a_mixed_number_comes_back(units: int, top: int, bottom: int) -> None:
    expected = units + Fraction(top, bottom)
    found = [next(numbers(way)).value for way in (f"{units} {top}/{bottom}", rf"{units}\frac{{{top}}}{{{bottom}}}")]
    assert [abs(Fraction(value) - expected) < Fraction(1, 10**40) for value in found] == [True, True]
