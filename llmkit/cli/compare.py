"""``llmkit compare``: two runs, paired by sample."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

import typer

from llmkit.cli.complete import complete_run
from llmkit.cli.options import Json, StoreFolder

MOST_FLIPS = 1000

EXIT = {"pass": 0, "fail": 1, "undecided": 3}
"""What the verdict on all margins means to the shell; the gate's numbers."""

WHICH = "A run's id or its start, latest, latest~1, or a file of `llmkit runs export`."


def compare(
    run_a: Annotated[str, typer.Argument(help=WHICH, metavar="RUN_A", autocompletion=complete_run)],
    run_b: Annotated[str, typer.Argument(help="The other one.", metavar="RUN_B", autocompletion=complete_run)],
    metric: Annotated[
        str | None, typer.Option(help="Show the samples that flipped in this metric.", metavar="NAME")
    ] = None,
    flips: Annotated[
        int | None,
        typer.Option(
            min=0, max=MOST_FLIPS, help="At most N losses and N gains in full. Default: 5 and 3.", metavar="N"
        ),
    ] = None,
    confidence: Annotated[float, typer.Option(help="Of the intervals.", metavar="SHARE")] = 0.95,
    seed: Annotated[int, typer.Option(min=0, help="Of the resampling.")] = 0,
    force: Annotated[
        bool, typer.Option("--force", help="Compare also where data, right answers or scorers differ.")
    ] = False,
    margin: Annotated[
        list[str] | None,
        typer.Option(
            help="Decide whether RUN_B is worse in METRIC by X or more, in the metric's unit. Repeatable.",
            metavar="METRIC=X",
        ),
    ] = None,
    tie_tolerance: Annotated[
        float | None,
        typer.Option(
            help="Call it a near tie where two tokens' log-probabilities are as close. Default: 0.125.", metavar="NATS"
        ),
    ] = None,
    json: Json = False,
    markdown: Annotated[
        Path | None, typer.Option(help="Write Markdown to FILE, or with - to standard output.", metavar="FILE")
    ] = None,
    store: StoreFolder = None,
) -> int:
    """Compare two runs sample by sample: RUN_A came before, RUN_B after.

    Exits 0 whatever the difference is. With --margin: 0 where a worsening as large as the margin is ruled out in each
    metric, 1 where one is proven, 3 where neither can be said.
    """
    from llmkit.cli.console import out, print_json
    from llmkit.errors import UsageError
    from llmkit.paired import flips as defaults
    from llmkit.paired.compare import compare as compared
    from llmkit.paired.sameness import TIE
    from llmkit.reports.comparison import print_comparison
    from llmkit.reports.comparison_document import comparison_document
    from llmkit.reports.comparison_markdown import comparison_markdown

    on_stdout = str(markdown) == "-"
    if json and on_stdout:
        raise UsageError("--json and --markdown - both want standard output", hint="Name a file: --markdown FILE")
    if not 0 < confidence < 1:
        raise UsageError(f"--confidence lies between 0 and 1, not {confidence:g}", hint="Write .95 for 95 %")
    if tie_tolerance is not None and not 0 <= tie_tolerance < math.inf:
        raise UsageError(f"--tie-tolerance is a number of nats, 0 or more, not {tie_tolerance:g}", hint="Write .125")
    found = compared(
        run_a, run_b, store=store, force=force, metric=metric, confidence=confidence, seed=seed,
        losses=defaults.LOSSES if flips is None else flips, gains=defaults.GAINS if flips is None else flips,
        margins=_margins(margin or []), tie_tolerance=TIE if tie_tolerance is None else tie_tolerance,
    )  # fmt: skip
    if markdown is not None:
        _write(comparison_markdown(found), markdown)
    if json:
        print_json(comparison_document(found))
    elif not on_stdout:
        print_comparison(found, out())
    return 0 if found.verdict is None else EXIT[found.verdict]


def _margins(pairs: list[str]) -> dict[str, float]:
    """Read ``METRIC=X`` pairs.

    Raises:
        UsageError: One is none, or stands twice.
    """
    from llmkit.errors import UsageError

    found: dict[str, float] = {}
    for pair in pairs:
        name, sign, text = (part.strip() for part in pair.partition("="))
        try:
            margin = float(text)
        except ValueError:
            margin = math.nan
        if not (sign and name and math.isfinite(margin)):
            raise UsageError(f"--margin {pair!r} is no METRIC=X", hint="For example: --margin exact_match=.02")
        if found.setdefault(name, margin) != margin:
            raise UsageError(f"--margin says two margins of {name}: {found[name]:g} and {margin:g}", hint="Keep one")
    return found


def _write(text: str, path: Path) -> None:
    from llmkit.documents.writing import write_text

    if str(path) == "-":
        print(text, end="")  # noqa: T201
        return
    write_text(path, text)
