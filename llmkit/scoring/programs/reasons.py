"""What sort of reason it is that a program was wrong for, so that reasons can be counted."""

from __future__ import annotations

import re

WRONG_RESULT = "wrong result"
_CASE = re.compile(r"case \d+ of \d+: ")
_SORTS = (
    (re.compile(r"timeout\b"), "timeout"),
    (re.compile(r"memory: "), "memory"),
    (re.compile(r"output: "), "output too long"),
    (re.compile(r"syntax error\b"), "syntax error"),
    (re.compile(r"the program does not load: "), "does not load"),
    (re.compile(r"no function "), "no such function"),
    (re.compile(r"printed "), WRONG_RESULT),
    (re.compile(r"assert\b|AssertionError\b|\S+ failed: assert\b"), WRONG_RESULT),
    (re.compile(r"ended with exit code |was killed|the program ended "), "ended early"),
)
"""How reasons begin, as ``trial`` and ``inside`` word them → their sort; the first that fits."""
_ERROR = re.compile(r"(?:\S+ failed: )?((?:[A-Za-z_]\w{0,80}\.){0,9}[A-Z]\w{0,80}(?:Error|Exception|Interrupt|Exit))\b")


def sort_of(reason: str) -> str:
    """Return a few words that reasons of one sort share: ``timeout``, ``wrong result``, ``TypeError``; else ``other``.

    Args:
        reason: Of a wrong answer's score.
    """
    reason = reason[found.end() :] if (found := _CASE.match(reason)) else reason
    for begins, sort in _SORTS:
        if begins.match(reason):
            return sort
    error = _ERROR.match(reason)
    return error[1] if error else "other"
