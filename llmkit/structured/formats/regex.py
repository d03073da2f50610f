"""regex: a text that a regular expression matches from its first to its last character."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from llmkit.errors import UsageError
from llmkit.generations import Issue
from llmkit.structured.arguments import only
from llmkit.structured.dialect import to_rust
from llmkit.structured.format import MAX_ANSWER, Context, Grammar, Native, Parsed
from llmkit.structured.registry import Source
from llmkit.structured.wrapping import json_alone, too_long, unwrapped
from llmkit.text import shorten

TIMEOUT_S = 0.25
"""For all matching of one answer. A pattern that takes longer on one is of the kind that takes for ever."""
MOST = 10_000
"""Characters of a pattern; nobody writes a longer one, and compiling takes time and memory with its length."""
DEEPEST = 100
"""Groups within each other: compilers recurse, and how deep they may is not ours to say."""
SHOWN = 200
SEARCHED = 20_000
"""Characters of a wrong answer in which the part that does match is looked for."""


@dataclass(frozen=True)
class RegexFormat:
    """A full match in the dialect of the package ``regex``; the value is the text.

    Blanks, a code fence or quotes around it are taken away where the answer does not match with them.

    Attributes:
        pattern: It compiles; see ``regex_format``.
    """

    pattern: str

    @property
    def name(self) -> str:
        """``regex``."""
        return "regex"

    @property
    def rules(self) -> tuple[str, ...]:
        """It matches."""
        return ("shape",)

    @cached_property
    def _compiled(self) -> Any:
        import regex

        return regex.compile(self.pattern)

    def describe(self) -> str:
        """Show the pattern."""
        return f"Answer with a text that matches this regular expression as a whole, and nothing else:\n{self.pattern}"

    def parse(self, text: str, context: Context = Context()) -> Parsed[str]:  # noqa: B008 - frozen
        """Match."""
        if long := too_long(text):
            return _wrong(text, f"the answer {long}")
        deadline = time.thread_time() + TIMEOUT_S
        try:
            for bare, repairs in unwrapped(text):
                if self._compiled.fullmatch(bare, timeout=_left(deadline)):
                    return Parsed(bare, repairs=repairs, text=bare)
            part = self._compiled.search(text[:SEARCHED], timeout=_left(deadline))
        except TimeoutError:
            return _wrong(
                text, f"the pattern took longer than {TIMEOUT_S:g} s on this answer; give a shorter, plainer one"
            )
        message = f"must match {shorten(self.pattern, SHOWN)!r} as a whole"
        if part and part[0].strip():
            message += f"; only {shorten(part[0], SHOWN)!r} does: answer without the rest"
        return _wrong(text, message)

    def render(self, value: str) -> str:
        """Return the text itself."""
        return value

    def grammar(self) -> Grammar:
        """Return the pattern in the decoder's dialect.

        Raises:
            UnsupportedShape: It holds what no decoder can follow: look-around, a backreference.
        """
        from lark.utils import get_regexp_width

        rust = to_rust(self.pattern)
        try:
            widest: int = get_regexp_width(self.pattern)[1]
        except (ValueError, RecursionError):
            widest = 0  # not known: nothing is said
        return Grammar("regex", rust, endless=widest > MAX_ANSWER)

    def native(self, provider: str) -> Native:
        """Raise: the text is no JSON."""
        raise json_alone(provider, "a regular expression")

    def definition(self) -> Mapping[str, Any]:
        """Return the pattern."""
        return {"format": "regex", "pattern": self.pattern}


def _left(deadline: float) -> float:
    left = deadline - time.thread_time()
    if left <= 0:
        raise TimeoutError
    return left


def _wrong(text: str, message: str) -> Parsed[str]:
    return Parsed(issues=(Issue(message, value=shorten(text, SHOWN), rule="shape"),), text=text)


def regex_format(argument: Any, source: Source) -> RegexFormat:
    """Build from a pattern, or a mapping with ``pattern``.

    Raises:
        UsageError: It is no regular expression; says where.
    """
    import regex

    if isinstance(argument, Mapping):
        only(argument, ("pattern",), "regex", source)
        argument = argument.get("pattern")
    if not isinstance(argument, str) or not argument:
        raise UsageError("regex needs a pattern", where=source.where, hint="For example regex:'[a-z]+'")
    if len(argument) > MOST:
        raise UsageError(f"the pattern is longer than {MOST:,} characters", where=source.where)
    form = RegexFormat(argument)
    try:
        if _depth(argument) > DEEPEST:
            raise RecursionError
        _ = form._compiled
    except regex.error as error:
        at = "" if error.pos is None else f" at {error.pos}"
        rest = "" if error.pos is None else argument[error.pos :]
        raise UsageError(
            f"{shorten(argument)!r} is no regular expression: {error.msg}{at}", where=source.where,
            hint=f"It goes wrong here: {shorten(rest, 20)!r}" if rest else None,
        ) from None  # fmt: skip
    except (RecursionError, OverflowError, MemoryError):
        raise UsageError(
            f"the pattern {shorten(argument)!r} nests too deep, or counts too far", where=source.where
        ) from None
    return form


def _depth(pattern: str) -> int:
    """Return how deep parentheses stand within each other, at most: an escaped one counts, too."""
    depth = deepest = 0
    for char in pattern:
        depth += (char == "(") - (char == ")")
        deepest = max(deepest, depth)
    return deepest
