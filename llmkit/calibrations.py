"""Frozen records of a judge's calibration: what was searched, what was shown, what it is worth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from llmkit.judgements import Figures, Kind, Part, Probe, Rate, Status
from llmkit.types import Totals


@dataclass(frozen=True, slots=True)
class Candidate:
    """One configuration of a search.

    Attributes:
        name: Short: ``gpt-… · relevance.prompty · 4 shots · reason before``.
        settings: What it changes: ``model``, ``prompt``, ``few_shot``, ``method.*``.
        dev: Balanced accuracy (accuracy for kinds without two classes) on the dev items that it was asked about.
        n: Dev items that it was asked about.
        stopped: Whether racing stopped it before the last item.
        unread: Items without a verdict.
        cost_usd: What its calls cost; None where it is unknown.
    """

    name: str
    settings: Mapping[str, Any]
    dev: Rate
    n: int
    stopped: bool = False
    unread: int = 0
    cost_usd: float | None = 0.0


@dataclass(frozen=True, slots=True)
class Disagreement:
    """An item on which judge and people differ.

    ``part`` says which part it is of: those of the test part were seen once the report was printed.
    """

    id: str
    label: str
    verdict: str
    reason: str
    input: str
    answer: str
    part: Part


@dataclass(frozen=True, slots=True)
class SliceFigures:
    """Accuracy on one part of a slice; ``p_adjusted`` (Holm) of no difference from the rest."""

    name: str
    value: str
    accuracy: Rate
    p_value: float | None
    p_adjusted: float | None


@dataclass(frozen=True, slots=True)
class Worth:
    """What the judge is good for.

    Attributes:
        labels_width: Width of the interval from the labels alone.
        corrected_width: Width of the corrected one, from labels and ``n`` verdicts.
        n: Verdicts that it assumes.
        usd_per_1000: Dollars per thousand verdicts; None where unknown.
        tokens_per_1000: Tokens likewise; None where unknown.
    """

    labels_width: float | None
    corrected_width: float | None
    n: int
    usd_per_1000: float | None
    tokens_per_1000: float | None


@dataclass(frozen=True, slots=True)
class Best:
    """The best status that the labels can reach, before any call.

    Attributes:
        status: Where the judge makes no mistake at all.
        needs: Class (or ``items``) → how many more labels of it a perfect judge would need; empty where none.
        needs_at_95: The same for a judge that is right 95 times of 100 on each class, to be certified four times of
            five.
        said: One line.
    """

    status: Status
    needs: Mapping[str, int]
    needs_at_95: Mapping[str, int]
    said: str


@dataclass(frozen=True, slots=True)
class Split:
    """How the labels were divided.

    Attributes:
        sizes: Part → class → items.
        folds: Folds of cross-fitting; 0 where the test part was held out as a whole.
        groups: Groups that were kept together; None where each item is its own.
        digest: Of the ids of each part.
    """

    sizes: Mapping[Part, Mapping[str, int]]
    folds: int
    groups: int | None
    digest: str


@dataclass(frozen=True, slots=True)
class Calibration:
    """The report of ``llmkit judge calibrate``.

    Attributes:
        judge: Its name.
        kind: What it says.
        status: What came of it.
        reasons: Why it is not ``calibrated``, one line each; of a calibrated one what was shown.
        needs: Class (or ``items``) → how many more test labels would settle it, of a provisional one.
        best: What was said before any call.
        split: How the labels were divided.
        candidates: The search, best first; one where there was none.
        runner_up_p: Of McNemar's test between the first two on dev; None with one.
        dev: Of the chosen one; None where no dev part was needed.
        test: Of the chosen one.
        optimism: dev − test of the figure that chose; None without dev.
        ceiling: Agreement of a person with the majority of the others; None where one person labelled.
        probes: All of them.
        slices: Of the test part.
        disagreements: A few, test ones last.
        worth: Whether it is worth it.
        estimator: What corrects rates: ``post-stratified`` on the labelled population, ``lang-reiczigel`` elsewhere;
            None where nothing does.
        estimator_why: One line.
        threshold: Cut on the probability, where there is one.
        calibrator: ``platt`` or ``isotonic`` with its parameters, where there is one.
        looks: How often these test labels have been looked at, this time included; at least so often where
            ``looks_known`` is False.
        model: The chosen model.
        served: The model that answered, in the server's words.
        paid: All calls of this calibration.
        saved_calls: Calls that racing spared.
        planned_calls: Calls that the full grid would have taken.
        lock: The lock's id.
        lock_path: Its file, from the project on.
        seed: Of split, order and resampling.
        notes: Lines for people: what the linter said, abstentions, ….
        next: The next command.
        required: Figure (``tpr``, ``weighted_kappa``, …) → the one-sided lower bound that it must show.
        looks_known: Whether ``looks`` are all: a damaged lock, or one edited by hand, may have held others.
    """

    judge: str
    kind: Kind
    status: Status
    reasons: tuple[str, ...]
    needs: Mapping[str, int]
    best: Best
    split: Split
    candidates: tuple[Candidate, ...]
    runner_up_p: float | None
    dev: Figures | None
    test: Figures
    optimism: float | None
    ceiling: Rate | None
    probes: tuple[Probe, ...]
    slices: tuple[SliceFigures, ...]
    disagreements: tuple[Disagreement, ...]
    worth: Worth
    estimator: str | None
    estimator_why: str
    threshold: float | None
    calibrator: Mapping[str, Any] | None
    looks: int
    model: str
    served: str | None
    paid: Totals
    saved_calls: int
    planned_calls: int
    lock: str
    lock_path: str
    seed: int
    notes: tuple[str, ...] = ()
    next: str = ""
    required: Mapping[str, float] = field(default_factory=dict)
    looks_known: bool = True
