"""Judges that a suite's scorers name: which of the files that decide their verdicts, or measure them, differ."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from llmkit.gate.sides import Files, Side
from llmkit.judges.judge import Judge
from llmkit.judges.lock import bound_files, lock_path
from llmkit.scoring.base import Scorer
from llmkit.suites.gating import judge_of
from llmkit.verdicts import Change

JUDGES = "judges/"


def judges_of(scorers: Sequence[Scorer]) -> dict[str, Judge]:
    """Return scorer → its judge, of those that have one."""
    found = {scorer.name: judge_of(scorer) for scorer in scorers}
    return {name: judge for name, judge in found.items() if judge is not None}


def judge_changes(head: Side, files: Files) -> Iterator[Change]:
    """Say how the files of the suite's judges differ. Both sides are judged by head's, so none asks a model anew."""
    seen: set[str] = set()
    for judge in judges_of(head.suite.scorers).values():
        for role, file in _files(judge):
            path = files.repository.path_of(file)
            if path is None or path in seen or (how := files.differs(path)) is None:
                continue
            seen.add(path)
            lines = files.changed_lines(path, path) if how == "changed" else ()
            yield Change("judge", how, path, f"{role} of the judge {judge.name}", lines=lines, asks=False)


def _files(judge: Judge) -> Iterator[tuple[str, Path]]:
    """Yield role and file of all that a lock binds, there or not, and of the lock."""
    yield from bound_files(judge).items()
    yield "lock", lock_path(judge.path)
