"""keywords: words and letters that must occur, or must not."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from llmkit.scoring.ifeval.relation import Count, Relation, holds
from llmkit.scoring.ifeval.sentences import sentences

# The reference takes words for patterns; here they are what they say, so that "c++" is no error.


def existence(text: str, keywords: Sequence[str]) -> bool:
    """Every keyword occurs, in whatever case, also within a longer word."""
    return all(_times(keyword, text) for keyword in keywords)


def frequency(text: str, keyword: str, frequency: Count, relation: Relation) -> bool:
    """The keyword occurs at least, or less than, so many times, also within longer words."""
    return holds(_times(keyword.strip(), text), relation, frequency)


def forbidden_words(text: str, forbidden_words: Sequence[str]) -> bool:
    """No word of the list stands in the answer by itself, in whatever case."""
    return not any(re.search(rf"\b{re.escape(word)}\b", text, re.IGNORECASE) for word in forbidden_words)


def letter_frequency(text: str, letter: str, let_frequency: Count, let_relation: Relation) -> bool:
    """A letter occurs at least, or less than, so many times, in either case.

    The data ask for ``#`` and ``!``, too. The reference puts a random letter in their place; here they are counted.
    """
    return holds(Counter(text.lower())[letter.strip().lower()], let_relation, let_frequency)


def key_sentences(text: str, key_sentences: Sequence[str], num_sentences: Count) -> bool:
    """Just so many of the sentences stand in the answer, word for word and as sentences."""
    there = set(sentences(" ".join(text.split())))
    return sum(" ".join(sentence.split()) in there for sentence in set(key_sentences)) == num_sentences


def _times(word: str, text: str) -> int:
    return len(re.findall(re.escape(word), text, re.IGNORECASE))
