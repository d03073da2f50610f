"""``llmkit rescore``: score stored answers anew."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from llmkit.cli.complete import complete_scorer
from llmkit.cli.runs import JsonOption, RunArgument, StoreOption


def rescore(
    run: RunArgument,
    scorer: Annotated[
        list[str] | None,
        typer.Option(
            help="A scorer, with options as YAML: '{numeric: {tolerance: 1}}'. Default: the run's own.",
            autocompletion=complete_scorer,
        ),
    ] = None,
    json: JsonOption = False,
    store: StoreOption = None,
) -> None:
    """Score a run's stored answers anew, with no calls; the result is a run of its own."""
    import asyncio

    from llmkit.cli.console import out, print_json
    from llmkit.cli.runs import open_store
    from llmkit.reports.document import document
    from llmkit.reports.table import print_results
    from llmkit.runs.rescore import rescore as rescored
    from llmkit.runs.rescore import scorers_of
    from llmkit.scoring.registry import parse

    with open_store(store) as opened:
        row = opened.run(run)
        scorers = [parse(_entry(text), "--scorer") for text in scorer] if scorer else scorers_of(row)
        result = asyncio.run(rescored(opened, row, scorers))
    if json:
        print_json(document([result]))
    else:
        print_results([result], out())


def _entry(text: str) -> Any:
    """Read ``name`` or ``{name: {option: value}}``."""
    from llmkit.documents import parse_yaml

    return text if text.isidentifier() else parse_yaml(text, path=Path("--scorer")).data
