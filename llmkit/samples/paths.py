"""Which files a suite may name: it may come from a stranger, so it reads below its own folders only."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from llmkit.errors import DocumentError


def confined(name: str, *, base: Path, roots: Sequence[Path], where: str | None = None) -> Path:
    """Resolve a path that a suite wrote.

    Args:
        name: The path, relative to ``base``.
        base: The folder of the file that names it.
        roots: Further folders that it may lie in, besides ``base``.
        where: ``path:line`` of the name.

    Returns:
        The path, as readable as ``base`` is.

    Raises:
        DocumentError: Where the file that it means, symbolic links followed, lies outside.
    """
    if "\0" in name:
        raise DocumentError("a path cannot hold a NUL character", where=where)
    path = base / name
    real = path.resolve()
    if not any(real.is_relative_to(root.resolve()) for root in (base, *roots)):
        raise DocumentError(
            f"{name!r} leads out of the project",
            where=where,
            hint="A suite may name files of its own folder and of its project (where llmkit.toml lies); "
            "other data can be given with --data",
        )
    return path
