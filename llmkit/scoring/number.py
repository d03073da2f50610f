r"""Numbers as people and models write them: found in a text, and read exactly.

Read are: signs, thousands separators (comma, apostrophe, no-break and thin spaces, LaTeX's ``\!`` ``\,`` ``{,}``),
decimals, Indian grouping (``12,34,567``), scientific notation (``1.5e-3``, ``1.5 × 10^6``), powers, fractions
(``3/4``, ``1 1/2``, ``\frac{3}{4}``, ``1\frac{3}{4}``, ½), percents (``50%``, ``50 percent``), digits of any script,
and a currency mark before the number. A number inside a word (``H2O``) is none, and a date (``12/25/2020``) is no
fraction.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal
from functools import cache
from typing import Literal

Mark = Literal[".", ","]

# Divisions and powers are rounded to this many digits; a number as written is never rounded.
EXACT = Context(prec=60, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[])
AFTER = 60  # characters behind a number that may hold its unit
_LARGEST_EXPONENT = 999_999  # beyond it arithmetic takes seconds, and nobody means it
_VULGAR = "¼½¾⅐⅑⅒⅓⅔⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞"
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
_MINUS = str.maketrans("−", "-")
_FOREIGN_DIGIT = re.compile(r"[^\D0-9]")


@dataclass(frozen=True, slots=True)
class Number:
    """A number found in a text.

    Attributes:
        text: How it is written.
        value: What it is.
        percent: Whether a percent sign, or the word, follows.
        after: What follows it, as far as a unit may reach.
    """

    text: str
    value: Decimal
    percent: bool = False
    after: str = field(default="", compare=False)


def numbers(text: str, mark: Mark = ".") -> Iterator[Number]:
    """Yield the numbers of a text in order; ``mark`` is the decimal mark, the other one groups thousands."""
    for match in _grammar(mark).finditer(western(text)):
        found = _read(match, mark)
        if found is not None:
            yield found


def whole(text: str, mark: Mark = ".") -> Number | None:
    """Read a text that is one number and nothing else, but for a final full stop and ``$…$`` around it.

    Only here an ordinary space groups thousands (``1 000``): within a sentence it stands between two numbers.
    """
    bare = western(text).strip()
    if bare.endswith("."):
        bare = bare[:-1].rstrip()
    if len(bare) > 2 and bare[0] == bare[-1] == "$":
        bare = bare[1:-1].strip()
    if _SPACED.fullmatch(bare):
        bare = bare.replace(" ", "")
    match = _grammar(mark).fullmatch(bare)
    return _read(match, mark) if match else None


def western(text: str) -> str:
    """Replace the decimal digits of other scripts by ASCII's."""
    return text if text.isascii() else _FOREIGN_DIGIT.sub(lambda digit: str(unicodedata.decimal(digit[0])), text)


_SPACED = re.compile(r"[-+−]?\d{1,3}(?: \d{3})+(?:[.,]\d+)?")


@cache
def _grammar(mark: Mark) -> re.Pattern[str]:
    point, comma = (r"\.", ",") if mark == "." else (",", r"\.")
    group = rf"(?:{comma}(?:\\![ ]?)?|\{{,\}}|\\[!,]|['’_\u00a0\u202f\u2009])"
    plain = (
        rf"(?:(?:\d{{1,3}}(?:{group}\d{{3}})+(?!\d)|\d{{1,2}}(?:{comma}\d\d)+{comma}\d{{3}}(?!\d)|\d+)"
        rf"(?:{point}\d+)?|{point}\d+)"
    )
    decimal = rf"[-−]?(?:\d+(?:{point}\d+)?|{point}\d+)"
    exponent = r"(?:\{[ ]?[-+−]?\d+[ ]?\}|[-+−]?\d+)"
    raised = r"(?:[ ]?\^[ ]?|\*\*(?=[-+]?\d))"
    return re.compile(
        rf"""
        (?<![A-Za-z\u00c0-\u024f\u0370-\u03ff\u0400-\u052f_])(?<!\d)(?<!\d{point})
        (?P<sign>(?<![\w)\]}}])[-+−])?
        (?:\\?[$€£¥₹][ ]?)?
        (?:
            (?:(?P<mixed>\d+)[ ]?)?\\[dtc]?frac[ ]?(?:\{{[ ]?(?P<top>{decimal})[ ]?\}}|(?P<top1>\d))
                        [ ]?(?:\{{[ ]?(?P<bottom>{decimal})[ ]?\}}|(?P<bottom1>\d))
          | (?P<units>\d+)[ ](?P<num>\d+)/(?P<den>\d+)(?![/\d])
          | (?P<vunits>\d+)?[ ]?(?P<vulgar>[{_VULGAR}])
          | (?P<dated>(?<=\d/))?(?P<plain>{plain})
            (?: [eE](?P<exp>[-+]?\d+)(?!\w)
              | [ ]?(?:[×x*·⋅]|\\times|\\cdot)[ ]?10(?:{raised}(?P<ten>{exponent})|(?P<tens>[⁻⁺]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+))
              | {raised}(?P<power>{exponent})
              | (?(dated)(?!))[ ]?/[ ]?(?P<over>{plain})(?![/\d])
            )?
        )
        (?P<percent>[ ]?\\?%|[ ]per[ ]?cent\b)?
        """,
        re.VERBOSE,
    )


def _read(match: re.Match[str], mark: Mark) -> Number | None:
    value = _magnitude(match, mark)
    if value is None or not value.is_finite():
        return None
    if match["sign"] in ("-", "−"):
        value = value.copy_negate()
    after = match.string[match.end() : match.end() + AFTER]
    return Number(match[0].strip(), value, match["percent"] is not None, after)


def _magnitude(match: re.Match[str], mark: Mark) -> Decimal | None:
    if match["plain"]:
        return _plain(match, mark)
    if match["vulgar"]:
        # Unicode gives a float; 2520 is a multiple of every denominator there is, so this is the fraction itself.
        part = EXACT.divide(Decimal(round(unicodedata.numeric(match["vulgar"]) * 2520)), Decimal(2520))
        return EXACT.add(Decimal(match["vunits"] or 0), part)
    if match["units"]:
        part = EXACT.divide(Decimal(match["num"]), Decimal(match["den"]))
        return EXACT.add(Decimal(match["units"]), part)
    top, bottom = (_signed(match[name] or match[f"{name}1"], mark) for name in ("top", "bottom"))
    return EXACT.add(Decimal(match["mixed"] or 0), EXACT.divide(top, bottom))


def _plain(match: re.Match[str], mark: Mark) -> Decimal | None:
    base = _decimal(match["plain"], mark)
    if match["over"]:
        return EXACT.divide(base, _decimal(match["over"], mark))
    ten = match["exp"] or match["ten"] or match["tens"]
    written = ten or match["power"]
    if not written:
        return base
    exponent = written.strip("{} ").translate(_MINUS).translate(_SUPERSCRIPTS)
    if len(exponent) > 7 or abs(int(exponent)) > _LARGEST_EXPONENT:
        return None
    return base.scaleb(int(exponent), EXACT) if ten else EXACT.power(base, int(exponent))


def _signed(written: str, mark: Mark) -> Decimal:
    value = _decimal(written, mark)
    return value.copy_negate() if written[0] in "-−" else value


def _decimal(written: str, mark: Mark) -> Decimal:
    if mark == ",":
        written = written.replace(".", "").replace(",", ".")
    return Decimal("".join(c for c in written if c in "0123456789."))
