"""``llmkit import``: one file of another tool made into a suite with its prompts and data."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from pathlib import Path

from llmkit.errors import UnknownNameError, UsageError
from llmkit.importing.bundle import Bundle
from llmkit.importing.items import Items
from llmkit.importing.source import Source, read_source
from llmkit.types import Imported

LM_EVAL, PROMPTFOO, GITHUB = "lm-eval", "promptfoo", "github"
FORMATS = (LM_EVAL, PROMPTFOO, GITHUB)
_SIGNS: Mapping[str, frozenset[str]] = {
    LM_EVAL: frozenset({"doc_to_text", "doc_to_target", "output_type", "dataset_path", "metric_list", "include"})
    | {"task", "group"},
    PROMPTFOO: frozenset({"prompts", "providers", "targets", "tests", "defaultTest", "scenarios"}),
    GITHUB: frozenset({"messages", "testData", "evaluators", "modelParameters", "responseFormat", "jsonSchema"}),
}
"""Fields that only files of a format have."""


def import_file(
    path: Path, *, out: Path | None = None, format: str | None = None, force: bool = False, dry_run: bool = False
) -> Imported:
    """Make a suite of a file, and list what of the file is not in it.

    Args:
        path: The file.
        out: The folder that the suite goes to; one of its name in the current folder where None.
        format: One of ``FORMATS``; told by what the file holds where None.
        force: Whether files that are there may be written over.
        dry_run: Write nothing.

    Raises:
        DocumentError: The file cannot be read, or nothing of it can be carried over (``path:line``).
        UsageError: No format that is known; files that are there already.
    """
    source = read_source(path)
    kind = format or _format(source)
    if kind not in FORMATS:
        raise UnknownNameError("format", kind, FORMATS, where="--from")
    items = Items()
    bundle = _converter(kind)(source, items)
    bundle.check()
    folder = out if out is not None else Path(bundle.name)
    if not dry_run:
        bundle.write(folder, force=force)
    files = tuple(str(folder / name) for name in bundle.files)
    suite = str(folder / bundle.suite)
    return Imported(str(path), kind, suite, files, not dry_run, items.all(), _next(suite, bundle))


def _format(source: Source) -> str:
    keys = set(source.data) if isinstance(source.data, dict) else set()
    found = {kind: len(keys & signs) for kind, signs in _SIGNS.items()}
    best = max(found, key=lambda kind: found[kind])
    if not found[best]:
        raise UsageError(
            "this is none of the files that can be imported", where=str(source.path),
            hint=f"Say what it is: --from {'|'.join(FORMATS)}",
        )  # fmt: skip
    return best


def _converter(kind: str) -> Callable[[Source, Items], Bundle]:
    if kind == LM_EVAL:
        from llmkit.importing.lm_eval.convert import convert
    elif kind == PROMPTFOO:
        from llmkit.importing.promptfoo.convert import convert
    else:
        from llmkit.importing.github import convert
    return convert


def _next(suite: str, bundle: Bundle) -> str:
    words = ["llmkit", "eval", suite, *([] if bundle.data else ["--data", "FILE"])]
    return shlex.join([*words, *([] if bundle.model else ["-m", "MODEL"])])
