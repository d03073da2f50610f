"""The kinds of instructions by their ids, and how one is checked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

from pydantic import ValidationError, validate_call

from llmkit.errors import nearest
from llmkit.scoring.ifeval import content, ends, keywords, language, layout, lengths

Kind = Callable[..., bool]

KINDS: Mapping[str, Kind] = {
    "change_case:capital_word_frequency": language.capital_word_frequency,
    "change_case:english_capital": language.english_capital,
    "change_case:english_lowercase": language.english_lowercase,
    "combination:repeat_prompt": ends.repeat_prompt,
    "combination:two_responses": ends.two_responses,
    "detectable_content:number_placeholders": content.number_placeholders,
    "detectable_content:postscript": content.postscript,
    "detectable_content:rephrase_paragraph": content.rephrase_paragraph,
    "detectable_format:constrained_response": layout.constrained_response,
    "detectable_format:json_format": layout.json_format,
    "detectable_format:multiple_sections": layout.multiple_sections,
    "detectable_format:number_bullet_lists": layout.number_bullet_lists,
    "detectable_format:number_highlighted_sections": layout.number_highlighted_sections,
    "detectable_format:rephrasing": layout.rephrasing,
    "detectable_format:title": layout.title,
    "keywords:existence": keywords.existence,
    "keywords:forbidden_words": keywords.forbidden_words,
    "keywords:frequency": keywords.frequency,
    "keywords:key_sentences": keywords.key_sentences,
    "keywords:letter_frequency": keywords.letter_frequency,
    "language:response_language": language.response_language,
    "length_constraints:nth_paragraph_first_word": lengths.nth_paragraph_first_word,
    "length_constraints:number_paragraphs": lengths.number_paragraphs,
    "length_constraints:number_sentences": lengths.number_sentences,
    "length_constraints:number_words": lengths.number_words,
    "multi-turn:constrained_start": ends.constrained_start,
    "punctuation:no_comma": ends.no_comma,
    "startend:end_checker": ends.end_checker,
    "startend:quotation": ends.quotation,
}
"""The 25 kinds of IFEval's data, and four more that its reference implementation knows."""


def followed(kind: str, text: str, arguments: Mapping[str, Any]) -> bool:
    """Whether an answer follows one instruction; an empty answer follows none.

    Args:
        kind: Its id.
        text: The answer.
        arguments: The instruction's; those that are null are left out, as the data on the hub fill rows with them.

    Raises:
        ValueError: No such kind, or arguments that it does not take.
    """
    if kind not in KINDS:
        raise ValueError(f"no instruction {kind!r}. {nearest(kind, KINDS)}")
    given = {name: value for name, value in arguments.items() if value is not None}
    try:
        return _checked(kind)(text, **given) and bool(text.strip())
    except ValidationError as error:
        first = error.errors()[0]
        raise ValueError(f"{kind}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None


def variants(text: str) -> Iterator[str]:
    """Yield an answer's loose readings: without its first line, its last, both; and each without asterisks.

    Models put a sentence before or after what was asked for, or mark it bold (Zhou et al., 2023, section 2.2).
    """
    lines = text.split("\n")
    for cut in (lines, lines[1:], lines[:-1], lines[1:-1]):
        reading = "\n".join(cut).strip() if cut is not lines else text
        yield reading
        yield reading.replace("*", "")


@cache
def _checked(kind: str) -> Kind:
    return validate_call(KINDS[kind])
