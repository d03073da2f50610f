"""lark: a text that a grammar derives."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from llmkit.documents import read_text
from llmkit.errors import UsageError
from llmkit.generations import Issue
from llmkit.structured.arguments import only
from llmkit.structured.format import Context, Grammar, Native, Parsed
from llmkit.structured.larks import DEADLINE_S, LarkGrammar, Refused
from llmkit.structured.registry import Source
from llmkit.structured.wrapping import json_alone, too_long, unwrapped
from llmkit.text import shorten

_INLINE = re.compile(r"^\s*[?!]?start\b[^:\n]*:", re.MULTILINE)


@dataclass(frozen=True)
class LarkFormat:
    """A text of a Lark grammar whose start rule is ``start``; the value is the text.

    Blanks, a code fence or quotes around it are taken away where the grammar does not derive the answer with them.

    Attributes:
        text: The grammar.
        where: ``path`` or ``path:line`` of it, for errors.
    """

    text: str
    where: str | None = field(default=None, compare=False)

    @property
    def name(self) -> str:
        """``lark``."""
        return "lark"

    @property
    def rules(self) -> tuple[str, ...]:
        """The grammar derives it."""
        return ("shape",)

    @cached_property
    def _grammar(self) -> LarkGrammar:
        return LarkGrammar(self.text, self.where)

    def describe(self) -> str:
        """Show the grammar."""
        text = self.text.strip()
        fence = "`" * max(3, *(len(run) + 1 for run in re.findall("`{3,}", text)), 3)
        task = "Answer with a text that this grammar (in Lark) derives from start, and nothing else:"
        return f"{task}\n{fence}\n{text}\n{fence}"

    def parse(self, text: str, context: Context = Context()) -> Parsed[str]:  # noqa: B008 - frozen
        """Parse."""
        if long := too_long(text):
            return _wrong(text, Refused(f"the answer {long}"))
        deadline = time.thread_time() + DEADLINE_S
        first: Refused | None = None
        for bare, repairs in unwrapped(text):
            refused = self._grammar.refuses(bare, deadline)
            if refused is None:
                return Parsed(bare, repairs=repairs, text=bare)
            first = first or refused
            if time.thread_time() > deadline:
                break
        assert first is not None
        return _wrong(text, first)

    def render(self, value: str) -> str:
        """Return the text itself."""
        return value

    def grammar(self) -> Grammar:
        """Return the grammar in the decoder's dialect.

        Raises:
            UnsupportedShape: A terminal cannot be said in it; names its line.
        """
        return Grammar("lark", self._grammar.for_decoder(), endless=self._grammar.endless)

    def native(self, provider: str) -> Native:
        """Raise: the text is no JSON."""
        raise json_alone(provider, "a grammar")

    def definition(self) -> Mapping[str, Any]:
        """Return the grammar."""
        return {"format": "lark", "grammar": self.text}


def _wrong(text: str, refused: Refused) -> Parsed[str]:
    return Parsed(issues=(Issue(refused.message, value=refused.found or shorten(text, 80), rule="shape"),), text=text)


def lark_format(argument: Any, source: Source) -> LarkFormat:
    """Build from a file's name or a grammar (a text with a rule ``start``), or a mapping with ``file`` or ``grammar``.

    Raises:
        UsageError: There is no such file, or it holds no grammar; says which line.
    """
    if isinstance(argument, Mapping):
        only(argument, ("file", "grammar"), "lark", source)
        if len(argument) != 1:
            raise UsageError("lark takes either file or grammar", where=source.where)
        inline = "grammar" in argument
        (argument,) = argument.values()
    else:
        inline = isinstance(argument, str) and bool(_INLINE.search(argument))
    if not isinstance(argument, str) or not argument.strip():
        raise UsageError("lark needs a grammar", where=source.where, hint="For example lark:grammar.lark")
    if inline:
        form = LarkFormat(argument, source.where)
    else:
        path = source.file(argument)
        form = LarkFormat(read_text(path), str(path))
    _ = form._grammar
    return form
