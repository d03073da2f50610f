"""``llmkit gate``: hold what changed against its base."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from llmkit.cli.complete import complete_model, complete_suite
from llmkit.cli.options import Epochs, FewShot, FewShotData, Json, MaxCost, Param, StoreFolder
from llmkit.cli.sandboxing import SandboxName, UnsafeLocal, sandboxing
from llmkit.errors import UsageError

if TYPE_CHECKING:
    from llmkit.verdicts import GateReport

MEANINGS = ("fail", "warn", "pass")


def gate(
    suites: Annotated[
        list[str] | None,
        typer.Argument(
            help="Suite files. Default: those of llmkit.toml, else all of the project that have gate:.",
            metavar="[SUITE]...",
            autocompletion=complete_suite,
        ),
    ] = None,
    base: Annotated[
        str | None,
        typer.Option(help="Branch, tag or commit. Default: the pull request's target, else main.", metavar="REF"),
    ] = None,
    baseline: Annotated[
        list[str] | None,
        typer.Option(help="Recorded answers in place of a base branch; one a suite.", metavar="FILE|RUN"),
    ] = None,
    list_: Annotated[bool, typer.Option("--list", help="Show what would be asked and its cost, and stop.")] = False,
    offline: Annotated[
        bool, typer.Option("--offline", help="Decide from the cache or the baseline alone; needs no key.")
    ] = False,
    model: Annotated[
        str | None,
        typer.Option("-m", "--model", help="The model on both sides.", metavar="MODEL", autocompletion=complete_model),
    ] = None,
    param: Param = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first N rows.", metavar="N")] = None,
    epochs: Epochs = None,
    few_shot: FewShot = None,
    few_shot_data: FewShotData = None,
    seed: Annotated[int, typer.Option(help="Of the order and the resampling.")] = 0,
    concurrency: Annotated[int | None, typer.Option(min=1, help="Calls in flight. Default: adapts.")] = None,
    max_cost: MaxCost = None,
    max_age: Annotated[
        str | None, typer.Option(help="Oldest cached answer that counts. Default: 7d.", metavar="7d")
    ] = None,
    cache: Annotated[bool, typer.Option("--cache/--no-cache", help="Use answers of earlier runs.")] = True,
    fresh: Annotated[
        bool,
        typer.Option(
            "--fresh",
            help="Plan the number of samples anew, in place of keeping that of the last gate of the same two sides.",
        ),
    ] = False,
    on_inconclusive: Annotated[
        str | None,
        typer.Option(help="What too little evidence means: fail, warn or pass. Default: exit 3.", metavar="WORD"),
    ] = None,
    flips: Annotated[int, typer.Option(min=0, help="Flipped samples to show.", metavar="N")] = 5,
    junit: Annotated[Path | None, typer.Option(help="Write JUnit XML.", metavar="FILE")] = None,
    markdown: Annotated[Path | None, typer.Option(help="Write Markdown.", metavar="FILE")] = None,
    sandbox: SandboxName = None,
    unsafe_local: UnsafeLocal = False,
    json: Json = False,
    store: StoreFolder = None,
) -> int:
    """Compare what changed with its base, and say pass, fail or not enough evidence.

    Both sides are asked the same samples at the same time, until a verdict stands. Exit codes: 0 pass, 1 fail, 3 not
    enough evidence, 4 something broke.
    """
    from llmkit.cli.gating import Gating
    from llmkit.documents.writing import check_writable
    from llmkit.gate.options import GateOptions, seconds
    from llmkit.gate.run import gate as run_gate
    from llmkit.providers.params import parse_pairs
    from llmkit.runs.evaluate import run_async

    if on_inconclusive is not None and on_inconclusive not in MEANINGS:
        raise UsageError(f"--on-inconclusive is {', '.join(MEANINGS)}, not {on_inconclusive!r}")
    meaning: Any = on_inconclusive
    options = GateOptions(
        suites=tuple(suites or ()), base=base, baseline=tuple(baseline or ()), offline=offline, listed=list_,
        model=model, params=parse_pairs(param or []), epochs=epochs, few_shot=few_shot, few_shot_data=few_shot_data,
        limit=limit, max_cost=max_cost,
        max_age=None if max_age is None else seconds(max_age, "--max-age"), cache=cache, on_inconclusive=meaning,
        concurrency=concurrency, seed=seed, flips=flips, store=store, fresh=fresh,
    )  # fmt: skip
    for path in filter(None, (junit, markdown)):
        check_writable(path)  # before anything is paid for
    with sandboxing(sandbox, unsafe_local), Gating(cache=cache) as watching:
        report = run_async(run_gate(options, watching))
    _tell(report, as_json=json, junit=junit, markdown=markdown)
    return int(report.exit_code)


def _tell(report: GateReport, *, as_json: bool, junit: Path | None, markdown: Path | None) -> None:
    """Print the report, and write it wherever it was asked for."""
    import os
    import sys

    from llmkit.cli.console import out, print_json, say
    from llmkit.reports import actions, github
    from llmkit.reports.gate import print_gate
    from llmkit.reports.gate_document import gate_document
    from llmkit.reports.gate_markdown import gate_markdown
    from llmkit.reports.junit import junit as junit_xml

    if as_json:
        print_json(gate_document(report))
    else:
        with actions.unheard(os.environ, sys.stdout):
            print_gate(report, out())
    written = [_written(junit, junit_xml, report), _written(markdown, gate_markdown, report)]
    for trouble in [*filter(None, written), *github.tell(report, os.environ, sys.stderr if as_json else sys.stdout)]:
        say(trouble)


def _written(path: Path | None, render: Callable[[GateReport], str], report: GateReport) -> str | None:
    """Write a file; what cannot be is returned, and changes nothing of the verdict."""
    from llmkit.documents.writing import write_text

    if path is None:
        return None
    try:
        write_text(path, render(report))
    except (UsageError, BrokenPipeError) as error:
        return str(error)
    return None
