"""``llmkit judge run``: a judge's verdicts on stored runs, or on a file of items."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llmkit.cli.complete import complete_run
from llmkit.cli.options import Concurrency, Json, JudgeName, MaxCost, StoreFolder
from llmkit.errors import UsageError

if TYPE_CHECKING:
    from llmkit.calibration.judged_run import Judging
    from llmkit.calibration.tournament import Held
    from llmkit.calibration.work import WorkOptions
    from llmkit.judges.judge import Judge


def run(
    name: JudgeName,
    runs: Annotated[
        list[str] | None,
        typer.Argument(
            help="Stored runs: an id, its start, latest, latest~1. Several and a pairwise judge: each against each.",
            metavar="[RUN]...",
            autocompletion=complete_run,
            show_default=False,
        ),
    ] = None,
    items: Annotated[
        Path | None, typer.Option(help="Judge the items of a .jsonl file: id, input, answer (or a, b).", metavar="FILE")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Write each verdict as a JSON line.", metavar="FILE")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over the output file.")] = False,
    max_cost: MaxCost = None,
    concurrency: Concurrency = None,
    seed: Annotated[int, typer.Option(help="Of resampling.")] = 0,
    cache: Annotated[bool, typer.Option("--cache/--no-cache", help="Use answers of earlier calls.")] = True,
    offline: Annotated[bool, typer.Option("--offline", help="Make no call: what is stored must do.")] = False,
    json: Json = False,
    store: StoreFolder = None,
) -> int:
    """Have a judge decide, and print its raw rate, the corrected one with its interval, and its status.

    A pairwise judge and several runs: win rates in both orders, and Bradley and Terry's strengths. Exit codes: 0 done,
    3 the budget ran out or --offline lacks an answer, 4 something broke.
    """
    from llmkit.calibration.work import WorkOptions
    from llmkit.documents.writing import check_writable
    from llmkit.judges.load import load_judge

    if bool(runs) == (items is not None):
        raise UsageError("name runs, or a file with --items: one of the two", hint="The last run is called latest")
    if output is not None:
        if output.is_file() and not force:
            raise UsageError("the file is there already", where=str(output), hint="Write over it with --force")
        check_writable(output)  # before anything is paid for
    options = WorkOptions(max_cost=max_cost, concurrency=concurrency, cache=cache, offline=offline, seed=seed,
                          store=store)  # fmt: skip
    judge = load_judge(name)
    if runs and len(runs) > 1 and judge.scale.kind == "pairwise":
        held = _tournament(judge, runs, options)
        _tell_tournament(held, output, as_json=json, force=force)
    else:
        judgings = _judged(judge, runs or [], items, options)
        _tell(judgings, output, as_json=json, force=force)
    return 0


def _judged(judge: Judge, runs: Sequence[str], items: Path | None, options: WorkOptions) -> list[Judging]:
    from llmkit.calibration.judged_run import judge_file, judge_runs
    from llmkit.cli.judging import Watching
    from llmkit.runs.evaluate import run_async

    with Watching(cache=options.cache) as watching:
        if items is not None:
            return [run_async(judge_file(judge, items, options, told=watching.told))]
        found: list[Judging] = run_async(judge_runs(judge, runs, options, told=watching.told))
        return found


def _tournament(judge: Judge, runs: Sequence[str], options: WorkOptions) -> Held:
    from llmkit.calibration.tournament import tournament
    from llmkit.cli.judging import Watching
    from llmkit.runs.evaluate import run_async

    with Watching(cache=options.cache) as watching:
        held: Held = run_async(tournament(judge, runs, options, told=watching.told))
        return held


def _tell(judgings: Sequence[Judging], output: Path | None, *, as_json: bool, force: bool) -> None:
    from llmkit.calibration.judged_run import write_verdicts
    from llmkit.cli.console import out, print_json, say
    from llmkit.reports.judged_run import judged_runs_document, print_judged_runs
    from llmkit.reports.numbers import counted

    reports = [judging.report for judging in judgings]
    if as_json:
        print_json(judged_runs_document(reports))
    else:
        print_judged_runs(reports, out())
    if output is not None:
        written = write_verdicts(judgings, output, force=force)
        say(f"{counted(written, 'verdict')} in {output}")


def _tell_tournament(held: Held, output: Path | None, *, as_json: bool, force: bool) -> None:
    from llmkit.calibration.tournament import write_pairs
    from llmkit.cli.console import out, print_json, say
    from llmkit.reports.numbers import counted
    from llmkit.reports.tournament import print_tournament, tournament_document

    if as_json:
        print_json(tournament_document(held.report))
    else:
        print_tournament(held.report, out())
    if output is not None:
        written = write_pairs(held, output, force=force)
        say(f"{counted(written, 'verdict')} in {output}")
