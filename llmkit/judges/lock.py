"""The lock: what was measured of a judge, and of exactly which. A machine writes it; it is small, with no secrets."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmkit.canonical import digest
from llmkit.documents.document import read_text
from llmkit.documents.writing import write_text
from llmkit.errors import DocumentError
from llmkit.judgements import Counts, Part, Probe, Sampling, Status
from llmkit.redact import names_secret, redact

if TYPE_CHECKING:
    from pydantic import TypeAdapter

    from llmkit.judges.judge import Judge


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
        looks_known: Whether ``looks`` are all. A lock that was damaged, or edited by hand, may have held others.
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
    looks_known: bool = True


FORMAT = 1
"""Version of the file's form. A reader knows this one and those before it."""
_DIGEST = re.compile(r"[0-9a-f]{64}")
_NOT_MEASURED = ("created", "id")
"""Fields that may differ between two locks of one and the same measurement."""


def lock_path(judge_path: Path) -> Path:
    """Return where a judge's lock lies: beside its file, ``NAME.lock``."""
    return judge_path.with_suffix(".lock")


def read_lock(path: Path) -> Lock | None:
    """Read a lock; None where there is none.

    Raises:
        DocumentError: It cannot be read, is no lock, was written by a later llmkit, or was edited by hand: its id is
            not the hash of what it says.
    """
    if not path.exists():
        return None
    data = _parsed(read_text(path), path)
    version = data.get("version")
    if not isinstance(version, int) or isinstance(version, bool):
        raise DocumentError("this is no lock: it has no version", where=str(path), hint=_AGAIN)
    if version > FORMAT:
        hint = f"Update llmkit: this one reads locks up to version {FORMAT}"
        raise DocumentError(f"a lock of version {version}, written by a later llmkit", where=str(path), hint=hint)
    if data.get("id") != _id(data):
        raise DocumentError("edited by hand: its id is not that of what it says", where=str(path), hint=_AGAIN)
    return _lock(data, path)


def looks_in(path: Path) -> tuple[str, ...]:
    """Return the definitions that a lock names as looks, though it cannot be relied on: damaged, edited, in conflict.

    Whatever stands in a list of that name counts, in its order. Nothing is known of a file that is no text.
    """
    try:
        text = read_text(path)
    except DocumentError:
        return ()
    found = (each for inside in re.findall(r'"looks"\s*:\s*\[([^\]]*)', text) for each in _DIGEST.findall(inside))
    return tuple(dict.fromkeys(found))


