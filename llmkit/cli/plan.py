"""``llmkit plan``: what a suite can show, before anything is spent; with ``--aa``, its noise floor."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from llmkit.cli.complete import complete_metric, complete_model
from llmkit.cli.evaluate import MAX_FAILURES, exit_code_of
from llmkit.cli.options import (
    Data,
    Epochs,
    FewShot,
    FewShotData,
    Json,
    Map,
    Param,
    StoreFolder,
    Suites,
    TokenizerName,
    fields,
)
from llmkit.errors import UsageError

if TYPE_CHECKING:
    from llmkit.plan.make import Question
    from llmkit.runs.options import Options


def _metric_names(ctx: typer.Context, incomplete: str) -> list[str]:
    return [name.removesuffix("=") for name in complete_metric(ctx, incomplete)]


def plan(
    suites: Suites,
    model: Annotated[
        list[str] | None,
        typer.Option("-m", "--model", help="provider/model.", metavar="MODEL", autocompletion=complete_model),
    ] = None,
    param: Param = None,
    data: Data = None,
    map_: Map = None,
    few_shot: FewShot = None,
    few_shot_data: FewShotData = None,
    tokenizer: TokenizerName = None,
    effect: Annotated[
        float | None,
        typer.Option(help="How many samples a difference of X needs, as a share of the metric's range.", metavar="X"),
    ] = None,
    n: Annotated[
        int | None, typer.Option("--n", help="Plan with N samples in place of the data set's.", metavar="N")
    ] = None,
    epochs: Epochs = None,
    power: Annotated[float, typer.Option(help="Chance to see a difference that is there.", metavar="P")] = 0.8,
    metric: Annotated[
        list[str] | None,
        typer.Option("--metric", help="Only this metric.", metavar="NAME", autocompletion=_metric_names),
    ] = None,
    aa: Annotated[
        bool, typer.Option("--aa", help="Ask the same prompt twice, nothing from the cache: the noise floor.")
    ] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="With --aa: only the first N rows.", metavar="N")] = None,
    seed: Annotated[
        int | None, typer.Option(help="With --aa: of the resampling, and of sampling where it is sent.")
    ] = None,
    concurrency: Annotated[
        int | None, typer.Option(min=1, help="With --aa: calls at once; by default it adapts.", metavar="N")
    ] = None,
    max_cost: Annotated[
        float | None, typer.Option(min=0, help="With --aa: hard cap in dollars, over all of it.", metavar="USD")
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="With --aa: start anew, also where an A/A run could go on.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="With --aa: show what would be asked and its worst-case cost, and stop.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="With --aa: ask nothing at a terminal.")] = False,
    json: Json = False,
    store: StoreFolder = None,
) -> int:
    """Say what difference a suite can show, how many samples its gate needs, and what that costs.

    Makes no calls, and needs no API key; with --aa it asks every sample twice. An unfinished A/A run goes on.
    """
    from llmkit.plan.make import Question
    from llmkit.providers.params import parse_pairs
    from llmkit.runs.options import Options

    _check(aa=aa, n=n, limit=limit, max_cost=max_cost, dry_run=dry_run, fresh=fresh)
    options = Options(
        data=data, fields=fields(map_), few_shot=few_shot, few_shot_data=few_shot_data, limit=limit, epochs=epochs,
        seed=seed, params=parse_pairs(param or []), concurrency=concurrency, max_cost=max_cost, fresh=fresh,
        store=store, tokenizer=tokenizer,
    )  # fmt: skip
    question = Question(effect, n, power, tuple(metric or ()))
    if not aa:
        return _plan(suites, model, options, question, as_json=json)
    if dry_run or (not yes and sys.stdin.isatty() and sys.stderr.isatty()):
        go_on = _forecast(suites, model, options, as_json=json, stop=dry_run)
        if not go_on:
            return 0
    return _measure(suites, model, options, question, as_json=json)


def _check(*, aa: bool, n: int | None, **only_asking: object) -> None:
    """Refuse options that mean nothing together."""
    if aa and n is not None:
        raise UsageError("--n plans for samples that are not there, and --aa asks those that are", hint="Use --limit N")
    for name, value in only_asking.items():
        if not aa and value not in (None, False):
            option = f"--{name.replace('_', '-')}"
            raise UsageError(
                f"{option} means nothing without --aa: a plan makes no calls",
                hint="To plan with another number of samples: --n N" if name == "limit" else None,
            )


def _plan(
    suites: Sequence[str], models: Sequence[str] | None, options: Options, question: Question, *, as_json: bool
) -> int:
    import asyncio

    from llmkit.plan.make import make_plans

    _show(asyncio.run(make_plans(suites, models, options=options, question=question)), as_json=as_json)
    return 0


def _forecast(
    suites: Sequence[str], models: Sequence[str] | None, options: Options, *, as_json: bool, stop: bool
) -> bool:
    """Show what would be asked; returns whether to go on."""
    import asyncio
    from dataclasses import replace

    from llmkit.cli.console import err, out, print_json
    from llmkit.plan.same import forecast_twice
    from llmkit.reports.forecast import forecast_table

    found = asyncio.run(forecast_twice(suites, models, options=options))
    if stop and as_json:
        print_json({"plans": [f.as_dict() for f in found]})
    else:
        arms = [replace(each, suite=f"{each.suite} · arm {1 + number % 2}") for number, each in enumerate(found)]
        (out() if stop else err()).print(forecast_table(arms))
    return not stop and typer.confirm("Ask this?", default=True, err=True)


def _measure(
    suites: Sequence[str], models: Sequence[str] | None, options: Options, question: Question, *, as_json: bool
) -> int:
    from llmkit.cli.asking import Asking
    from llmkit.plan.make import make_noise_plans
    from llmkit.runs.evaluate import run_async

    with Asking() as asking:
        plans, ended = run_async(
            make_noise_plans(suites, models, options=options, question=question, hooks=asking)
        )  # fmt: skip
    _show(plans, as_json=as_json)
    # What stopped both arms alike is said once.
    endings = {(twice.aa, str(e.error) if e.error else e.result.run_id): e for twice in ended for e in twice.endings}
    return exit_code_of(list(endings.values()), 0, MAX_FAILURES)


def _show(plans: Any, *, as_json: bool) -> None:
    from llmkit.cli.console import out, print_json
    from llmkit.reports.plan import print_plans
    from llmkit.reports.plan_document import plans_document

    if as_json:
        print_json(plans_document(plans))
    else:
        print_plans(plans, out())
