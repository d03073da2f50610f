"""A scoring of answers that are there already, at a terminal: ``llmkit score`` and ``llmkit rescore``."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from llmkit.cli.console import err, out, print_json, say
from llmkit.cli.evaluate import exit_code_of
from llmkit.cli.session import Line
from llmkit.cli.thresholds import Thresholds, exit_code
from llmkit.reports.document import document
from llmkit.reports.progress import Progress
from llmkit.reports.table import print_results
from llmkit.runs.evaluate import Ending
from llmkit.runs.scoring import Ended
from llmkit.runs.state import Observer
from llmkit.types import RunResult

Start = Callable[[Observer, Ended], Coroutine[Any, Any, RunResult]]
"""Scores; is given who is told how it goes, and who is told the result."""


def scored_at_terminal(
    start: Start,
    *,
    name: str,
    interrupted: str,
    thresholds: Thresholds,
    max_failures: float,
    as_json: bool,
    more: Mapping[str, Any] | None = None,
) -> int:
    """Score with progress on standard error, and print the result, also of what was stopped; returns the exit code.

    Args:
        start: The scoring.
        name: Stands before the progress.
        interrupted: What is said on Ctrl-C.
        thresholds: Bounds to hold the result against.
        max_failures: The share of failed samples above which something broke.
        as_json: One JSON document in place of the table.
        more: What goes into the document beside the result.

    Raises:
        KeyboardInterrupt: After the result was printed.
        LlmkitError: As of ``start``; likewise.
    """
    results: list[RunResult] = []
    try:
        with Progress(err()) as progress:
            asyncio.run(start(Line(progress, name), results.append))
    except KeyboardInterrupt:
        say(interrupted)
        raise
    finally:
        if results and as_json:
            print_json({**document(results), **(more or {})})
        elif results:
            print_results(results, out())
    judged = thresholds.judge(results)
    for one in judged:
        say(one.line())
    return exit_code_of([Ending(result) for result in results], exit_code(judged), max_failures)
