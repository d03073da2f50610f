"""Units behind a number, and how they convert."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmkit.scoring.units import Unit, _table, converted, unit_of


def name(after: str, before: str = "5") -> str | None:
    found = unit_of(before, after)
    return found and found.name


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (" km", "km"), ("km", "km"), (" kilometers away", "km"), (r"\,\text{km}", "km"), (r"\ \mathrm{km}.", "km"),
        (" km^2", "km^2"), ("m²", "m^2"), (r"\text{ cm}^2", "cm^2"), (r"\text{ m}^{3}", "m^3"), (" cubic feet", "ft^3"),
        (" km/h", "km/h"), (" kmph", "km/h"), (" miles per hour", "mi/h"), (" mph", "mi/h"),
        (" days", "d"), (" mins", "min"), (" lbs", "lb"), (" feet", "ft"), (" in.", "in"), (" inches", "in"),
        (r"^\circ", "°"), (r"^\circ\text{C}", "°C"), (" degrees Fahrenheit", "°F"), (" degrees", "°"),
        (" dollars", "$"), (" EUR", "€"), (" years", "year"),
    ],
)  # fmt: skip
def test_a_unit_is_known_by_its_spellings(after: str, expected: str) -> None:
    assert name(after) == expected


@pytest.mark.parametrize("after", ["", " apples", " in total", " in the end", " mx", " m/s^2", " ms_1", "m^4", " kmx"])
def test_what_is_no_unit(after: str) -> None:
    assert name(after) is None


@pytest.mark.parametrize(("written", "expected"), [("$5", "$"), (r"\$5", "$"), ("-€5", "€"), ("5", None)])
def test_a_currency_stands_before_the_number(written: str, expected: str | None) -> None:
    assert name("", written) == expected


def test_what_measures_something_else_does_not_convert() -> None:
    assert converted(Decimal(1), unit_of("", " km"), unit_of("", " kg")) is None
    assert converted(Decimal(1), unit_of("", " months"), unit_of("", " days")) is None


units = st.sampled_from(sorted({unit.name: unit for unit in _table().values()}.values(), key=lambda unit: unit.name))


@given(st.decimals(-(10**6), 10**6, places=3), units, units)
def test_there_and_back_again(value: Decimal, one: Unit, other: Unit) -> None:
    there = converted(value, one, other)
    if one.dimension != other.dimension:
        assert there is None
    else:
        assert abs(converted(there, other, one) - value) < Decimal("1e-30")


def test_units_of_one_name_are_one_unit() -> None:
    assert len({unit.name for unit in _table().values()}) == len(set(_table().values()))
