"""Lines of vLLM's log → what its start does now, for people."""

from __future__ import annotations

import re

_STAGES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), stage)
    for pattern, stage in (
        (r"Resolved architecture", "reading the configuration"),
        (r"Starting to load model", "loading weights"),
        (r"checkpoint shards: +\d{1,3}% Completed \| (\d{1,5}/\d{1,5}) ", "loading weights, {0} files"),
        (r"Loading drafter model", "loading the draft model"),
        (r"Loading weights took", "weights are loaded"),
        (r"Dynamo bytecode transform|Compiling a graph|Warming up model for the compilation", "compiling"),
        (r"Capturing CUDA graph|Graph capturing", "capturing CUDA graphs"),
        (r"KV cache size", "making the cache"),
    )
)


def stage_of(line: str) -> str | None:
    """Return the stage that a line shows; None for the many that show none."""
    for pattern, stage in _STAGES:
        if found := pattern.search(line):
            return stage.format(*found.groups())
    return None
