"""One byte form for one value: canonical JSON and its hash, under every fingerprint, key and digest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence

Json = None | bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"]


def canonical(value: object) -> bytes:
    """Serialise to JSON with sorted keys, no spaces, raw UTF-8 and no NaN.

    Raises:
        ValueError: For NaN, infinities and what JSON cannot hold.
    """
    return _encode(value).encode("utf-8", "surrogatepass")


def digest(value: object) -> str:
    """SHA-256 of the canonical form, in hex."""
    return hashlib.sha256(canonical(value)).hexdigest()


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    raise ValueError(f"cannot be written as JSON: {type(value).__name__}")


# json.dumps builds an encoder a call; this is called for every request.
_encode = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=_plain
).encode
