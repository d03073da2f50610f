"""Options that several commands share, so that they read and mean the same everywhere."""

from __future__ import annotations

from typing import Annotated

import typer

from llmkit.cli.complete import complete_suite

MOST_EPOCHS = 1000  # what a suite may say, too; its module's import would cost more than the help takes

Suites = Annotated[
    list[str],
    typer.Argument(help="Suite files, or names of built-in suites.", metavar="SUITE...", autocompletion=complete_suite),
]
Param = Annotated[
    list[str] | None, typer.Option("-M", "--param", help="A model parameter or provider option.", metavar="KEY=VALUE")
]
Data = Annotated[str | None, typer.Option(help="Read this file instead of the suite's data.", metavar="FILE")]
Epochs = Annotated[int | None, typer.Option(min=1, max=MOST_EPOCHS, help="Ask each sample N times.", metavar="N")]
