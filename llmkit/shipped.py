"""Where the prompts and judges that llmkit itself uses lie: in a wheel inside the package, in a checkout at its top."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from llmkit.errors import UnknownNameError

PACKAGE = Path(__file__).parent


def folder(kind: Literal["prompts", "judges"]) -> Path:
    """The folder of one kind."""
    # The wheel's build puts the top-level folders here (pyproject.toml, force-include).
    installed = PACKAGE / "_shipped" / kind
    return installed if installed.is_dir() else PACKAGE.parent / kind


def shipped(kind: Literal["prompts", "judges"], name: str) -> Path:
    """Path of a file or folder by its name, as ``shipped("prompts", "qa.prompty")`` or ``quickstart/yes_no.prompty``.

    Raises:
        UnknownNameError: llmkit does not ship it.
    """
    known = {entry.relative_to(folder(kind)).as_posix(): entry for entry in folder(kind).rglob("*")}
    if name not in known:
        raise UnknownNameError(f"shipped {kind.removesuffix('s')}", name, known)
    return known[name]
