"""Where in an answer the final answer stands: in a box, or after words that announce it."""

from __future__ import annotations

import re

_BOX = "\\boxed{"
# "#### 18" ends GSM8K's solutions (Cobbe et al., 2021); a longer line after #### is a Markdown heading.
_MARK = re.compile(
    r"####[ \t]{0,9}(?=\S{1,40}[ \t]{0,9}$)"
    r"|\banswers?\**(?:\s+(?:is|are|should be|must be|would be|will be)\b|\s*[:=])",
    re.IGNORECASE | re.MULTILINE,
)


def boxed(text: str) -> str | None:
    r"""Return what the last ``\boxed{…}`` holds, braces balanced; None where there is none that closes."""
    start = text.rfind(_BOX)
    if start < 0:
        return None
    depth = 1
    begin = start + len(_BOX)
    for position in range(begin, len(text)):
        if text[position] == "{":
            depth += 1
        elif text[position] == "}":
            depth -= 1
            if not depth:
                return text[begin:position]
    return None


def announced(text: str) -> str | None:
    """Return what follows the last ``####``, ``answer is`` or ``answer:``; None where nothing announces an answer."""
    stop = len(text.rstrip())
    end = -1
    for mark in _MARK.finditer(text):
        if mark.end() < stop:
            end = mark.end()
    return text[end:].lstrip(" \t\r\n:*=") if end >= 0 else None
