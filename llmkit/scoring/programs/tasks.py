"""From a row to what an answer must do: the shapes in which data sets write tests."""

from __future__ import annotations

import builtins
import json
import keyword
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from llmkit.errors import nearest
from llmkit.text import shorten

Shape = Literal["humaneval", "mbpp", "stdin", "pytest"]
_ABSENT = object()
_MOST_CASES = 1000


class BadRow(ValueError):
    """A row does not hold what the shape needs."""


@dataclass(frozen=True, slots=True)
class Case:
    """One run of a script: what it reads, and what it should print."""

    given: str
    expected: str


@dataclass(frozen=True, slots=True)
class Task:
    """What one row asks of an answer.

    Attributes:
        names: What the tests ask the answer for, as far as the row says.
        prompt: The beginning that a completion goes on from.
        tests: What the tests' process is given, beside what is the same for all; None for scripts.
        cases: Of a script.
    """

    names: tuple[str, ...] = ()
    prompt: str | None = None
    tests: Mapping[str, Any] | None = None
    cases: tuple[Case, ...] = ()


def field(row: Mapping[str, Any], name: str, *, needed: bool = True) -> Any:
    """Return a field of a row; a dotted path reaches nested ones. None where it need not be there and is not.

    Raises:
        BadRow: It must be there and is not.
    """
    found: Any = row.get(name, _ABSENT)
    if found is _ABSENT and "." in name:
        found = row
        for part in name.split("."):
            found = found.get(part, _ABSENT) if isinstance(found, Mapping) else _ABSENT
    if found is not _ABSENT and found is not None:
        return found
    if needed:
        raise BadRow(f"the row has no field {name!r}. {nearest(name, map(str, row))}")
    return None


def text(row: Mapping[str, Any], name: str, *, needed: bool = True) -> str:
    """Return a field that holds a text; empty where it need not be there and is not.

    Raises:
        BadRow: It holds something else.
    """
    found = field(row, name, needed=needed)
    if found is None:
        return ""
    if not isinstance(found, str):
        raise BadRow(f"the field {name!r} must be a text, not {type(found).__name__}")
    return _lines(found)


def texts(row: Mapping[str, Any], name: str, *, needed: bool = True) -> list[str]:
    """Return a field that holds texts: a list, a list as JSON, or one text.

    Raises:
        BadRow: It holds something else.
    """
    found = field(row, name, needed=needed)
    if found is None:
        return []
    if isinstance(found, str) and found.lstrip().startswith("["):
        found = _json(found, name)
    if isinstance(found, str):
        found = [found]
    if not isinstance(found, Sequence) or not all(isinstance(each, str) for each in found):
        raise BadRow(f"the field {name!r} must be a list of texts, not {shorten(repr(found))}")
    return [_lines(each) for each in found]


def humaneval(row: Mapping[str, Any], *, tests: str, entry_point: str, prompt: str) -> Task:
    """A function to complete, and a function ``check`` that takes it (Chen et al., 2021).

    What else the prompt defines is the tests' own in their process: an answer cannot redefine it for them.
    """
    name = text(row, entry_point)
    if not name.isidentifier() or keyword.iskeyword(name):
        raise BadRow(f"the field {entry_point!r} names no function: {shorten(name)!r}")
    start = text(row, prompt, needed=False)
    defined = re.findall(r"^(?:def|class)[ \t]+(\w+)", start, re.MULTILINE)
    prelude = start if any(each != name for each in defined) else ""
    given = {"prelude": prelude, "tests": text(row, tests), "entry_point": name}
    return Task((name,), start or None, given)


def mbpp(row: Mapping[str, Any], *, tests: Sequence[str], setup: Sequence[str]) -> Task:
    """Statements each of which must hold, after others that prepare them (Austin et al., 2021)."""
    known = [name for name in tests if field(row, name, needed=False) is not None]
    statements = texts(row, known[0] if known else tests[0])
    if not statements:
        raise BadRow(f"the field {known[0]!r} holds no tests")
    before = [each for name in setup for each in texts(row, name, needed=False) if each.strip()]
    called = re.findall(r"\b([A-Za-z_]\w*)[ \t]*\(", "\n".join(statements))
    theirs = [name for name in called if not hasattr(builtins, name) and not keyword.iskeyword(name)]
    return Task(tuple(dict.fromkeys(theirs or called)), None, {"statements": [*before, *statements]})


def stdin(row: Mapping[str, Any], *, tests: str) -> Task:
    """Cases of input and expected output: a list of them, or one object of two lists (APPS, CodeContests)."""
    found = field(row, tests)
    if isinstance(found, str):
        found = _json(found, tests)
    if isinstance(found, Mapping):
        inputs, outputs = _either(found, "inputs", "input"), _either(found, "outputs", "output")
        if not _listed(inputs) or not _listed(outputs) or len(inputs) != len(outputs):
            raise BadRow(f"the field {tests!r} must hold as many inputs as outputs")
        pairs = list(zip(inputs, outputs, strict=True))
    elif _listed(found) and all(isinstance(each, Mapping) for each in found):
        pairs = [(_either(each, "input", "stdin"), _either(each, "output", "expected")) for each in found]
    else:
        raise BadRow(f"the field {tests!r} must be a list of {{input, output}}, not {shorten(repr(found))}")
    if not pairs or len(pairs) > _MOST_CASES:
        raise BadRow(f"the field {tests!r} must hold from 1 to {_MOST_CASES} cases, not {len(pairs)}")
    return Task(cases=tuple(Case(_typed(given, tests), _typed(expected, tests)) for given, expected in pairs))


def pytest_file(source: str, module: str) -> Task:
    """A pytest file that imports the answer under a module's name."""
    once = re.escape(module)
    imported = re.findall(rf"^[ \t]*from[ \t]+{once}[ \t]+import[ \t]+(\([^)]*\)|[^\n#;]+)", source, re.MULTILINE)
    names = [each.partition(" as ")[0].strip() for line in imported for each in line.strip("() \t").split(",")]
    names += re.findall(rf"\b{once}\.([A-Za-z_]\w*)", source)
    return Task(tuple(dict.fromkeys(name for name in names if name.isidentifier())), None, {"tests": source})


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _json(text: str, name: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadRow(f"the field {name!r} is not JSON: {shorten(str(error))}") from None


def _either(holder: Mapping[str, Any], name: str, other: str) -> Any:
    return holder.get(name, holder.get(other))


def _listed(value: object) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _typed(value: object, name: str) -> str:
    if _listed(value) and all(isinstance(line, str) for line in value):  # type: ignore[attr-defined]
        return "\n".join(value)  # type: ignore[arg-type]
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise BadRow(f"an input or output of the field {name!r} is no text: {shorten(repr(value))}")
    return str(value)
