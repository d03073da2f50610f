"""``llmkit init``: a small working project."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def init(
    folder: Annotated[Path, typer.Argument(help="Where; made where it is not there.", metavar="FOLDER")] = Path(),
) -> None:
    """Write a small working project: a suite, its data, its prompt and llmkit.toml."""
    from llmkit.suites.init import init as write_project

    for path in write_project(folder):
        typer.echo(f"wrote {path}")
    inside = "" if folder == Path() else f"cd {folder} && "
    typer.echo(f"\nRun it: {inside}llmkit eval suites/hello.yaml")
