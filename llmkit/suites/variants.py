"""Variants of a suite: ``mmlu:cot`` is the file ``mmlu`` with what its variant ``cot`` says otherwise."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from llmkit.documents import Document
from llmkit.documents.document import Keys
from llmkit.errors import UnknownNameError
from llmkit.suites.spec import VARIANT

FIELD = "variants"
MERGED = frozenset({"about", "few_shot", "map", "params"})
"""Of these a variant replaces the fields that it names, and leaves the others."""
_EITHER = {"prompt": "messages", "messages": "prompt"}
"""Who names the one means it in place of the other."""


def split_ref(ref: str) -> tuple[str, str] | None:
    r"""Part ``mmlu:cot`` into suite and variant; None where nothing after the last colon can be a variant's name.

    ``C:\suites\a.yaml`` has none: a variant's name holds no separator of paths.
    """
    base, colon, name = ref.rpartition(":")
    return (base, name) if colon and base and re.fullmatch(VARIANT, name) else None


def variant_names(data: Mapping[str, Any]) -> list[str]:
    """Return the variants that a suite's data name, in order."""
    variants = data.get(FIELD)
    return [str(name) for name in variants] if isinstance(variants, Mapping) else []


def with_variant(document: Document, name: str) -> Document:
    """Return the document of a variant: its fields in the place of the suite's, each with the line that it stands on.

    ``null`` takes a field of the suite away.

    Args:
        document: The suite's file, whose fields were found to be right.
        name: The variant.

    Raises:
        UnknownNameError: The suite has no such variant.
    """
    known = variant_names(document.data)
    if name not in known:
        none = f"{document.path} has no variants" if not known else None
        raise UnknownNameError("variant", name, known, where=document.where(FIELD), hint=none)
    data, lines = dict(document.data), dict(document.lines)
    del data[FIELD]
    at: Keys = (FIELD, name)
    for field, value in (document.data[FIELD][name] or {}).items():
        if value is not None and (other := _EITHER.get(field)):
            _drop(data, lines, other)
        own = data.get(field)
        if field in MERGED and isinstance(own, Mapping) and isinstance(value, Mapping):
            data[field] = dict(own)
            for key, each in value.items():
                _set(data[field], lines, document, (field, key), (*at, field, key), each)
        else:
            _set(data, lines, document, (field,), (*at, field), value)
    return Document(document.path, data, lines)


def _set(into: dict[str, Any], lines: dict[Keys, int], document: Document, to: Keys, at: Keys, value: Any) -> None:
    """Put the value at ``at`` in the place of that at ``to``, with its lines."""
    key = str(to[-1])
    _forget(lines, to)
    into.pop(key, None)
    if value is not None:
        into[key] = value
        inner = {keys[len(at) :]: line for keys, line in document.lines.items() if keys[: len(at)] == at}
        lines |= {(*to, *rest): line for rest, line in inner.items()}


def _drop(data: dict[str, Any], lines: dict[Keys, int], field: str) -> None:
    data.pop(field, None)
    _forget(lines, (field,))


def _forget(lines: dict[Keys, int], keys: Keys) -> None:
    for each in [known for known in lines if known[: len(keys)] == keys]:
        del lines[each]
