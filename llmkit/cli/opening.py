"""Opening the project's store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llmkit.runs.store import Store


def open_store(folder: Path | None, *, read_only: bool = True) -> Store:
    """Open the store that exists: the folder named, else the project's."""
    from llmkit.config import load_settings
    from llmkit.runs.store import Store

    return Store(folder or load_settings().store_path, create=False, read_only=read_only)
