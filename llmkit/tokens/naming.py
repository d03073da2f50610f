"""What a suite writes after ``tokenizer:`` → a tokenizer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from llmkit.documents import confined
from llmkit.errors import UsageError
from llmkit.tokens.base import Tokenizer
from llmkit.tokens.characters import Characters

MODEL = "model"
"""The tokenizer of the model that is asked."""
NAMES = "model, hf:OWNER/NAME, the path of a tokenizer.json, or characters:N"
_CHARACTERS = re.compile(r"characters:([1-9]\d{0,2})")
_HUB = "hf:"


def check_name(name: str) -> str:
    """Return a tokenizer's name where it has one of the known forms.

    Raises:
        ValueError: It has not; what may be written is said.
    """
    if name == MODEL or _CHARACTERS.fullmatch(name) or name.endswith(".json"):
        return name
    if name.startswith(_HUB) and name.count("/") == 1:
        return name
    raise ValueError(f"no tokenizer is called {name!r}; write {NAMES}")


def open_tokenizer(name: str, *, base: Path, roots: Sequence[Path] = (), where: str | None = None) -> Tokenizer:
    """Open a tokenizer that is not the model's own.

    Args:
        name: As ``check_name`` takes it.
        base: The folder that a path starts from.
        roots: Further folders that it may lie in (see ``confined``).
        where: ``path:line`` of the name.

    Raises:
        UsageError: There is no such tokenizer.
        DataError: The file is no tokenizer.
        MissingExtraError: The package ``tokenizers`` is not installed.
    """
    if found := _CHARACTERS.fullmatch(name):
        return Characters(int(found[1]))
    from llmkit.tokens import huggingface

    if name.startswith(_HUB):
        return huggingface.from_hub(name.removeprefix(_HUB), where)
    if name == MODEL:
        raise UsageError("the model's own tokenizer is asked of its provider", where=where)
    hint = "A suite may name files of its own folder and of its project (where llmkit.toml lies)"
    return huggingface.from_file(confined(name, base=base, roots=roots, where=where, hint=hint), where)


def own_tokenizer(name: str, option: str) -> Tokenizer:
    """Open the tokenizer that the user names; a file may lie anywhere.

    Args:
        name: As ``check_name`` takes it, but for the model's own.
        option: As the user wrote it.

    Raises:
        UsageError: There is no such tokenizer.
        DataError: The file is no tokenizer.
        MissingExtraError: The package ``tokenizers`` is not installed.
    """
    try:
        check_name(name)
    except ValueError as error:
        raise UsageError(str(error), where=option) from None
    if not name.endswith(".json") or name.startswith(_HUB):
        return open_tokenizer(name, base=Path(), where=option)
    from llmkit.tokens import huggingface

    return huggingface.from_file(Path(name).expanduser(), option)
