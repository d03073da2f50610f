"""A judge's verdicts on a run, at a terminal: the status first, then the raw and the corrected figure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Console, Group
from rich.text import Text
from typing_extensions import TypedDict

from llmkit.judged_runs import JudgedRun, RawDifference
from llmkit.reports import comparing, judge_words
from llmkit.reports.finite import bounds, finite
from llmkit.reports.issues import safe
from llmkit.reports.judge_documents import (
    PaidDocument,
    RateDocument,
    maybe_rate,
    paid_document,
    rate_document,
)
from llmkit.reports.lines import Line
from llmkit.reports.numbers import count
from llmkit.types import JudgeStatus

_WARNING = "yellow"


class RawDifferenceDocument(TypedDict):
    """This run's raw figure less another run's, on the ``n`` samples that both have a verdict of; not corrected."""

    run: str
    before: float | None
    after: float | None
    difference: float | None
    ci: tuple[float, float] | None
    ci_method: str | None
    confidence: float | None
    p_value: float | None
    test: str | None
    n: int


class JudgedRunDocument(TypedDict):
    """A judge's verdicts on one run. ``corrected`` is null where there is no corrected rate; ``why`` says why.

    ``against`` is null of the first run.
    """

    judge: str
    kind: str
    status: str
    lock: str | None
    source: str
    n: int
    verdicts: dict[str, int]
    cannot_tell: int
    unread: int
    raw: RateDocument
    corrected: RateDocument | None
    estimator: str | None
    why: str
    paid: PaidDocument
    notes: list[str]
    against: RawDifferenceDocument | None


class JudgedRunsDocument(TypedDict):
    """What ``llmkit judge run --json`` prints."""

    runs: list[JudgedRunDocument]


def judged_runs_table(found: Sequence[JudgedRun]) -> Group:
    """Return the report, for a console of any width."""
    parts: list[Line | Text] = []
    for each in found:
        parts += [*_block(each), Text()]
    return Group(*parts[:-1])


def print_judged_runs(found: Sequence[JudgedRun], console: Console) -> None:
    """Print the report. Into a pipe or a file, long lines stay whole."""
    console.print(judged_runs_table(found), soft_wrap=not console.is_terminal)


def judged_runs_document(found: Sequence[JudgedRun]) -> JudgedRunsDocument:
    """Return it as plain data."""
    return {"runs": [_document(each) for each in found]}


def judged_runs_schema() -> dict[str, Any]:
    """Return the JSON Schema of the document."""
    from pydantic import TypeAdapter

    return TypeAdapter(JudgedRunsDocument).json_schema()


def standing(status: JudgeStatus, lock: str | None) -> Text:
    """Write a status with its lock, in words that need no colour."""
    text = Text(judge_words.word(status), style=f"bold {judge_words.STYLES[status]}")
    return text.append(f"  {safe(judge_words.named_lock(lock))}", style="not bold dim default")


def _block(found: JudgedRun) -> Iterator[Line]:
    head = Text(safe(found.judge), style="bold").append(f"  {safe(found.source)}  ", style="not bold")
    yield Line(head.append_text(standing(found.status, found.lock)))
    said = [judge_words.verdict_counts(found.verdicts)]
    said += [f"{count(found.cannot_tell)} cannot tell"] if found.cannot_tell else []
    said += [f"{count(found.unread)} unread"] if found.unread else []
    yield Line(Text(f"{count(found.n)} judged: {safe(', '.join(said))}"), indent=2)
    what = "rate" if found.kind == "pass_fail" else "mean"
    yield Line(Text(f"raw {what}        {judge_words.rate(found.raw)}").append(f"  {found.status}", "dim"), indent=2)
    if found.corrected is None:
        yield Line(Text(f"no corrected {what}: {safe(found.why)}", style=_WARNING), indent=2)
    else:
        line = Text(f"corrected {what}  {judge_words.rate(found.corrected)}", style="bold")
        yield Line(line.append(f"  {found.status}", "not bold dim"), indent=2)
        yield Line(Text(f"by {safe(found.estimator or '')}: {safe(found.why)}", style="dim"), indent=2)
    if found.against is not None:
        yield from _against(found.against, found.status)
    yield Line(Text(judge_words.paid(found.paid), style="dim"), indent=2)
    yield from (Line(Text(f"note: {safe(note)}", style=_WARNING), indent=2) for note in found.notes)


def _against(found: RawDifference, status: JudgeStatus) -> Iterator[Line]:
    if not found.n:
        yield Line(Text(f"shares no judged sample with {safe(found.run)}", style=_WARNING), indent=2)
        return
    moved = comparing.moved(found.difference, found.interval, found.after or found.before or 0.0)
    said = f"raw difference  {moved} n={count(found.n)}  {comparing.tested(found.p_value, found.test)}"
    yield Line(Text(said).append(f"  {status}", "dim"), indent=2)
    why = "not corrected: a judge's errors shrink differences, and a style that it dislikes makes some"
    yield Line(Text(f"to {safe(found.run)}, {why}", style="dim"), indent=2)


def _document(found: JudgedRun) -> JudgedRunDocument:
    return {
        "judge": found.judge,
        "kind": found.kind,
        "status": found.status,
        "lock": found.lock,
        "source": found.source,
        "n": found.n,
        "verdicts": dict(found.verdicts),
        "cannot_tell": found.cannot_tell,
        "unread": found.unread,
        "raw": rate_document(found.raw),
        "corrected": maybe_rate(found.corrected),
        "estimator": found.estimator,
        "why": found.why,
        "paid": paid_document(found.paid),
        "notes": list(found.notes),
        "against": None if found.against is None else _against_document(found.against),
    }


def _against_document(found: RawDifference) -> RawDifferenceDocument:
    return {
        "run": found.run,
        "before": finite(found.before),
        "after": finite(found.after),
        "difference": finite(found.difference),
        "ci": bounds(found.interval),
        "ci_method": found.interval.method if found.interval else None,
        "confidence": found.interval.confidence if found.interval else None,
        "p_value": finite(found.p_value),
        "test": found.test,
        "n": found.n,
    }
