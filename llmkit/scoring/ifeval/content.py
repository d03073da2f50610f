"""detectable_content: placeholders, a postscript, a paragraph said anew."""

from __future__ import annotations

import re
from collections import Counter

from llmkit.scoring.ifeval.relation import Count

_POSTSCRIPTS = {"P.P.S": re.compile(r"p\.\s?p\.\s?s"), "P.S.": re.compile(r"p\.\s?s\.")}


def number_placeholders(text: str, num_placeholders: Count) -> bool:
    """At least so many placeholders in brackets, each within a line."""
    return sum(map(_brackets, text.split("\n"))) >= num_placeholders


def postscript(text: str, postscript_marker: str) -> bool:
    """A postscript begins somewhere: the marker, in whatever case, with a blank between its letters or without."""
    marker = postscript_marker.strip()
    known = _POSTSCRIPTS.get(marker)
    return bool(known.search(text.lower())) if known else marker.lower() in text.lower()


def rephrase_paragraph(text: str, original_paragraph: str, low: Count, high: Count) -> bool:
    """So many words, between ``low`` and ``high``, are those of the original paragraph."""
    return low <= (_words(text) & _words(original_paragraph)).total() <= high


def _brackets(line: str) -> int:
    found, at = 0, 0
    while (start := line.find("[", at)) >= 0 and (end := line.find("]", start)) >= 0:
        found, at = found + 1, end + 1
    return found


def _words(text: str) -> Counter[str]:
    return Counter(re.findall(r"\w+", text.lower()))
