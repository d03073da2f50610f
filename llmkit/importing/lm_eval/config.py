"""A task's configuration: its file, over those that it includes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from llmkit.documents import Tagged
from llmkit.errors import DocumentError
from llmkit.importing.items import Items
from llmkit.importing.source import Source, named_file, read_source

NO_CODE = "it is Python code, and nothing of an imported file is run"
_NAMES = "it names, sorts or describes the task"
_SEARCHED = "it finds answers that models may have been trained on, which llmkit does not look for"
_IDLE: Mapping[str, str] = {
    **dict.fromkeys(("task", "task_alias", "tag", "group", "group_alias", "metadata", "version"), _NAMES),
    **dict.fromkeys(("should_decontaminate", "doc_to_decontamination_query"), _SEARCHED),
    "weight_by_size": "it says how the tasks of a group are put together, and this is one task",
    "training_split": "it names rows to learn from, which are not asked",
    "unsafe_code": "it allows the task to run code there; here nothing of the task is run",
}
"""Fields without a part in the figures → why."""


class Config:
    """What a task file says, what it includes below it.

    Args:
        source: The task's file.
        items: Takes what is not carried over.

    Raises:
        DocumentError: It is no task, or includes what cannot be read.
    """

    def __init__(self, source: Source, items: Items) -> None:
        if not isinstance(source.data, dict):
            raise DocumentError("a task is a mapping", where=source.where())
        self.source, self.items = source, items
        self._from: dict[str, Source] = {}
        self._merge(source, [])
        self._used: set[str] = {"include"}

    def _merge(self, source: Source, way: list[Path]) -> None:
        way = [*way, source.path.resolve()]
        includes = source.data.get("include", [])
        for name in includes if isinstance(includes, list) else [includes]:
            where = source.where("include")
            path = named_file(str(name), source, where)
            if path.resolve() in way:
                raise DocumentError(f"{str(name)!r} includes itself", where=where)
            included = read_source(path)
            if not isinstance(included.data, dict):
                raise DocumentError(f"{str(name)!r} is no mapping", where=where)
            self._merge(included, way)
        self._from |= {key: source for key in source.data if key not in ("include", "task_list")}

    def __contains__(self, key: str) -> bool:
        source = self._from.get(key)
        return source is not None and source.data[key] is not None

    def get(self, key: str, default: Any = None) -> Any:
        """Return a field, and note that it is looked at; ``default`` where it is not set."""
        self._used.add(key)
        source = self._from.get(key)
        value = None if source is None else source.data[key]
        return default if value is None else value

    def where(self, key: str, *more: str | int) -> str:
        """``path:line`` of a field."""
        return self._from.get(key, self.source).where(key, *more)

    def folder(self, key: str) -> Source:
        """Return the file that a field stands in."""
        return self._from.get(key, self.source)

    def text(self, key: str, default: str = "") -> str:
        """Return a field that is text.

        Raises:
            DocumentError: It is code, or something else.
        """
        value = self.get(key, default)
        if isinstance(value, Tagged):
            raise DocumentError(
                f"{key} is {value.tag} {value.text}: {NO_CODE}",
                where=self.where(key),
                hint="Write it as a Jinja template, or write the suite by hand",
            )
        if not isinstance(value, (str, int)) or isinstance(value, bool):
            raise DocumentError(f"{key} must be text", where=self.where(key))
        return str(value)

    def left(self) -> None:
        """List the fields that nothing looked at."""
        for key in self._unused():
            value, where = self._from[key].data[key], self.where(key)
            if key in _IDLE:
                self.items.note(where, key, _IDLE[key])
            elif isinstance(value, Tagged):
                todo = "Give processed rows with --data" if key == "process_docs" else "Write a scorer of your own"
                self.items.lost(where, f"{key}: {value.tag} {value.text}", NO_CODE, todo)
            elif value not in (None, "", [], {}, False):
                self.items.lost(where, key, "llmkit has nothing of the kind, or does not know the field")

    def _unused(self) -> Iterator[str]:
        return (key for key in self._from if key not in self._used)
