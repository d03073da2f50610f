"""YAML, read from the parser's events: data only, the line of every field, and no surprises.

Plain words are resolved by the core schema of YAML 1.2 (https://yaml.org/spec/1.2.2/#103-core-schema): only ``true``
and ``false`` are booleans, so ``no``, ``on`` and ``y`` are text, and so are ``1:30`` and dates. Anchors and aliases
work within bounds; merge keys (``<<``), tags beyond the core's, further documents, keys that are not text, duplicate
keys, NaN and infinities are errors. Building from events needs no recursion, so depth cannot crash it.
"""

from __future__ import annotations

import copy
import re
from bisect import bisect_right
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmkit.documents.document import MAX_DEPTH, Document, Keys, check_number, place, read_text
from llmkit.errors import DocumentError

if TYPE_CHECKING:
    import yaml

MAX_NODES = 200_000
"""Values in a document with its aliases written out. Far above any suite, far below a bomb."""

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_TAG = "tag:yaml.org,2002:"
_SCALAR_TAGS: dict[str, type[Any] | tuple[type[Any], ...]] = {
    "int": int,
    "float": (int, float),
    "bool": bool,
    "null": type(None),
}

_HINTS = {
    "mapping values are not allowed here": "Quote a value that holds ': ', and check the indentation",
    "found character '\\t' that cannot start any token": "YAML indents with spaces, not tabs",
    "found character '%' that cannot start any token": "Quote a value that starts with %",
    "found character '@' that cannot start any token": "Quote a value that starts with @",
    "found character '`' that cannot start any token": "Quote a value that starts with a backtick",
    "could not find expected ':'": "A key is followed by ': '",
    "found unexpected end of stream": "A quote, bracket or brace is not closed",
    "found unexpected ':'": "Quote a value that holds ': '",
    "found unhashable key": "A key is text; quote a template such as '{{name}}'",
}


def read_yaml(path: Path | str) -> Document:
    """Read a YAML file; see ``parse_yaml``."""
    path = Path(path)
    return parse_yaml(read_text(path), path=path)


def parse_yaml(text: str, *, path: Path | None = None, first_line: int = 1) -> Document:
    """Read YAML whose top level is a mapping; empty text is an empty one.

    Args:
        text: The YAML.
        path: The file that it stands in, for errors.
        first_line: Line of the file that the text starts at (front matter starts at 2).

    Raises:
        DocumentError: With ``path:line``, for whatever the module's docstring calls an error.
    """
    builder = _built(text, path, first_line)
    data = builder.result if builder.result is not None else {}
    if not isinstance(data, dict):
        raise DocumentError(
            f"the top level is {'a list' if isinstance(data, list) else 'a single value'}, not a mapping",
            where=place(path, builder.lines.get((), first_line)),
            hint="Start with 'name: value' lines",
        )
    return Document(path, data, {(): first_line, **builder.lines})


@dataclass(frozen=True, slots=True)
class Tagged:
    """A value under a tag of another tool (``!function utils.score``): what it would make of it is its own affair.

    Attributes:
        tag: With its exclamation mark.
        text: What stands after it.
    """

    tag: str
    text: str


def parse_foreign_yaml(text: str, *, path: Path | None = None) -> tuple[Any, dict[Keys, int]]:
    """Read YAML that was written for another tool: anything may be on top, and tags of its own stay as ``Tagged``.

    Returns:
        The data, and the line (from 1) of each field by its keys.

    Raises:
        DocumentError: With ``path:line``, for whatever else the module's docstring calls an error.
    """
    builder = _built(text, path, 1, foreign=True)
    return builder.result, {(): 1, **builder.lines}


def parse_yaml_value(text: str) -> Any:
    """Read YAML whose top level may be anything; empty text is None.

    Raises:
        DocumentError: With the line, for whatever the module's docstring calls an error.
    """
    return _built(text, None, 1).result


