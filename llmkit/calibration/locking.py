"""From what a calibration found to the lock that keeps it."""

from __future__ import annotations

import platform
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from llmkit.canonical import digest
from llmkit.errors import DocumentError, UsageError
from llmkit.judgements import Counts, Part, Probe, Verdict
from llmkit.judges.judge import PARSER, Judge
from llmkit.judges.labels import Labelled, LabelSet
from llmkit.judges.lock import (
    Chosen,
    Lock,
    bound_files,
    file_digest,
    files_of,
    lock_path,
    looks_in,
    path_from,
    read_lock,
)
from llmkit.judges.status import Decision
from llmkit.judges.verdict import schema_digest
from llmkit.runs.looks import looks_of
from llmkit.version import __version__

ANCHORS = 20
"""Test items that ``judge check --rerun-anchors`` asks again: a judge that changed on one item of ten is found in 88 %
of the cases (1 − .9²⁰), for the price of twenty calls."""


@dataclass(frozen=True, slots=True)
class Looks:
    """Which definitions a test part has been used for.

    Attributes:
        before: As far as they are known.
        known: Whether these are all.
        note: What the user should know of them.
    """

    before: tuple[str, ...]
    known: bool = True
    note: str | None = None

    def with_(self, definition: str) -> tuple[str, ...]:
        """Return them with one more, last; the same definition again is no further look."""
        return (*(each for each in self.before if each != definition), definition)


def looks_at(judge: Judge, test: Sequence[str], store: Path) -> Looks:
    """Return the looks that earlier calibrations took at these test items, from the lock that is there and the store.

    They count where more than half of the earlier test items are among these: labels that were added do not make the
    old ones unseen. Of a lock that cannot be relied on all count that can be read in it.

    Args:
        judge: Whose test part it is.
        test: Ids of its items.
        store: Folder of the store; it need not be there.

    Raises:
        StoreError: There is a store, and it cannot be read.
    """
    path, now, note = lock_path(judge.path), set(test), None
    before: list[str] = []
    known = True
    try:
        lock = read_lock(path)
    except DocumentError as error:  # calibrating anew is what mends it
        before, known = list(looks_in(path)), False
        note = f"{error.message}: it is written anew, and how often its test labels were used is not known"
    else:
        if lock is not None and _among(lock.split.get("test", ()), now):
            before, known = list(lock.looks), lock.looks_known
    for look in looks_of(store, judge.name):
        if _among(look.test, now):
            known = known and look.definition is not None
            before += [] if look.definition is None else [look.definition]
    return Looks(tuple(dict.fromkeys(before)), known, note)


def _among(earlier: Collection[str], now: Collection[str]) -> bool:
    earlier = set(earlier)
    return 2 * len(earlier & set(now)) > len(earlier)


def measured_files(judges: Iterable[Judge]) -> dict[Path, str]:
    """Return the files that measurements of these judges rest on, with the SHA-256 of their bytes; those there are."""
    paths = {path.absolute() for judge in judges for path in bound_files(judge).values()}
    return {path: file_digest(path) for path in sorted(paths) if path.is_file()}


def unchanged_files(judge: Judge, before: Mapping[Path, str]) -> Mapping[str, str]:
    """Return what a lock binds, where it still is what was measured.

    Args:
        judge: That was measured.
        before: File → SHA-256, from before anything was read; files that are not in it came in between.

    Raises:
        UsageError: A file changed, or is gone.
    """
    for role, path in bound_files(judge).items():
        then = before.get(path.absolute())
        if then is not None and (not path.is_file() or file_digest(path) != then):
            raise UsageError(
                f"{role} changed while the judge {judge.name} was measured, so that nothing is locked",
                where=str(path), hint="What was paid for is kept: run the same command again, with the file at rest",
            )  # fmt: skip
    return files_of(judge)


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
        looks_known: Whether these are all.
        files: Role → path and SHA-256 of what was measured.
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
    looks_known: bool
    files: Mapping[str, str]
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
        files=dict(found.files),
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
        looks_known=found.looks_known,
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
