r"""Grammars in Lark: read without reaching for files, recognising a text in bounded time, and said to a decoder.

A text is right where the grammar derives it. lark's LALR parser with its contextual lexer decides fast; where it
refuses a text (it prefers keywords to names, and shifts to reductions) or the grammar, lark's Earley parser with its
dynamic lexer has the last word, which is what decoders mean, too. Both stop at a deadline.

Sources: lark's documentation, "Grammar Reference" and "Parsers"; llguidance's docs/syntax.md.
"""

from __future__ import annotations

import copy
import re
import time
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from math import inf
from typing import Any

from llmkit.errors import UsageError
from llmkit.structured.dialect import to_rust
from llmkit.structured.format import MAX_ANSWER, UnsupportedShape
from llmkit.structured.lark_errors import bounded, derives, explained
from llmkit.structured.lark_guard import check
from llmkit.text import one_line, shorten

DEADLINE_S = 0.5
"""Of processor time, for all parsing of one answer: what is valid on a quiet machine is so on a busy one. LALR reads
some 200 characters a millisecond."""
EARLEY_CHARS = 20_000
"""Longest text for Earley: it reads an unambiguous grammar's text in about as many characters a second. With an
ambiguous one, time grows with the cube of the length, and the deadline comes at some 100 characters."""
TERMINAL_S = 0.25
"""For one terminal at one place; its regular expression may be a catastrophic one."""
NAMED = 6
"""Terminals that an error names."""

_deadline: ContextVar[float] = ContextVar("deadline", default=inf)

_COMMENT = r"/\*[^*]*\*+(?:[^/*][^*]*\*+)*/"
_STRING = r'"(?:[^"\\\n]|\\[^\n])*"'
_WITHOUT_LOOKING = {r'".*?(?<!\\)(\\\\)*?"': _STRING, "/\\*(.|\n)*?\\*/": _COMMENT}
"""Terminals of lark's ``common`` that look behind or are lazy (ESCAPED_STRING, C_COMMENT), and the same without."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a text is not the grammar's: a line for the model, and where."""

    message: str
    found: str = ""


class LarkGrammar:
    """A grammar that lark takes; its start rule is ``start``.

    Args:
        text: The grammar.
        where: ``path`` or ``path:line`` for errors.

    Raises:
        UsageError: It is no Lark, or reaches beyond itself.
    """

    def __init__(self, text: str, where: str | None = None) -> None:
        self.text = text
        check(text, where)
        self.earley = _built(text, where, "earley")
        if not derives(self.earley.rules):
            raise UsageError("no text can match: start never comes to an end", where=where)
        try:
            self.lalr: Any = _built(text, where, "lalr")
        except _NotLalr:
            self.lalr = None
        else:
            _bound_terminals(self.lalr)

    @property
    def endless(self) -> bool:
        """Whether there is no longest text."""
        wide = any(terminal.pattern.max_width > MAX_ANSWER for terminal in self.earley.terminals)
        return wide or bool(self.earley.ignore_tokens) or not bounded(self.earley.rules)

    def refuses(self, text: str, deadline: float) -> Refused | None:
        """Return why a text is not the grammar's; None where it is.

        Args:
            text: The answer.
            deadline: By ``time.thread_time()``.
        """
        first: Refused | None = None
        if self.lalr is not None:
            first = self._lalr_refuses(text, deadline)
            if first is None:
                return None
        if len(text) > EARLEY_CHARS:
            return first or Refused(
                f"the text is longer than the {EARLEY_CHARS:,} characters that this grammar is read for"
            )
        second = self._earley_refuses(text, deadline)
        return first if second and first else second

    def _lalr_refuses(self, text: str, deadline: float) -> Refused | None:
        parser = self.lalr.parse_interactive(text)

        def run() -> None:
            token = _deadline.set(deadline)  # looked at for each terminal: those that are ignored give no tokens
            try:
                parser.exhaust_lexer()
            finally:
                _deadline.reset(token)
            parser.feed_eof()

        return self._verdict(run, self.lalr, parser.accepts)

    def _earley_refuses(self, text: str, deadline: float) -> Refused | None:
        parser = copy.copy(self.earley.parser.parser)
        matchers = parser.term_matcher.__self__.regexps

        def match(terminal: Any, text: str, index: int = 0) -> Any:
            if time.thread_time() > deadline:
                raise TimeoutError
            return matchers[terminal.name].match(text, index, timeout=TERMINAL_S)

        parser.term_matcher = match
        return self._verdict(lambda: parser.parse(text, "start"), self.earley)

    def _verdict(self, run: Callable[[], Any], lark: Any, accepts: Callable[[], Any] | None = None) -> Refused | None:
        from lark.exceptions import UnexpectedCharacters, UnexpectedEOF, UnexpectedInput, UnexpectedToken

        try:
            run()
        except TimeoutError:
            return Refused(f"the answer could not be parsed within {DEADLINE_S:g} s; give a shorter one")
        except UnexpectedEOF as error:
            return Refused(f"the answer ends too early{_wanted(lark, error.expected)}")
        except UnexpectedToken as error:
            expected = accepts() if accepts else error.expected
            if error.token.type == "$END":
                return Refused(f"the answer ends too early{_wanted(lark, expected)}")
            return _unexpected(lark, error, str(error.token), expected)
        except UnexpectedCharacters as error:
            return _unexpected(lark, error, error.char, accepts() if accepts else error.allowed or ())
        except UnexpectedInput as error:
            return Refused(f"the answer is not of the grammar: {one_line(str(error), 100)}")
        return None

    def for_decoder(self) -> str:
        """Return the grammar as Lark in llguidance's dialect: templates and imports written out, terminals whole.

        Raises:
            UnsupportedShape: A terminal has a priority, or a regular expression that no decoder can follow; names it
                and its line.
        """
        names = _Names()
        rules: dict[str, list[str]] = {}
        for rule in self.earley.rules:
            symbols = [names.of(symbol.name, symbol.is_term) for symbol in rule.expansion]
            rules.setdefault(names.of(rule.origin.name, False), []).append(" ".join(symbols) or '""')
        lines = [f"{name}: " + "\n    | ".join(dict.fromkeys(each)) for name, each in rules.items()]
        for terminal in self.earley.terminals:
            lines.append(f"{names.of(terminal.name, True)}: /{self._pattern(terminal)}/")
        lines += [f"%ignore {names.of(name, True)}" for name in self.earley.ignore_tokens]
        return "\n".join(lines) + "\n"

    def _pattern(self, terminal: Any) -> str:
        from llmkit.structured.decoding import in_slashes

        at = self._line(terminal)
        if terminal.priority:
            raise UnsupportedShape(f"{at} has a priority, which no decoder knows", hint="Use --strategy reprompt")
        pattern: str = terminal.pattern.to_regexp()
        for looking, plain in _WITHOUT_LOOKING.items():
            pattern = pattern.replace(looking, plain)
        try:
            return in_slashes(to_rust(pattern, whole=False))
        except UnsupportedShape as error:
            raise UnsupportedShape(f"{at}: {error.message}", hint=error.hint) from None

    def _line(self, terminal: Any) -> str:
        found = re.search(rf"^[ \t]*{re.escape(terminal.name)}\b", self.text, re.MULTILINE)
        if found is None:
            return f"the terminal {shorten(terminal.pattern.raw or terminal.name)}"
        return f"the terminal {terminal.name} in line {self.text.count(chr(10), 0, found.start()) + 1}"


