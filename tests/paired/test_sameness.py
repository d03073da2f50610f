"""Answers that stay the same, and those that do not."""

from __future__ import annotations

import math

import pytest

from llmkit.paired.pairing import pair
from llmkit.paired.rows import Chosen, hash_of
from llmkit.paired.sameness import TIE, sameness
from llmkit.types import TokenLogprob
from tests.paired.sides import row, side


def answers(*texts, first=0):
    return [
        row(f"s{i}", 1.0, answer=first + i, said=None if text is None else hash_of(text), answered=text is not None)
        for i, text in enumerate(texts)
    ]


def chose(token, p, other, q):
    tops = ((token, math.log(p)), (other, math.log(q)))
    return Chosen(token, "stop", (TokenLogprob(token, math.log(p), tops),))


def same(a, b, **more):
    return sameness(a, b, pair(a[1], b[1]), **more)


def test_texts_that_are_equal_to_the_byte_are_the_same_and_nothing_is_read_of_them():
    a, b = side(answers("x", "y ", "z")), side(answers("x", "y ", "z", first=10))
    found = same(a, b)
    assert (found.pairs, found.same, found.tied, found.beyond, found.unknown) == (3, 3, 0, 0, 0)
    assert a[0].asked == b[0].asked == []
    assert found.tolerance == TIE


def test_a_blank_more_is_another_answer():
    assert same(side(answers("x")), side(answers("x ", first=5))).same == 0


def test_those_that_differ_are_told_apart_by_their_first_differing_token():
    a = side(answers("c", "c", "c", "same"), {0: chose("c", 0.5, "d", 0.49), 1: chose("c", 0.9, "d", 0.1)})
    b = side(answers("d", "d", "d", "same", first=10), {10: chose("d", 0.5, "c", 0.49), 11: chose("d", 0.6, "c", 0.4)})
    found = same(a, b)
    assert (found.pairs, found.same, found.tied, found.beyond, found.unknown, found.logged) == (4, 1, 1, 1, 1, 0)
    assert found.examples == ("s1", "s2", "s0")
    assert (a[0].asked, b[0].asked) == ([0, 1, 2], [10, 11, 12])


def test_the_tolerance_is_the_users():
    a, b = (
        side(answers("c"), {0: chose("c", 0.5, "d", 0.4)}),
        side(answers("d", first=1), {1: chose("d", 0.5, "c", 0.4)}),
    )
    assert same(a, b, tolerance=0.3).tied == 1
    assert same(a, b, tolerance=0.1).beyond == 1


def test_log_probabilities_that_settle_nothing_are_counted_apart():
    a = side(answers("c"), {0: Chosen("c", "stop", (TokenLogprob("c", -0.7),))})
    b = side(answers("d", first=1), {1: Chosen("d", "stop", (TokenLogprob("d", -0.7),))})
    assert (same(a, b).unknown, same(a, b).logged) == (1, 1)


def test_a_shared_answer_is_no_evidence_and_no_answer_is_no_pair():
    a = side([row("s0", 1.0, answer=7, said=1), row("s1", 1.0, answer=1, said=2), row("s2", answered=False)])
    b = side([row("s0", 1.0, answer=7, said=1), row("s1", 1.0, answer=2, said=2), row("s2", 1.0, answer=3, said=3)])
    found = same(a, b)
    assert (found.pairs, found.same, found.shared) == (1, 1, 1)


def test_where_no_pair_has_two_answers_there_is_nothing_to_say():
    assert same(side(answers(None)), side(answers("x"))) is None


@pytest.mark.parametrize("count", [700])
def test_log_probabilities_are_read_a_part_at_a_time(count):
    a, b = side(answers(*["x"] * count)), side(answers(*["y"] * count, first=count))
    assert same(a, b).unknown == count
    assert a[0].asked == list(range(count))
