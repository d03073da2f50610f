"""From what a calibration found to the lock that keeps it."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from llmkit.canonical import digest
from llmkit.errors import DocumentError
from llmkit.judgements import Counts, Part, Probe, Verdict
from llmkit.judges.judge import PARSER, Judge
from llmkit.judges.labels import Labelled, LabelSet
from llmkit.judges.lock import Chosen, Lock, files_of, lock_path, path_from, read_lock
from llmkit.judges.status import Decision
from llmkit.judges.verdict import schema_digest
from llmkit.version import __version__

ANCHORS = 20
"""Test items that ``judge check --rerun-anchors`` asks again: a judge that changed on one item of ten is found in 88 %
of the cases (1 − .9²⁰), for the price of twenty calls."""


@dataclass(frozen=True, slots=True)
class Looks:
    """Which definitions a test part has been used for."""

    before: tuple[str, ...]
    note: str | None = None

    def with_(self, definition: str) -> tuple[str, ...]:
        """Return them with one more, last; the same definition again is no further look."""
        return (*(each for each in self.before if each != definition), definition)


def looks_at(judge: Judge, test: Sequence[str]) -> Looks:
    """Return the looks that earlier calibrations took at these test items, from the lock that is there.

    They count where more than half of the earlier test items are among these: labels that were added do not make the
    old ones unseen.
    """
    path = lock_path(judge.path)
    try:
        lock = read_lock(path)
    except DocumentError as error:  # calibrating anew is what mends it; its looks are lost
        return Looks((), f"{error.message}: it is written anew, and how often its test labels were used is not known")
    if lock is None:
        return Looks(())
    earlier = set(lock.split.get("test", ()))
    return Looks(lock.looks if 2 * len(earlier & set(test)) > len(earlier) else ())


@dataclass(frozen=True)
class Measured:
    """What a lock is made of, beside the judge.

    Attributes:
        judge: The chosen one.
        labels: People's.
        split: Part → ids.
        folds: Of cross-fitting.
        decision: Status and why.
        test: Verdicts against labels.
        dev: Likewise; None without a dev part.
        items: Of the test part, with their verdicts.
        probes: What was tried.
        looks: Definitions that the test part was used for.
        estimator: What corrects rates.
        threshold: Cut on the probability.
        calibrator: Of probabilities.
        identity: Of the provider.
        served: Which model answered.
    """

    judge: Judge
    labels: LabelSet
    split: Mapping[Part, Sequence[str]]
    folds: int
    decision: Decision
    test: Counts
    dev: Counts | None
    items: Sequence[tuple[Labelled, Verdict]]
    probes: tuple[Probe, ...]
    looks: tuple[str, ...]
    estimator: str | None
    threshold: float | None
    calibrator: Mapping[str, Any] | None
    identity: Mapping[str, str]
    served: str | None


def lock_of(found: Measured) -> Lock:
    """Return the lock; writing it gives it its id."""
    judge, labels = found.judge, found.labels
    spec = judge.spec.labels
    return Lock(
        judge=judge.name,
        status=found.decision.status,
        reasons=found.decision.reasons,
        chosen=_chosen(judge),
        definition=judge.fingerprint,
        files=files_of(judge),
        verdict_schema=schema_digest(judge),
        parser=PARSER,
        served=found.served,
        identity=dict(found.identity),
        split={part: tuple(sorted(ids)) for part, ids in found.split.items()},
        folds=found.folds,
        seed=spec.seed if spec else 0,
        test=found.test,
        dev=found.dev,
        confidence=found.decision.confidence,
        looks=found.looks,
        sampling=labels.sampling,
        population=labels.population,
        estimator=found.estimator,
        probes=found.probes,
        threshold=found.threshold,
        calibrator=found.calibrator,
        anchors=_anchors(found.items),
        created=datetime.now(UTC).date().isoformat(),
        versions={"llmkit": __version__, "python": platform.python_version()},
    )


def _chosen(judge: Judge) -> Chosen:
    prompt = judge.prompt.path
    return Chosen(
        model=judge.model.name,
        params=dict(judge.model.params),
        prompt=path_from(judge.path.parent, prompt) if prompt else "",
        method=judge.method.model_dump(),
        few_shot=tuple(example.subject.id for example in judge.examples),
    )


def _anchors(items: Sequence[tuple[Labelled, Verdict]]) -> dict[str, str]:
    """Pick items by the hash of their ids, so that the same are picked again and none is picked for its verdict."""
    said = {item.subject.id: v.label for item, v in items if v.label is not None}
    chosen = sorted(said, key=lambda id_: digest(["anchor", id_]))[:ANCHORS]
    return {id_: said[id_] for id_ in sorted(chosen)}
