"""Prompts of a configuration: written in it, or in files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from llmkit.documents import read_text
from llmkit.errors import DocumentError, LlmkitError
from llmkit.importing.items import Items
from llmkit.importing.source import Source, named_file, read_source
from llmkit.importing.template import check_template

Messages = list[tuple[str, str]]
_TEXT = (".txt", ".md", ".j2")
_CHAT = (".json", ".yaml", ".yml")


class Prompting:
    """Reads prompts.

    Args:
        source: The configuration.
        items: Takes what is not carried over.
    """

    def __init__(self, source: Source, items: Items) -> None:
        self._source, self._items = source, items

    def all(self) -> list[Messages]:
        """Return each prompt as messages whose contents are templates.

        Raises:
            DocumentError: None can be carried over.
        """
        said = self._source.data.get("prompts")
        listed = said if isinstance(said, list) else list(said) if isinstance(said, dict) else [said]
        found: list[Messages] = []
        for number, prompt in enumerate(listed):
            where = self._source.where("prompts", number)
            try:
                found += [self._checked(each, where) for each in self._prompt(prompt, where)]
            except LlmkitError as error:
                self._items.lost(where, "prompt", error.message, error.hint or "")
        if not found:
            where = self._source.where("prompts")
            raise DocumentError("none of its prompts can be carried over: there is nothing to ask", where=where)
        return found

    def _prompt(self, prompt: Any, where: str) -> Iterator[Messages]:
        if isinstance(prompt, dict):
            prompt = prompt.get("raw") or prompt.get("id")
        if not isinstance(prompt, str) or not prompt.strip():
            raise DocumentError("it holds no text", where=where)
        if prompt.startswith(("exec:", "langfuse:", "portkey:", "helicone:")):
            raise DocumentError(f"{prompt.split(':')[0]}: prompts are run or fetched, and nothing is here", where=where)
        named = prompt.startswith("file://") or (
            "\n" not in prompt and prompt.endswith((*_TEXT, *_CHAT)) and (self._source.folder / prompt).is_file()
        )
        if named:
            yield from self._files(prompt.removeprefix("file://"), where)
        else:
            yield _chat(prompt) or [("user", prompt)]

    def _files(self, name: str, where: str) -> Iterator[Messages]:
        paths = [named_file(name, self._source, where)] if "*" not in name else self._matching(name, where)
        for path in paths:
            if path.suffix in _TEXT:
                yield from ([("user", part)] for part in _parts(read_text(path)))
            elif path.suffix in _CHAT:
                chat = _messages(read_source(path).data)
                yield chat if chat is not None else [("user", read_text(path))]
            else:
                why = f"{path.name} is no text: code is not run here"
                raise DocumentError(why, where=where)

    def _matching(self, name: str, where: str) -> list[Path]:
        found = sorted(path for path in self._source.folder.glob(name) if path.is_file())
        if not found:
            raise DocumentError(f"no file is named {name!r}", where=where)
        return [named_file(path.relative_to(self._source.folder).as_posix(), self._source, where) for path in found]

    def _checked(self, messages: Messages, where: str) -> Messages:
        for _, content in messages:
            check_template(content, where)
        return messages


def _parts(text: str) -> list[str]:
    """Split a file of several prompts: a line of three dashes stands between them."""
    parts = [part.strip("\n") for part in f"\n{text}\n".split("\n---\n")]
    return [part for part in parts if part.strip()]


def _chat(text: str) -> Messages | None:
    """Return the messages that a prompt written as JSON is; None where it is none."""
    if not text.lstrip().startswith("["):
        return None
    try:
        return _messages(json.loads(text))
    except (ValueError, RecursionError):
        return None


def _messages(data: Any) -> Messages | None:
    if not isinstance(data, list) or not data:
        return None
    found: Messages = []
    for message in data:
        role, content = (message.get("role"), message.get("content")) if isinstance(message, dict) else (None, None)
        if role not in ("system", "developer", "user", "assistant") or not isinstance(content, str):
            return None
        found.append(("system" if role == "developer" else str(role), content))
    return found
