"""Files of other tools in a folder of their own, and what an import makes of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from llmkit.importing.run import import_file
from llmkit.suites.load import load_suites
from llmkit.suites.suite import Suite
from llmkit.types import Imported, Message, NotCarried, Sample

Write = Callable[..., None]


@dataclass(frozen=True)
class Made:
    """What an import made, and the suite that it is."""

    found: Imported

    @property
    def suite(self) -> Suite:
        (suite,) = load_suites(self.found.suite)
        return suite

    @property
    def text(self) -> str:
        return Path(self.found.suite).read_text("utf-8")

    @property
    def samples(self) -> list[Sample]:
        return [sample for sample in self.suite.samples() if isinstance(sample, Sample)]

    def messages(self, index: int = 0) -> list[tuple[str, str]]:
        """What is asked of one row, as it is sent."""
        rendered: tuple[Message, ...] = self.suite.render(self.samples[index].row)
        return [(message.role, message.content) for message in rendered]

    def items(self, kind: str) -> list[NotCarried]:
        return [item for item in self.found.not_carried if item.kind == kind]

    def whats(self, kind: str) -> list[str]:
        return [item.what for item in self.items(kind)]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, which is empty."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def write(folder: Path) -> Write:
    """Write files by name: texts, or rows of JSON lines."""

    def all_of(files: Mapping[str, str | list[dict[str, Any]]]) -> None:
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            text = content if isinstance(content, str) else "".join(json.dumps(row) + "\n" for row in content)
            path.write_text(text, "utf-8")

    return all_of


@pytest.fixture
def made(write: Write) -> Callable[..., Made]:
    """Import a file, with others beside it."""

    def make(name: str, text: str, **files: str | list[dict[str, Any]]) -> Made:
        write({name: text, **{key.replace("__", "."): content for key, content in files.items()}})
        return Made(import_file(Path(name), out=Path("out")))

    return make
