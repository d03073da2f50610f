"""What set the model, each of its parameters and each of its provider's options."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

SEED = "--seed"
"""What sets the one parameter that no file and no ``-M`` need have set."""


def parameters(params: Mapping[str, Any], origins: Mapping[str, str]) -> Iterator[tuple[str, Any, str]]:
    """Yield each parameter's name, value and origin."""
    for name, value in params.items():
        parts = [origin for key, origin in origins.items() if key == name or key.startswith(f"{name}.")]
        yield name, value, ", ".join(dict.fromkeys(parts)) or SEED


def options(params: Mapping[str, Any], origins: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the name and the origin of each of the provider's own options; their values may be secret."""
    for name, origin in origins.items():
        if name != "model" and name.partition(".")[0] not in params:
            yield name, origin
