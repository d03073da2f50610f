"""The suites that come with llmkit: one YAML file each, ``NAME.yaml`` or ``NAME/NAME.yaml``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

FOLDER = Path(__file__).parent


def builtin_suites() -> Mapping[str, Path]:
    """Return name → file of each built-in suite, sorted."""
    found = {path.stem: path for path in FOLDER.glob("*.yaml")}
    found |= {path.stem: path for path in FOLDER.glob("*/*.yaml") if path.stem == path.parent.name}
    return dict(sorted(found.items()))
