"""From what a suite or a user names to a ``Source``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from llmkit.documents import confined
from llmkit.errors import DocumentError, UsageError, nearest
from llmkit.samples.csv import read_csv
from llmkit.samples.files import FileSource, Reader
from llmkit.samples.huggingface import HubSource
from llmkit.samples.joined import JoinedSource
from llmkit.samples.jsonarray import read_json
from llmkit.samples.jsonl import read_jsonl
from llmkit.samples.needle import NeedleData, NeedleSource
from llmkit.samples.needle.spec import OWN_HAYSTACKS
from llmkit.samples.needle.texts import TXT, TextFile
from llmkit.samples.parquet import read_parquet
from llmkit.samples.source import Source

READERS: Mapping[str, Reader] = {
    ".jsonl": read_jsonl,
    ".jsonl.gz": read_jsonl,
    ".ndjson": read_jsonl,
    ".csv": read_csv,
    ".parquet": read_parquet,
    ".json": read_json,
}
"""File ending → reader."""
OTHER_DATA = (
    "A suite may name files of its own folder and of its project (where llmkit.toml lies); "
    "other data can be given with --data"
)


def open_source(
    spec: str | Mapping[str, Any],
    *,
    base: Path,
    override: str | None = None,
    option: str = "--data",
    roots: Sequence[Path] = (),
    where: str | None = None,
) -> Source:
    """Find a data set; nothing of it is read yet.

    Args:
        spec: A path relative to ``base``, or ``{hf: owner/name, config:, split:, revision:}``; of a list of
            configurations, one is read after the other. Or ``{generate: needle, …}``, whose haystack is the file then.
        base: The suite's folder.
        override: The user's own ``option``: a path from the current folder that may lie anywhere.
        option: As the user wrote it.
        roots: Further folders that ``spec`` may lead into (see ``confined``).
        where: ``path:line`` of ``spec``.

    Raises:
        DocumentError: ``spec`` leads outside, names no file or a format that is not read.
        UsageError: The same of ``override``.
    """
    if not isinstance(spec, str) and "generate" in spec:
        return _generated(NeedleData.model_validate(spec), base, override, option, roots, where)
    if override is not None:
        path = Path(override).expanduser()
        return FileSource(path, _reader(path, error=UsageError, where=option))
    if isinstance(spec, str):
        path = confined(spec, base=base, roots=roots, where=where, hint=OTHER_DATA)
        return FileSource(path, _reader(path, error=DocumentError, where=where))
    split, revision, config = spec.get("split") or "test", spec.get("revision"), spec.get("config")
    if isinstance(config, list):
        # One commit for all: what is not pinned is resolved once, by the first of them.
        first, *rest = (HubSource(spec["hf"], each, split, revision, where, option) for each in config)
        return JoinedSource([first, *(part.of(first) for part in rest)])
    return HubSource(spec["hf"], config, split, revision, where, option)


def _generated(
    data: NeedleData, base: Path, override: str | None, option: str, roots: Sequence[Path], where: str | None
) -> NeedleSource:
    """Find the haystack of a set that is made at run time."""
    haystack: TextFile | None = None
    if override is not None:
        if data.kind == "facts":
            raise UsageError("kind: facts writes its own documents, so no file replaces them", where=option)
        haystack = _text(Path(override).expanduser(), data.field, error=UsageError, where=option)
    elif data.haystack not in OWN_HAYSTACKS:
        if "." not in data.haystack:
            hint = f"{nearest(data.haystack, OWN_HAYSTACKS)}; or name a file (.txt, or of rows)"
            raise DocumentError(f"no haystack is called {data.haystack!r}", where=where, hint=hint)
        path = confined(data.haystack, base=base, roots=roots, where=where, hint=OTHER_DATA)
        haystack = _text(path, data.field, error=DocumentError, where=where)
    return NeedleSource(data, base, tuple(roots), haystack, where)


def _text(path: Path, field: str, *, error: type[UsageError], where: str | None) -> TextFile:
    if path.name.lower().endswith(TXT) and path.is_file():
        return TextFile(FileSource(path, read_jsonl), field, rows=False)
    return TextFile(FileSource(path, _reader(path, error=error, where=where, more=(TXT,))), field, rows=True)


def is_data(path: Path) -> bool:
    """Whether a file's name has the ending of a data set."""
    return path.name.lower().endswith(tuple(READERS))


def _reader(path: Path, *, error: type[UsageError], where: str | None, more: Sequence[str] = ()) -> Reader:
    if not path.is_file():
        raise error(f"no file {str(path)!r}", where=where, hint=_beside(path))
    for ending, read in READERS.items():
        if path.name.lower().endswith(ending):
            return read
    raise error(
        f"{str(path)!r} has no format that is read", where=where, hint=f"These are: {', '.join([*more, *READERS])}"
    )


def _beside(path: Path) -> str | None:
    """Offer the files with near names, if the folder is there."""
    if path.is_dir():
        return "That is a folder; name a file in it"
    try:
        names = [entry.name for entry in path.parent.iterdir() if entry.is_file()]
    except OSError:
        return f"There is no folder {str(path.parent)!r} either"
    hint = nearest(path.name, names)
    return hint if hint.startswith("Did you mean") else None