def _built(text: str, path: Path | None, first_line: int, *, foreign: bool = False) -> _Builder:
    import yaml

    builder = _Builder(path, first_line, [match.start() for match in re.finditer("\n", text)])
    builder.foreign = foreign
    try:
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        # What runs to the end of the file is told where it starts: that is the line to mend.
        unclosed = "end of stream" in (error.problem or "") or "<stream end>" in (error.problem or "")
        mark = (error.context_mark if unclosed else None) or error.problem_mark
        raise _syntax_error(error, builder.place(mark.index if mark else 0)) from None
    except yaml.reader.ReaderError as error:
        code = error.character if isinstance(error.character, int) else ord(error.character)
        where = builder.place(error.position)
        hint = "Remove it, or escape it in double quotes"
        raise DocumentError(f"the character U+{code:04X} is not allowed in YAML", where=where, hint=hint) from None
    return builder


def _syntax_error(error: yaml.MarkedYAMLError, where: str) -> DocumentError:
    problem = (error.problem or "not YAML").strip()
    hint = _HINTS.get(problem)
    if hint is None and "expected <block end>" in problem:
        hint = "Check the indentation of this line and the one above"
    if hint is None and ("expected ',' or" in problem or "'<stream end>'" in problem):
        hint = "A bracket or brace is not closed, or a comma is missing"
    return DocumentError(f"not YAML: {problem}", where=where, hint=hint)


@dataclass
class _Open:
    """A list or mapping under construction."""

    value: dict[str, Any] | list[Any]
    keys: Keys
    anchor: str | None
    nodes_before: int
    key: str | None = None
    key_lines: dict[str, int] = field(default_factory=dict)


