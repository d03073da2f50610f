"""Files that the options of a model name, a chat template say: base is asked with what lay there at base."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from llmkit.gate.git import Unreadable
from llmkit.gate.lines import said
from llmkit.gate.sides import Files, Side
from llmkit.gate.snapshot import BaseError
from llmkit.providers.base import ModelRef
from llmkit.providers.registry import path_options
from llmkit.verdicts import Change


def file_changes(head: Side, base: Side, files: Files) -> Iterator[Change]:
    """Say which files differ that both sides' options name by one path; another path is a changed option."""
    for name, path, differing in _differing(base, files):
        if head.model is None or base.model is None or head.model.options.get(name) != base.model.options[name]:
            continue
        for each in differing:
            how, lines = files.differs(each) or "changed", files.changed_lines(each, each)
            detail = f"{name}: {'' if each == path else 'a file there '}{how}{said(lines)}"
            yield Change("params", how, each, detail, lines=lines)


def with_base_files(base: Side, files: Files) -> ModelRef | None:
    """Return base's model, its options holding the text of each file that is not as it was at base.

    Raises:
        BaseError: It cannot be had: a folder, an adapter's say, is not taken out of a commit.
    """
    if base.model is None:
        return None
    options = dict(base.model.options)
    for name, path, differing in _differing(base, files):
        if differing != [path]:
            unlike = f"base's {name} differs from the working tree's ({differing[0]})"
            raise BaseError(f"{unlike}, and no folder is taken out of a commit")
        options[name] = _text(name, path, files)
    return replace(base.model, options=options)


def _differing(base: Side, files: Files) -> Iterator[tuple[str, str, list[str]]]:
    """Yield each option with a path of which base holds something else than the working tree: files, from the top.

    What git did not hold at base, weights that are ignored say, is the working tree's for both sides; so is what the
    command line names.
    """
    options = {} if base.model is None else base.model.options
    for name in sorted(path_options(base.model.provider)) if base.model is not None else ():
        value = options.get(name)
        if not isinstance(value, str) or base.origins.get(name) == "-M":
            continue
        path = files.repository.path_of(Path(value).expanduser())
        if path is None:
            continue
        held = [each for each in files.snapshot.entries if each == path or each.startswith(f"{path}/")]
        found = [each for each in held if files.differs(each)]
        if path not in held and held and (folder := files.head(path)).is_dir():
            there = (files.repository.path_of(file) for file in sorted(folder.rglob("*")) if file.is_file())
            found += [each for each in there if each is not None and each not in files.snapshot.entries]
        if found:
            yield name, path, found


def _text(name: str, path: str, files: Files) -> str:
    try:
        return (files.snapshot.read(path) or b"").decode()
    except (Unreadable, UnicodeDecodeError) as error:
        raise BaseError(f"base's {name} cannot be read: {files.snapshot.called(path)}: {error}") from None
