"""Which lines of a file differ from what it was."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from llmkit.documents import Document

Stretches = tuple[tuple[int, int], ...]
"""First and last line of each stretch, from 1, ascending."""

MOST_LINES = 5_000
"""Longer texts are not compared line by line: that takes time with the square of their length."""


def lines_of(content: bytes) -> list[str]:
    """Split a text, whatever its line ends and its bytes are."""
    text = content.decode("utf-8-sig", "replace").replace("\r\n", "\n").replace("\r", "\n")
    return text.split("\n")[: -1 if text.endswith("\n") else None]


def stretches(old: Sequence[str], new: Sequence[str]) -> Stretches:
    """Return what of ``new`` is not in ``old``; where lines only went, the line before them."""
    start = 0
    while start < min(len(old), len(new)) and old[start] == new[start]:
        start += 1
    end = 0
    while end < min(len(old), len(new)) - start and old[-1 - end] == new[-1 - end]:
        end += 1
    before, after = old[start : len(old) - end], new[start : len(new) - end]
    if max(len(before), len(after)) > MOST_LINES:
        return ((start + 1, start + max(len(after), 1)),)
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    changed = [(start + low, start + high) for tag, _, _, low, high in matcher.get_opcodes() if tag != "equal"]
    return tuple((low + 1, high) if high > low else (max(low, 1), max(low, 1)) for low, high in changed)


def within(changed: Stretches, first: int, last: int) -> Stretches:
    """Return the part of the stretches that lies between two lines; the first line where there is none."""
    found = tuple((max(low, first), min(high, last)) for low, high in changed if low <= last and high >= first)
    return found or ((first, first),)


def field_lines(document: Document, length: int, *keys: str) -> tuple[int, int]:
    """Return the first and last line of a top-level field, or the line of a field in it."""
    first = document.line(*keys) or 1
    if len(keys) > 1:
        return first, first
    later = [line for at, line in document.lines.items() if len(at) == 1 and line > first]
    return first, max(first, min(later, default=length + 1) - 1)


def said(lines: Stretches) -> str:
    """Name lines for people: ``in lines 4–6 and 9``."""
    if not lines:
        return ""
    names = [str(low) if low == high else f"{low}–{high}" for low, high in lines]
    many = len(names) > 1 or lines[0][0] != lines[0][1]
    return f" in line{'s' * many} {' and '.join([', '.join(names[:-1]), names[-1]] if names[:-1] else names)}"
