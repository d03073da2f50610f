r"""LaTeX answers normalised as text, the rule of the MATH paper: equal are those that end up the same.

Source: Hendrycks et al., 2021, "Measuring Mathematical Problem Solving With the MATH Dataset", and the steps of its
``math_equivalence.py`` (github.com/hendrycks/math). Nothing is computed: ``1/2`` is ``\frac{1}{2}``, for its spelling
is rewritten, and ``2/4`` is neither; the order of a list counts.
"""

from __future__ import annotations

import re

# In this order; each is one rule of the source.
_DROPPED = ("\n", "\\!")
_REWRITTEN = (("\\\\", "\\"), ("tfrac", "frac"), ("dfrac", "frac"), ("\\left", ""), ("\\right", ""))
_MARKS = ("^{\\circ}", "^\\circ", "\\$")
_UNIT = "\\text{ "
_LONGEST_NAME = 2  # "k = 5" is about k; "a+b = 5" is an equation
_SLASH = re.compile(r"(-?(?:0|[1-9]\d{0,99}))/(-?(?:0|[1-9]\d{0,99}))")


def equal(one: str, other: str) -> bool:
    """Whether two answers are the same after normalisation."""
    return normalized(one) == normalized(other)


def normalized(text: str) -> str:
    """Return an answer's normal form."""
    for mark in _DROPPED:
        text = text.replace(mark, "")
    for old, new in _REWRITTEN:
        text = text.replace(old, new)
    for mark in _MARKS:
        text = text.replace(mark, "")
    text = _without_unit(text).replace("\\%", "")
    text = text.replace(" .", " 0.").replace("{.", "{0.")
    if text.startswith("."):
        text = f"0{text}"
    name, equals, value = text.partition("=")
    if equals and "=" not in value and len(name.strip()) <= _LONGEST_NAME:
        text = value.strip() if name else text
    text = _braced_fractions(_braced_roots(text).replace(" ", ""))
    if text == "0.5":
        text = "\\frac{1}{2}"
    found = _SLASH.fullmatch(text)
    return f"\\frac{{{found[1]}}}{{{found[2]}}}" if found else text


def _without_unit(text: str) -> str:
    r"""Drop ``\text{ unit}`` at the end; the blank in it is what makes it a unit."""
    return text.partition(_UNIT)[0] if text.count(_UNIT) == 1 else text


def _braced_roots(text: str) -> str:
    r"""Write ``\sqrt3`` as ``\sqrt{3}``."""
    return re.sub(r"\\sqrt(?=[^{])(.)", r"\\sqrt{\1}", text, flags=re.DOTALL)


def _braced_fractions(text: str) -> str:
    r"""Write ``\frac12`` and ``\frac1{2}`` as ``\frac{1}{2}``; where one of them is cut off, all stay as they are."""
    parts = text.split("\\frac")
    done = [parts[0]]
    for part in parts[1:]:
        if part.startswith("{"):
            done.append(part)
        elif len(part) < 2:
            return text
        else:
            bottom = part[1:] if part[1] == "{" else f"{{{part[1]}}}{part[2:]}"
            done.append(f"{{{part[0]}}}{bottom}")
    return "\\frac".join(done)
