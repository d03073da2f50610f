"""How to calibrate, beside which judge; and what a caller wants to see of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from llmkit.calibrations import Best
from llmkit.providers.base import Provider
from llmkit.providers.retry import RetryPolicy


@dataclass(frozen=True, slots=True)
class CalibrateOptions:
    """How to calibrate, beside which judge.

    Attributes:
        search: A grid of configurations; None: the judge as its file says.
        optimize: An optimiser of the prompt, ``gepa``; None: none.
        reflection: The model that the optimiser thinks with; None: the judge's own.
        max_cost: Hard cap in dollars, for all calls together.
        params: ``-M key=value`` pairs.
        seed: Of probes, order and resampling; the split has its own, in the judge's file.
        concurrency: Calls at once; None adapts.
        cache: Whether answers of the store count.
        offline: Whether no call may be made.
        probe_items: Items of the test part that each probe tries at most.
        store: Folder of the store; from the settings where None.
        retry: How calls are repeated.
        providers: Model name → a provider made already, in the place of the one that it names.
    """

    search: Path | None = None
    optimize: str | None = None
    reflection: str | None = None
    max_cost: float | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    concurrency: int | None = None
    cache: bool = True
    offline: bool = False
    probe_items: int = 100
    store: Path | None = None
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    providers: Mapping[str, Provider] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outlay:
    """What a calibration would ask at most, before any call.

    Attributes:
        best: The best status that the labels can reach.
        parts: Stage → calls at most: ``search``, ``test``, ``probes``.
        worst_case_usd: What they cannot exceed; None where it is unknown, and then ``unknown`` says why.
        unknown: Why.
        notes: What the linter said of the labels.
    """

    best: Best
    parts: Mapping[str, int]
    worst_case_usd: float | None
    unknown: str | None = None
    notes: Sequence[str] = ()

    @property
    def calls(self) -> int:
        """All of them."""
        return sum(self.parts.values())


class CalibrateHooks:
    """What a caller wants to see while a calibration goes on. The default sees nothing."""

    def planned(self, judge: str, outlay: Outlay) -> bool:
        """Take what would be asked, before any call; False stops here."""
        return True

    def stage(self, name: str, done: int, total: int, cost_usd: float | None) -> None:
        """Take how far a stage is: ``search``, ``test``, ``probe: order``."""
