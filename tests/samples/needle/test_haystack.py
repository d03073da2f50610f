"""Where sentences begin, and how many tokens lie between."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmkit.samples.needle.haystack import LONGEST_SENTENCE, Haystack, sentence_starts
from tests.samples.needle.counting import Counted, Words


def sentences(text):
    starts = [*sentence_starts(text), len(text)]
    return [text[a:b] for a, b in itertools.pairwise(starts)]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("One. Two! Three?", ["One. ", "Two! ", "Three?"]),
        ("“It is,” she said. “Good.” He went.", ["“It is,” she said. ", "“Good.” ", "He went."]),
        ("A line\nanother", ["A line\n", "another"]),
        ("It costs 3.50 euros. Yes.", ["It costs 3.50 euros. ", "Yes."]),
        ("第一句。第二句！", ["第一句。", "第二句！"]),
        ("no end", ["no end"]),
    ],
)
def test_sentences(text, parts):
    assert sentences(text) == parts


def test_what_has_no_sentences_is_cut_where_a_word_ends():
    parts = sentences("word " * 500)
    assert max(map(len, parts)) <= LONGEST_SENTENCE
    assert all(part.startswith("word ") for part in parts)


@given(st.text(st.sampled_from("ab. \n“。"), max_size=1500))
def test_sentences_are_the_text_again(text):
    text = text.strip()
    parts = sentences(text)
    assert "".join(parts) == text
    assert max(map(len, parts)) <= LONGEST_SENTENCE
    assert sentence_starts(text) == sorted(set(sentence_starts(text)))


def test_tokens_between_two_places():
    haystack = Haystack("One two. Three four five.", Words())
    assert haystack.tokens == Words().count(haystack.text)
    assert haystack.between(0, 8) == Words().count("One two.")


def test_a_reach_ends_with_a_whole_word():
    haystack = Haystack("One elephant. Three four five.", Words())
    for tokens in range(haystack.tokens + 1):
        end = haystack.reach(0, tokens)
        assert haystack.between(0, end) <= tokens
        assert end == 0 or haystack.text[end - 1] != " "
        assert not (haystack.text[end - 1 : end].isalpha() and haystack.text[end : end + 1].isalpha()) or end == 0


def test_without_offsets_tokens_are_spread_over_what_was_counted():
    text = "Some words of a text. " * 2000
    known, spread = Haystack(text.strip(), Words()), Haystack(text.strip(), Counted())
    for offset in range(0, len(text), 5000):
        assert spread.before(offset) == pytest.approx(known.before(offset), abs=12)
