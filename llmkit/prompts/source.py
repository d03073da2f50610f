"""A prompt file as text: its front matter with references resolved, its body, and the files it includes."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmkit.documents import Document, confined, parse_yaml, read_text, read_yaml
from llmkit.documents.document import place
from llmkit.errors import DocumentError, nearest
from llmkit.redact import suggests_secret

_REFERENCE = re.compile(r"\$\{(?P<kind>[a-zA-Z]+):(?P<value>.*)\}\Z", re.DOTALL)
INSIDE = "Move the file inside"
_SKIPPED = frozenset({("tools",), ("metadata",), ("sample",), ("model", "connection")})
"""Parts that llmkit does not use: a key that stands there as ``${env:…}`` is never even read."""


@dataclass
class Source:
    """What a prompt file says, before it is understood.

    Attributes:
        front: The front matter.
        body: The template, from its first line that is not blank.
        body_line: The file's line that ``body`` starts at.
    """

    front: Document
    body: str
    body_line: int


def read_source(path: Path) -> Source:
    """Split a prompt file.

    The front matter starts with ``---`` on the first line and ends at the next line that is ``---``; what the body
    holds after that is the body's. A file without front matter is all body.

    Raises:
        DocumentError: The file cannot be read, its front matter is not closed or not YAML, or it has no body.
    """
    text = read_text(path)
    lines = text.split("\n")
    start = next((index for index, line in enumerate(lines) if line.strip()), 0)
    first = 0
    front = Document(path, {}, {(): 1})
    if lines[start].rstrip() == "---":
        end = next((i for i in range(start + 1, len(lines)) if lines[i].rstrip() == "---"), None)
        if end is None:
            raise DocumentError(
                "the front matter is not closed", where=place(path, start + 1), hint="End it with a line '---'"
            )
        front = parse_yaml("\n".join(lines[start + 1 : end]), path=path, first_line=start + 2)
        first = end + 1
    while first < len(lines) and not lines[first].strip():
        first += 1
    body = "\n".join(lines[first:]).lstrip()
    if not body:
        raise DocumentError(
            "this prompt has no body", where=str(path), hint="Write the template below the front matter"
        )
    return Source(front, body, first + 1)


def resolve_references(source: Source, folders: list[Path], files: list[Path] | None = None) -> Document:
    """Replace ``${env:NAME}``, ``${env:NAME:default}`` and ``${file:path}`` in the front matter.

    As in Prompty, a reference is a whole value. They stand in the front matter alone: the body and the rows are never
    looked at. A variable that looks like a secret is refused. Files are confined to ``folders``; ``.json``, ``.yaml``
    and ``.yml`` files are read as data. Those that were read are added to ``files``.
    """
    front = source.front
    files = [] if files is None else files

    def resolve(value: Any, keys: tuple[str | int, ...]) -> Any:
        if keys in _SKIPPED:
            return None if keys == ("model", "connection") and value is None else _Unread()
        if isinstance(value, dict):
            return {key: resolve(item, (*keys, key)) for key, item in value.items()}
        if isinstance(value, list):
            return [resolve(item, (*keys, index)) for index, item in enumerate(value)]
        match = _REFERENCE.match(value) if isinstance(value, str) else None
        if match is None:
            return value
        kind = match["kind"].lower()
        if kind == "env":
            return _environment(match["value"], front.where(*keys))
        if kind == "file":
            files.append(find(match["value"], folders, front.where(*keys)))
            return _file(files[-1])
        raise DocumentError(
            f"unknown reference ${{{match['kind']}:…}}", where=front.where(*keys), hint=nearest(kind, ("env", "file"))
        )

    return Document(front.path, resolve(front.data, ()), front.lines)


class _Unread:
    """Stands for a part that is accepted and not used."""

    def __repr__(self) -> str:
        return "(not read)"


class FromEnvironment(str):
    """A value of the environment; errors show the reference in its place."""

    __slots__ = ("shown",)
    shown: str


def _environment(reference: str, where: str) -> str:
    name, _, default = reference.partition(":")
    value = os.environ.get(name)
    if value is None:
        if not default:
            hint = f"Set it, or give a default: ${{env:{name}:default}}"
            raise DocumentError(f"the environment variable {name} is not set", where=where, hint=hint)
        return default
    if suggests_secret(name, value):  # a stranger's prompt shall not send it to a model, nor have it stored
        raise DocumentError(
            f"the environment variable {name} looks like a secret, and a prompt may not hold one",
            where=where,
            hint="Keys of providers need not be named: llmkit reads them itself",
        )
    marked = FromEnvironment(value)
    marked.shown = f"the value of ${{env:{name}}}"
    return marked


def _file(path: Path) -> Any:
    if path.suffix in (".yaml", ".yml"):
        return read_yaml(path).data
    text = read_text(path)
    if path.suffix != ".json":
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", None)
        raise DocumentError(f"not JSON: {getattr(error, 'msg', error)}", where=place(path, line)) from None


def find(name: str, folders: list[Path], where: str) -> Path:
    """Find a file that a prompt names, inside ``folders`` and nowhere else.

    Raises:
        DocumentError: It is not there, or leads out (see ``documents.confined``).
    """
    for folder in folders:
        candidate = confined(name, base=folder, roots=folders, where=where, what="the prompt's folder", hint=INSIDE)
        if candidate.exists():
            return candidate
    near = Path(name).parent
    known = [str(p.relative_to(f)) for f in folders if f.is_dir() for p in f.glob(f"{near}/*") if p.is_file()]
    hint = nearest(name, known)
    searched = " or ".join(str(folder) for folder in folders)
    raise DocumentError(
        f"the file {name!r} is not in {searched}", where=where, hint=hint if hint.startswith("Did") else None
    )
