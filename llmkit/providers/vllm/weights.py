"""A model's folder: on this machine, or fetched from the Hugging Face hub; and what names its content."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmkit.errors import LlmkitError, MissingExtraError, UsageError, nearest
from llmkit.providers.gguf import HUB_TIMEOUT_S, remembered
from llmkit.text import one_line, quoted

ADAPTER = "adapter_config.json"
MARKS = ("config.json", ADAPTER, "params.json")
"""Files of which a model's, an adapter's or a Mistral's folder holds one."""
VOCABULARIES = ("tokenizer.json", "tokenizer.model", "tokenizer_config.json", "tekken.json", "vocab.json")
"""Files of which a whole model holds one; an adapter has its model's."""
WEIGHTS = ".safetensors"
PICKLED = (".bin", ".pt", ".pth")
READ = (WEIGHTS, ".json", ".jinja", ".txt", ".model", ".tiktoken")
"""Endings of what vLLM reads of a model. Pickles are not among them: reading one can run any code."""
RANKS = (8, 16, 32, 64, 128, 256, 320, 512)
"""Ranks of adapters that vLLM has kernels for (``vllm/config/lora.py``, ``MaxLoRARanks``), from 8 on."""
_PART = r"[\w-](?:[\w.-]{0,94}[\w-])?"
_HUB_NAME = re.compile(rf"(?!.*(?:--|\.\.))(?:{_PART}/)?{_PART}", re.ASCII)
"""As the hub names models (``huggingface_hub.utils.validate_repo_id``)."""

Progress = Callable[[str], None]
"""Takes a line about how far a download is."""


@dataclass(frozen=True, slots=True)
class Weights:
    """A model's files.

    Attributes:
        folder: Where they lie.
        name: As the user called them.
        commit: Of the hub; None for a folder of one's own.
    """

    folder: Path
    name: str
    commit: str | None = None


def is_path(model: str) -> bool:
    """Whether a model is named by its folder: ``./x``, ``../x``, ``~/x`` or ``/x``; else by its name on the hub."""
    return model.startswith(("/", "./", "../", "~"))


def find(model: str, revision: str | None) -> Weights | None:
    """Return a model that is on this machine, whole; None for one of the hub that would have to be fetched.

    Raises:
        UsageError: The folder is not there, or holds no model.
    """
    if is_path(model):
        return Weights(_checked(Path(model).expanduser().resolve(), model), model)
    try:
        from huggingface_hub import try_to_load_from_cache
    except ImportError:
        return None
    _check_name(model)
    for mark in MARKS:
        kept = try_to_load_from_cache(model, mark, revision=revision)
        if isinstance(kept, str) and _whole(Path(kept).parent, mark):
            return Weights(Path(kept).parent, model, Path(kept).parent.name)
    return None


def obtain(model: str, revision: str | None, progress: Progress) -> Weights:
    """Return a model, fetched where it is not on this machine.

    Args:
        model: A folder, or ``ORG/NAME`` of the hub.
        revision: Commit, tag or branch; None: the hub's main branch.
        progress: Is told of each file.

    Raises:
        UsageError: It cannot be had; says why, and what mends it.
        MissingExtraError: huggingface-hub is not installed.
    """
    found = find(model, revision)
    return found if found is not None else _fetch(model, revision, progress)


def identity(weights: Weights) -> dict[str, str]:
    """Name what the files hold: the hub's commit, or the hash of all that vLLM reads.

    Raises:
        UsageError: A file cannot be read.
    """
    if weights.commit is not None:
        return {"weights": f"{weights.name}@{weights.commit}"}
    content = hashlib.sha256()
    for file in files(weights.folder):
        try:
            content.update(f"{file.name}\0{remembered(file)}\n".encode())
        except OSError as error:
            raise UsageError(f"cannot be read: {error.strerror}", where=str(file)) from error
    return {"weights": f"sha256:{content.hexdigest()}"}


def files(folder: Path) -> list[Path]:
    """Return what vLLM reads of a folder, in a fixed order."""
    return sorted(file for file in folder.iterdir() if file.suffix in READ and file.is_file())


def read_config(folder: Path) -> dict[str, Any]:
    """Return the model's ``config.json``; of one that also sees or hears, the part on text.

    Raises:
        UsageError: It cannot be read.
    """
    document = _json(folder / "config.json")
    text = document.get("text_config")
    return {**document, **text} if isinstance(text, dict) else document


def lora_rank(folder: Path) -> int:
    """Return an adapter's rank, as vLLM wants it: the next of the ranks that it has kernels for.

    Raises:
        UsageError: The folder holds no LoRA adapter, or one of a rank beyond 512.
    """
    config = _json(folder / ADAPTER)
    own = config.get("rank_pattern")  # of layers that have a rank of their own
    ranks = [config.get("r"), *(own.values() if isinstance(own, dict) else ())]
    for rank in ranks:
        if type(rank) is not int or not 1 <= rank <= RANKS[-1]:
            raise UsageError(f"no LoRA adapter that vLLM takes: its rank is {quoted(rank)}", where=str(folder))
    return next(size for size in RANKS if size >= max(ranks))


def _json(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"cannot be read: {one_line(str(error))}", where=str(path)) from error
    if not isinstance(document, dict):
        raise UsageError("no JSON object", where=str(path))
    return document


