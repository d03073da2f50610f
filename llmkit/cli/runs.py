"""``llmkit runs``: what the store holds."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from llmkit.cli.complete import complete_run, complete_stored_suite
from llmkit.cli.opening import open_store
from llmkit.cli.options import Json, StoreFolder

app = typer.Typer(help="List, show and export stored runs.", no_args_is_help=True, rich_markup_mode=None)


class As(StrEnum):
    """Forms of one sample."""

    TRANSCRIPT = "transcript"
    CURL = "curl"
    TEST = "test"
    JSON = "json"


class ExportForm(StrEnum):
    """Forms of a run's samples."""

    JSONL = "jsonl"
    PARQUET = "parquet"
    INSPECT = "inspect"


class Status(StrEnum):
    """How a run ended, or that it has not."""

    RUNNING = "running"
    COMPLETED = "completed"
    INTERRUPTED = "interrupted"
    BUDGET = "budget"
    FAILED = "failed"
    KILLED = "killed"


RunArgument = Annotated[
    str, typer.Argument(help="A run's id or its start, latest, latest~1.", metavar="RUN", autocompletion=complete_run)
]


@app.command("list")
def list_(
    suite: Annotated[
        str | None,
        typer.Option(help="Only this suite's.", metavar="NAME", autocompletion=complete_stored_suite),
    ] = None,
    status: Annotated[Status | None, typer.Option(help="Only those that ended so.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="The latest N.", metavar="N")] = 20,
    json: Json = False,
    store: StoreFolder = None,
) -> None:
    """List runs, the latest first."""
    from llmkit.cli.console import out, print_json
    from llmkit.reports.runs import runs_document, runs_table
    from llmkit.runs.lock import as_seen

    with open_store(store) as opened:
        found = opened.runs(limit=limit if suite is None and status is None else None)
        found = [as_seen(run, opened.path.parent) for run in found]
    found = [r for r in found if suite in (None, r.suite) and status in (None, r.status)][:limit]
    if json:
        print_json(runs_document(found))
    else:
        console = out()
        console.print(runs_table(found), soft_wrap=not console.is_terminal)


@app.command()
def show(
    run: RunArgument = "latest",
    failed: Annotated[bool, typer.Option("--failed", help="The samples that failed, in full.")] = False,
    wrong: Annotated[
        bool, typer.Option("--wrong", help="The samples that were answered wrongly, and why where a scorer says so.")
    ] = False,
    sample: Annotated[str | None, typer.Option(help="One sample, by its id.", metavar="ID")] = None,
    form: Annotated[As, typer.Option("--as", help="Form of the sample.")] = As.TRANSCRIPT,
    limit: Annotated[int, typer.Option(min=1, help="At most N samples.", metavar="N")] = 20,
    html: Annotated[
        Path | None, typer.Option(help="Write the run's heat maps to FILE, a page of its own.", metavar="FILE")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
    json: Json = False,
    store: StoreFolder = None,
) -> None:
    """Show a run's results, its failures, or one sample as a transcript, a curl command or a test case."""
    from llmkit.cli import show as views
    from llmkit.runs.lock import as_seen

    with open_store(store) as opened:
        row = as_seen(opened.run(run), opened.path.parent)
        if sample is not None:
            views.one_sample(opened, row, sample, "json" if json else form.value)
        elif html is not None:
            views.page(row, html, force=force)
        elif wrong:
            views.wrong(opened, row, limit, as_json=json)
        elif failed:
            views.failures(opened, row, limit, as_json=json)
        else:
            views.results(row, as_json=json)


@app.command()
def export(
    run: RunArgument = "latest",
    form: Annotated[
        ExportForm, typer.Option("--format", help="JSON lines, Parquet, or a log that `inspect view` opens.")
    ] = ExportForm.JSONL,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            help="The file, or - for standard output; one of the run's name here where not given.",
            metavar="FILE",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
    failed: Annotated[bool, typer.Option("--failed", help="Only the samples that failed.")] = False,
    store: StoreFolder = None,
) -> None:
    """Write a run's samples to a file."""
    from llmkit.cli.console import say
    from llmkit.runs.export import stream, write
    from llmkit.runs.inspect_log import name_of

    with open_store(store) as opened:
        row = opened.run(run)
        if str(output) == "-":
            stream(opened, row, sys.stdout.buffer, form.value, failed=failed)
            return
        path = output or Path(name_of(row) if form is ExportForm.INSPECT else f"{row.run_id}.{form.value}")
        count = write(opened, row, path, form.value, failed=failed, force=force)
    say(f"wrote {count} samples to {path}")
