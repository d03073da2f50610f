from collections.abc import Callable
from pathlib import Path

import pytest

from llmkit.prompts import Prompt, load_prompt

Load = Callable[..., Prompt]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Write a prompt file, and others beside it, and load it."""

    def load(text: str, root: Path | None = None, **others: str) -> Prompt:
        for name, content in others.items():
            (tmp_path / name.replace("__", ".")).write_text(content, encoding="utf-8")
        (tmp_path / "p.prompty").write_bytes(text.encode())
        return load_prompt(tmp_path / "p.prompty", root=root)

    return load
