"""``llmkit rescore``: score stored answers anew."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from llmkit.cli.complete import complete_scorer
from llmkit.cli.evaluate import MAX_FAILURES, Max, MaxFailures, Min, MinPoint, exit_code_of
from llmkit.cli.options import Concurrency, Json, MaxCost, PassK, StoreFolder, whole_numbers
from llmkit.cli.runs import RunArgument
from llmkit.cli.sandboxing import SandboxName, UnsafeLocal, sandboxing

if TYPE_CHECKING:
    from llmkit.types import RunResult

JUDGE = "judge:"


def rescore(
    run: RunArgument,
    scorer: Annotated[
        list[str] | None,
        typer.Option(
            help="A scorer, with options as YAML: '{numeric: {tolerance: 1}}'; a judge: judge:NAME."
            " Default: the run's own.",
            autocompletion=complete_scorer,
        ),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Score everything, also what has a score of this scorer already.")
    ] = False,
    seed: Annotated[int | None, typer.Option(help="Of the bootstrap. Default: the run's own.")] = None,
    pass_k: PassK = None,
    max_cost: MaxCost = None,
    concurrency: Concurrency = None,
    cache: Annotated[
        bool, typer.Option("--cache/--no-cache", help="Use what judges said in other runs. --all --no-cache asks anew.")
    ] = True,
    max_failures: MaxFailures = MAX_FAILURES,
    minimum: Min = None,
    maximum: Max = None,
    min_point: MinPoint = None,
    sandbox: SandboxName = None,
    unsafe_local: UnsafeLocal = False,
    json: Json = False,
    store: StoreFolder = None,
) -> int:
    """Score a run's stored answers anew; the result is a run of its own.

    The model that answered is not asked. A judge among the scorers is, where it has not judged these answers before.
    """
    import asyncio

    from llmkit.cli.console import err, out, print_json, say
    from llmkit.cli.opening import open_store
    from llmkit.cli.session import Line
    from llmkit.cli.thresholds import Thresholds, exit_code
    from llmkit.reports.document import document
    from llmkit.reports.progress import Progress
    from llmkit.reports.table import print_results
    from llmkit.runs.evaluate import Ending
    from llmkit.runs.passing import metrics_of
    from llmkit.runs.rescore import build_scorers, scorers_of
    from llmkit.runs.rescore import rescore as rescored
    from llmkit.scoring.registry import check_names

    ks = whole_numbers(pass_k)
    thresholds = Thresholds.parse(minimum or [], maximum or [], min_point or [])
    entries = [entry_of(text) for text in scorer] if scorer else None
    results: list[RunResult] = []
    with sandboxing(sandbox, unsafe_local), open_store(store, read_only=False) as opened:
        row = opened.run(run)
        scorers = scorers_of(row) if entries is None else build_scorers(entries, "--scorer")
        check_names(scorers, lambda position: "--scorer")
        asked = row.config.get("pass_k", ()) if ks is None else ks
        thresholds.check([name for s in scorers for name in metrics_of(s, asked, row.config["epochs"])])
        try:
            with Progress(err()) as progress:
                asyncio.run(
                    rescored(
                        opened,
                        row,
                        entries,
                        seed=seed,
                        pass_k=ks,
                        anew=everything,
                        ended=results.append,
                        cache=cache,
                        max_cost=max_cost,
                        concurrency=concurrency,
                        observer=Line(progress, row.suite),
                    )
                )
        except KeyboardInterrupt:
            say("interrupted; scores are kept. The same command scores what is left" + " and all else" * everything)
            raise
        finally:
            if results and json:
                print_json(document(results))
            elif results:
                print_results(results, out())
    judged = thresholds.judge(results)
    for one in judged:
        say(one.line())
    return exit_code_of([Ending(result) for result in results], exit_code(judged), max_failures)


def entry_of(text: str) -> Any:
    """Read ``name``, ``{name: {option: value}}`` or ``judge:name``."""
    from llmkit.documents import parse_yaml

    if text.startswith(JUDGE):
        return {"judge": text.removeprefix(JUDGE).strip()}
    return text if text.isidentifier() else parse_yaml(text, path=Path("--scorer")).data
