"""Whether a judge still is what was measured: its lock against its files, its definition and the calendar. No calls."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path

from llmkit.config import Settings
from llmkit.errors import DocumentError, LlmkitError
from llmkit.judgements import Check, Status
from llmkit.judges.figures import figures_of
from llmkit.judges.judge import PARSER, Judge
from llmkit.judges.load import load_judge
from llmkit.judges.lock import Lock, bound_files, file_digest, lock_path, path_from, read_lock
from llmkit.judges.status import decide
from llmkit.judges.verdict import schema_digest
from llmkit.providers.base import identity
from llmkit.providers.registry import create, public
from llmkit.redact import redact
from llmkit.types import JudgeStatus

_BETTER: tuple[Status, ...] = ("calibrated", "provisional", "refused")


def check(judge: Judge, *, today: date | None = None, served: str | None = None) -> Check:
    """Hold a judge against its lock.

    Stale is a judge of which anything that was bound is not as it was: a byte of a file, the definition, the verdict's
    schema, the parser, the model that serves it, its endpoint, weights or engine, as far as they are known without a
    call, its age. Each is named: ``prompt: ../prompts/a.prompty changed``. So is a lock whose status is better than its
    own counts and probes bear out.

    Args:
        judge: With the lock that it was loaded with; without one it is uncalibrated.
        today: The day, UTC; by default this one.
        served: The model that answered just now, in the server's words; None where nobody asked it.
    """
    lock = judge.lock
    if lock is None:
        return Check(judge.name, "uncalibrated", None)
    today = today or datetime.now(UTC).date()
    stale = [
        *_files(judge, lock),
        *_machinery(judge, lock),
        *_model(judge, lock, served),
        *_identity(judge, lock),
        *_age(lock, judge.spec.accept.max_age_days, today),
    ]
    if not stale and judge.fingerprint != lock.definition:
        stale = ["definition: what decides a verdict is not what was measured (parameters or options of the model)"]
    return _checked(judge.name, lock, stale or list(_borne_out(judge, lock)), today)


def check_file(
    path: Path, *, settings: Settings | None = None, today: date | None = None
) -> tuple[Check, Judge | None]:
    """Hold a judge's file against its lock, however broken the one or the other is.

    Args:
        path: ``judges/NAME.yaml``; it need not be there.
        settings: Of the project.
        today: The day, UTC; by default this one.

    Returns:
        What was found, and the judge where it could be loaded.

    Raises:
        LlmkitError: It has no lock, and cannot be loaded.
    """
    today = today or datetime.now(UTC).date()
    file = lock_path(path)
    try:
        lock = read_lock(file)
    except DocumentError as error:
        return Check(path.stem, "stale", None, (f"lock: {error}",)), None
    if lock is None:
        judge = load_judge(str(path), settings=settings)
        return check(judge, today=today), judge
    if not path.exists():
        return _checked(
            path.stem, lock, [f"definition: {path.name} is missing: a lock without its definition"], today
        ), None
    try:
        judge = load_judge(str(path), settings=settings)
    except LlmkitError as error:
        stale = [*_gone(path.parent, lock), f"definition: it cannot be loaded: {error}", *_age(lock, None, today)]
        return _checked(path.stem, lock, stale, today), None
    return check(judge, today=today), judge


def _checked(name: str, lock: Lock, stale: list[str], today: date) -> Check:
    status: JudgeStatus = "stale" if stale else lock.status
    made = _day(lock)
    return Check(name, status, lock.id, tuple(stale), None if made is None else float((today - made).days))


def _files(judge: Judge, lock: Lock) -> Iterator[str]:
    """Say which bound files are not what they were, or not those that they were."""
    folder, bound = judge.path.parent, bound_files(judge)
    for role in sorted({*lock.files, *bound}):
        if role not in bound:
            yield f"{role}: {_path(lock.files, role)} belonged to it, and does no more"
        elif role not in lock.files:
            yield f"{role}: {path_from(folder, bound[role])} did not belong to it when it was measured"
        else:
            yield from _file(role, folder, bound[role], lock.files[role])


def _file(role: str, folder: Path, path: Path, known: str) -> Iterator[str]:
    name, _, digest = known.rpartition(" ")
    here = path_from(folder, path)
    if here != name:
        yield f"{role}: it is {here} now, and was {name}"
        return
    try:
        if file_digest(path) != digest:
            yield f"{role}: {name} changed"
    except DocumentError as error:
        yield f"{role}: {name}: {error.message}"


def _gone(folder: Path, lock: Lock) -> Iterator[str]:
    """Say which bound files are not there; what a judge that cannot be loaded names is not followed any further."""
    for role in sorted(lock.files):
        if not (folder / _path(lock.files, role)).exists():
            yield f"{role}: {_path(lock.files, role)} is missing"


def _path(files: Mapping[str, str], role: str) -> str:
    return files[role].rpartition(" ")[0]


def _machinery(judge: Judge, lock: Lock) -> Iterator[str]:
    if lock.judge != judge.name:
        yield f"judge: the lock is of {lock.judge}"
    if lock.parser != PARSER:
        yield f"parser: version {lock.parser} read the verdicts, and this llmkit has version {PARSER}"
    elif lock.verdict_schema != schema_digest(judge):
        yield "verdict_schema: a verdict's form is another"


def _model(judge: Judge, lock: Lock, served: str | None) -> Iterator[str]:
    name = public(judge.model).name
    if name != lock.chosen.model:
        yield f"model: it is {name} now, and {lock.chosen.model} was measured"
    if served is not None and lock.served is not None and served != lock.served:
        yield f"served: {served} answers now, and {lock.served} was measured"


def _identity(judge: Judge, lock: Lock) -> Iterator[str]:
    """Say what else decides the answers and is not what was measured: endpoint, weights, script, engine.

    What the lock or this machine does not know is not compared: the extra may be missing here, or the weights.
    """
    if public(judge.model).name != lock.chosen.model:
        return  # said already, and all else would differ by it
    try:
        now = identity(create(judge.model, display=True))
    except LlmkitError:
        return
    for key in sorted({*now, *lock.identity} - {"provider", "model"}):
        if key in now and key in lock.identity and redact(now[key]) != lock.identity[key]:
            yield f"{key}: it is {_short(redact(now[key]))} now, and {_short(lock.identity[key])} was measured"


def _short(value: str) -> str:
    """Return a hash's first digits, and all else whole."""
    return value[:12] if re.fullmatch("[0-9a-f]{64}", value) else value


