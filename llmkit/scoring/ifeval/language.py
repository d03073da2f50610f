"""language and change_case: which language the whole answer is in, and in which letters."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from llmkit.errors import MissingExtraError
from llmkit.scoring.ifeval.relation import Count, Relation, holds
from llmkit.scoring.ifeval.sentences import tokens


def response_language(text: str, language: str) -> bool:
    """The answer is in a language, by its ISO 639-1 code, as langdetect finds it.

    An answer in which no language can be found (digits alone, say) counts as in it, as in the reference.
    """
    return detected(text) in (language, None)


def english_capital(text: str) -> bool:
    """English, and all letters are capitals."""
    return text.isupper() and response_language(text, "en")


def english_lowercase(text: str) -> bool:
    """English, and no letter is a capital."""
    return text.islower() and response_language(text, "en")


def capital_word_frequency(text: str, capital_frequency: Count, capital_relation: Relation) -> bool:
    """At least, or less than, so many words in capitals; a hyphenated word is one."""
    return holds(sum(1 for token in tokens(text) if token.isupper()), capital_relation, capital_frequency)


def detected(text: str) -> str | None:
    """Return the language that a text is in; None where none can be found.

    langdetect draws at random. Here it is seeded, so that the same answer has the same language each time.

    Raises:
        MissingExtraError: It is not installed.
    """
    factory = _factory()
    from langdetect.lang_detect_exception import LangDetectException

    detector = factory.create()
    detector.append(text)
    try:
        found: str = detector.detect()
    except LangDetectException:
        return None
    return found


@lru_cache(maxsize=1)
def _factory() -> Any:
    try:
        from langdetect import detector_factory
    except ImportError:
        raise MissingExtraError("the scorer instructions", "instructions") from None
    detector_factory.init_factory()
    factory = detector_factory._factory
    factory.seed = 0
    return factory
