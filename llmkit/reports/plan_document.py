"""The document of ``llmkit plan --json``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from typing import Any

from typing_extensions import TypedDict

from llmkit.plans import SuitePlan


class BoundsDocument(TypedDict):
    """A confidence interval, and how it was made."""

    low: float | None
    high: float | None
    method: str
    confidence: float


class SpreadDocument(TypedDict):
    """What a metric's paired differences are assumed to vary by, and where that is known from."""

    kind: str
    psi_or_variance: float
    base_rate: float | None
    deff: float
    n: int
    source: str
    seen: float
    within: float | None
    notes: list[str]
    measured: bool
    own: float


class ReachDocument(TypedDict):
    """What can be seen with each sample asked so often; null where nothing can."""

    epochs: int
    difference: float | None
    margin: float | None
    needed: int | None


class MetricPlanDocument(TypedDict):
    """One metric."""

    name: str
    spread: SpreadDocument
    reach: list[ReachDocument]
    span: float
    higher_is_better: bool


class MarginPlanDocument(TypedDict):
    """One margin of the gate, or of one of its slices; null is what cannot be planned."""

    metric: str
    margin: float
    relative: bool
    n_fail: int | None
    n_pass: int | None
    n_max: int
    available: int
    source: str
    resolvable: float | None
    pass_at_no_change: float | None
    fail_at_twice: float | None
    slice: str | None
    part: str | None
    note: str | None


class OutlayDocument(TypedDict):
    """What one thing to do costs; null is unknown."""

    what: str
    calls: int
    worst_usd: float | None
    expected_usd: float | None
    expected_s: float | None


class NoiseDocument(TypedDict):
    """How one metric differs between two askings of the same prompt."""

    metric: str
    a: float | None
    b: float | None
    n: int
    flips: int
    psi: float | None
    psi_interval: BoundsDocument | None
    sd: float
    difference: float | None
    interval: BoundsDocument | None
    floor: float
    floor_n: int
    tolerance: float | None
    naive_fails: float | None
    signature: str
    relative: bool
    asked: int


class NoiseFloorDocument(TypedDict):
    """An A/A run."""

    aa: str
    runs: list[str]
    pairs: int
    same_text: int
    failed: list[int]
    cost_usd: float | None
    metrics: list[NoiseDocument]
    complete: bool
    alpha: float


class SuitePlanDocument(TypedDict):
    """One suite on one model."""

    suite: str
    model: str
    rows: int
    n: int
    epochs: int
    power: float
    effect: float | None
    metrics: list[MetricPlanDocument]
    margins: list[MarginPlanDocument]
    outlays: list[OutlayDocument]
    unknown: str | None
    basis: str | None
    clusters: int | None
    notes: list[str]
    noise: NoiseFloorDocument | None
    next: str


class PlansDocument(TypedDict):
    """What ``llmkit plan --json`` prints."""

    plans: list[SuitePlanDocument]


def plans_document(plans: Sequence[SuitePlan]) -> PlansDocument:
    """Return the plans as plain dicts and lists, ready for ``json.dumps(…, allow_nan=False)``."""
    return {"plans": [_plain(plan) for plan in plans]}


def plans_schema() -> dict[str, Any]:
    """Return the JSON Schema of the document."""
    from pydantic import TypeAdapter

    return TypeAdapter(PlansDocument).json_schema()


def _plain(value: Any) -> Any:
    """Write records by their fields' names, and null for a number that JSON cannot hold."""
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
