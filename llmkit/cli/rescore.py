"""``llmkit rescore``: score stored answers anew."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from llmkit.cli.complete import complete_scorer
from llmkit.cli.evaluate import MAX_FAILURES, Max, MaxFailures, Min, MinPoint
from llmkit.cli.options import Concurrency, Json, MaxCost, PassK, StoreFolder, whole_numbers
from llmkit.cli.runs import RunArgument
from llmkit.cli.sandboxing import SandboxName, UnsafeLocal, sandboxing

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
    from llmkit.cli.opening import open_store
    from llmkit.cli.scoring import scored_at_terminal
    from llmkit.cli.thresholds import Thresholds
    from llmkit.runs.passing import metrics_of
    from llmkit.runs.rescore import build_scorers, scorers_of
    from llmkit.runs.rescore import rescore as rescored
    from llmkit.scoring.registry import check_names

    ks = whole_numbers(pass_k)
    thresholds = Thresholds.parse(minimum or [], maximum or [], min_point or [])
    entries = [entry_of(text) for text in scorer] if scorer else None
    with sandboxing(sandbox, unsafe_local), open_store(store, read_only=False) as opened:
        row = opened.run(run)
        scorers = scorers_of(row) if entries is None else build_scorers(entries, "--scorer")
        check_names(scorers, lambda position: "--scorer")
        asked = row.config.get("pass_k", ()) if ks is None else ks
        thresholds.check([name for s in scorers for name in metrics_of(s, asked, row.config["epochs"])])
        return scored_at_terminal(
            lambda observer, ended: rescored(
                opened,
                row,
                entries,
                observer=observer,
                ended=ended,
                seed=seed,
                pass_k=ks,
                anew=everything,
                cache=cache,
                max_cost=max_cost,
                concurrency=concurrency,
            ),
            name=row.suite,
            interrupted="interrupted; scores are kept. The same command scores what is left"
            + " and all else" * everything,
            thresholds=thresholds,
            max_failures=max_failures,
            as_json=json,
        )


def entry_of(text: str) -> Any:
    """Read ``name``, ``{name: {option: value}}`` or ``judge:name``."""
    from llmkit.documents import parse_yaml

    if text.startswith(JUDGE):
        return {"judge": text.removeprefix(JUDGE).strip()}
    return text if text.isidentifier() else parse_yaml(text, path=Path("--scorer")).data
