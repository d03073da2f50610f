"""``llmkit eval``: run suites on models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from llmkit.cli.complete import complete_metric, complete_model
from llmkit.cli.options import (
    Concurrency,
    Data,
    Epochs,
    FewShot,
    FewShotData,
    Json,
    Map,
    MaxCost,
    Param,
    PassK,
    StoreFolder,
    Suites,
    TokenizerName,
    fields,
    whole_numbers,
)
from llmkit.cli.sandboxing import SandboxName, UnsafeLocal, sandboxing
from llmkit.errors import LlmkitError
from llmkit.text import labelled

if TYPE_CHECKING:
    from llmkit.runs.evaluate import Ending

BROKE = LlmkitError.exit_code
MAX_FAILURES = 0.02  # above this share, what is missing can move a metric by more than a small regression

MaxFailures = Annotated[
    float, typer.Option(min=0, max=1, help="Exit 4 when a larger share of samples failed.", metavar="SHARE")
]
Min = Annotated[
    list[str] | None,
    typer.Option(
        "--min",
        help="Pass when the metric's interval lies above, fail below, else 3.",
        metavar="METRIC=X",
        autocompletion=complete_metric,
    ),
]
Max = Annotated[
    list[str] | None,
    typer.Option(
        "--max",
        help="The same from above, for error rates.",
        metavar="METRIC=X",
        autocompletion=complete_metric,
    ),
]
MinPoint = Annotated[
    list[str] | None,
    typer.Option(help="Plain comparison of the value.", metavar="METRIC=X", autocompletion=complete_metric),
]


def eval_(
    suites: Suites,
    model: Annotated[
        list[str] | None,
        typer.Option(
            "-m",
            "--model",
            help="provider/model; several are compared.",
            metavar="MODEL",
            autocompletion=complete_model,
        ),
    ] = None,
    param: Param = None,
    data: Data = None,
    map_: Map = None,
    few_shot: FewShot = None,
    few_shot_data: FewShotData = None,
    tokenizer: TokenizerName = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first N rows.", metavar="N")] = None,
    epochs: Epochs = None,
    pass_k: PassK = None,
    seed: Annotated[int | None, typer.Option(help="Of the bootstrap, and of sampling where it is sent.")] = None,
    sample: Annotated[
        int, typer.Option(min=0, help="First show N samples in full; at a terminal, ask before the rest.", metavar="N")
    ] = 0,
    concurrency: Concurrency = None,
    max_cost: MaxCost = None,
    max_failures: MaxFailures = MAX_FAILURES,
    minimum: Min = None,
    maximum: Max = None,
    min_point: MinPoint = None,
    cache: Annotated[bool, typer.Option("--cache/--no-cache", help="Use answers of other runs.")] = True,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the latest unfinished run, or fail naming what changed.")
    ] = False,
    resume_run: Annotated[
        str | None, typer.Option(help="Go on with this run, or fail naming what changed.", metavar="RUN")
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Start anew, also where a run could go on.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be asked and its worst-case cost, and stop.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing.")] = False,
    sandbox: SandboxName = None,
    unsafe_local: UnsafeLocal = False,
    json: Json = False,
    store: StoreFolder = None,
) -> int:
    """Run suites on models and print each metric with its interval.

    Unfinished runs of the same configuration go on; paid answers come from the cache.
    """
    from functools import partial

    from llmkit.cli.session import Session
    from llmkit.cli.thresholds import Thresholds
    from llmkit.paired.compare import compare
    from llmkit.providers.params import parse_pairs
    from llmkit.runs import evaluate
    from llmkit.runs.options import Options

    thresholds = Thresholds.parse(minimum or [], maximum or [], min_point or [])
    options = Options(
        data=data, fields=fields(map_), few_shot=few_shot, few_shot_data=few_shot_data, limit=limit, epochs=epochs,
        pass_k=whole_numbers(pass_k), seed=seed, params=parse_pairs(param or []), concurrency=concurrency,
        max_cost=max_cost, cache=cache, fresh=fresh, resume=resume, resume_run=resume_run, sample=sample, store=store,
        tokenizer=tokenizer,
    )  # fmt: skip
    if dry_run:
        return _dry_run(suites, model, options, as_json=json)
    compared = partial(compare, store=store, seed=seed or 0)
    session = Session(as_json=json, ask=not yes, thresholds=thresholds, compare=compared)
    with sandboxing(sandbox, unsafe_local), session:
        endings = evaluate.run_async(evaluate.evaluate_async(suites, model, options=options, hooks=session))
    return exit_code_of(endings, session.verdict, max_failures)


def _dry_run(suites: list[str], models: list[str] | None, options: Any, *, as_json: bool) -> int:
    import asyncio

    from llmkit.cli.console import out, print_json
    from llmkit.reports.forecast import forecast_table
    from llmkit.runs.forecast import forecast

    found = asyncio.run(forecast(suites, models, options=options))
    if as_json:
        print_json({"plans": [f.as_dict() for f in found]})
    else:
        out().print(forecast_table(found))
    return 0


def exit_code_of(endings: list[Ending], verdict: int, max_failures: float) -> int:
    """Choose the exit code: what broke comes before the budget, the budget before a verdict."""
    from llmkit.cli.console import say

    code = verdict
    for ending in endings:
        result = ending.result
        name = f"{result.suite} on {labelled(result.model, result.alias)}"
        if ending.error is not None:
            say(f"{name}: {ending.error}")
        said = ending.error is not None and ending.error.exit_code == BROKE  # why this one is 4 stands there already
        if not said and result.total and result.broken > max_failures * result.total:
            say(
                f"{name}: {result.broken} of {result.total} samples failed, more than"
                f" --max-failures {max_failures:g}. See them with `llmkit runs show {result.run_id} --failed`"
            )
    broke = [e for e in endings if e.result.broken > max_failures * max(e.result.total, 1)]
    codes = [e.error.exit_code for e in endings if e.error is not None]
    if broke or BROKE in codes:
        return BROKE
    return max(codes, default=0) or code