def _checked(folder: Path, model: str) -> Path:
    if folder.is_file():
        gguf = folder.suffix.lower() == ".gguf"
        hint = f"The embedded engine runs it: local/{one_line(model)}" if gguf else "Name the folder that it lies in"
        raise UsageError(f"{folder} is a file, and vLLM reads a model's folder", hint=hint)
    if not folder.is_dir():
        beside = [entry.name for entry in folder.parent.iterdir() if entry.is_dir()] if folder.parent.is_dir() else []
        raise UsageError(f"no such folder: {folder}", hint=nearest(folder.name, beside) if beside else None)
    if not any((folder / mark).is_file() for mark in MARKS):
        raise UsageError(
            f"no model: there is none of {', '.join(MARKS)}", where=str(folder), hint="save_pretrained() writes one"
        )
    _check_weights(folder, [file.name for file in folder.iterdir()], model)
    return folder


def _check_weights(folder: Path | None, names: list[str], model: str) -> None:
    if any(name.endswith(WEIGHTS) for name in names):
        return
    if any(name.lower().endswith(".gguf") for name in names):
        raise UsageError(
            f"{model} has its weights in GGUF alone, which vLLM does not read",
            where=None if folder is None else str(folder),
            hint="The embedded engine runs such a file: local/FILE.gguf. Or name the model that it was made of",
        )
    pickled = next((name for name in sorted(names) if name.endswith(PICKLED)), None)
    what = f"only {pickled}, and a pickle may run any code when it is read" if pickled else "none"
    raise UsageError(
        f"{model} has no weights in safetensors: {what}",
        where=None if folder is None else str(folder),
        hint="Save them anew where you trust them: AutoModel.from_pretrained(…).save_pretrained(FOLDER)",
    )


def _whole(folder: Path, mark: str) -> bool:
    """Whether all parts of a split model are there, and a vocabulary: a download may have been broken off."""
    if mark != ADAPTER and not any((folder / name).is_file() for name in VOCABULARIES):
        return False
    parts: set[str] = set()
    for index in folder.glob("*.safetensors.index.json"):
        named = _json(index).get("weight_map")
        if not isinstance(named, dict):
            return False
        parts |= set(map(str, named.values()))
    if parts:
        return all((folder / part).is_file() for part in parts)
    return any(file.suffix == WEIGHTS for file in folder.iterdir())


def _check_name(model: str) -> None:
    if _HUB_NAME.fullmatch(model) is None or model.endswith(".git"):
        shown = one_line(model)
        raise UsageError(
            f"{quoted(model)} is neither ORG/NAME of the hub nor a folder",
            hint=f"A folder is written vllm/./{shown}, vllm/~/{shown} or vllm//{shown}",
        )


def _fetch(model: str, revision: str | None, progress: Progress) -> Weights:
    try:
        from huggingface_hub import HfApi, hf_hub_download
        from huggingface_hub.utils.tqdm import disable_progress_bars
    except ImportError:
        raise MissingExtraError(f"fetching {model}", "vllm") from None
    _check_name(model)
    endpoint = os.environ.get("HF_ENDPOINT")
    disable_progress_bars()
    try:
        info = HfApi(endpoint=endpoint).model_info(model, revision=revision, timeout=HUB_TIMEOUT_S, files_metadata=True)
        sizes = {entry.rfilename: entry.size for entry in info.siblings or () if "/" not in entry.rfilename}
        mark = next((mark for mark in MARKS if mark in sizes), None)
        if mark is None:
            raise UsageError(f"{model} is no model that vLLM loads: there is none of {', '.join(MARKS)}")
        _check_weights(None, list(sizes), model)
        # The weights at last: of a download that was broken off some are missing, so it is seen to be no whole model.
        wanted = sorted(
            (name for name in sizes if name.endswith(READ)), key=lambda name: (name.endswith(WEIGHTS), name)
        )
        for number, name in enumerate(wanted, 1):
            progress(f"fetching {one_line(name)}{_shown(sizes[name])}, file {number} of {len(wanted)}")
            path = hf_hub_download(model, name, revision=info.sha, endpoint=endpoint)
        hf_hub_download(model, mark, revision=revision, endpoint=endpoint)  # notes which commit the branch or tag is
    except LlmkitError:
        raise
    except Exception as error:  # the hub's client raises its own, its HTTP client's and the system's errors
        raise _refused(model, revision, error) from error
    folder = Path(path).parent
    return Weights(folder, model, info.sha)


def _shown(size: int | None) -> str:
    """Return a size that is worth telling; the hub need not say it."""
    return "" if size is None or size < 2**30 else f" ({size / 2**30:.1f} GiB)"


def _refused(model: str, revision: str | None, error: Exception) -> UsageError:
    """Say why the hub did not give a model: by the names of its client's errors, which move between its versions."""
    kinds = {kind.__name__ for kind in type(error).__mro__}
    page = f"its page on the hub ({model})"
    reasons = (
        ("GatedRepoError", f"{model} is gated", f"Accept its licence on {page}, and set HF_TOKEN"),
        ("RevisionNotFoundError", f"{model} has no revision {quoted(revision)}", f"See {page}"),
        (
            "RepositoryNotFoundError",
            f"the hub has no model {model}, or it is private",
            "Check the name; for a private one set HF_TOKEN",
        ),
        (
            "OfflineModeIsEnabled",
            f"{model} is not on this machine, and HF_HUB_OFFLINE forbids to fetch it",
            "Unset it, or name a folder: vllm/./FOLDER",
        ),
    )
    for kind, message, hint in reasons:
        if kind in kinds:
            return UsageError(message, hint=hint)
    said = one_line(str(error)) or type(error).__name__
    return UsageError(
        f"{model} is not on this machine, and the Hugging Face hub did not give it ({said})",
        hint="Where there is no network, copy the model's folder here and name that: vllm/./FOLDER",
    )
