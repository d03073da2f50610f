"""The samples of a run that were answered wrongly, each with what its scorers say of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Console, Group
from rich.text import Text

from llmkit.redact import redact
from llmkit.reports.lines import Line
from llmkit.reports.text import one_line
from llmkit.types import SampleResult, Score


def wrong_document(results: Sequence[SampleResult], run_id: str) -> dict[str, Any]:
    """Return the samples as plain dicts and lists: each metric's score, what it took, and why it is no better."""
    return {
        "run_id": run_id,
        "samples": [
            {"id": each.sample_id, "epoch": each.epoch, "scores": dict(map(_plain, _scores(each)))} for each in results
        ],
    }


def print_wrong(results: Sequence[SampleResult], console: Console) -> None:
    """Print two lines or more a sample. Into a pipe or a file, long lines stay whole."""
    console.print(Group(*(line for each in results for line in _lines(each))), soft_wrap=not console.is_terminal)


def _scores(result: SampleResult) -> list[tuple[str, Score]]:
    return [(name, score) for name, score in result.scores.items() if isinstance(score, Score)]


def _plain(named: tuple[str, Score]) -> tuple[str, dict[str, Any]]:
    name, score = named
    took, why = (None if said is None else redact(said) for said in (score.answer, score.reason))
    return name, {"value": score.value, "answer": took, "reason": why}


def _lines(result: SampleResult) -> Iterator[Line]:
    head = Text("sample ", style="dim").append(one_line(result.sample_id), style="not dim bold")
    yield Line(head.append(f" · epoch {result.epoch}"))
    for name, score in _scores(result):
        taken = "" if score.answer is None else f"  (took {one_line(redact(score.answer))!r})"
        said = Text(f"{one_line(name)}: {score.value:g}{taken}")
        if score.reason is not None:
            said.append(f"  {one_line(redact(score.reason))}", style="yellow")
        yield Line(said, indent=2, hang=4)
