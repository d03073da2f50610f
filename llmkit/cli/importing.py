"""``llmkit import``: files of other tools made into suites."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from llmkit.cli.options import Json

PARTLY = 3
"""The exit code where something was not carried over as it stood."""


class Format(StrEnum):
    """What can be imported."""

    LM_EVAL = "lm-eval"
    PROMPTFOO = "promptfoo"
    GITHUB = "github"


def import_(
    file: Annotated[
        Path,
        typer.Argument(
            help="A task of lm-evaluation-harness, a promptfoo configuration, a .prompt.yml file.", metavar="FILE"
        ),
    ],
    out: Annotated[
        Path | None, typer.Option("--out", help="The folder to write; one of the suite's name here.", metavar="FOLDER")
    ] = None,
    format_: Annotated[
        Format | None, typer.Option("--from", help="What the file is; told by what it holds where not given.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be written, and write nothing.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Write over files that are there.")] = False,
    json: Json = False,
) -> int:
    """Make a suite of another tool's file, and list what of it cannot be carried over.

    Exit codes: 0 all is carried over, 3 it is in part, 2 it cannot be.
    """
    from llmkit.cli.console import out as stdout
    from llmkit.cli.console import print_json
    from llmkit.importing.run import import_file
    from llmkit.reports.importing import imported_document, imported_report

    found = import_file(file, out=out, format=format_.value if format_ else None, force=force, dry_run=dry_run)
    if json:
        print_json(imported_document(found))
    else:
        console = stdout()
        console.print(imported_report(found), soft_wrap=not console.is_terminal)
    return 0 if found.whole else PARTLY
