"""Files that are written whole or not at all."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from llmkit.errors import UsageError


@contextlib.contextmanager
def written(path: Path, *, force: bool = True) -> Iterator[BinaryIO]:
    """Open a file to write, aside first and then renamed; a device or a pipe is written to as it is.

    Raises:
        UsageError: It cannot be written; it is there already, and ``force`` is not given.
    """
    _no_folder(path)
    if path.is_file() and not force:
        hint = "Name another, or write over it with --force"
        raise UsageError("the file is there already", where=str(path), hint=hint)
    with explained(path):
        if path.exists() and not path.is_file():
            with path.open("wb") as out:
                yield out
            return
        with _aside(path.resolve()) as (aside, out):  # where a link points, so that the link stays one
            yield out
            out.close()
            aside.replace(path.resolve())


def check_writable(path: Path) -> None:
    """Refuse a file that cannot be written, before what is to be written in it is made.

    Raises:
        UsageError: Why not.
    """
    _no_folder(path)
    with explained(path):
        if path.is_file() or not path.exists():  # to open a pipe would wait for its reader
            with _aside(path.resolve()):
                return


@contextlib.contextmanager
def _aside(target: Path) -> Iterator[tuple[Path, BinaryIO]]:
    """Open a file beside ``target``, and remove it at the end where it is still there."""
    aside = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with aside.open("wb") as out:
            yield aside, out
    finally:
        with contextlib.suppress(FileNotFoundError):
            aside.unlink()


def _no_folder(path: Path) -> None:
    if path.is_dir():
        raise UsageError("is a folder", where=str(path), hint="Name a file in it")


def write_text(path: Path, text: str) -> None:
    """Write a whole text.

    Raises:
        UsageError: It cannot be written.
    """
    with written(path) as out:
        out.write(text.encode("utf-8", "replace"))


@contextlib.contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what the file system says into one line."""
    try:
        yield
    except BrokenPipeError:
        raise  # whoever read has read enough
    except OSError as error:
        raise UsageError(f"cannot be written: {error.strerror}", where=str(path)) from error
