"""The lock: what was measured of a judge, and of exactly which. A machine writes it; it is small, with no secrets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from llmkit.judgements import Counts, Part, Probe, Sampling, Status


@dataclass(frozen=True, slots=True)
class Chosen:
    """The configuration that was locked; it goes before what the judge's file says.

    Attributes:
        model: ``provider/model``.
        params: Its sampling parameters.
        prompt: The prompt file, by its path from the judge's folder, with forward slashes.
        method: The method's fields.
        few_shot: Ids of the labelled items in the prompt, in order.
    """

    model: str
    params: Mapping[str, Any]
    prompt: str
    method: Mapping[str, Any]
    few_shot: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Lock:
    """What was measured of a judge.

    Attributes:
        judge: Its name.
        status: What came of it.
        reasons: Why.
        chosen: What was measured.
        definition: ``Judge.fingerprint`` of it.
        files: Role (``definition``, ``criterion``, ``prompt``, ``labels``, ``items``) → path from the judge's folder
            and SHA-256 of the file's bytes, joined by a blank; ``prompt:NAME`` for each file that a prompt includes.
        verdict_schema: SHA-256 of the verdict's schema.
        parser: ``judges.judge.PARSER``.
        served: The model that answered, in the server's words; None where it does not say.
        identity: ``runs.key.identity`` of the provider: endpoint, weights' hash, engine.
        split: Part → ids, sorted. With cross-fitting ``test`` holds all that are no examples.
        folds: Folds of cross-fitting; 0 without.
        seed: Of the split.
        test: Verdicts against labels on the test part.
        dev: On the dev part; None without one.
        confidence: Of the bounds that the status rests on, one-sided, already adjusted for the looks.
        looks: Definitions (``Judge.fingerprint``) that this test part has been used for, this one last.
        sampling: How the labels were drawn; None where not stated.
        population: Fingerprint of what they were drawn from; None where unknown.
        estimator: What corrects rates; None where nothing does.
        probes: What was tried.
        threshold: Cut on the probability, where there is one.
        calibrator: With its parameters, where there is one.
        anchors: Id → verdict's label of test items that ``judge check --rerun-anchors`` asks again.
        created: Day, ISO 8601, UTC.
        versions: llmkit's, Python's.
        id: First 12 digits of the SHA-256 of all the rest; empty before it is written.
    """

    judge: str
    status: Status
    reasons: tuple[str, ...]
    chosen: Chosen
    definition: str
    files: Mapping[str, str]
    verdict_schema: str
    parser: int
    served: str | None
    identity: Mapping[str, str]
    split: Mapping[Part, tuple[str, ...]]
    folds: int
    seed: int
    test: Counts
    dev: Counts | None
    confidence: float
    looks: tuple[str, ...]
    sampling: Sampling | None
    population: str | None
    estimator: str | None
    probes: tuple[Probe, ...] = ()
    threshold: float | None = None
    calibrator: Mapping[str, Any] | None = None
    anchors: Mapping[str, str] = field(default_factory=dict)
    created: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    id: str = ""
