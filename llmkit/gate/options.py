"""How to gate, beside what."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from llmkit.errors import UsageError
from llmkit.providers.retry import RetryPolicy
from llmkit.verdicts import OnInconclusive

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True, slots=True)
class GateOptions:
    """How to gate, beside what.

    Attributes:
        suites: Paths of suite files; empty: those of llmkit.toml, else all of the project that have ``gate:``.
        base: The branch, tag or commit to compare with; None: found.
        baseline: Files or runs to compare with in place of a commit, one a suite.
        offline: Decide from the cache or the baseline alone: no call is made and no key is needed.
        listed: Plan only.
        model: Replaces the model on both sides.
        params: ``-M key=value`` pairs, for both sides.
        epochs: Replaces the suites' number of epochs.
        few_shot: How many examples the prompts show, on both sides.
        few_shot_data: A file that the examples come from, on both sides.
        limit: Only the first rows.
        max_cost: Hard cap in dollars over the whole gate.
        max_age: Seconds that a stored answer may be old; None: from the settings.
        cache: Whether answers of earlier runs count.
        fresh: Plan the number of samples anew, in place of keeping that of the last gate of the same two sides.
        on_inconclusive: What too little evidence means; None: from the settings, else exit 3.
        concurrency: Calls at once; None adapts.
        seed: Of the order and the resampling.
        flips: How many flipped samples to show.
        store: Folder of the store; from the settings where None.
        retry: How calls are repeated.
    """

    suites: tuple[str, ...] = ()
    base: str | None = None
    baseline: tuple[str, ...] = ()
    offline: bool = False
    listed: bool = False
    model: str | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    epochs: int | None = None
    few_shot: int | None = None
    few_shot_data: str | None = None
    limit: int | None = None
    max_cost: float | None = None
    max_age: float | None = None
    cache: bool = True
    fresh: bool = False
    on_inconclusive: OnInconclusive | None = None
    concurrency: int | None = None
    seed: int = 0
    flips: int = 5
    store: Path | None = None
    retry: RetryPolicy = field(default_factory=RetryPolicy)


def seconds(text: str, where: str) -> float:
    """Read ``30m``, ``12h``, ``7d``.

    Raises:
        UsageError: It is none.
    """
    if not re.fullmatch(r"\d{1,9}[smhd]", text):
        raise UsageError(f"{text!r} is no span of time", where=where, hint="Write 30m, 12h or 7d")
    return float(text[:-1]) * SECONDS[text[-1]]
