"""Where a task's rows come from: local files, or the Hugging Face hub."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain, islice
from pathlib import Path
from typing import Any

from llmkit.documents import Tagged
from llmkit.errors import LlmkitError
from llmkit.importing.bundle import Bundle
from llmkit.importing.data import jsonl, rows_of
from llmkit.importing.lm_eval.config import NO_CODE, Config
from llmkit.importing.source import named_file
from llmkit.samples import is_data

LOCAL = frozenset({"json", "csv", "parquet"})
"""What ``datasets`` calls its readers of local files."""
GIVE = "Give the rows with --data FILE"
SHOW = "Until --few-shot-data FILE names the examples, other rows of those that are asked are shown"
Data = str | dict[str, Any]


class Rows:
    """A task's data.

    Args:
        config: The task.
        bundle: Takes the files.

    Attributes:
        split: The one that is asked.
        first: The first row; None where the data are not at hand.
    """

    def __init__(self, config: Config, bundle: Bundle) -> None:
        self._config, self._bundle = config, bundle
        self.split = str(config.get("test_split") or config.get("validation_split") or "test")
        config.get("validation_split")
        self.first: Mapping[str, Any] | None = None
        self._give = GIVE
        self._path = config.get("dataset_path")
        self._name = config.get("dataset_name")
        self._kwargs = config.get("dataset_kwargs", {})

    def of_suite(self) -> Data:
        """Return the suite's ``data``, and add its file to the bundle where it is one."""
        found = self._data(self.split, f"{self._bundle.name}.jsonl")
        if found is None:
            self._bundle.data = False
            return f"{self._bundle.name}.jsonl"
        return found

    def of_split(self, split: str, name: str) -> Data | None:
        """Return another split as ``data``; None where it cannot be had, which is listed."""
        self._give = SHOW
        return self._data(split, name)

    @property
    def columns(self) -> frozenset[str] | None:
        """The rows' fields; None where they are not at hand."""
        unknown = self.first is None or "process_docs" in self._config  # which may make other fields of them
        return None if unknown else frozenset(self.first or ())

    def _data(self, split: str, name: str) -> Data | None:
        items, where = self._config.items, self._config.where("dataset_path")
        if isinstance(self._path, Tagged) or isinstance(custom := self._config.get("custom_dataset"), Tagged):
            tagged = self._path if isinstance(self._path, Tagged) else custom
            items.lost(where, f"{tagged.tag} {tagged.text}", NO_CODE, self._give)
            return None
        if not isinstance(self._path, str):
            items.lost(where, "dataset_path", "the task names no data", self._give)
            return None
        return self._local(split, name) if self._path in LOCAL else self._hub(split)

    def _hub(self, split: str) -> Data | None:
        config, items = self._config, self._config.items
        kwargs = self._kwargs if isinstance(self._kwargs, dict) else {}
        for key in kwargs:
            if key == "trust_remote_code":
                items.note(config.where("dataset_kwargs", key), key, "llmkit runs no code out of data sets")
            elif key != "revision":
                items.lost(config.where("dataset_kwargs", key), f"dataset_kwargs: {key}", "llmkit has no such option")
        if "/" not in self._path:
            why = "llmkit takes data of the hub by owner/name"
            items.lost(config.where("dataset_path"), f"dataset_path: {self._path}", why, self._give)
            return None
        revision = kwargs.get("revision")
        if revision is None:
            why = "no revision is named, so that the data may change"
            items.note(config.where("dataset_path"), self._path, why, "Write revision: COMMIT in the suite")
        said = {"hf": self._path, "config": self._name, "split": split, "revision": revision}
        return {key: value for key, value in said.items() if value is not None}

    def _local(self, split: str, name: str) -> Data | None:
        config, items = self._config, self._config.items
        where = config.where("dataset_kwargs", "data_files")
        kwargs = self._kwargs if isinstance(self._kwargs, dict) else {}
        for key in set(kwargs) - {"data_files"}:
            items.lost(
                config.where("dataset_kwargs", key), f"dataset_kwargs: {key}", "llmkit has no such option", self._give
            )
        files = kwargs.get("data_files")
        if isinstance(files, dict):
            files = files.get(split)
        names = [files] if isinstance(files, str) else files
        if not isinstance(names, list) or not names or not all(isinstance(each, str) for each in names):
            items.lost(where, "data_files", f"no file of the split {split!r} is named", self._give)
            return None
        try:
            paths = [named_file(each, config.folder("dataset_kwargs"), where) for each in map(self._near, names)]
            content = self._content(paths)
        except LlmkitError as error:
            items.lost(where, "data_files", error.message, self._give)
            return None
        return self._bundle.add(name, content)

    def _near(self, name: str) -> str:
        """Return a path from the task's folder: ``datasets`` reads it from the current one, where that has it."""
        folder = self._config.folder("dataset_kwargs").folder
        here = Path.cwd() / name
        if (folder / name).exists() or Path(name).is_absolute() or not here.exists():
            return name
        import os

        return Path(os.path.relpath(here, folder.resolve())).as_posix()

    def _content(self, paths: list[Path]) -> bytes:
        items = self._config.items
        rows = chain.from_iterable(rows_of(path, items, "data_files") for path in paths)
        if self.first is None:
            head = list(islice(rows, 1))
            self.first = head[0] if head else {}
            rows = chain(head, rows)
        (path, *more) = paths
        if not more and is_data(path) and path.name.lower().endswith(".jsonl"):
            return path.read_bytes()
        return jsonl(rows)