def write_lock(path: Path, lock: Lock) -> Lock:
    """Write a lock whole or not at all, as the same bytes for the same measurement.

    A lock that is there already and says the same stays as it is, its day of creation included: what was measured is no
    younger for having been computed again. Credentials in a model's name or identity and parameters that are named like
    secrets are left out.

    Returns:
        What the file now holds, with its id.

    Raises:
        UsageError: It cannot be written.
        ValueError: The lock holds what JSON cannot, or a value of a wrong type.
    """
    new = _document(lock)
    old = _known(path)
    if old is not None and _measured(old) == _measured(new):
        new["created"] = old["created"]
    new["id"] = _id(new)
    text = json.dumps(new, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"
    if old != new or path.read_bytes() != text.encode():
        write_text(path, text)
    return _lock(_parsed(text, path), path)


def files_of(judge: Judge) -> Mapping[str, str]:
    """Return what a lock binds: role → the file's path from the judge's folder and the SHA-256 of its bytes.

    Raises:
        DocumentError: One of them is not there or cannot be read.
    """
    folder = judge.path.parent
    return {role: f"{path_from(folder, path)} {file_digest(path)}" for role, path in bound_files(judge).items()}


def bound_files(judge: Judge) -> Mapping[str, Path]:
    """Return the files that a measurement of this judge rests on: role → file, sorted by role."""
    folder = judge.path.parent
    files: dict[str, Path] = {"definition": judge.path, "criterion": judge.criterion_path}
    if judge.prompt.path is not None:
        files["prompt"] = judge.prompt.path
    for path in judge.prompt.files:
        files[f"prompt:{path_from(folder, path)}"] = path
    if judge.spec.labels is not None:
        files["labels"] = folder / judge.spec.labels.file
        if judge.spec.labels.items is not None:
            files["items"] = folder / judge.spec.labels.items
    return dict(sorted(files.items()))


def path_from(folder: Path, path: Path) -> str:
    """Return the way from a folder to a file, with forward slashes, as it is on every machine."""
    return Path(os.path.relpath(path.absolute(), folder.absolute())).as_posix()


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hex.

    Raises:
        DocumentError: It is not there, is no ordinary file, or cannot be read.
    """
    if not path.is_file():  # a pipe would wait for its writer
        raise DocumentError("no such file" if not path.exists() else "this is not an ordinary file", where=str(path))
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DocumentError(f"cannot be read: {error.strerror}", where=str(path)) from None


_AGAIN = "Calibrate again: llmkit judge calibrate NAME; locks are written by llmkit alone"


def _id(data: Mapping[str, Any]) -> str:
    return digest({key: value for key, value in data.items() if key != "id"})[:12]


def _measured(data: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in data.items() if key not in _NOT_MEASURED}


def _known(path: Path) -> dict[str, Any] | None:
    """Return what the lock that is there says; None where it cannot be relied on and so is written anew."""
    try:
        lock = read_lock(path)
    except DocumentError:
        return None
    return None if lock is None else {**_document(lock), "id": lock.id}


def _parsed(text: str, path: Path) -> dict[str, Any]:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({key for key, _ in pairs}) < len(pairs):
            raise ValueError("a field stands twice")
        return dict(pairs)

    def no_number(said: str) -> Any:
        raise ValueError(f"{said} is no number")

    try:
        data = json.loads(text, object_pairs_hook=once, parse_constant=no_number)
    except (ValueError, RecursionError) as error:
        said = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
        where = f"{path}:{error.lineno}" if isinstance(error, json.JSONDecodeError) else str(path)
        raise DocumentError(f"this is no lock: {said}", where=where, hint=_AGAIN) from None
    if not isinstance(data, dict):
        raise DocumentError("this is no lock: the top level is not a mapping", where=str(path), hint=_AGAIN)
    return data


def _lock(data: Mapping[str, Any], path: Path) -> Lock:
    from pydantic import ValidationError

    try:
        return _adapter().validate_python({key: value for key, value in data.items() if key != "version"})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(map(str, first["loc"]))
        raise DocumentError(f"this is no lock: {field}: {first['msg']}", where=str(path), hint=_AGAIN) from None


def _document(lock: Lock) -> dict[str, Any]:
    """Return the lock as plain data, in one form for one value: 1 and 1.0 in a field of floats are both 1.0."""
    data = _plain(_adapter().validate_python(_plain(_public(lock))))
    for counts in filter(None, (data["test"], data["dev"])):
        counts["table"] = [[int(cell) if cell.is_integer() else cell for cell in row] for row in counts["table"]]
    if data["looks_known"]:  # as in locks that were written before there was the field
        del data["looks_known"]
    return {"version": FORMAT, **data}


def _public(lock: Lock) -> Lock:
    """Return the lock without what may be a secret."""
    chosen = lock.chosen
    params = {name: value for name, value in chosen.params.items() if not names_secret(name)}
    return replace(
        lock,
        chosen=replace(chosen, model=redact(chosen.model), params=params),
        identity={name: redact(value) for name, value in lock.identity.items() if not names_secret(name)},
    )


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {item.name: _plain(getattr(value, item.name)) for item in fields(value)}
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    return value


@cache
def _adapter() -> TypeAdapter[Lock]:
    from pydantic import TypeAdapter

    return TypeAdapter(Lock)