class _Builder:
    """Turns events into data, holding the stack that recursion would hold."""

    def __init__(self, path: Path | None, first_line: int, breaks: list[int]) -> None:
        self.path, self.first_line, self.breaks = path, first_line, breaks
        self.result: Any = None
        self.lines: dict[Keys, int] = {}
        self.stack: list[_Open] = []
        self.anchors: dict[str, tuple[Any, int] | None] = {}  # None while under construction
        self.nodes = 0
        self.documents = 0
        self.foreign = False  # whether tags of other tools are kept

    def line(self, index: int) -> int:
        return self.first_line + bisect_right(self.breaks, index - 1)

    def place(self, index: int) -> str:
        return place(self.path, self.line(index))

    def fail(self, message: str, event: yaml.Event, hint: str | None = None) -> DocumentError:
        return DocumentError(message, where=self.place(_index(event)), hint=hint)

    def take(self, event: yaml.Event) -> None:
        import yaml

        if isinstance(event, yaml.ScalarEvent):
            self._scalar(event)
        elif isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            self._open(event, {} if isinstance(event, yaml.MappingStartEvent) else [])
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            self._close()
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event)
        elif isinstance(event, yaml.DocumentStartEvent):
            self.documents += 1
            if self.documents > 1:
                raise self.fail("a second document starts here", event, "One file holds one document")

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        if self._wants_key():
            self._key(event)
            return
        keys = self._place_next(event)
        value = self._resolve(event)
        self._count(1, event)
        if event.anchor:
            self.anchors[event.anchor] = (value, 1)
        self._put(value, keys)

    def _open(self, event: yaml.CollectionStartEvent, value: dict[str, Any] | list[Any]) -> None:
        kind = "map" if isinstance(value, dict) else "seq"
        if event.tag not in (None, "!", _TAG + kind):
            raise self._bad_tag(event)
        if self._wants_key():
            raise self.fail("a key that is a list or mapping", event, "Quote a template such as '{{name}}'")
        if len(self.stack) >= MAX_DEPTH:
            raise self.fail(f"nested more than {MAX_DEPTH} deep", event)
        keys = self._place_next(event)
        before = self.nodes
        self._count(1, event)
        if event.anchor:
            self.anchors[event.anchor] = None
        self.stack.append(_Open(value, keys, event.anchor, before))

    def _close(self) -> None:
        done = self.stack.pop()
        if done.anchor:
            self.anchors[done.anchor] = (done.value, self.nodes - done.nodes_before)
        self._put(done.value, done.keys)

    def _alias(self, event: yaml.AliasEvent) -> None:
        if self._wants_key():
            raise self.fail("an alias as a key", event, "Write the key out")
        if event.anchor not in self.anchors:
            raise self.fail(f"the alias *{event.anchor} has no anchor &{event.anchor} above it", event)
        known = self.anchors[event.anchor]
        if known is None:
            raise self.fail(f"the alias *{event.anchor} stands inside its own anchor", event)
        value, size = known
        self._count(size, event)
        # A copy: two fields that share one object would change together.
        self._put(copy.deepcopy(value), self._place_next(event))

    def _count(self, nodes: int, event: yaml.Event) -> None:
        self.nodes += nodes
        if self.nodes > MAX_NODES:
            raise self.fail(f"more than {MAX_NODES:,} values, aliases written out", event, "Is this a data set?")

    def _wants_key(self) -> bool:
        return bool(self.stack) and isinstance(self.stack[-1].value, dict) and self.stack[-1].key is None

    def _key(self, event: yaml.ScalarEvent) -> None:
        top = self.stack[-1]
        key = self._resolve(event)
        line = self.line(_index(event))
        if not isinstance(key, str):
            raise self.fail(f"the key {event.value or 'null'} is not text", event, f"Quote it: '{event.value}'")
        if key == "<<" and event.style is None:
            raise self.fail("merge keys (<<) are not read", event, "They are YAML 1.1; write the keys out")
        if key in top.key_lines:
            raise self.fail(
                f"the key {key!r} stands twice, here and in line {top.key_lines[key]}", event, "Remove one of them"
            )
        top.key, top.key_lines[key] = key, line
        self.lines[(*top.keys, key)] = line
        if event.anchor:
            raise self.fail("an anchor on a key", event, "Anchor the value")

    def _place_next(self, event: yaml.Event) -> Keys:
        """The keys of the value that this event starts; a list's items get their line here, a mapping's at the key."""
        if not self.stack:
            keys: Keys = ()
        else:
            top = self.stack[-1]
            if isinstance(top.value, dict):
                return (*top.keys, top.key or "")
            keys = (*top.keys, len(top.value))
        self.lines[keys] = self.line(_index(event))
        return keys

    def _put(self, value: Any, keys: Keys) -> None:
        if not self.stack:
            self.result = value
            return
        top = self.stack[-1]
        if isinstance(top.value, dict):
            top.value[str(keys[-1])] = value
            top.key = None
        else:
            top.value.append(value)

    def _resolve(self, event: yaml.ScalarEvent) -> Any:
        text = _pair_surrogates(event.value)
        if text is None:
            raise self.fail("half of a surrogate pair", event, "Write the character itself, or \\U and eight digits")
        tag = event.tag
        if tag in ("!", _TAG + "str") or (tag is None and event.style is not None):
            return text
        if self.foreign and tag is not None and tag.startswith("!"):
            return Tagged(tag, text)
        value = self._plain(text, event)
        if tag is None:
            return value
        wanted = _SCALAR_TAGS.get(tag.removeprefix(_TAG)) if tag.startswith(_TAG) else None
        if wanted is None:
            raise self._bad_tag(event)
        if not isinstance(value, wanted):
            raise self.fail(f"{text!r} is not of its tag !!{tag.removeprefix(_TAG)}", event)
        return float(value) if tag == _TAG + "float" else value

    def _plain(self, text: str, event: yaml.ScalarEvent) -> Any:
        """YAML 1.2 core schema, section 10.3.2 of the specification."""
        if text in _NULL:
            return None
        if text in _BOOL:
            return _BOOL[text]
        where = self.place(_index(event))
        if _INT.fullmatch(text):
            if len(text) > 40:  # int() itself refuses thousands of digits
                check_number(1 << 99, where)
            number: int | float = int(text, 0) if text[:2] in ("0x", "0o") else int(text)
        elif _FLOAT.fullmatch(text):
            number = float(text)
        elif _NOT_FINITE.fullmatch(text):
            number = float("nan")
        else:
            return text
        check_number(number, where)
        return number

    def _bad_tag(self, event: Any) -> DocumentError:
        name = str(event.tag).replace(_TAG, "!!")
        return self.fail(f"the tag {name} is not read", event, "Quote text that starts with '!'; write plain data")


def _index(event: yaml.Event) -> int:
    return event.start_mark.index if event.start_mark else 0


def _pair_surrogates(text: str) -> str | None:
    r"""Join ``"\ud83d\ude00"``, as JSON escapes an emoji, into one character; None where a half stands alone."""
    if not any("\ud800" <= char <= "\udfff" for char in text):
        return text
    try:
        return text.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        return None
