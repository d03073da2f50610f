"""What a file of predictions holds, before it is scored."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from llmkit.reports.numbers import count, counted
from llmkit.types import PredictionsFound


def given_lines(found: PredictionsFound) -> Iterator[str]:
    """Yield a line on what there is, and one on each thing that is wrong, with the place of the first."""
    least, most = found.epochs
    each = "" if most == 1 else f", {most} a row" if least == most else f", {least} to {most} a row"
    yield f"{found.file}: {counted(found.answers, 'answer')} in {counted(found.rows, 'row')}{each}"
    wrong = {**found.missing, "no prediction of this row of the suite": found.unanswered}
    yield from (f"{where}: {count(times)} × {what}" for what, (times, where) in wrong.items() if times)


def given_document(found: PredictionsFound) -> dict[str, Any]:
    """Return the same as plain data."""
    return {
        "file": found.file,
        "rows": found.rows,
        "answers": found.answers,
        "epochs": list(found.epochs),
        "missing": {what: {"count": times, "first": where} for what, (times, where) in found.missing.items() if times},
        "unanswered": {"count": found.unanswered[0], "first": found.unanswered[1] or None},
    }