class _NotLalr(Exception):
    """The grammar has conflicts."""


class _Names:
    """Names that decoders take for rules and for terminals: small letters, capitals."""

    def __init__(self) -> None:
        self.given: dict[tuple[str, bool], str] = {}

    def of(self, name: str, terminal: bool) -> str:
        if (name, terminal) not in self.given:
            plain = re.sub(r"\W", "_", name).strip("_") or "part"
            plain = plain.upper() if terminal else plain.lower()
            taken, number = plain if plain[0].isalpha() else f"{'T' if terminal else 'r'}_{plain}", 2
            while taken in self.given.values():
                taken, number = f"{plain}_{number}", number + 1
            self.given[name, terminal] = taken
        return self.given[name, terminal]


def _built(text: str, where: str | None, parser: str) -> Any:
    import regex
    from lark import Lark
    from lark.exceptions import GrammarError, LarkError, UnexpectedInput

    options: dict[str, Any] = (
        {"lexer": "contextual"} if parser == "lalr" else {"lexer": "dynamic", "ambiguity": "forest"}
    )
    try:
        return Lark(text, parser=parser, regex=True, maybe_placeholders=False, import_paths=[], **options)
    except UnexpectedInput as error:
        raise explained(error, text, where) from None
    except GrammarError as error:
        if parser == "lalr":
            raise _NotLalr from None
        raise explained(error, text, where) from None
    except (LarkError, regex.error, OSError, RecursionError, ValueError, AssertionError) as error:
        raise explained(error, text, where) from None


def _bound_terminals(lark: Any) -> None:
    """Give each match of a terminal a deadline: scanners are built at their first use, with the lexer's ``re``."""
    lexer = lark.parser.lexer
    for each in (*lexer.lexers.values(), lexer.root_lexer):
        each.re = _Bounded


class _Bounded:
    """Stands in for the module ``regex``."""

    @staticmethod
    def compile(pattern: str, flags: int = 0) -> Any:
        import regex

        return _BoundedPattern(regex.compile(pattern, flags))

    @staticmethod
    def match(pattern: str, text: str, flags: int = 0) -> Any:
        import regex

        return regex.match(pattern, text, flags, timeout=TERMINAL_S)


class _BoundedPattern:
    def __init__(self, pattern: Any) -> None:
        self.pattern = pattern

    def match(self, text: str, start: int = 0, end: int | None = None) -> Any:
        if time.thread_time() > _deadline.get():
            raise TimeoutError
        return self.pattern.match(text, start, end, timeout=TERMINAL_S)

    def fullmatch(self, text: str) -> Any:
        return self.pattern.fullmatch(text, timeout=TERMINAL_S)


def _unexpected(lark: Any, error: Any, found: str, expected: Any) -> Refused:
    shown = shorten(found, 30) or "a blank or line end"
    return Refused(f"line {error.line}, column {error.column}: found {shown!r}{_wanted(lark, expected)}", shown)


def _wanted(lark: Any, names: Any) -> str:
    patterns = {terminal.name: terminal.pattern for terminal in lark.terminals}
    words = []
    for name in sorted(name for name in names if name not in lark.ignore_tokens):
        if name in ("$END", "<END-OF-FILE>"):
            words.append("the end")
        elif name in patterns and patterns[name].type == "str":
            words.append(repr(patterns[name].value))
        elif name in patterns and name.startswith("__"):
            words.append(shorten(patterns[name].raw or name, 30))
        else:
            words.append(name)
    more = f" or {len(words) - NAMED} others" if len(words) > NAMED else ""
    return f"; expected {', '.join(words[:NAMED])}{more}" if words else ""