def _borne_out(judge: Judge, lock: Lock) -> Iterator[str]:
    """Say that a lock claims more than follows from what it holds; nothing is asked or read for it."""
    counts, k = lock.test, len(judge.scale.labels)
    cells = [cell for row in counts.table for cell in row]
    shaped = counts.labels == judge.scale.labels and [len(row) for row in counts.table] == [k] * k
    if not shaped or min([*cells, counts.cannot_tell, counts.unread], default=0) < 0:
        yield "test: its counts are not those of a test of this judge"
        return
    found = decide(judge, figures_of(judge.scale, counts), lock.probes, looks=len(lock.looks))
    if _BETTER.index(lock.status) < _BETTER.index(found.status):
        yield f"status: it says {lock.status}, its counts and probes say {found.status}: {'; '.join(found.reasons)}"


def _age(lock: Lock, most: float | None, today: date) -> Iterator[str]:
    made = _day(lock)
    if made is None:
        yield f"created: {lock.created!r} is no day"
    elif most is not None and (days := (today - made).days) > most:
        yield f"created: {days} days ago, more than the {most:g} that it may be old (accept.max_age_days)"
    elif (made - today).days > 1:  # a clock or two may be a day ahead
        yield f"created: {lock.created} is yet to come"


def _day(lock: Lock) -> date | None:
    try:
        return date.fromisoformat(lock.created)
    except ValueError:
        return None
