"""Where two answers part, and by how much."""

from __future__ import annotations

import math

import pytest

from llmkit.paired.parting import parting
from llmkit.paired.rows import Chosen
from llmkit.types import TokenLogprob


def said(*tokens, finish="stop", text=None):
    """An answer of tokens: a text, its probability, and alternatives with theirs."""
    made = tuple(
        TokenLogprob(token, math.log(p), tuple((name, math.log(q)) for name, q in {token: p, **top}.items()))
        for token, p, top in tokens
    )
    return Chosen("".join(t.token for t in made) if text is None else text, finish, made)


def bare(text, finish="stop"):
    """An answer that was stored without log-probabilities."""
    return Chosen(text, finish, None)


START = ("The", 0.9, {"A": 0.1})


def test_two_candidates_as_likely_on_both_sides_are_a_tie():
    a = said(START, (" cat", 0.45, {" dog": 0.44}))
    b = said(START, (" dog", 0.45, {" cat": 0.44}))
    assert parting(a, b, 0.125) == "tie"


def test_the_tolerance_decides():
    a = said(START, (" cat", 0.5, {" dog": 0.4}))
    b = said(START, (" dog", 0.5, {" cat": 0.4}))
    gap = math.log(0.5 / 0.4)
    assert parting(a, b, gap + 1e-6) == "tie"
    assert parting(a, b, gap - 1e-6) == "more"


def test_a_tie_on_the_damaged_side_alone_is_none():
    a = said(START, (" cat", 0.9, {" dog": 0.05}))
    b = said(START, (" dog", 0.45, {" cat": 0.44}))
    assert parting(a, b, 0.125) == parting(b, a, 0.125) == "more"


def test_only_the_first_token_that_differs_counts():
    a = said(START, (" cat", 0.45, {" dog": 0.44}), (" sat", 0.99, {" lay": 0.01}))
    b = said(START, (" dog", 0.45, {" cat": 0.44}), (" lay", 0.99, {" sat": 0.01}))
    assert parting(a, b, 0.125) == "tie"


def test_a_candidate_that_is_not_among_the_likeliest_is_no_likelier_than_the_least_of_them():
    a = said(START, (" cat", 0.4, {" dog": 0.38, " fox": 0.1}))
    b = said(START, (" owl", 0.4, {" dog": 0.38, " fox": 0.1}))
    assert parting(a, b, 0.125) == "more"
    close = said(START, (" cat", 0.4, {" dog": 0.38}))
    assert parting(close, said(START, (" owl", 0.4, {" dog": 0.38})), 0.125) == "unknown"


def test_the_chosen_tokens_alone_show_no_tie_but_can_show_more():
    sure = said(START, (" cat", 0.8, {})), said(START, (" dog", 0.5, {}))
    assert parting(*sure, 0.125) == "more"
    open_ = said(START, (" cat", 0.5, {})), said(START, (" dog", 0.5, {}))
    assert parting(*open_, 0.125) == "unknown"


def test_one_side_alone_tells_by_the_text_of_the_other():
    a = said(START, (" cat", 0.45, {" dog": 0.44}), (" sat", 1.0, {}))
    assert parting(a, bare("The dog lay"), 0.125) == parting(bare("The dog lay"), a, 0.125) == "tie"
    assert parting(said(START, (" cat", 0.9, {" dog": 0.05})), bare("The dog"), 0.125) == "more"
    assert parting(a, bare("The owl"), 0.125) == "unknown"


def test_an_end_that_is_stored_without_a_text_is_a_candidate_like_others():
    ended = said(START, ("", 0.5, {" dog": 0.49}))
    assert parting(ended, bare("The dog"), 0.125) == "tie"
    assert parting(ended, said(START, (" dog", 0.5, {"": 0.49})), 0.125) == "tie"


def test_tokens_that_do_not_make_up_their_own_text_say_nothing_of_another():
    a = said((" The", 0.9, {}), (" cat", 0.45, {" dog": 0.44}), text="The cat")
    assert parting(a, bare("The dog"), 0.125) == "unknown"


def test_an_end_may_be_any_alternative_and_a_cut_is_none():
    longer = said(START, (" cat", 0.5, {"": 0.49}))
    sure = said(START, (" cat", 0.9, {"": 0.1}))
    ended = said(START)
    assert parting(longer, ended, 0.125) == parting(ended, longer, 0.125) == "unknown"
    assert parting(sure, ended, 0.125) == parting(sure, bare("The"), 0.125) == "more"
    cut = said(START, finish="length")
    assert parting(sure, cut, 0.125) == parting(sure, bare("The", "length"), 0.125) == "unknown"


def test_nothing_stored_shows_nothing():
    assert parting(bare("a"), bare("b"), 0.125) == parting(None, bare("b"), 0.125) == "unknown"


def test_parts_of_characters_look_the_same_and_are_not_taken_for_each_other():
    a, b = said(("\ufffd", 0.5, {}), ("x", 1.0, {})), said(("\ufffd", 0.2, {}), ("y", 1.0, {}))
    assert parting(a, b, 0.125) == "unknown"


def test_continuations_that_were_compared_have_a_gap_of_their_own():
    def compared(text, first, second):
        return Chosen(text, "compared", (TokenLogprob("A", first), TokenLogprob("B", second)))

    assert parting(compared("A", -1.0, -1.05), compared("B", -1.05, -1.0), 0.125) == "tie"
    assert parting(compared("A", -1.0, -3.0), compared("B", -1.05, -1.0), 0.125) == "more"
    assert parting(compared("A", -1.0, -1.05), compared("C", -1.0, -1.0), 0.125) == "unknown"


@pytest.mark.parametrize("p", [1.0, 0.999999])
def test_a_certain_token_leaves_nothing_to_another(p):
    assert parting(said(("x", p, {})), said(("y", p, {})), 0.125) == "more"
