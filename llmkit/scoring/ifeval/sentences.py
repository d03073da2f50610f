"""Sentences and words, as the instructions count them."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

# The reference splits with Punkt trained on English, whose data NLTK fetches from the net. Punkt itself needs none:
# it is told the abbreviations that a full stop does not end a sentence after.
_ABBREVIATIONS = (
    "mr mrs ms dr prof rev hon st jr sr gen col capt lt sgt gov sen rep pres mt ave blvd rd apt "
    "jan feb mar apr jun jul aug sep sept oct nov dec mon tue tues wed thu thur thurs fri sat sun "
    "inc ltd co corp dept univ assn bros est no nos vol vols ed eds fig figs pp ch sec "
    "e.g i.e etc cf vs viz al approx ca a.m p.m u.s u.k u.n d.c ph.d b.a m.a b.sc m.sc"
)


def sentences(text: str) -> list[str]:
    """Split a text into sentences (Kiss and Strunk, 2006, as NLTK's Punkt has it, with our list of abbreviations)."""
    found: list[str] = _punkt().tokenize(text)
    return found


def word_count(text: str) -> int:
    """Count words: runs of letters, digits and underscores, as the reference counts them."""
    return sum(1 for _ in re.finditer(r"\w+", text))


def tokens(text: str) -> list[str]:
    """Split a text into words and marks as the Penn Treebank does; a hyphenated word is one."""
    from nltk.tokenize.destructive import NLTKWordTokenizer

    split = NLTKWordTokenizer().tokenize
    return [token for sentence in sentences(text) for token in split(sentence)]


@lru_cache(maxsize=1)
def _punkt() -> Any:
    from nltk.tokenize.punkt import PunktParameters, PunktSentenceTokenizer

    parameters = PunktParameters()
    parameters.abbrev_types.update(_ABBREVIATIONS.split())
    return PunktSentenceTokenizer(parameters)
