"""One judge on one page: what it is, what it was measured to be, and whether it still is that."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from llmkit.config import Settings, project_root
from llmkit.errors import LlmkitError
from llmkit.judgements import Check, JudgeCard
from llmkit.judges.check import check_file
from llmkit.judges.figures import figures_of
from llmkit.judges.judge import Judge
from llmkit.judges.labels import read_labels
from llmkit.judges.load import FOLDER, find_judges, load_judge
from llmkit.judges.lock import Lock, path_from
from llmkit.judges.spec import BOUNDS, PopulationSpec
from llmkit.providers.registry import public


def all_files() -> list[Path]:
    """Return the files of the project's judges, those included of which the lock alone is left."""
    root = judges_root()
    locks = (root / FOLDER).glob("*.lock")
    return sorted({*find_judges(root), *(path.with_suffix(".yaml") for path in locks)})


def judges_root() -> Path:
    """Return the folder that holds ``judges/``: the project's, as it is written from the current one."""
    here = Path.cwd()
    root = project_root(here) or here
    return Path() if root == here else root


def card_of(path: Path, *, settings: Settings | None = None, today: date | None = None) -> JudgeCard:
    """Return the card of a judge's file.

    A judge whose lock cannot be relied on is shown as its file says; its check says ``stale``.

    Raises:
        LlmkitError: It cannot be loaded.
    """
    check, judge = check_file(path, settings=settings, today=today)
    judge = judge or load_judge(str(path), settings=settings, locked=False)
    test = None if judge.lock is None else figures_of(judge.scale, judge.lock.test)
    return JudgeCard(
        name=judge.name,
        path=str(judge.path),
        kind=judge.scale.kind,
        model=public(judge.model).name,
        labels=_labels(judge, check),
        check=check,
        test=test,
        details={**_definition(judge), **({} if judge.lock is None else _measured(judge.lock))},
    )


def _labels(judge: Judge, check: Check) -> Mapping[str, int]:
    """Count the items by their label; nothing where there are none, or what is wrong with them is said already."""
    if judge.spec.labels is None:
        return {}
    try:
        items = read_labels(judge).items
    except LlmkitError:
        if check.stale:
            return {}
        raise
    said = Counter(item.label for item in items)
    return {label: said[label] for label in judge.scale.labels}


def _definition(judge: Judge) -> dict[str, Any]:
    folder, spec = judge.path.parent, judge.spec
    found: dict[str, Any] = {
        "criterion": path_from(folder, judge.criterion_path),
        "prompt": path_from(folder, judge.prompt.path) if judge.prompt.path else None,
        "params": dict(public(judge.model).params),
        "method": judge.method.model_dump(),
        "examples": [example.subject.id for example in judge.examples],
        "accept": _accept(judge),
    }
    if spec.labels is not None:
        population = spec.labels.population
        said = population.model_dump(exclude_none=True) if isinstance(population, PopulationSpec) else population
        found["labels"] = {"file": spec.labels.file, "sampling": spec.labels.sampling, "population": said}
    return found


def _accept(judge: Judge) -> dict[str, Any]:
    """Return what a judge of this kind must show: the bounds of other kinds left out."""
    bounds = BOUNDS[judge.scale.kind]
    accept = judge.spec.accept.model_dump()
    return {name: value for name, value in accept.items() if name in bounds or not name.endswith("_lower")}


def _measured(lock: Lock) -> dict[str, Any]:
    return {
        "created": lock.created,
        "served": lock.served,
        "status": lock.status,
        "reasons": list(lock.reasons),
        "confidence": lock.confidence,
        "looks": len(lock.looks) if lock.looks_known else f"unknown, at least {len(lock.looks)}",
        "split": {part: len(ids) for part, ids in lock.split.items()},
        "folds": lock.folds,
        "estimator": lock.estimator,
        "threshold": lock.threshold,
        "calibrator": None if lock.calibrator is None else dict(lock.calibrator),
        "anchors": len(lock.anchors),
        "versions": dict(lock.versions),
        "probes": lock.probes,
    }
