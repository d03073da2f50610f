r"""Units behind a number: a small table, and how they are read and converted.

Sources: the International System of Units (BIPM, 9th edition), and for inch, pound, gallon and their like NIST Special
Publication 811, appendix B.8; all factors are exact. Months and years have no fixed length and are not converted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from itertools import product

from llmkit.scoring.number import EXACT

LOOKED_AT = 60  # characters behind a number that may hold its unit


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit: ``value · factor + offset`` is the value in the base unit of its dimension.

    Attributes:
        name: Its symbol.
        dimension: What it measures; units of one dimension convert into each other.
        factor: Base units in one.
        offset: For temperatures.
    """

    name: str
    dimension: str
    factor: Decimal = Decimal(1)
    offset: Decimal = Decimal(0)


# symbol: (factor, other spellings)
_LENGTHS = {
    "km": ("1000", "kilometre", "kilometer"), "m": ("1", "metre", "meter"), "dm": ("0.1", "decimetre", "decimeter"),
    "cm": ("0.01", "centimetre", "centimeter"), "mm": ("0.001", "millimetre", "millimeter"),
    "µm": ("0.000001", "μm", "um", "micrometre", "micrometer"), "nm": ("0.000000001", "nanometre", "nanometer"),
    "in": ("0.0254", "inch", "inches"), "ft": ("0.3048", "foot", "feet"), "yd": ("0.9144", "yard"),
    "mi": ("1609.344", "mile"),
}  # fmt: skip
_TIMES = {
    "s": ("1", "sec", "second"), "ms": ("0.001", "millisecond"), "min": ("60", "minute"), "h": ("3600", "hr", "hour"),
    "d": ("86400", "day"), "week": ("604800",),
}  # fmt: skip
_OTHERS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "mass": {
        "kg": ("1", "kilogram", "kilo"), "g": ("0.001", "gram"), "mg": ("0.000001", "milligram"),
        "t": ("1000", "tonne", "metric ton"), "lb": ("0.45359237", "lbs", "pound"), "oz": ("0.028349523125", "ounce"),
    },
    "area": {"ha": ("10000", "hectare"), "acre": ("4046.8564224",)},
    "volume": {
        "L": ("0.001", "l", "litre", "liter"), "mL": ("0.000001", "ml", "millilitre", "milliliter"),
        "cL": ("0.00001", "cl", "centilitre", "centiliter"), "dL": ("0.0001", "dl", "decilitre", "deciliter"),
        "gal": ("0.003785411784", "gallon"),
    },
    "energy": {
        "J": ("1", "joule"), "kJ": ("1000", "kilojoule"), "cal": ("4.184", "calorie"),
        "kcal": ("4184", "kilocalorie"), "Wh": ("3600",), "kWh": ("3600000",),
    },
    "power": {"W": ("1", "watt"), "kW": ("1000", "kilowatt")},
    "angle": {"°": ("1", "degree", "deg")},
    "dollars": {"$": ("1", "USD", "dollar"), "¢": ("0.01", "cent")},
    "euros": {"€": ("1", "EUR", "euro")},
    "pounds sterling": {"£": ("1", "GBP")},
    "yen": {"¥": ("1", "JPY", "yen")},
    "month": {"month": ("1",)},
    "year": {"year": ("1", "yr")},
}  # fmt: skip
_CELSIUS, _FAHRENHEIT = Decimal("273.15"), EXACT.divide(Decimal("2298.35"), Decimal(9))
_DEGREES_OF = {
    "°C": Unit("°C", "temperature", Decimal(1), _CELSIUS),
    "°F": Unit("°F", "temperature", EXACT.divide(Decimal(5), Decimal(9)), _FAHRENHEIT),
    "K": Unit("K", "temperature"),
}
_TEMPERATURES = {"° C": "°C", "degrees Celsius": "°C", "° F": "°F", "degrees Fahrenheit": "°F", "kelvin": "K"}
_SPEEDS = {"kmh": "km/h", "kph": "km/h", "kmph": "km/h", "mph": "mi/h"}
_POWERS = {2: ("area", "square "), 3: ("volume", "cubic ")}
_PER = ("/", " / ", " per ", " a ", " an ")
_WRAPPING = re.compile(r"\\(?:text\w*|mbox|math(?:rm|it)|rm|operatorname)\b|\\[ ,;:!]|[{}~\u00a0\u202f\u2009]")
_RAISED = re.compile(r"\s*\^\s*")
_DEGREE = re.compile(r"\^\s*\\circ\b|\\degree\b")


def unit_of(before: str, after: str) -> Unit | None:
    """Return the unit that stands behind a number, or the currency in front of it; None where there is none known.

    Args:
        before: The number as it is written, with a currency's mark.
        after: What follows it.
    """
    bare = _WRAPPING.sub(" ", _DEGREE.sub("°", after[:LOOKED_AT]))
    tail = _RAISED.sub("^", " ".join(bare.split()))
    found = _pattern().match(tail)
    if found is not None:
        return _table()[found[1]]
    mark = before.lstrip("-+−\\ ")[:1]
    return _table().get(mark) if mark in "$€£¥" else None


def converted(value: Decimal, given: Unit, wanted: Unit) -> Decimal | None:
    """Return a value in another unit; None where it measures something else."""
    if given.dimension != wanted.dimension:
        return None
    if given == wanted:
        return value
    base = EXACT.add(EXACT.multiply(value, given.factor), given.offset)
    return EXACT.divide(EXACT.subtract(base, wanted.offset), wanted.factor)


@cache
def _pattern() -> re.Pattern[str]:
    spellings = "|".join(re.escape(spelling) for spelling in sorted(_table(), key=len, reverse=True))
    # "5 in all" is no length: where a unit is a word of English, nothing may follow it.
    return re.compile(rf"(?!in\s+\w)({spellings})(?![\w°^²³]|\s*(?:\^|/\s*[A-Za-z]))")


@cache
def _table() -> Mapping[str, Unit]:
    """Return every spelling and its unit."""
    table = dict(_DEGREES_OF)
    for dimension, units in {"length": _LENGTHS, "time": _TIMES, **_OTHERS}.items():
        for name, (factor, *others) in units.items():
            unit = Unit(name, dimension, Decimal(factor))
            table.update((spelling, unit) for word in (name, *others) for spelling in _spelled(word))
    for name, (factor, *others) in _LENGTHS.items():
        for power, (dimension, word) in _POWERS.items():
            unit = Unit(f"{name}^{power}", dimension, EXACT.power(Decimal(factor), power))
            written = [name + mark for mark in (f"^{power}", "²³"[power - 2], str(power))]
            written += [word + spelling for other in others for spelling in _spelled(other)]
            table.update((spelling, unit) for spelling in written)
    for length, time in product(_LENGTHS, _TIMES):
        unit = Unit(f"{length}/{time}", "speed", EXACT.divide(table[length].factor, table[time].factor))
        table.update((spelling, unit) for spelling in _ratios(length, time))
    table.update((spelling, table[name]) for spelling, name in (_SPEEDS | _TEMPERATURES).items())
    return table


def _spelled(word: str) -> tuple[str, ...]:
    """Return a word in the singular and the plural; a symbol has but one form."""
    return (word, f"{word}s") if len(word) > 2 and word.islower() and word[-1] != "s" else (word,)


def _ratios(length: str, time: str) -> Iterator[str]:
    lengths = [spelling for word in (length, *_LENGTHS[length][1:]) for spelling in _spelled(word)]
    return (f"{one}{mark}{other}" for one in lengths for mark in _PER for other in (time, *_TIMES[time][1:]))
