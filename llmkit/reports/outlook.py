"""What labels can show at best, and what a calibration would ask: said before any call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from rich.console import Console, Group
from rich.text import Text
from typing_extensions import TypedDict

from llmkit.calibrations import Best
from llmkit.reports.calibration_document import BestDocument, best_document
from llmkit.reports.finite import finite
from llmkit.reports.issues import safe
from llmkit.reports.judge_words import STYLES, lines_of, needs, word
from llmkit.reports.lines import Line
from llmkit.reports.numbers import UNKNOWN, count, counted, dollars


class Outlay(Protocol):
    """What would be asked, see ``calibration.options``."""

    @property
    def best(self) -> Best: ...  # noqa: D102
    @property
    def parts(self) -> Mapping[str, int]: ...  # noqa: D102
    @property
    def worst_case_usd(self) -> float | None: ...  # noqa: D102
    @property
    def unknown(self) -> str | None: ...  # noqa: D102
    @property
    def notes(self) -> Sequence[str]: ...  # noqa: D102


class OutlookDocument(TypedDict):
    """What ``llmkit judge calibrate --dry-run --json`` prints. ``unknown`` says why the worst case is null."""

    judge: str
    best: BestDocument
    calls: dict[str, int]
    worst_case_usd: float | None
    unknown: str | None
    notes: list[str]


def print_outlook(judge: str, outlay: Outlay, console: Console) -> None:
    """Print what the labels can show, and what would be asked."""
    console.print(Group(*_lines(judge, outlay)), soft_wrap=not console.is_terminal)


def outlook_document(judge: str, outlay: Outlay) -> OutlookDocument:
    """Return it as plain data."""
    return {
        "judge": judge,
        "best": best_document(outlay.best),
        "calls": dict(outlay.parts),
        "worst_case_usd": finite(outlay.worst_case_usd),
        "unknown": outlay.unknown,
        "notes": list(outlay.notes),
    }


def outlook_schema() -> dict[str, Any]:
    """Return the JSON Schema of the document."""
    from pydantic import TypeAdapter

    return TypeAdapter(OutlookDocument).json_schema()


def _lines(judge: str, outlay: Outlay) -> Iterator[Line]:
    best = outlay.best
    head = Text("At best ", style="bold").append(word(best.status), style=f"bold {STYLES[best.status]}")
    yield Line(head.append(f"  {safe(judge)}", style="not bold").append("  what these labels can show", "dim"))
    yield Line(Text(safe(best.said)), indent=2)
    if needs(best.needs):
        yield Line(Text(f"a judge without a mistake needs {safe(needs(best.needs))}", style="yellow"), indent=2)
    if needs(best.needs_at_95):
        said = f"a judge that is right 95 times of 100 needs {safe(needs(best.needs_at_95))}"
        yield Line(Text(f"{said}, to be calibrated four times of five", style="yellow"), indent=2)
    yield from (Line(Text(f"note: {safe(note)}", style="yellow"), indent=2) for note in lines_of(outlay.notes))
    stages = ", ".join(f"{safe(name)} {count(calls)}" for name, calls in outlay.parts.items())
    calls = sum(outlay.parts.values())
    cost = dollars(outlay.worst_case_usd)
    if outlay.worst_case_usd is None:
        cost = f"{UNKNOWN}: {safe(outlay.unknown)}" if outlay.unknown else UNKNOWN
    yield Line(Text(f"at most {counted(calls, 'call')} ({stages}), worst case {cost}"), indent=2)
