"""``llmkit score``: score answers that are there already."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from llmkit.cli.complete import complete_scorer, complete_suite
from llmkit.cli.evaluate import MAX_FAILURES, Max, MaxFailures, Min, MinPoint
from llmkit.cli.options import Concurrency, Data, Json, MaxCost, PassK, StoreFolder, whole_numbers
from llmkit.cli.rescore import entry_of
from llmkit.cli.sandboxing import SandboxName, UnsafeLocal, sandboxing

if TYPE_CHECKING:
    from llmkit.runs.given import Given


def score(
    predictions: Annotated[
        str, typer.Argument(help="A .jsonl, .json, .csv or .parquet file of answers.", metavar="PREDICTIONS")
    ],
    scorer: Annotated[
        list[str] | None,
        typer.Option(
            help="A scorer, with options as YAML: '{numeric: {tolerance: 1}}'; a judge: judge:NAME.",
            autocompletion=complete_scorer,
        ),
    ] = None,
    suite: Annotated[
        str | None,
        typer.Option(
            help="Take scorers and right answers from this suite; rows are matched by id.",
            metavar="SUITE",
            autocompletion=complete_suite,
        ),
    ] = None,
    data: Data = None,
    answer: Annotated[
        str, typer.Option(help="The field of the output; a list holds several answers to its row.", metavar="FIELD")
    ] = "answer",
    id_: Annotated[
        str | None, typer.Option("--id", help="The field of the row's id. Default: id, else numbers.", metavar="FIELD")
    ] = None,
    target: Annotated[str | None, typer.Option(help="The field of the right answer.", metavar="FIELD")] = None,
    references: Annotated[
        str | None, typer.Option(help="The field of a list of right answers, any of which counts.", metavar="FIELD")
    ] = None,
    prompt: Annotated[
        str | None,
        typer.Option(help="The field of what was asked, for judges and reports: text or messages.", metavar="FIELD"),
    ] = None,
    slices: Annotated[
        list[str] | None,
        typer.Option("--slice", help="Report by this field, too: FIELD or NAME=FIELD.", metavar="FIELD"),
    ] = None,
    cluster: Annotated[
        str | None, typer.Option(help="The field of what makes rows dependent.", metavar="FIELD")
    ] = None,
    name: Annotated[str | None, typer.Option(help="The suite's name in results.", metavar="NAME")] = None,
    model: Annotated[
        str | None, typer.Option("-m", "--model", help="Who answered. Default: predictions/FILE.", metavar="NAME")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first N rows.", metavar="N")] = None,
    pass_k: PassK = None,
    seed: Annotated[int, typer.Option(help="Of the bootstrap.")] = 0,
    max_cost: MaxCost = None,
    concurrency: Concurrency = None,
    cache: Annotated[bool, typer.Option("--cache/--no-cache", help="Use what judges said in other runs.")] = True,
    max_failures: MaxFailures = MAX_FAILURES,
    minimum: Min = None,
    maximum: Max = None,
    min_point: MinPoint = None,
    sandbox: SandboxName = None,
    unsafe_local: UnsafeLocal = False,
    json: Json = False,
    store: StoreFolder = None,
) -> int:
    """Score answers that are there already; the result is a run like any other.

    No model is asked for answers. A judge among the scorers is asked as in any run.
    """
    from llmkit.cli.console import say
    from llmkit.cli.scoring import scored_at_terminal
    from llmkit.cli.thresholds import Thresholds
    from llmkit.config import load_settings
    from llmkit.reports.given import given_document, given_lines
    from llmkit.runs.score import score as scored
    from llmkit.runs.store import Store

    thresholds = Thresholds.parse(minimum or [], maximum or [], min_point or [])
    fields = {"target": target, "references": references, "prompt": prompt, "cluster": cluster, "name": name}
    how = {"limit": limit, "seed": seed, "pass_k": whole_numbers(pass_k), "model": model}
    with sandboxing(sandbox, unsafe_local):
        given = _given(predictions, scorer, suite, data, answer, id_, fields, _slices(slices or []), how)
    thresholds.check(given.plan.metrics)
    found = given.findings()
    for line in given_lines(found):
        say(line)
    with sandboxing(sandbox, unsafe_local), Store(store or load_settings().store_path) as opened:
        return scored_at_terminal(
            lambda observer, ended: scored(
                opened,
                given,
                observer=observer,
                ended=ended,
                cache=cache,
                max_cost=max_cost,
                concurrency=concurrency,
            ),
            name=given.plan.suite.name,
            interrupted="interrupted; answers and scores are kept. The same command scores what is left",
            thresholds=thresholds,
            max_failures=max_failures,
            as_json=json,
            more={"predictions": given_document(found)},
        )


def _given(
    path: str,
    scorer: list[str] | None,
    suite: str | None,
    data: str | None,
    answer: str,
    id_: str | None,
    fields: dict[str, str | None],
    slices: dict[str, str],
    how: dict[str, Any],
) -> Given:
    """Read the command line into answers and what they answer."""
    from llmkit.errors import UsageError
    from llmkit.runs.given import of_rows, of_suite
    from llmkit.runs.predictions import open_predictions
    from llmkit.runs.rescore import build_scorers

    if suite is None and not scorer:
        raise UsageError("no scorer is named", hint="Name some with --scorer, or a suite that has some with --suite")
    if suite is None and data is not None:
        raise UsageError("--data replaces the data of a suite, and none is named", hint="Name one with --suite")
    if suite is not None:
        given = [f"--{key}" for key, value in {**fields, "slice": slices or None}.items() if value is not None]
        if given:
            raise UsageError(f"with --suite, the suite says what {' and '.join(given)} would", hint="Leave it out")
    entries = [entry_of(text) for text in scorer or []]
    built = build_scorers(entries, "--scorer")
    predictions = open_predictions(path, answer, id_)
    if suite is not None:
        return of_suite(suite, predictions, data=data, scorers=entries, built=built, **how)
    own: dict[str, Any] = {key: value for key, value in fields.items() if value is not None}
    return of_rows(predictions, entries, built, slices=slices, **own, **how)


def _slices(texts: list[str]) -> dict[str, str]:
    """Read ``FIELD`` and ``NAME=FIELD``."""
    pairs = (text.partition("=") for text in texts)
    return {name.strip(): (field or name).strip() for name, _, field in pairs}
