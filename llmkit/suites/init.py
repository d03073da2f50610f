"""``llmkit init``: a small project that works, to be changed."""

from __future__ import annotations

from pathlib import Path

from llmkit.errors import UnknownNameError, UsageError

TEMPLATES = Path(__file__).parent / "templates"
SCHEMAS = Path(__file__).parents[1] / "schemas"
IGNORED = ".llmkit/"
"""The store: it grows, and it holds every answer."""


def examples() -> list[str]:
    """Return the names of the projects that there are."""
    return sorted(path.name for path in TEMPLATES.iterdir() if path.is_dir())


def init(folder: Path, example: str = "hello") -> list[Path]:
    """Write a project: configuration, a suite with its data, a prompt, and the JSON Schemas that editors check them by.

    The schemas are copied, so that the files' references to them hold with no network and on every machine. A
    ``.gitignore`` that is there gets a line; nothing else may be there already.

    Args:
        folder: Where to; made if need be.
        example: Which project: ``hello``, to see that everything works, ``cities``, to try the gate on, ``messages``,
            to ask for answers in a form, ``replies``, to measure a judge, or ``variants``, to compare configurations
            of a model on vLLM.

    Returns:
        The files written or changed.

    Raises:
        UnknownNameError: There is no such example.
        UsageError: Where a file of the project exists (all are named), or cannot be written.
    """
    template = TEMPLATES / example
    if example not in examples():
        raise UnknownNameError("example", example, examples(), where="--example")
    files = {path.relative_to(template): path for path in sorted(template.rglob("*")) if path.is_file()}
    files |= {Path("schemas") / path.name: path for path in sorted(SCHEMAS.glob("*.schema.json"))}
    there = [str(name) for name in files if (folder / name).exists()]
    if there:
        raise UsageError(
            f"already there: {', '.join(there)}",
            where=str(folder),
            hint="Nothing was written. For a new project name another folder: llmkit init FOLDER",
        )
    try:
        written = [_write(folder / name, path.read_bytes()) for name, path in files.items()]
        return [*written, *_ignore(folder / ".gitignore")]
    except OSError as error:
        raise UsageError(f"cannot write: {error.strerror or error}", where=str(error.filename or folder)) from error


def _write(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as file:  # x: a file that appeared since the check is not overwritten either
        file.write(content)
    return path


def _ignore(path: Path) -> list[Path]:
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    if any(line.strip().strip("/") == IGNORED.strip("/") for line in lines):
        return []
    path.write_text("\n".join([*lines, IGNORED]) + "\n", "utf-8")
    return [path]
