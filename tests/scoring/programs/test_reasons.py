"""Reasons of wrong answers, by their sort."""

from __future__ import annotations

import pytest

from llmkit.scoring.programs.reasons import sort_of


@pytest.mark.parametrize(
    ("reason", "sort"),
    [
        ("timeout after 3 s", "timeout"),
        ("case 2 of 2: timeout: 10 s of processor time", "timeout"),
        ("memory: more than 64 MiB; MemoryError in assert add(1, 2) == 3", "memory"),
        ("output: more than 256 KiB", "output too long"),
        ("syntax error: SyntaxError (line 1): expected ':'", "syntax error"),
        ("the program does not load: NameError: name 'x' is not defined", "does not load"),
        ("no function add is defined", "no such function"),
        ("assert add(1, 2) == 3 (-1 was given)", "wrong result"),
        ("case 2 of 2: printed '3' where '10' was expected", "wrong result"),
        ("test_add[1-2-3] failed: assert 1 == 3", "wrong result"),
        ("TypeError: unsupported operand in assert add(1, 2) == 3", "TypeError"),
        ("case 1 of 2: ended with exit code 1: ValueError: no", "ended early"),
        ("the program ended before its tests did (exit code 0)", "ended early"),
        ("something else", "other"),
    ],
)
def test_a_reason_has_a_sort(reason: str, sort: str) -> None:
    assert sort_of(reason) == sort
