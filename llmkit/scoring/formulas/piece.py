r"""Which piece of an answer is compared: a formula by itself, or a text that Math-Verify's patterns search."""

from __future__ import annotations

import re
from itertools import islice
from typing import Literal, NamedTuple

from llmkit.scoring.extract import announced, boxed
from llmkit.scoring.number import numbers

Where = Literal["auto", "boxed", "announced", "last", "whole"]
Form = Literal["formula", "search"]

SEARCHED = 100_000  # characters from the end: the final answer stands there, and patterns take time
_ALONE = 1_000  # a formula that is an answer by itself is not longer
_PAIRS = (("$$", "$$"), ("$", "$"), (r"\(", r"\)"), (r"\[", r"\]"))
_DELIMITED = re.compile(r"(?<!\\)\$|\\[(\[]|\\f?box(?:ed)?\b")
# Cobbe et al., 2021; a longer line after #### is a Markdown heading.
_MARK = re.compile(r"####[ \t]{0,9}(\S{1,40})[ \t]{0,9}$", re.MULTILINE)
_COMMANDS = re.compile(r"\\(?:text\w*|mbox|math\w*|operatorname|begin|end)\s?\{[^{}]*\}|\\[A-Za-z]+")
_WORD = re.compile(
    r"(?!(?:arc)?(?:sin|cos|tan|cot|sec|csc)h?(?![a-z])|(?:log|exp|min|max|gcd|lcm|mod|det|sqrt|inf|and)(?![a-z]))"
    r"(?<![^\W\d_])[^\W\d_]{3,}"
)


class Piece(NamedTuple):
    """A piece of a text, and how it is read.

    ``formula``: all of it is one formula, in LaTeX or plain. ``search``: the final answer is somewhere in it.
    """

    text: str
    form: Form


def piece(text: str, where: Where) -> Piece | None:
    r"""Return what counts of an answer; None where there is no such piece.

    - ``whole``: the text is one formula, ``$…$`` around it or not; prose is none.
    - ``boxed``: what the last ``\boxed{…}`` holds.
    - ``announced``: the line after the last ``####``, ``answer is`` or ``answer:``.
    - ``last``: the last ``$…$``, ``\(…\)`` or ``\[…\]``, or the last number where one stands behind it.
    - ``auto``: the whole text if it is one formula; what the last ``####`` marks; else the text, to be searched (its
      last ``SEARCHED`` characters).
    """
    if where == "boxed":
        inside = boxed(text)
        return Piece(inside, "formula") if inside else None
    if where == "announced":
        return _announced(text)
    if where == "last":
        return _last(text)
    found = _formula(text)
    return found if where == "whole" or found else _marked(text) or Piece(text[-SEARCHED:], "search")


def reference_piece(text: str) -> Piece | None:
    r"""Return what counts of a reference; None where it is prose of no number, or of several.

    The first of these that there is: the text as one formula; what its last ``####`` marks; the text, to be searched,
    where it has formulas in ``$…$`` or boxes; what it announces; its one number.
    """
    found = _formula(text) or _marked(text)
    if found is not None:
        return found
    if _DELIMITED.search(text):
        return Piece(text[-SEARCHED:], "search")
    there = list(islice(numbers(text), 2))
    return _announced(text) or (Piece(there[0].text, "formula") if len(there) == 1 else None)


def _formula(text: str) -> Piece | None:
    bare = _bare(text.strip())
    if (
        not bare
        or "####" in bare
        or len(bare) > _ALONE
        or _DELIMITED.search(bare)
        or _WORD.search(_COMMANDS.sub(" ", bare))
    ):
        return None
    return Piece(bare, "formula")


def _bare(text: str) -> str:
    """Drop the delimiters around a formula, and a full stop at its end."""
    text = text.removesuffix(".").rstrip()
    for opening, closing in _PAIRS:
        if len(text) > len(opening) + len(closing) and text.startswith(opening) and text.endswith(closing):
            return text[len(opening) : -len(closing)].strip().removesuffix(".").rstrip()
    return text


def _marked(text: str) -> Piece | None:
    """Return what GSM8K's mark announces."""
    mark = None
    for mark in _MARK.finditer(text):  # noqa: B007
        pass
    return Piece(mark[1], "formula") if mark else None


def _announced(text: str) -> Piece | None:
    after = announced(text)
    if not after:
        return None
    line = after.partition("\n")[0]
    for opening, closing in _PAIRS:  # a formula of several lines
        end = after.find(closing, len(opening))
        if after.startswith(opening) and end > 0:
            line = after[: max(end + len(closing), len(line))]
            break
    return _formula(line) or Piece(line[-SEARCHED:], "search")


def _last(text: str) -> Piece | None:
    start, end, inside = max((_segment(text, *pair) for pair in _PAIRS[1:]), key=lambda segment: segment[1])
    number = None
    for number in numbers(text[max(end, 0) :]):  # noqa: B007
        pass
    if number is not None:
        return Piece(number.text, "formula")
    return Piece(inside, "formula") if start >= 0 and inside else None


def _segment(text: str, opening: str, closing: str) -> tuple[int, int, str]:
    """Return start, end and content of the last formula between delimiters; -1, -1 where there is none.

    A dollar before a digit closes nothing, as Pandoc has it: "$5 and $7" is money.
    """
    stop = len(text)
    while (end := text.rfind(closing, 0, stop)) >= 0:
        stop = end
        money = closing == "$" and (text[end + 1 : end + 2].isdigit() or text[max(end - 1, 0) : end] in ("", "\\"))
        if money:
            continue
        before = end - 1 if closing == "$" and text[end - 1] == "$" else end
        start = text.rfind(opening, 0, before)
        if start < 0:
            break
        return start, end + len(closing), text[start + len(opening) : before].strip(" $")
    return -1, -1, ""
