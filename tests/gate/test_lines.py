"""Which lines changed, as a person would point at them."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmkit.documents import parse_yaml
from llmkit.gate.lines import MOST_LINES, field_lines, lines_of, said, stretches, within


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("abc", "abc", ()),
        ("abc", "aXc", ((2, 2),)),
        ("abc", "abcd", ((4, 4),)),
        ("abc", "XYabc", ((1, 2),)),
        ("abcdef", "aXcdYf", ((2, 2), (5, 5))),
        ("abc", "ac", ((1, 1),)),  # b went: the line before it
        ("abc", "bc", ((1, 1),)),  # the first line went
        ("abc", "", ((1, 1),)),
        ("", "abc", ((1, 3),)),
    ],
)
def test_stretches_are_the_new_lines(old: str, new: str, expected: tuple[tuple[int, int], ...]) -> None:
    assert stretches(list(old), list(new)) == expected


TEXTS = st.lists(st.sampled_from("abc"), max_size=12)


@given(TEXTS, TEXTS)
def test_stretches_are_ascending_lines_of_the_new_text_and_cover_all_that_is_new(
    old: list[str], new: list[str]
) -> None:
    found = stretches(old, new)
    assert (found == ()) == (old == new)
    assert all(1 <= low <= high <= max(len(new), 1) for low, high in found)
    assert all(before[0] <= after[0] for before, after in pairwise(found))
    kept = iter(old)  # what is outside of the stretches stood in the old text, in this order
    outside = [line for n, line in enumerate(new, 1) if not any(low <= n <= high for low, high in found)]
    assert all(line in kept for line in outside)


def test_very_long_texts_are_one_stretch() -> None:
    old, new = [f"a{n}" for n in range(MOST_LINES + 1)], [f"b{n}" for n in range(MOST_LINES + 2)]
    assert stretches(["x", *old], ["x", *new]) == ((2, MOST_LINES + 3),)


def test_lines_are_the_same_whatever_ends_them() -> None:
    assert lines_of(b"\xef\xbb\xbfa\r\nb\rc\n") == lines_of(b"a\nb\nc") == ["a", "b", "c"]
    assert lines_of(b"") == [""]
    assert lines_of(b"\xff") == ["\ufffd"]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [(((1, 9),), ((3, 5),)), (((1, 3), (5, 9)), ((3, 3), (5, 5))), (((1, 2),), ((3, 3),)), ((), ((3, 3),))],
)
def test_what_lies_within_a_field_or_the_fields_first_line(
    changed: tuple[tuple[int, int], ...], expected: tuple[tuple[int, int], ...]
) -> None:
    assert within(changed, 3, 5) == expected


def test_a_field_reaches_to_the_next_one() -> None:
    document = parse_yaml("a: 1\nb:\n  c: 2\n  d: 3\ne: 4\n")
    assert field_lines(document, 5, "b") == (2, 4)
    assert field_lines(document, 5, "b", "d") == (4, 4)
    assert field_lines(document, 7, "e") == (5, 7)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ((), ""),
        (((4, 4),), " in line 4"),
        (((4, 6),), " in lines 4–6"),
        (((1, 1), (4, 6), (9, 9)), " in lines 1, 4–6 and 9"),
    ],
)
def test_lines_are_named_for_people(lines: tuple[tuple[int, int], ...], expected: str) -> None:
    assert said(lines) == expected
