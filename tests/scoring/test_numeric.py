"""numeric: which number of an answer counts, and when it is right."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmkit.errors import DocumentError
from llmkit.scoring import create
from tests.scoring.ask import fault, score, value


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("29.00", "29"),
        ("1,234", "1234"),
        ("1234", "1,234"),
        ("0.5", "1/2"),
        ("50%", "50"),
        ("1e3", "1000"),
        ("-0", "0"),
    ],
)
def test_the_same_number_written_otherwise(text: str, reference: str) -> None:
    assert value("numeric", text, reference) == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("42", "42"),
        ("3 apples and 4 pears make 7", "7"),
        (r"First 3. So \boxed{5}, not 6", "5"),
        (r"\boxed{x = 5}", "5"),
        (r"\boxed{1 000}", "1000"),
        (r"\boxed{7\text{ dollars}}", "7"),
        (r"\boxed{\frac{1}{2}}", r"\frac{1}{2}"),
        ("The answer is 5 apples, not 6.", "5"),
        ("The answer is 5. No: the answer is 8, not 9", "8"),
        ("Answer: 3 + 4 = 7\nChecked 2 times", "7"),
        ("**Answer:** $18", "$18"),
        ("2*3=6\n#### 1,000", "1,000"),
        ("#### 3. A heading\nso it is 12", "12"),
        ("The answer is clear. It is 4", "4"),
        ("Answer: twelve", None),
    ],
)
def test_auto_takes_box_then_announcement_then_the_last(text: str, expected: str | None) -> None:
    if expected is None:
        assert fault("numeric", text, "1") == "unparsable"
    else:
        assert score("numeric", text, "1").answer == expected


@pytest.mark.parametrize(
    ("extract", "expected"),
    [("first", "1"), ("last", "4"), ("boxed", "2"), ("announced", "3"), ("auto", "2"), ("whole", None)],
)
def test_the_choice_of_number_is_an_option(extract: str, expected: str | None) -> None:
    text = r"1, then \boxed{2}; the answer is 3, they say, and 4"
    if expected is None:
        assert fault("numeric", text, "1", extract=extract) == "unparsable"
    else:
        assert score("numeric", text, "1", extract=extract).answer == expected


@pytest.mark.parametrize("text", ["", "none", "NaN", "inf", "-Infinity", "H2O", "1e9999999", "1/0", "\ud800", "\x00"])
def test_no_number_is_unparsable_not_wrong(text: str) -> None:
    assert fault("numeric", text, "1") == "unparsable"


def test_a_reference_holds_one_number() -> None:
    assert value("numeric", "18", "She has 18 eggs") == 1
    assert value("numeric", "18", "3*6=18\n#### 18") == 1
    assert fault("numeric", "18", "between 17 and 19") == "bad_reference"
    assert fault("numeric", "18", "NaN") == "bad_reference"
    assert fault("numeric", "18") == "no_reference"


@pytest.mark.parametrize("reference", [r"\sqrt{5}", r"5\pi", "5π", "x^5", "a_5", r"\boxed{\sqrt{5}}"])
def test_a_number_in_a_formula_is_not_its_value(reference: str) -> None:
    assert fault("numeric", "5", reference) == "bad_reference"


@pytest.mark.parametrize("text", [r"\boxed{\sqrt{5}}", r"5 or \boxed{12\text{ and }5}", r"\boxed{}5"])
def test_a_box_without_one_number_is_unparsable_whatever_stands_around_it(text: str) -> None:
    assert fault("numeric", text, "5") == "unparsable"


def test_a_unit_in_latex_is_prose() -> None:
    assert value("numeric", "5", r"5\text{ inches}") == 1


def test_any_reference_will_do() -> None:
    assert value("numeric", "2", "1", "2") == 1


def test_equal_means_equal_unless_a_tolerance_says_otherwise() -> None:
    assert value("numeric", "12345678901234567891", "12345678901234567890") == 0
    assert value("numeric", "0.333", "1/3") == 0
    assert value("numeric", "0.333", "1/3", tolerance=0.001) == 1
    assert value("numeric", "0.1", "0.2", tolerance=0.1) == 1  # as decimals, not as binary floats
    assert value("numeric", "101", "100", relative=0.01) == 1
    assert value("numeric", "102", "100", relative=0.01) == 0
    assert value("numeric", "-100.5", "-100", relative=0.01) == 1


def test_percents() -> None:
    assert value("numeric", "50%", "0.5") == 0
    assert value("numeric", "50%", "0.5", percent="fraction") == 1
    assert value("numeric", "50%", "50", percent="fraction") == 0


def test_percent_may_be_a_word() -> None:
    assert value("numeric", "It is 50 percent.", "0.5", percent="fraction") == 1
    assert value("numeric", "50 per cent", "50") == 1


UNITS = [
    ("5 km", "5 km"),
    ("5 kilometres", "5km"),
    ("so it is 5 km.", "5 km"),
    (r"\boxed{5\,\text{km}}", r"5\text{ km}"),
    ("The answer is 12 m^2", "12 square metres"),
    ("60 mph", "60 miles per hour"),
    ("$5", "5 dollars"),
    (r"20^\circ\text{C}", "20 °C"),
    ("5", "5"),
    ("5 km", "5"),
    ("5 apples", "5 pears"),
]


@pytest.mark.parametrize(("text", "reference"), UNITS)
def test_the_same_unit_however_it_is_spelled(text: str, reference: str) -> None:
    assert value("numeric", text, reference, units="require") == 1
    assert value("numeric", text, reference, units="convert") == 1


@pytest.mark.parametrize(("text", "reference"), [("5", "5 km"), ("5 m", "5 km"), ("5 kg", "5 km"), ("€5", "$5")])
def test_a_unit_that_is_missing_or_another_is_wrong(text: str, reference: str) -> None:
    assert value("numeric", text, reference, units="require") == 0
    assert value("numeric", text, reference, units="convert") == 0
    assert value("numeric", text, reference) == 1


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("5000 m", "5 km"),
        ("0.5 hours", "30 minutes"),
        ("36 km/h", "10 m/s"),
        ("1 ft", "30.48 cm"),
        ("1 L", "1000 cm^3"),
        ("100 °C", "212 °F"),
        ("250 cents", "$2.50"),
        ("1 hectare", "10000 m²"),
    ],
)
def test_units_are_converted_where_a_suite_says_so(text: str, reference: str) -> None:
    assert value("numeric", text, reference, units="convert") == 1
    assert value("numeric", text, reference, units="require") == 0


def test_a_tolerance_is_in_the_references_unit() -> None:
    assert value("numeric", "5040 m", "5 km", units="convert", tolerance=0.05) == 1
    assert value("numeric", "5060 m", "5 km", units="convert", tolerance=0.05) == 0


def test_a_whole_text_may_hold_its_unit() -> None:
    assert value("numeric", "5 km", "5 km", extract="whole", units="require") == 1
    assert fault("numeric", "it is 5 km", "5 km", extract="whole", units="require") == "unparsable"
    assert fault("numeric", "5 km", "5 km", extract="whole") == "unparsable"


def test_the_signature_names_units_where_they_matter() -> None:
    assert "|percent:drop|units:convert|refs:any|" in create("numeric", {"units": "convert"}).signature


def test_decimal_comma() -> None:
    assert value("numeric", "1.234,5", "1234,5", decimal=",") == 1
    assert value("numeric", "29,5", "29.5", decimal=",") == 1


def test_huge_numbers() -> None:
    assert value("numeric", "9" * 10_000, "9" * 10_000) == 1
    assert value("numeric", "9" * 10_000, "1", tolerance=1.0) == 0
    assert value("numeric", "1e999999", "1", tolerance=1.0, relative=0.5) == 0
    assert len(score("numeric", "9" * 10_000, "1").answer) < 100


def test_a_tolerance_from_yaml_may_be_text() -> None:
    """YAML 1.1 reads 1e-6, without a point, as a string."""
    assert create("numeric", {"tolerance": "1e-6"}).signature == (
        "metric:numeric|extract:auto|tol:1e-06|rel:0.0|decimal:point|percent:drop|refs:any|v:2"
    )


@pytest.mark.parametrize("tolerance", [-1, float("nan"), float("inf"), "small"])
def test_a_tolerance_is_a_size(tolerance: object) -> None:
    with pytest.raises(DocumentError, match="option 'tolerance' of scorer numeric cannot be"):
        create("numeric", {"tolerance": tolerance})


@given(st.integers(-(10**30), 10**30))
def test_an_integer_comes_back(number: int) -> None:
    assert value("numeric", f"So it is {number:,}.", str(number)) == 1
    assert value("numeric", f"So it is {number:,}.", str(number + 1)) == 0


@given(st.decimals(-1000, 1000, places=3), st.decimals(-1000, 1000, places=3), st.decimals(0, 10, places=3))
def test_within_tolerance_is_what_it_says(one: object, other: object, tolerance: object) -> None:
    expected = float(abs(one - other) <= tolerance)
    assert value("numeric", f"{one:f}", f"{other:f}", tolerance=float(tolerance)) == expected
