"""Each kind of instruction: an answer that follows it, and a near one that does not."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmkit.scoring.ifeval.kinds import KINDS, followed, variants

CASES: list[tuple[str, dict[str, Any], str, str]] = [
    ("change_case:capital_word_frequency", {"capital_frequency": 2, "capital_relation": "at least"},
     "A BIG-DAY now", "A day"),
    ("change_case:english_capital", {}, "THE WEATHER IS FINE TODAY", "The weather is fine today"),
    ("change_case:english_capital", {}, "THE WEATHER IS FINE TODAY", "DAS WETTER IST HEUTE WIRKLICH SEHR SCHÖN"),
    ("change_case:english_lowercase", {}, "the weather is fine today", "The weather is fine today"),
    ("combination:repeat_prompt", {"prompt_to_repeat": "Say it. "}, "SAY IT.\nIt.", "I say it. It."),
    ("combination:two_responses", {}, "one\n******\ntwo\n******", "one\n******\none"),
    ("combination:two_responses", {}, "one\n******\ntwo", "one\n******\n******\ntwo"),
    ("detectable_content:number_placeholders", {"num_placeholders": 2}, "[a] and [b c]", "[a\nb] and [c]"),
    ("detectable_content:postscript", {"postscript_marker": "P.S."}, "Bye\np. s. more", "Bye. PS more"),
    ("detectable_content:postscript", {"postscript_marker": "P.P.S"}, "P. P. S more", "P.S. more"),
    ("detectable_content:rephrase_paragraph", {"original_paragraph": "a b c c", "low": 2, "high": 3},
     "B c C d", "a b c c"),
    ("detectable_format:constrained_response", {}, "I think: My answer is maybe.", "Maybe."),
    ("detectable_format:json_format", {}, '```json\n{"a": 1}\n```', 'So: {"a": 1}'),
    ("detectable_format:multiple_sections", {"section_spliter": "Part", "num_sections": 2},
     "Part 1 x\nPart2", "Part one, Part two"),
    ("detectable_format:number_bullet_lists", {"num_bullets": 2}, "Two:\n  * a\n-b\n**no**", "* a\n* b\n* c"),
    ("detectable_format:number_highlighted_sections", {"num_highlights": 2}, "*a* and **b**", "*a* and ** **"),
    ("detectable_format:rephrasing", {"original_message": "I am *glad*."}, "I am *so happy*.", "I was *glad*."),
    ("detectable_format:title", {}, "x <<A poem>> y", "<< >>"),
    ("keywords:existence", {"keywords": ["c++", "rust"]}, "Rusty C++ code", "rust and c"),
    ("keywords:forbidden_words", {"forbidden_words": ["sun"]}, "sunny", "The Sun!"),
    ("keywords:frequency", {"keyword": "go ", "frequency": 2, "relation": "less than"}, "going", "go, Gopher"),
    ("keywords:key_sentences", {"key_sentences": ["I am.", "You are."], "num_sentences": 1},
     "I am. He is.", "I am. You are."),
    ("keywords:letter_frequency", {"letter": "#", "let_frequency": 2, "let_relation": "at least"}, "# a #", "# a"),
    ("language:response_language", {"language": "de"}, "Das Wetter ist heute schön.", "The weather is fine today."),
    ("length_constraints:nth_paragraph_first_word", {"num_paragraphs": 2, "nth_paragraph": 2, "first_word": "So"},
     'a\n\n"So, b', "a\n\nNow so"),
    ("length_constraints:number_paragraphs", {"num_paragraphs": 2}, "***\na\n***\nb", "a\n***\n***\nb"),
    ("length_constraints:number_sentences", {"num_sentences": 2, "relation": "less than"},
     "Dr. Who, e.g. him, is in.", "I am. You are."),
    ("length_constraints:number_words", {"num_words": 3, "relation": "at least"}, "one, two-three", "one two"),
    ("multi-turn:constrained_start", {"starter": "I say"}, "  I say so", "So I say"),
    ("punctuation:no_comma", {}, "none; here", "one, here"),
    ("startend:end_checker", {"end_phrase": "The end."}, 'It is "the END."', "The end. Or not"),
    ("startend:quotation", {}, ' "all of it" ', '"not" all'),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "arguments", "good", "bad"), CASES, ids=[case[0] for case in CASES])
def test_one_answer_follows_and_another_does_not(kind: str, arguments: dict[str, Any], good: str, bad: str) -> None:
    assert followed(kind, good, arguments)
    assert not followed(kind, bad, arguments)


def test_every_kind_has_a_case() -> None:
    assert {case[0] for case in CASES} == KINDS.keys()


@pytest.mark.parametrize("kind", KINDS)
def test_an_empty_answer_follows_nothing(kind: str) -> None:
    arguments = next(case[1] for case in CASES if case[0] == kind)
    assert not followed(kind, " \n", arguments)


@pytest.mark.parametrize(
    ("kind", "arguments", "said"),
    [
        ("punctuation:no_coma", {}, "Did you mean 'punctuation:no_comma'"),
        ("length_constraints:number_words", {"num_words": 3}, "relation"),
        ("length_constraints:number_words", {"num_words": 3, "relation": "about"}, "relation"),
        ("length_constraints:number_words", {"num_words": "many", "relation": "at least"}, "num_words"),
        ("punctuation:no_comma", {"num_words": 3}, "num_words"),
    ],
)
def test_what_no_instruction_takes_is_an_error(kind: str, arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        followed(kind, "text", arguments)


def test_arguments_that_are_null_are_those_of_other_kinds() -> None:
    assert followed("punctuation:no_comma", "text", {"num_words": None})


def test_a_number_that_a_table_made_a_float_is_a_number() -> None:
    assert followed("length_constraints:number_words", "a b", {"num_words": 2.0, "relation": "at least"})


def test_the_loose_readings_are_eight() -> None:
    assert list(variants("Sure!\n*a*\nBye")) == [
        "Sure!\n*a*\nBye", "Sure!\na\nBye", "*a*\nBye", "a\nBye", "Sure!\n*a*", "Sure!\na", "*a*", "a",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text", ["[" * 300_000, "<" * 300_000, "*" * 300_000, "- " * 150_000, "a\n" * 150_000, "P." * 150_000]
)
@pytest.mark.parametrize("kind", [kind for kind in KINDS if not kind.startswith(("language", "change_case"))])
def test_a_hostile_answer_takes_no_longer_than_it_is_long(kind: str, text: str) -> None:
    # A pattern that backtracks needs minutes for one of these; the run's own limit would end it.
    arguments = next(case[1] for case in CASES if case[0] == kind)
    assert followed(kind, text, arguments) in (True, False)


@given(st.text(max_size=200))
def test_any_text_gets_a_verdict_of_every_kind(text: str) -> None:
    for kind, arguments, *_ in CASES:
        assert isinstance(followed(kind, text, arguments), bool)
