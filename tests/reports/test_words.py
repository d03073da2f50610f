"""What differs between two answers, by words."""

from hypothesis import given
from hypothesis import strategies as st

from llmkit.reports.words import CONTEXT, ELLIPSIS, LONGEST, MOST_CHANGES, Piece, differing, middle_cut
from tests.timing import processor_time_below

TEXTS = st.lists(st.sampled_from(["a", "b", "cat", ",", ".", "\n", " ", "  ", "é", "日本"]), max_size=40).map("".join)


def text_of(pieces):
    return "".join(piece.text for piece in pieces)


def test_the_words_that_differ_are_told_from_those_that_are_shared():
    a, b = differing("The answer is 4, of course.", "The answer is 5, of course.")
    assert a == (Piece("The answer is "), Piece("4", "other"), Piece(", of course."))
    assert b == (Piece("The answer is "), Piece("5", "other"), Piece(", of course."))


def test_words_differ_as_a_whole():
    a, _ = differing("It is seventeen now", "It is seventy now")
    assert Piece("seventeen", "other") in a


def test_what_one_side_alone_has_is_marked_on_that_side_alone():
    a, b = differing("It is red", "It is not red")
    assert {piece.kind for piece in a} == {"same"}
    assert text_of(piece for piece in b if piece.kind == "other").strip() == "not"


def test_neighbouring_changes_are_one_change():
    a, b = differing("I saw one red fish there", "I saw one blue bird there")
    assert [piece.text for piece in a if piece.kind == "other"] == ["red fish"]
    assert [piece.text for piece in b if piece.kind == "other"] == ["blue bird"]


def test_answers_with_nothing_in_common_are_shown_plainly():
    assert differing("Paris", "Lyon, I think") == ((Piece("Paris"),), (Piece("Lyon, I think"),))


def test_an_empty_answer_has_no_piece():
    assert differing("", "four") == ((), (Piece("four"),))


def test_a_change_of_blanks_alone_is_marked():
    a, b = differing("yes it is", "yes  it is")
    assert Piece("  ", "other") in b
    assert Piece(" ", "other") in a


def test_long_answers_are_cut_around_what_differs():
    filler = "and so on, as before, " * 60
    a, b = differing(f"{filler}It is 42. {filler}", f"{filler}It is 43. {filler}")
    assert len(text_of(a)) < 3 * CONTEXT
    assert text_of(a).startswith(ELLIPSIS)
    assert text_of(a).endswith(ELLIPSIS)
    assert "It is 42. " in text_of(a)
    assert Piece("43", "other") in b


def test_of_many_changes_the_first_are_shown_and_the_rest_counted():
    a, b = differing(" same word left x".join("abcdefghi"), " same word left x".join("123456789"))
    for pieces in (a, b):
        assert sum(piece.kind == "other" for piece in pieces) == MOST_CHANGES
        assert text_of(pieces).endswith(f"{ELLIPSIS} and {9 - MOST_CHANGES} more differences")


def test_the_middle_of_a_long_text_is_left_out():
    cut = middle_cut("x" * 500 + "the end?")
    assert len(cut) == LONGEST
    assert cut.endswith("the end?")
    assert middle_cut("short") == "short"


def test_huge_answers_take_no_time():
    with processor_time_below(5):
        differing(" ".join(map(str, range(100_000))), " ".join(map(str, range(7, 200_000, 2))))
        differing("a b " * 700, "b a c " * 450)


@given(TEXTS, TEXTS)
def test_short_answers_lose_no_character_and_what_is_shared_is_the_same(a, b):
    a, b = a[:LONGEST], b[:LONGEST]
    one, two = differing(a, b)
    if not any(piece.kind == "cut" for piece in one):
        assert (text_of(one), text_of(two)) == (a, b)
    if any(piece.kind == "other" for piece in (*one, *two)):
        assert text_of(p for p in one if p.kind == "same") == text_of(p for p in two if p.kind == "same")
