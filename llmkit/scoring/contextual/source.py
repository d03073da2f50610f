"""Where a model's files lie: in a folder, or on the Hugging Face hub at a commit. Pickled weights are never read."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PureWindowsPath
from typing import Any

from llmkit.errors import DocumentError, LlmkitError, MissingExtraError, ScorerError, UsageError
from llmkit.scoring.contextual.layers import recommended
from llmkit.scoring.files import Files
from llmkit.text import shorten

WEIGHTS = "*.safetensors"
_PLAIN = ("*.json", "*.txt", "*.model", "*.codes", "*.bpe", "*.tiktoken")  # configurations and vocabularies
_PICKLED = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl", "*.h5", "*.msgpack")
_MEGABYTE = 2**20
_HUB_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}(/[A-Za-z0-9][A-Za-z0-9._-]{0,95})?")


@dataclass(frozen=True, slots=True)
class Local:
    """A model in a folder, as ``save_pretrained`` writes it; its interface is ``Hub``'s.

    Attributes:
        path: The folder.
    """

    path: Path

    @property
    def name(self) -> str:
        """The folder's."""
        return self.path.resolve().name

    @property
    def identity(self) -> Mapping[str, str]:
        """The hash of all files that decide a vector: where the folder lies does not."""
        files = tuple(_files(self.path))
        stamps = tuple((str(file), (said := file.stat()).st_mtime_ns, said.st_size) for file in files)
        return {"sha256": _hash_of(stamps)[:12]}

    def folder(self, *, weights: bool) -> Path:
        """Return the folder.

        Raises:
            ScorerError: It has no weights that are safe to read, and they are asked for.
        """
        return with_weights(self.path, self.name) if weights else self.path


@dataclass(frozen=True, slots=True)
class Hub:
    """A model of the Hugging Face hub, fetched once and kept by the hub's client.

    Attributes:
        name: ``owner/name``, or ``name`` alone.
        revision: The commit, all 40 digits: it names the content.
    """

    name: str
    revision: str

    @property
    def identity(self) -> Mapping[str, str]:
        """The commit."""
        return {"revision": self.revision[:12]}

    def folder(self, *, weights: bool) -> Path:
        """Return the client's folder, with the weights where they are asked for; what is not there yet is fetched.

        Raises:
            MissingExtraError: The hub's client is not installed.
            UsageError: The hub does not give the files.
            ScorerError: The model has no weights that are safe to read.
        """
        try:
            import huggingface_hub
        except ImportError:
            raise MissingExtraError(f"bertscore on {self.name}", "torch") from None
        try:
            found = huggingface_hub.snapshot_download(
                self.name,
                revision=self.revision,
                allow_patterns=[*_PLAIN, *([WEIGHTS] if weights else [])],
                ignore_patterns=["*/*"],  # the same weights in other forms: onnx/, openvino/
            )
        except Exception as error:  # the hub's client raises its own, its wire's and the system's errors
            raise UsageError(
                f"the Hugging Face hub did not give {self.name} at {self.revision[:12]} "
                f"({type(error).__name__}: {shorten(str(error), 120)})",
                hint="Where there is no network, copy the model's folder here and write model: ./FOLDER",
            ) from error
        return with_weights(Path(found), self.name) if weights else Path(found)


def with_weights(folder: Path, name: str) -> Path:
    """Return a folder that has weights in safetensors.

    Raises:
        ScorerError: It has none; pickled ones run code when they are read.
    """
    if any(folder.glob(WEIGHTS)):
        return folder
    pickled = sorted(file.name for pattern in _PICKLED for file in folder.glob(pattern))
    what = f"only {pickled[0]}, and a pickle may run any code when it is read" if pickled else "none"
    raise ScorerError(
        f"{name} has no weights in safetensors: {what}",
        where=str(folder) if pickled else None,
        hint="Save them anew: AutoModel.from_pretrained(…).save_pretrained(FOLDER), where you trust them",
    )


Source = Local | Hub


def source_of(model: str, commit: str | None, files: Files) -> Source:
    """Return where a model lies, as an option names it: ``./FOLDER`` is a folder, any other name is of the hub.

    Raises:
        DocumentError: There is no such folder, or a model of the hub has no commit: its name alone says not what it is.
    """
    if model.startswith((".", "/", "~")) or PureWindowsPath(model).is_absolute():
        path = files.find(model)
        if not (path / "config.json").is_file():
            why = "it has no config.json" if path.is_dir() else "there is no such folder"
            raise DocumentError(f"no model lies in {model!r}: {why}", where=files.where)
        if commit is not None:
            raise DocumentError("a model in a folder has no revision: its files are hashed", where=files.where)
        return Local(path.resolve())
    if not _HUB_NAME.fullmatch(model):
        hint = "Write owner/name, or ./FOLDER"
        raise DocumentError(f"{shorten(model)!r} is no name of a model on the hub", where=files.where, hint=hint)
    if commit is None:
        now = commit_of(model)
        hint = f"revision: {now} is what it is now" if now else "Write revision: and the commit, all 40 digits"
        said = f"bertscore needs the revision of {model}: what a name means on the hub changes"
        raise DocumentError(said, where=files.where, hint=hint)
    return Hub(model, commit)


def layer_of(source: Source, layer: int | None, where: str | None) -> int:
    """Return the layer that is asked for, else the one that bert-score recommends.

    Raises:
        DocumentError: It recommends none.
    """
    if layer is not None:
        return layer
    found = recommended(source.name) if isinstance(source, Hub) else None
    if found is None:
        count = layers_of(source)
        hint = f"It has {count}: write layer: and a number up to {count}" if count else "Write layer: and its number"
        raise DocumentError(f"bert-score recommends no layer for {source.name}", where=where, hint=hint)
    return found


def config_of(source: Source) -> Mapping[str, Any]:
    """Read a model's configuration.

    Raises:
        LlmkitError: It cannot be had, or is none.
    """
    path = source.folder(weights=False) / "config.json"
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ScorerError(f"{source.name} has no configuration that can be read: {shorten(str(error))}") from None
    if not isinstance(config, dict):
        raise ScorerError(f"{source.name} has no configuration: {path.name} holds no object")
    return config


def layers_of(source: Source) -> int | None:
    """Return how many layers a model has, from its configuration; None where that cannot be told."""
    try:
        config = config_of(source)
    except LlmkitError:
        return None
    names = ("num_hidden_layers", "n_layers", "n_layer", "encoder_layers", "num_layers")
    return next((config[name] for name in names if isinstance(config.get(name), int)), None)


def commit_of(name: str) -> str | None:
    """Ask the hub which commit a model is at now; None where it does not say."""
    try:
        import huggingface_hub

        found: str | None = huggingface_hub.HfApi().model_info(name, timeout=10).sha
    except Exception:  # the answer only makes an error's hint better
        return None
    return found


def _files(folder: Path) -> Iterator[Path]:
    yield from sorted(file for pattern in (*_PLAIN, WEIGHTS) for file in folder.glob(pattern) if file.is_file())


@lru_cache(maxsize=8)
def _hash_of(stamps: tuple[tuple[str, int, int], ...]) -> str:
    """Hash the files' names and contents; kept as long as they look the same."""
    whole = hashlib.sha256()
    for name, _, size in stamps:
        path = Path(name)
        whole.update(f"{path.name}\0{size}\0".encode())
        with path.open("rb") as file:
            while part := file.read(_MEGABYTE):
                whole.update(part)
    return whole.hexdigest()
