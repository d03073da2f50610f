"""``llmkit baseline``: a run's answers in a file, for a gate without a base branch."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llmkit.cli.complete import complete_run
from llmkit.cli.options import StoreFolder

if TYPE_CHECKING:
    from llmkit.runs.rows import RunRow

app = typer.Typer(help="Recorded answers that a gate compares with.", no_args_is_help=True)


@app.callback()
def _baseline() -> None:
    """Recorded answers that a gate compares with."""


@app.command("save")
def save(
    run: Annotated[
        str, typer.Argument(help="A run's id, or latest.", metavar="[RUN]", autocompletion=complete_run)
    ] = "latest",
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Default: SUITE.baseline.jsonl.", metavar="FILE")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
    store: StoreFolder = None,
) -> int:
    """Write a run's answers to a file, bound to the data, the prompt and the model that they are of."""
    from llmkit.cli.console import say
    from llmkit.cli.opening import open_store
    from llmkit.gate.baseline import save as save_baseline

    with open_store(store) as opened:
        found = opened.run(run)
        path = output or Path(f"{found.suite.replace(':', '-')}.baseline.jsonl")  # no file of Windows has a colon
        count = save_baseline(opened, found, path, force=force)
    command = f"llmkit gate {_suite(found)} --baseline {shlex.quote(str(path))}"
    say(f"{count} answers of run {found.run_id} written to {path}; next: {command}")
    return 0


def _suite(run: RunRow) -> str:
    """Return a run's suite as a user in the current folder would type it; a run may be of another folder."""
    recorded = run.about.get("suite_path")
    if recorded is None or not Path(recorded).is_file():
        return "SUITE"
    path = Path(recorded)
    shown = path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
    variant = run.about.get("variant")
    return shlex.quote(str(shown) if variant is None else f"{shown}:{variant}")
