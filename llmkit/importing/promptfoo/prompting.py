"""Prompts of a configuration: written in it, or in files."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from llmkit.documents import read_text
from llmkit.errors import DocumentError, LlmkitError
from llmkit.importing.items import Items
from llmkit.importing.promptfoo.files import IS_CODE, is_code, is_there, matching, named_files
from llmkit.importing.promptfoo.testing import Test
from llmkit.importing.source import Source, read_source
from llmkit.prompts import prompt_from_messages

Messages = list[tuple[str, str]]
_TEXT = (".txt", ".md", ".j2")
_CHAT = (".json", ".yaml", ".yml")
FIELD = "checks"
"""The field of a row that holds its checks."""
OWN = frozenset({"id", FIELD})
"""Fields of a row that are llmkit's."""
_GIVEN = frozenset({"env", "_conversation"})
"""What promptfoo itself gives to templates."""


class Prompting:
    """Reads prompts.

    Args:
        source: The configuration.
        items: Takes what is not carried over.
        tests: What the prompts are filled from.
    """

    def __init__(self, source: Source, items: Items, tests: Sequence[Test]) -> None:
        self._source, self._items, self._tests = source, items, tests

    def all(self) -> list[Messages]:
        """Return each prompt as messages whose contents are templates.

        Raises:
            DocumentError: None can be carried over.
        """
        said = self._source.data.get("prompts")
        listed = list(
            enumerate(said) if isinstance(said, list) else said.items() if isinstance(said, dict) else [(0, said)]
        )
        found: list[Messages] = []
        before = len(self._items)
        for number, prompt in listed:
            where = self._source.where("prompts", number)
            if isinstance(said, dict):  # file: label
                self._items.note(where, f"prompt label: {prompt}", _LABEL)
                prompt = number
            try:
                found += [self._checked(each, where) for each in self._prompt(prompt, where)]
            except LlmkitError as error:
                self._items.lost(error.where or where, "prompt", error.message, error.hint or "")
        if not found:
            where = self._source.where("prompts")
            raise self._items.nothing("none of its prompts can be carried over", where, since=before)
        return found

    def _prompt(self, prompt: Any, where: str) -> Iterator[Messages]:
        if isinstance(prompt, dict):
            prompt = self._text(prompt, where)
        if not isinstance(prompt, str) or not prompt.strip():
            raise DocumentError("it holds no text", where=where)
        if prompt.startswith(("exec:", "langfuse:", "portkey:", "helicone:")):
            raise DocumentError(f"{prompt.split(':')[0]}: prompts are run or fetched, and nothing is here", where=where)
        if self._is_file(prompt):
            yield from self._files(prompt.removeprefix("file://"), where)
        else:
            yield _chat(prompt) or [("user", prompt)]

    def _text(self, prompt: dict[str, Any], where: str) -> Any:
        key = "raw" if prompt.get("raw") else "id"
        for other in prompt:
            if other in ("id", "label", "display") and other != key:
                self._items.note(where, f"prompt {other}: {prompt[other]}", _LABEL)
            elif other != key:
                self._items.lost(where, f"prompt {other}", "llmkit has nothing of the kind")
        return prompt.get(key)

    def _is_file(self, prompt: str) -> bool:
        """Whether a prompt names a file: a word that ends like code does, and else what is there."""
        if prompt.startswith("file://"):
            return True
        if "\n" in prompt:
            return False
        if is_code(prompt) and len(prompt.split()) == 1:
            return True
        return any(is_there(self._source.folder / name) for name in matching(prompt, self._source))

    def _files(self, name: str, where: str) -> Iterator[Messages]:
        if is_code(name):
            raise DocumentError(f"{name}: {IS_CODE}", where=where)
        for path in named_files(name, self._source, where):
            if path.suffix in _TEXT:
                yield from ([("user", part)] for part in _parts(read_text(path)))
            elif path.suffix in _CHAT:
                chat = _messages(read_source(path).data)
                yield chat if chat is not None else [("user", read_text(path))]
            else:
                why = f"{path.name}: {IS_CODE}" if is_code(path.name) else f"{path.name} is no text that is read here"
                raise DocumentError(why, where=where)

    def _checked(self, messages: Messages, where: str) -> Messages:
        prompt = prompt_from_messages([{"role": role, "content": content} for role, content in messages], where=where)
        for name in sorted(prompt.variables & _GIVEN):
            if not all(name in test.values for test in self._tests):
                why = f"it uses {name!r}, which promptfoo fills in, and rows do not have"
                raise DocumentError(why, where=where, hint="Write the value into the prompt, or into the variables")
        if taken := sorted(prompt.variables & OWN):
            raise DocumentError(f"the variable {taken[0]!r} has the name of a field of llmkit's own", where=where)
        return messages


_LABEL = "it is what people call the prompt"


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
