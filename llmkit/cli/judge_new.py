"""``llmkit judge new``: a definition, a guideline to fill in, a prompt, and items to label."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from llmkit.cli.complete import complete_model, complete_run
from llmkit.cli.options import StoreFolder

if TYPE_CHECKING:
    from llmkit.calibration.new import NewJudge
    from llmkit.config import Settings

KINDS = "pass_fail, pairwise, graded:1-5, choices:A=1,B=.5."


def new(
    name: Annotated[str, typer.Argument(help="The judge's name, such as relevance.", metavar="NAME")],
    from_run: Annotated[
        str | None,
        typer.Option(help="Label answers of this run.", metavar="RUN", autocompletion=complete_run),
    ] = None,
    against: Annotated[
        str | None,
        typer.Option(help="Of two runs' answers, label which is better.", metavar="RUN", autocompletion=complete_run),
    ] = None,
    from_data: Annotated[
        str | None,
        typer.Option(help="Label rows of this file: input and answer, or input, a and b.", metavar="FILE"),
    ] = None,
    kind: Annotated[
        str | None, typer.Option(help=f"{KINDS} Default: pass_fail; pairwise with --against.", metavar="KIND")
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            "-m",
            "--model",
            metavar="MODEL",
            autocompletion=complete_model,
            help="Who judges: provider/model, best another than gave the answers. Default: model in llmkit.toml.",
        ),
    ] = None,
    n: Annotated[int, typer.Option("--n", min=1, max=100_000, help="Items to label.", metavar="N")] = 100,
    sampling: Annotated[
        Literal["random", "enriched"],
        typer.Option(help="random, or enriched: half of them where --by is low or failed."),
    ] = "random",
    by: Annotated[
        str | None,
        typer.Option(help="The scorer, or the field, that enriched goes by. Default: the first.", metavar="NAME"),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the draw.")] = 0,
    force: Annotated[bool, typer.Option("--force", help="Write over files that are there, but never labels.")] = False,
    store: StoreFolder = None,
) -> None:
    """Write a new judge: its definition, a guideline to fill in, a prompt, and items to label."""
    from llmkit.cli.console import print_text, say
    from llmkit.config import load_settings
    from llmkit.errors import UsageError

    if (from_run is None) == (from_data is None):
        hint = "--from-run latest, or --from-data FILE"
        raise UsageError("say what the items are drawn from", where="llmkit judge new", hint=hint)
    if against is not None and from_run is None:
        raise UsageError("--against goes with --from-run", hint="Name both runs")
    kind = kind or ("pairwise" if against is not None else "pass_fail")
    settings = load_settings()
    asked = model or settings.model
    if asked is None:
        hint = "Name it with -m provider/model, or as model: in llmkit.toml; it can be changed later"
        raise UsageError("no model to judge", where="llmkit judge new", hint=hint)
    found = _made(
        name, settings, store, from_run=from_run, against=against, from_data=from_data, kind=kind, model=asked,
        n=n, sampling=sampling, by=by, seed=seed, force=force,
    )  # fmt: skip
    for path in found.paths:
        print_text(f"wrote {_near(path)}")
    print_text(f"\n{found.items} items to label, of a population of {found.population:,}: {found.said} (seed {seed})")
    for note in found.notes:
        say(note)
    guideline = _near(found.paths[1])
    print_text(f"\nWrite down what is good: {guideline}\nThen label:              llmkit label start {name}")


def _made(
    name: str,
    settings: Settings,
    store: Path | None,
    *,
    from_run: str | None,
    against: str | None,
    from_data: str | None,
    kind: str,
    model: str,
    n: int,
    sampling: Literal["random", "enriched"],
    by: str | None,
    seed: int,
    force: bool,
) -> NewJudge:
    from llmkit.calibration.new import new_judge
    from llmkit.calibration.pool import DataPool, PairPool, RunPool
    from llmkit.cli.opening import open_store
    from llmkit.errors import UsageError
    from llmkit.samples.opening import open_source

    pair = kind == "pairwise"
    if from_data is not None:
        source = open_source(from_data, base=Path(), override=from_data, option="--from-data")
        data = DataPool(source, pair=pair, by=by)
        return new_judge(
            name, data, root=settings.root, kind=kind, model=model, n=n, sampling=sampling, seed=seed, force=force
        )
    assert from_run is not None
    if pair != (against is not None):
        hint = "--from-run A --against B --kind pairwise" if pair else "Leave --against out, or write --kind pairwise"
        raise UsageError("pairs need two runs, and only pairs do", where="--kind", hint=hint)
    with open_store(store) as opened:
        pool = PairPool(opened, from_run, against, by, seed) if against is not None else RunPool(opened, from_run, by)
        return new_judge(
            name, pool, root=settings.root, kind=kind, model=model, n=n, sampling=sampling, seed=seed, force=force
        )


def _near(path: Path) -> Path:
    """Return a path as one would type it here."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path
