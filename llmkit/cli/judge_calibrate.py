"""``llmkit judge calibrate``: measure a judge against people's labels, and lock what came of it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llmkit.cli.complete import complete_model
from llmkit.cli.options import Concurrency, Json, JudgeName, MaxCost, Param, StoreFolder
from llmkit.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    from llmkit.calibrations import Calibration
    from llmkit.judgements import Status

OPTIMISERS = ("gepa",)
EXIT: dict[Status, int] = {"calibrated": 0, "refused": 1, "provisional": 3}
"""A refused judge failed its validation; of a provisional one there is not enough evidence."""


def calibrate(
    name: JudgeName,
    search: Annotated[
        Path | None, typer.Option(help="A grid of models, prompts, examples and methods to try.", metavar="GRID.yaml")
    ] = None,
    optimize: Annotated[
        str | None, typer.Option(help="Let an optimiser write a prompt, on the dev part alone: gepa.", metavar="WORD")
    ] = None,
    reflection: Annotated[
        str | None,
        typer.Option(
            help="With --optimize: the model that thinks about mistakes. Default: the judge's own.",
            metavar="MODEL",
            autocompletion=complete_model,
        ),
    ] = None,
    max_cost: MaxCost = None,
    param: Param = None,
    probe_items: Annotated[
        int, typer.Option(min=1, help="Items of the test that each probe tries, at most.", metavar="N")
    ] = 100,
    seed: Annotated[int, typer.Option(help="Of probes, order and resampling.")] = 0,
    concurrency: Concurrency = None,
    cache: Annotated[bool, typer.Option("--cache/--no-cache", help="Use answers of earlier calls.")] = True,
    offline: Annotated[bool, typer.Option("--offline", help="Make no call: what is stored must do.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what these labels can reach and what would be asked, and stop.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing at a terminal.")] = False,
    json: Json = False,
    markdown: Annotated[Path | None, typer.Option(help="Write Markdown, too.", metavar="FILE")] = None,
    store: StoreFolder = None,
) -> int:
    """Measure a judge against people's labels, and write its lock: judges/NAME.lock.

    Says before any call what these labels can show at best. Exit codes: 0 calibrated, 1 refused, 3 provisional (not
    enough labels), the budget ran out or --offline lacks an answer, 4 something broke.
    """
    from llmkit.calibration.calibrate import calibrate_async
    from llmkit.calibration.options import CalibrateOptions
    from llmkit.cli.calibrating import Calibrating
    from llmkit.documents.writing import check_writable
    from llmkit.judges.load import load_judge
    from llmkit.providers.params import parse_pairs
    from llmkit.runs.evaluate import run_async

    if optimize is not None and optimize not in OPTIMISERS:
        raise UnknownNameError("optimiser", optimize, OPTIMISERS, where="--optimize")
    if reflection is not None and optimize is None:
        raise UsageError("--reflection means nothing without --optimize gepa")
    options = CalibrateOptions(
        search=search, optimize=optimize, reflection=reflection, max_cost=max_cost, params=parse_pairs(param or []),
        seed=seed, concurrency=concurrency, cache=cache, offline=offline, probe_items=probe_items, store=store,
    )  # fmt: skip
    if markdown is not None:
        check_writable(markdown)  # before anything is paid for
    judge = load_judge(name, locked=False)  # what is measured is what its file says
    asking = not yes and not json and sys.stdin.isatty() and sys.stderr.isatty()
    with Calibrating(dry_run=dry_run, ask=asking, as_json=json, cache=cache) as watching:
        found = run_async(calibrate_async(judge, options, watching))
    if found is None:  # stopped before any call
        return 0
    _tell(found, as_json=json, markdown=markdown)
    return EXIT[found.status]


def _tell(found: Calibration, *, as_json: bool, markdown: Path | None) -> None:
    """Print the report, and write it where it was asked for."""
    from llmkit.cli.console import out, print_json, say
    from llmkit.documents.writing import write_text
    from llmkit.reports.calibration import print_calibration
    from llmkit.reports.calibration_document import calibration_document
    from llmkit.reports.calibration_markdown import calibration_markdown

    if as_json:
        print_json(calibration_document(found))
    else:
        print_calibration(found, out())
    if markdown is not None:
        try:
            write_text(markdown, calibration_markdown(found))
        except UsageError as error:  # the verdict stands, and the lock is written
            say(str(error))
