"""length_constraints: how many words, sentences and paragraphs."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import Field

from llmkit.scoring.ifeval.relation import Count, Relation, holds
from llmkit.scoring.ifeval.sentences import sentences, word_count

_DIVIDER = re.compile(r"\s?\*\*\*\s?")
_ENDS_A_WORD = re.compile(r"[.,?!'\"]")


def number_words(text: str, num_words: Count, relation: Relation) -> bool:
    """At least, or less than, so many words."""
    return holds(word_count(text), relation, num_words)


def number_sentences(text: str, num_sentences: Count, relation: Relation) -> bool:
    """At least, or less than, so many sentences."""
    return holds(len(sentences(text)), relation, num_sentences)


def number_paragraphs(text: str, num_paragraphs: Count) -> bool:
    """Just so many paragraphs, parted by ``***``; only the first and the last part may be empty, and do not count."""
    first, *rest = [bool(part.strip()) for part in _DIVIDER.split(text)]
    if not all(rest[:-1]):
        return False
    return sum((first, *rest)) == num_paragraphs


def nth_paragraph_first_word(
    text: str, num_paragraphs: Count, nth_paragraph: Annotated[int, Field(ge=1)], first_word: str
) -> bool:
    """Just so many paragraphs, parted by a blank line, and the nth begins with a word.

    As in the reference, a blank part is not counted but keeps its place when the nth is looked for.
    """
    parts = [part.strip() for part in text.split("\n\n")]
    count = sum(1 for part in parts if part)
    if count != num_paragraphs or nth_paragraph > count or not parts[nth_paragraph - 1]:
        return False
    begins = parts[nth_paragraph - 1].split(maxsplit=1)[0].lstrip("'").lstrip('"')
    return _ENDS_A_WORD.split(begins, maxsplit=1)[0].lower() == first_word.lower()
