"""Text normalisation, spelled out: what two texts may differ in and still count as the same."""

from __future__ import annotations

import re
import string
import unicodedata
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Literal

from pydantic import Field

from llmkit.scoring.builtin import Builtin

Whitespace = Literal["collapse", "strip", "keep"]
UnicodeForm = Literal["NFC", "NFKC", "none"]
Step = Callable[[str], str]

_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
_ARTICLES_ANY_CASE = re.compile(_ARTICLES.pattern, re.IGNORECASE)
_ASCII_PUNCTUATION = str.maketrans("", "", string.punctuation)


class TextOptions(Builtin):
    """The options of scorers that compare texts; answer and references go through the same steps.

    The steps run in the order unicode, case, punctuation, articles, whitespace. By default only what nobody sees
    is forgiven: the Unicode form, whitespace at the ends, and the length of runs of whitespace within.
    """

    ignore_case: bool = Field(default=False, description="Compare case-folded texts.")
    ignore_punctuation: bool = Field(
        default=False, description="Drop punctuation (ASCII marks and Unicode category P)."
    )
    ignore_articles: bool = Field(default=False, description="Drop the English articles a, an, the.")
    whitespace: Whitespace = Field(
        default="collapse", description="collapse: runs become one space, ends go; strip: ends go; keep: all counts."
    )
    unicode: UnicodeForm = Field(default="NFC", description="Unicode normalisation form.")

    @cached_property
    def normal(self) -> Step:
        """The normalisation that the options describe."""
        return _chain(self._steps())

    def _steps(self) -> list[Step]:
        steps: list[Step] = []
        if self.unicode != "none":
            steps.append(_nfc if self.unicode == "NFC" else _nfkc)
        if self.ignore_case:
            steps.append(str.casefold)
        if self.ignore_punctuation:
            steps.append(_drop_punctuation)
        if self.ignore_articles:
            steps.append(_drop_articles)
        if self.whitespace != "keep":
            steps.append(str.strip if self.whitespace == "strip" else collapse)
        return steps

    def _text_parts(self) -> Mapping[str, str]:
        return {
            "case": "folded" if self.ignore_case else "mixed",
            "punct": "dropped" if self.ignore_punctuation else "kept",
            "articles": "dropped" if self.ignore_articles else "kept",
            "space": self.whitespace,
            "unicode": self.unicode,
        }


def collapse(text: str) -> str:
    """Make every run of whitespace one space and drop it at the ends."""
    return " ".join(text.split())


def squad(text: str) -> str:
    """Normalise as SQuAD's evaluation does: lower case, no ASCII punctuation, no articles, single spaces.

    Source: Rajpurkar et al., 2016, "SQuAD: 100,000+ Questions for Machine Comprehension of Text", section 6.1.
    """
    bare = text.lower().translate(_ASCII_PUNCTUATION)
    return collapse(_ARTICLES.sub(" ", bare))


def _chain(steps: list[Step]) -> Step:
    if not steps:
        return str
    if len(steps) == 1:
        return steps[0]
    if steps == [_nfc, collapse]:
        return _nfc_collapse  # the default, without a loop

    def normal(text: str) -> str:
        for step in steps:
            text = step(text)
        return text

    return normal


def _nfc(text: str) -> str:
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def _nfkc(text: str) -> str:
    return text if text.isascii() else unicodedata.normalize("NFKC", text)


def _nfc_collapse(text: str) -> str:
    return " ".join((text if text.isascii() else unicodedata.normalize("NFC", text)).split())


def _drop_punctuation(text: str) -> str:
    bare = text.translate(_ASCII_PUNCTUATION)
    if bare.isascii():
        return bare
    return "".join(c for c in bare if not unicodedata.category(c).startswith("P"))


def _drop_articles(text: str) -> str:
    return _ARTICLES_ANY_CASE.sub(" ", text)
