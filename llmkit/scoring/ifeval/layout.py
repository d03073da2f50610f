"""detectable_format: bullets, highlights, sections, a title, JSON, a fixed answer."""

from __future__ import annotations

import json
import re

from llmkit.scoring.ifeval.relation import Count

CONSTRAINED = ("My answer is yes.", "My answer is no.", "My answer is maybe.")

_BULLET = re.compile(r"\*[^*]|-")
_HIGHLIGHT = re.compile(r"\*([^\n*]*)\*")
_STRONG = re.compile(r"\*\*([^\n*]*)\*\*")
_FENCES = ("```json", "```Json", "```JSON", "```")
_CHANGE = re.compile(r"\*[^\n*]*\*")


def number_bullet_lists(text: str, num_bullets: Count) -> bool:
    """Just so many lines that begin with ``*`` or ``-``; ``**`` begins none.

    Blanks may precede it. The reference also counts a line that is ``*`` alone; here it is none.
    """
    return sum(1 for line in text.split("\n") if _BULLET.match(line.lstrip())) == num_bullets


def number_highlighted_sections(text: str, num_highlights: Count) -> bool:
    """At least so many spans ``*like this*``, within a line and not blank; ``**this**`` counts once.

    Of a double span the single pattern finds the two empty ones around the text, and the double pattern the text.
    """
    spans = [*_HIGHLIGHT.findall(text), *_STRONG.findall(text)]
    return sum(1 for inside in spans if inside.strip()) >= num_highlights


def multiple_sections(text: str, section_spliter: str, num_sections: Count) -> bool:
    """At least so many headings: the word and a number (``Section 1``)."""
    heading = re.compile(rf"{re.escape(section_spliter.strip())}\s?\d")
    return sum(1 for _ in heading.finditer(text)) >= num_sections


def title(text: str) -> bool:
    """A line holds a title in double angular brackets that is not blank."""
    return any(_title_of(line) for line in text.split("\n"))


def json_format(text: str) -> bool:
    """The whole answer is JSON, which a code fence may enclose."""
    bare = text.strip()
    for fence in _FENCES:
        bare = bare.removeprefix(fence)
    try:
        json.loads(bare.removesuffix("```").strip())
    except (ValueError, RecursionError):
        return False
    return True


def constrained_response(text: str) -> bool:
    """One of the three answers that the prompts offer stands in the answer."""
    return any(answer in text for answer in CONSTRAINED)


def rephrasing(text: str, original_message: str) -> bool:
    """Nothing but what stands between asterisks differs from the original."""
    return bool(_CHANGE.search(text)) and _CHANGE.sub("", text) == _CHANGE.sub("", original_message)


def _title_of(line: str) -> str:
    start, end = line.find("<<"), line.rfind(">>")
    return line[start:end].lstrip("<").rstrip(">").strip() if 0 <= start < end else ""
