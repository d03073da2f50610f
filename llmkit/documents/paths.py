"""Which files a suite or a prompt may name: it may come from a stranger, so it reads below its own folders only."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from llmkit.errors import DocumentError


def confined(
    name: str,
    *,
    base: Path,
    roots: Sequence[Path] = (),
    where: str | None = None,
    what: str = "the project",
    hint: str | None = None,
) -> Path:
    """Resolve a path that a file wrote.

    Args:
        name: The path, relative to ``base``, with forward slashes.
        base: The folder of the file that names it.
        roots: Further folders that it may lie in, besides ``base``.
        where: ``path:line`` of the name.
        what: Names the folders that it may lie in, for errors.
        hint: How to mend one that leads out of them.

    Returns:
        The path, as readable as ``base`` is.

    Raises:
        DocumentError: Where the file that it means, symbolic links followed, lies outside; where the path is absolute,
            or one that only some systems read; where it is hidden, as ``.env`` and ``.git`` are.
    """
    if "\0" in name or "\\" in name:
        character = "NUL character" if "\0" in name else "backslash"
        raise DocumentError(f"a path cannot hold a {character}", where=where, hint="Write it with forward slashes")
    path = base / name
    real = path.resolve()
    inside = [real.relative_to(top) for top in (r.resolve() for r in (base, *roots)) if real.is_relative_to(top)]
    if not inside:
        raise DocumentError(f"{name!r} leads out of {what}", where=where, hint=hint)
    if Path(name).is_absolute():
        raise DocumentError(f"{name!r} is absolute", where=where, hint="Write it from the folder of this file on")
    if all(any(part.startswith(".") for part in below.parts) for below in inside):
        raise DocumentError(f"{name!r} is a hidden file: it may hold secrets", where=where, hint="Copy it elsewhere")
    return path
