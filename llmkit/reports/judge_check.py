"""What ``llmkit judge check`` found: each judge's status, and each thing that is not as it was locked."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from rich.console import Console, Group
from rich.text import Text
from typing_extensions import TypedDict

from llmkit.judgements import Check
from llmkit.reports import judge_words
from llmkit.reports.finite import finite
from llmkit.reports.issues import safe
from llmkit.reports.judge_documents import PaidDocument, paid_document
from llmkit.reports.lines import Line
from llmkit.reports.numbers import counted
from llmkit.types import JudgeStatus, Totals


class CheckDocument(TypedDict):
    """One judge; ``lock`` is null without one, ``anchors`` where they were not asked for."""

    judge: str
    status: JudgeStatus
    sound: bool
    lock: str | None
    age_days: float | None
    stale: list[str]
    anchors: str | None


class ChecksDocument(TypedDict):
    """What ``llmkit judge check --json`` prints; ``paid`` is null where nothing was to be asked.

    A judge that has no lock, and that no suite of the project names, does not make ``sound`` false.
    """

    sound: bool
    checks: list[CheckDocument]
    paid: PaidDocument | None


def check_document(found: Check) -> CheckDocument:
    """Return one judge's check as plain data."""
    return {
        "judge": found.judge,
        "status": found.status,
        "sound": found.sound,
        "lock": found.lock,
        "age_days": finite(found.age_days),
        "stale": [safe(line) for line in found.stale],
        "anchors": found.anchors,
    }


def checks_document(
    checks: Sequence[Check], paid: Totals | None = None, *, unused: Collection[str] = ()
) -> ChecksDocument:
    """Return all checks as plain data; ``sound`` are all, less the judges without a lock that nothing makes use of."""
    return {
        "sound": all(check.sound for check in checks if check.judge not in unused),
        "checks": [check_document(check) for check in checks],
        "paid": None if paid is None else paid_document(paid),
    }


def checks_schema() -> dict[str, Any]:
    """Return the JSON Schema of the document."""
    from pydantic import TypeAdapter

    return TypeAdapter(ChecksDocument).json_schema()


def print_checks(checks: Sequence[Check], console: Console, paid: Totals | None = None) -> None:
    """Print all checks; into a pipe, lines stay whole."""
    lines = [line for check in checks for line in check_lines(check)]
    if paid is not None:
        lines.append(Line(Text(judge_words.paid(paid), style="dim")))
    console.print(Group(*lines), soft_wrap=not console.is_terminal)


def check_lines(found: Check) -> Iterator[Line]:
    """Yield one judge's status, then what is not as it was, then how its anchors went."""
    head = Text(judge_words.word(found.status), style=f"bold {judge_words.STYLES[found.status]}")
    head.append(f"  {safe(found.judge)}", style="bold default").append(f"  {standing(found)}", style="not bold dim")
    yield Line(head)
    yield from (Line(Text(safe(line), style="red"), indent=2, hang=4) for line in found.stale)
    drifted = any(line.startswith("anchors: ") for line in found.stale)  # and it is said how
    if found.anchors is not None and not drifted:
        yield Line(Text(f"anchors: {safe(found.anchors)}"), indent=2, hang=4)


def standing(found: Check) -> str:
    """Say which lock it is, and how old."""
    if found.lock is None:
        return f"{judge_words.named_lock(None)} that can be relied on" if found.stale else judge_words.named_lock(None)
    named = judge_words.named_lock(found.lock)
    if found.age_days is None:
        return named
    days = round(found.age_days)
    return f"{named}, made today" if days == 0 else f"{named}, {counted(days, 'day')} old"
