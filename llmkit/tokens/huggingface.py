"""A ``tokenizer.json``, from a file or from the Hugging Face hub (package ``tokenizers``, extra ``[tokenizers]``)."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from llmkit.errors import DataError, MissingExtraError, UsageError
from llmkit.text import one_line

FILE = "tokenizer.json"
_REPOSITORY = re.compile(r"(?P<id>[\w][\w.-]*/[\w][\w.-]*)(?:@(?P<revision>[\w][\w./-]*))?")
_TIMEOUT_S = 10.0
"""For the hub's first word: a hub that is out of reach shall be noticed soon."""
_SHOWN = 12


class HuggingFace:
    """A tokenizer of the package ``tokenizers``.

    Args:
        content: The bytes of a ``tokenizer.json``.
        where: Names it in errors.

    Raises:
        MissingExtraError: The package is not installed.
        DataError: The content is no tokenizer.
    """

    def __init__(self, content: bytes, where: str) -> None:
        if importlib.util.find_spec("tokenizers") is None:
            raise MissingExtraError("a tokenizer.json", "tokenizers")
        import tokenizers

        try:
            self._tokenizer: Any = tokenizers.Tokenizer.from_str(content.decode("utf-8"))
        except Exception as error:  # the package raises bare Exceptions
            raise DataError(f"is no tokenizer: {one_line(str(error))}", where=where) from error
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._sha256 = hashlib.sha256(content).hexdigest()

    @property
    def name(self) -> str:
        """By content: the same file from the hub and from a folder is one tokenizer."""
        return f"{FILE}:{self._sha256[:_SHOWN]}"

    def count(self, text: str) -> int:
        """Return the number of tokens."""
        return len(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def ends(self, text: str) -> Sequence[int]:
        """Return the offset after each token; parts of one character end where it ends."""
        return [end for _, end in self._tokenizer.encode(text, add_special_tokens=False).offsets]


def from_file(path: Path, where: str | None) -> HuggingFace:
    """Read a ``tokenizer.json``.

    Raises:
        UsageError: There is no such file.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(
            f"the tokenizer {str(path)!r} cannot be read: {error.strerror}",
            where=where,
            hint="Name a tokenizer.json, hf:OWNER/NAME, or characters:4",
        ) from error
    return HuggingFace(content, str(path))


def from_hub(name: str, where: str | None) -> HuggingFace:
    """Fetch ``OWNER/NAME`` or ``OWNER/NAME@REVISION``, or take it from the hub's cache folder.

    Raises:
        UsageError: There is no such tokenizer, or no hub.
        MissingExtraError: The package ``huggingface_hub`` is not installed.
    """
    found = _REPOSITORY.fullmatch(name)
    if found is None:
        raise UsageError(f"tokenizer hf:{name} is no OWNER/NAME", where=where, hint="Write hf:OWNER/NAME")
    if importlib.util.find_spec("huggingface_hub") is None:
        raise MissingExtraError("a tokenizer of the hub", "tokenizers")
    return HuggingFace(_fetched(found["id"], found["revision"], where).read_bytes(), f"hf:{name}/{FILE}")


def _fetched(repository: str, revision: str | None, where: str | None) -> Path:
    import huggingface_hub

    kept = huggingface_hub.try_to_load_from_cache(repository, FILE, revision=revision)
    if isinstance(kept, str):
        return Path(kept)
    endpoint = os.environ.get("HF_ENDPOINT")
    try:
        # Asked first, because the download alone tries for 20 s and more to reach a hub that is not there.
        url = huggingface_hub.hf_hub_url(repository, FILE, revision=revision, endpoint=endpoint)
        huggingface_hub.get_hf_file_metadata(url, timeout=_TIMEOUT_S, endpoint=endpoint)
        return Path(huggingface_hub.hf_hub_download(repository, FILE, revision=revision, endpoint=endpoint))
    except Exception as error:  # the hub's client raises its own, its HTTP client's and the system's errors
        reason = one_line(str(error)) or type(error).__name__
        raise UsageError(
            f"the tokenizer hf:{repository} cannot be fetched from the hub ({reason})",
            where=where,
            hint=f"Have it as a file? Name the path of its {FILE}",
        ) from error
