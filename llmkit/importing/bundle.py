"""The files that an import makes: checked by loading them, then written all together."""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from llmkit.documents.writing import explained, written
from llmkit.errors import LlmkitError, UsageError
from llmkit.importing.yaml_text import yaml_text
from llmkit.suites.load import load_suites

_UNFIT = re.compile(r"[^A-Za-z0-9_-]+")
LONGEST = 60
"""Of a file's name, less its ending: file systems end at 255 bytes."""


def slug(name: str) -> str:
    """Return a name as a file can have it on every system."""
    found = _UNFIT.sub("-", name).strip("-")[:LONGEST]
    return found or "imported"


@dataclass
class Bundle:
    """Files to be, by their name in the folder.

    Attributes:
        name: Of the suite, and what the files' names begin with.
        files: Name → content, the suite's first.
        data: Whether the rows are among them, or come from the hub; else the user must name them.
        model: The model that the suite names.
    """

    name: str
    files: dict[str, bytes] = field(default_factory=dict)
    data: bool = True
    model: str | None = None

    @property
    def suite(self) -> str:
        """The name of the suite's file."""
        return f"{self.name}.yaml"

    def add(self, name: str, text: str | bytes) -> str:
        """Add a file; returns its name."""
        self.files[name] = text if isinstance(text, bytes) else text.encode("utf-8", "replace")
        return name

    def add_suite(self, name: str, spec: dict[str, Any], source: str) -> None:
        """Add a suite's file, without what is not set in it."""
        said = {key: value for key, value in {"version": 1, **spec}.items() if value not in (None, {}, [])}
        self.add(name, f"# Imported from {' '.join(source.split())} by llmkit import.\n{yaml_text(said)}")

    def check(self) -> None:
        """Load the suite from a folder of its own, as a user would.

        Raises:
            LlmkitError: It cannot be loaded: what the importer wrote is wrong.
        """
        with tempfile.TemporaryDirectory() as there:
            folder = Path(there).resolve()
            for name, content in self.files.items():
                (folder / name).write_bytes(content)
            stand_in = None
            if not self.data:
                (folder / "stand-in.jsonl").write_text("{}\n", "utf-8")
                stand_in = str(folder / "stand-in.jsonl")
            try:
                load_suites(str(folder / self.suite), data=stand_in, root=folder)
            except LlmkitError as error:
                said = str(error).replace(f"{folder}/", "")
                raise UsageError(f"what could be carried over is no suite that loads: {said}") from error

    def write(self, folder: Path, *, force: bool) -> None:
        """Write the files.

        Raises:
            UsageError: One is there already and ``force`` is not given (then none is written), or cannot be written.
        """
        there = [name for name in self.files if (folder / name).exists() or (folder / name).is_symlink()]
        if there and not force:
            hint = "Nothing was written. Name another folder with --out, or write over them with --force"
            raise UsageError(f"already there: {', '.join(there)}", where=str(folder), hint=hint)
        with explained(folder):
            folder.mkdir(parents=True, exist_ok=True)
        for name, content in self.files.items():
            target = folder / name
            if target.is_symlink():  # it would be followed, and may lead anywhere
                raise UsageError("is a link", where=str(target), hint="Remove it")
            with written(target) as out:
                out.write(content)
