"""The program in an answer: which of its blocks, or which part of its text.

Nothing is parsed here: an answer is hostile until it is in its sandbox, where the first of the readings that this
module proposes and that is Python is taken.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

Extract = Literal["auto", "first", "last", "longest", "joined", "whole"]

_FENCE = re.compile(r"^([ \t]{0,12})(`{3,}|~{3,})[ \t]{0,9}([^\s`]{0,40})[^\n`]{0,200}$", re.MULTILINE)
_PYTHON = frozenset({"python", "py", "python3", "py3", "python2", "ipython"})
_LOOKS = re.compile(
    r"^[ \t]*(?:(?:async[ \t]+)?def[ \t]+\w|class[ \t]+\w+[ \t]*[(:]|import[ \t]+\w|from[ \t]+[\w.]+[ \t]+import\b"
    r"|return\b|raise[ \t]+\w|print[ \t]?\(|while[ \t]+(?:True|1)\b"
    r"|(?:while|for|if)\b[^\n]{1,300}:[ \t]{0,99}$"
    r"|@\w|[A-Za-z_][\w.\[\]]*(?:[ \t]*,[ \t]*\w+)*[ \t]*[-+*/%|&^]?=(?!=))",
    re.MULTILINE,
)
# Where a completion of a function's body ends (Chen et al., 2021, section 3.1): the next statement at the margin.
_STOP = re.compile(r"\n(?=class\b|def\b|#|if\b|print\b|@|assert\b|import\b|from\b|```)")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: its language, in lower case, and what stands in it."""

    language: str
    text: str


def readings(text: str, extract: Extract, names: Collection[str] = (), prompt: str | None = None) -> tuple[str, ...]:
    """Return the programs that an answer may be, the likeliest first; none where it holds no code.

    Args:
        text: The answer.
        extract: Which part of it counts.
        names: What the tests ask for.
        prompt: The beginning of a function that the answer may go on with; its other definitions hold in any case.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    code = text if extract == "whole" else _chosen(text, extract, names)
    if code is None or not code.strip():
        return ()
    return (code,) if prompt is None else tuple(dict.fromkeys(_with_prompt(code, prompt, names)))


def blocks(text: str) -> list[Block]:
    """Return the fenced blocks; one that is not closed reaches to the end."""
    found: list[Block] = []
    fences = list(_FENCE.finditer(text))
    at = 0
    while at < len(fences):
        start, end = fences[at], None
        for later in range(at + 1, len(fences)):
            if _closes(fences[later], start):
                end = later
                break
        stop = len(text) if end is None else fences[end].start()
        inside = text[start.end() + 1 : stop]
        found.append(Block(start[3].lower().lstrip("{.").rstrip("}"), _dedent(inside, start[1])))
        at = len(fences) if end is None else end + 1
    return found


def defines(code: str, names: Collection[str]) -> set[str]:
    """Return which of these names a text defines at its margin, as far as can be seen without reading it as Python."""
    if not names:
        return set()
    one = "|".join(map(re.escape, names))
    pattern = rf"^(?:(?:async[ \t]+)?def|class)[ \t]+({one})\b|^({one})[ \t]*(?::[^=\n]+)?=(?!=)"
    return {found[1] or found[2] for found in re.finditer(pattern, code, re.MULTILINE)}


def _chosen(text: str, extract: Extract, names: Collection[str]) -> str | None:
    fenced = [block for block in blocks(text) if block.text.strip()]
    ours = [block.text for block in fenced if block.language in _PYTHON or not block.language]
    if fenced:
        tagged = [block.text for block in fenced if block.language in _PYTHON]
        return _block(ours, tagged or ours, extract, names) if ours else None
    return text if _LOOKS.search(text) else None


def _block(ours: Sequence[str], best: Sequence[str], extract: Extract, names: Collection[str]) -> str:
    if extract == "first":
        return best[0]
    if extract == "longest":
        return max(best, key=len)
    if extract == "joined":
        return "\n".join(best)
    if extract == "auto":
        defining = [(block, defines(block, names)) for block in ours]
        everything = set().union(*(some for _, some in defining))
        whole = [block for block, some in defining if some and some == everything]
        if whole:
            return whole[-1]
        if everything:  # here a bit, there a bit
            return "\n".join(block for block, some in defining if some)
    return best[-1]


def _with_prompt(code: str, prompt: str, names: Collection[str]) -> Sequence[str]:
    prompt = prompt.replace("\r\n", "\n").rstrip() + "\n"
    if defines(code, names):
        # The prompt's function ends with its docstring, and is whole: the answer's takes its place.
        return [f"{prompt}\n{code}", code]
    body = code.strip("\n")
    cut = _STOP.split(body, maxsplit=1)[0]
    # Some servers strip the blanks that an answer begins with; some models write a body at the margin.
    indented = [cut, "    " + cut.lstrip(), textwrap.indent(textwrap.dedent(cut), "    "), body]
    return [f"{prompt}{each}\n" for each in indented] + [f"{prompt}\n{code}"]


def _closes(fence: re.Match[str], start: re.Match[str]) -> bool:
    return fence[2][0] == start[2][0] and len(fence[2]) >= len(start[2]) and not fence[3]


def _dedent(text: str, margin: str) -> str:
    if not margin:
        return text
    return "".join(line.removeprefix(margin) for line in text.splitlines(keepends=True))
