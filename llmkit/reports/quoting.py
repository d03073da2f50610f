"""Text of others in GitHub's and GitLab's Markdown: shown as it is, never obeyed."""

from __future__ import annotations

import re
from collections.abc import Iterable

from llmkit.reports.text import one_line

# What Markdown or HTML reads as markup, wherever it stands; an underscore within a word and a dot elsewhere are plain.
# A colon within a word makes it a link or an emoji, as www. makes one a link.
_MARKUP = re.compile(
    r"[\\`*{}\[\]<>#!|&~@$]|:(?=\S)|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|(?i:(?<=www)\.)|^[-+=](?=\s|$)|^\d+(?=[.)](?:\s|$))"
)
# A mention or a reference to an issue is found in the finished text, after escapes are gone; a comment parts it.
_REFERENCE = re.compile(r"&#(?:64|35);")


def spelled(text: str) -> str:
    r"""Return ``text`` on one line with what Markdown or HTML would read as markup as numeric entities.

    Entities are text to Markdown, which never takes them for markup (CommonMark 0.31.2, section 2.5). It may stand in
    a table's cell, in a paragraph and within HTML elements, but only within ``<code>`` are mentions left alone.
    """
    return _MARKUP.sub(lambda found: "".join(f"&#{ord(character)};" for character in found.group()), one_line(text))


def quoted(text: str) -> str:
    """Return ``text`` as a piece of code: on one line, no markup, no mention, no link. Nothing stays nothing."""
    return f"<code>{spelled(text)}</code>" if text else ""


def inside_code(parts: Iterable[tuple[str, str | None]]) -> str:
    """Return one piece of code of several texts, each within a tag (``del``, ``ins``) where it has one."""
    written = "".join(f"<{tag}>{spelled(text)}</{tag}>" if tag else spelled(text) for text, tag in parts)
    return f"<code>{written}</code>"


def sentence(text: str) -> str:
    """Return a sentence that may hold names of others, as plain text: no markup, and nobody is mentioned."""
    return _REFERENCE.sub(lambda found: f"{found.group()}<!-- -->", spelled(text))
