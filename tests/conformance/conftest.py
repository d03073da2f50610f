"""Published test cases of other implementations, read from a folder that is no part of this project."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


class Vectors:
    """The folder, and the cases of its files by a key such as ``corpus_bleu/3``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def load(self, name: str) -> Any:
        return json.loads((self.folder / name).read_text(encoding="utf-8"))

    def files(self, part: str) -> set[str]:
        return {path.name for path in (self.folder / part).glob("*.json")}

    def cases(self, name: str) -> dict[str, Any]:
        return dict(_keyed(self.load(name)["cases"]))


def _keyed(cases: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(cases, list):
        yield from ((str(number), case) for number, case in enumerate(cases))
        return
    for group, members in cases.items():
        members = members["test_cases"] if isinstance(members, dict) else members
        yield from ((f"{group}/{number}", case) for number, case in enumerate(members))


@pytest.fixture(scope="session")
def vectors() -> Vectors:
    folder = Path(os.environ.get("LLMKIT_VECTORS") or ROOT / "../shared/vectors").resolve()
    if not folder.is_dir():
        pytest.skip(
            f"no test vectors at {folder}; set LLMKIT_VECTORS to the folder that holds metrics/ and statistics/"
        )
    return Vectors(folder)
