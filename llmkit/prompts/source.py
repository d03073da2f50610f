"""A prompt file as text: its front matter with references resolved, its body, and the files it includes."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from llmkit.documents import Document, parse_yaml, read_text, read_yaml
from llmkit.documents.document import place
from llmkit.errors import DocumentError, nearest

_REFERENCE = re.compile(r"\$\{(?P<kind>[a-zA-Z]+):(?P<value>.*)\}\Z", re.DOTALL)
_SECRET_NAME = re.compile(r"(?i)key|token|secret|password|passwd|credential|authorization|cookie")
_SECRET_VALUE = re.compile(r"\b(?:sk|pk|rk)-[\w*.-]{6,}|\b(?:hf_|gh[pousr]_|github_pat_|gsk_|xai-|AIza|AKIA)[\w*-]{8,}")
_SKIPPED = frozenset({("tools",), ("metadata",), ("sample",), ("model", "connection")})
"""Parts that llmkit does not use: a key that stands there as ``${env:…}`` is never even read."""


@dataclass
class Source:
    """What a prompt file says, before it is understood.

    Attributes:
        front: The front matter.
        body: The template, from its first line that is not blank.
        body_line: The file's line that ``body`` starts at.
        hidden: Values from the environment that look like secrets → the reference that stands for them in fingerprints.
    """

    front: Document
    body: str
    body_line: int
    hidden: dict[str, str] = field(default_factory=dict)


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


def resolve_references(source: Source, folders: list[Path]) -> Document:
    """Replace ``${env:NAME}``, ``${env:NAME:default}`` and ``${file:path}`` in the front matter.

    As in Prompty, a reference is a whole value. They stand in the front matter alone: the body and the rows are never
    looked at. Files are confined to ``folders``; ``.json``, ``.yaml`` and ``.yml`` files are read as data.
    """
    front = source.front

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
            return _environment(match["value"], front.where(*keys), source.hidden)
        if kind == "file":
            return _file(match["value"], folders, front.where(*keys))
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


def _environment(reference: str, where: str, hidden: dict[str, str]) -> str:
    name, _, default = reference.partition(":")
    value = os.environ.get(name)
    if value is None:
        if not default:
            hint = f"Set it, or give a default: ${{env:{name}:default}}"
            raise DocumentError(f"the environment variable {name} is not set", where=where, hint=hint)
        return default
    if _SECRET_NAME.search(name) or _SECRET_VALUE.search(value):
        hidden[value] = f"${{env:{name}}}"
    marked = FromEnvironment(value)
    marked.shown = f"the value of ${{env:{name}}}"
    return marked


def _file(reference: str, folders: list[Path], where: str) -> Any:
    path = confined(reference, folders, where)
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


def confined(reference: str, folders: list[Path], where: str) -> Path:
    """Find a file that a prompt names, inside ``folders`` and nowhere else: symbolic links are followed first.

    Raises:
        DocumentError: It is not there, or leads out.
    """
    given = Path(reference)
    if given.is_absolute() or "\\" in reference or "\0" in reference:
        raise DocumentError(f"{reference!r} is not a path below the prompt's folder", where=where)
    if ".." in given.parts:
        raise DocumentError(f"{reference!r} leads out of the prompt's folder", where=where, hint="Move the file inside")
    for folder in folders:
        candidate = folder / given
        if candidate.exists():
            resolved = candidate.resolve()
            if not resolved.is_relative_to(folder.resolve()):
                raise DocumentError(f"{reference!r} is a link that leads out of the prompt's folder", where=where)
            return candidate
    known = [str(p.relative_to(f)) for f in folders if f.is_dir() for p in f.glob(f"{given.parent}/*") if p.is_file()]
    hint = nearest(reference, known)
    searched = " or ".join(str(folder) for folder in folders)
    raise DocumentError(
        f"the file {reference!r} is not in {searched}", where=where, hint=hint if hint.startswith("Did") else None
    )
