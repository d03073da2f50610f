"""``llmkit judge calibrate``: from labels to a locked judge.

labels ─► lint ─► split ─┬─ few-shot ─► prompts
                         ├─ dev ──────► search (racing), threshold ─► the chosen judge
                         └─ test, once ► verdicts ─► figures ┐
                                         probes ─────────────┴─► status ─► judges/NAME.lock
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from llmkit.calibration.candidates import Configuration
from llmkit.calibration.conclude import Outcome, conclude
from llmkit.calibration.cutting import Cut, applied, learn
from llmkit.calibration.locking import looks_at, unchanged_files
from llmkit.calibration.options import CalibrateHooks, CalibrateOptions
from llmkit.calibration.prepare import OPTIMISER_CALLS, Prepared, prepare
from llmkit.calibration.probes import probe
from llmkit.calibration.search import Searched, cross_search, search
from llmkit.calibrations import Calibration
from llmkit.config import Settings, load_settings, resolve_params
from llmkit.errors import UsageError
from llmkit.judgements import Verdict
from llmkit.judges.judge import Judge
from llmkit.judges.labels import Labelled
from llmkit.judges.load import load_judge
from llmkit.judges.panel import judge_many
from llmkit.providers.base import ModelRef
from llmkit.providers.budget import Budget
from llmkit.providers.params import split
from llmkit.providers.registry import normalise, options_of
from llmkit.runs.evaluate import in_a_loop, run_async
from llmkit.runs.judging import Bench
from llmkit.runs.key import identity
from llmkit.runs.looks import note_look
from llmkit.runs.store import Store
from llmkit.types import summed


@dataclass(frozen=True)
class Choice:
    """What dev chose.

    Attributes:
        judge: The configuration, with the cut.
        searched: The race; None where there was nothing to choose.
        cut: What dev taught of probabilities.
        crossed: Item id → verdict, of a cross-fitted search: these are what is tested.
    """

    judge: Judge
    searched: Searched | None = None
    cut: Cut = Cut()  # noqa: RUF009 - frozen
    crossed: dict[str, Verdict] | None = None


def calibrate(judge: str | Judge, *, options: CalibrateOptions | None = None) -> Calibration:
    """Measure a judge against people's labels, write its lock, and return the report.

    Args:
        judge: Its name, looked up as ``judges/NAME.yaml``, or its file's path; or a judge that was loaded without its
            lock.
        options: How.

    Raises:
        UsageError: An event loop runs already; and what ``calibrate_async`` raises.
    """
    if in_a_loop():
        raise UsageError(
            "llmkit.calibrate() cannot be called where an event loop runs, as in a notebook",
            hint="Write `await llmkit.calibrate_async(…)`, with the same arguments",
        )
    found: Calibration | None = run_async(calibrate_async(judge, options))
    assert found is not None  # no hook stopped it
    return found


async def calibrate_async(
    judge: str | Judge, options: CalibrateOptions | None = None, hooks: CalibrateHooks | None = None
) -> Calibration | None:
    """Measure a judge against people's labels, and write its lock.

    Args:
        judge: Its name or path; or as its file says, without its lock (``load_judge(…, locked=False)``).
        options: How.
        hooks: What to be told on the way; they may stop it before any call.

    Returns:
        The report; None where the hooks stopped it.

    Raises:
        UsageError: Labels that measure nothing, a grid that cannot be tried, a cap that cannot be held.
        BudgetError: The money ran out; what was paid for is kept, and the same command goes on.
        ProviderError: A model's server is of no use.
    """
    options, hooks, settings = options or CalibrateOptions(), hooks or CalibrateHooks(), load_settings()
    if isinstance(judge, str):
        judge = load_judge(judge, settings=settings, locked=False)
    prepared = await prepare(judge, options, settings)
    if not hooks.planned(judge.name, prepared.outlay):
        return None
    cap = options.max_cost if options.max_cost is not None else settings.max_cost_usd
    with Store(options.store or settings.store_path) as store:
        async with Bench(
            store, settings, budget=Budget(cap), cache=options.cache, offline=options.offline,
            concurrency=options.concurrency, retry=options.retry, providers=options.providers,
        ) as bench:  # fmt: skip
            await bench.prepare({c.judge.model.name: c.judge.model for c in prepared.configurations}.values())
            return await _measured(prepared, options, hooks, settings, bench)


async def _measured(
    prepared: Prepared, options: CalibrateOptions, hooks: CalibrateHooks, settings: Settings, bench: Bench
) -> Calibration:
    configurations = list(prepared.configurations)
    if options.optimize is not None:
        configurations += await _optimised(prepared, options, hooks, settings, bench)
    choice = await _choose(prepared, configurations, options, hooks, bench)
    test = prepared.those(prepared.division.test)
    verdicts = await _tested(choice, test, hooks, bench)
    own = _own(choice, test, verdicts)
    seat = await bench.seat(choice.judge.model)
    probes = await probe(
        choice.judge, test, own, seat, seed=options.seed, most=prepared.probed,
        told=lambda name, done, total, _: hooks.stage(f"probe: {name}", done, total, bench.budget.spent_usd),
    )  # fmt: skip
    folder = options.store or settings.store_path
    outcome = Outcome(
        judge=choice.judge,
        searched=choice.searched,
        cut=choice.cut,
        test=test,
        verdicts=verdicts,
        own=own,
        probes=probes,
        crossed=choice.crossed is not None,
        identity=identity(seat.provider),
        paid=summed(bench.totals().values()),
        looks=looks_at(choice.judge, prepared.division.test, folder),
        files=unchanged_files(choice.judge, prepared.files),
    )
    # Before anybody is told what came of it: whoever removes the lock then has looked all the same.
    one = choice.judge
    note_look(folder, one.name, prepared.division.test, one.fingerprint, known=outcome.looks.known)
    return conclude(prepared, outcome, options)


async def _choose(
    prepared: Prepared,
    configurations: Sequence[Configuration],
    options: CalibrateOptions,
    hooks: CalibrateHooks,
    bench: Bench,
) -> Choice:
    """Race the configurations on dev, or fold by fold; learn the cut from the chosen one's probabilities."""
    division, binary = prepared.division, prepared.judge.scale.kind == "pass_fail"
    progress = partial(hooks.stage, "search")
    if division.folds:
        folds = [prepared.those(fold) for fold in division.folds]
        crossed = await cross_search(configurations, folds, bench, seed=options.seed, progress=progress)
        final = crossed.final
        verdicts, cut = dict(crossed.verdicts), Cut()
        if final.chosen.method.logprobs and binary:
            verdicts = _cut_across(folds, verdicts)
            cut = _learnt([item for fold in folds for item in fold], final)
        return Choice(replace(final.chosen, threshold=cut.threshold), final, cut, verdicts)
    if not division.dev:
        return Choice(configurations[0].judge)
    dev = prepared.those(division.dev)
    searched = await search(configurations, dev, bench, seed=options.seed, progress=progress)
    cut = _learnt(dev, searched) if searched.chosen.method.logprobs and binary else Cut()
    return Choice(replace(searched.chosen, threshold=cut.threshold), searched, cut)


def _learnt(items: Sequence[Labelled], searched: Searched) -> Cut:
    return learn([str(item.label) for item in items], [searched.verdicts[item.subject.id] for item in items])


def _cut_across(folds: Sequence[Sequence[Labelled]], verdicts: dict[str, Verdict]) -> dict[str, Verdict]:
    """Cut each fold's probabilities where the other folds say."""
    found: dict[str, Verdict] = {}
    for left_out, fold in enumerate(folds):
        others = [item for place, other in enumerate(folds) if place != left_out for item in other]
        threshold = learn([str(i.label) for i in others], [verdicts[i.subject.id] for i in others]).threshold
        found |= {item.subject.id: applied(threshold, verdicts[item.subject.id]) for item in fold}
    return found


async def _tested(choice: Choice, test: Sequence[Labelled], hooks: CalibrateHooks, bench: Bench) -> list[Verdict]:
    """Judge the test part: once, by what was chosen without it."""
    if choice.crossed is not None:
        return [choice.crossed[item.subject.id] for item in test]
    seat = await bench.seat(choice.judge.model)
    done = _counter(lambda count: hooks.stage("test", count, len(test), bench.budget.spent_usd))
    return await judge_many(choice.judge, [item.subject for item in test], seat, done=done)


def _own(choice: Choice, test: Sequence[Labelled], verdicts: Sequence[Verdict]) -> Sequence[Verdict]:
    """Return what the chosen judge itself says of the test part: cross-fitted verdicts are of each fold's choice."""
    if choice.crossed is None or choice.searched is None:
        return verdicts
    return [applied(choice.cut.threshold, choice.searched.verdicts[item.subject.id]) for item in test]


def _counter(tell: Callable[[int], None]) -> Callable[[int, Verdict], None]:
    count = 0

    def done(_: int, __: Verdict) -> None:
        nonlocal count
        count += 1
        tell(count)

    return done


async def _optimised(
    prepared: Prepared, options: CalibrateOptions, hooks: CalibrateHooks, settings: Settings, bench: Bench
) -> list[Configuration]:
    """Have an optimiser write a prompt on the dev part; one that does better there becomes one more candidate."""
    from llmkit.calibration.optimize import optimise

    judge, dev = prepared.judge, prepared.those(prepared.division.dev)
    if not dev:
        raise UsageError(
            "--optimize needs a dev part of its own, and there are too few labels for one",
            where=judge.where("labels"), hint="Label 100 items or more",
        )  # fmt: skip
    reflection = None if options.reflection is None else _model(options.reflection, settings)
    found = await optimise(
        judge, dev, bench, budget_calls=OPTIMISER_CALLS, reflection=reflection, seed=options.seed,
        folder=prepared.judge.path.parent.parent / "prompts",
        told=lambda done, total: hooks.stage("optimize", done, total, bench.budget.spent_usd),
    )  # fmt: skip
    if not found.better:
        return []
    better = replace(found.judge, lock=None)
    return [Configuration(f"gepa · {found.path.name}", {"prompt": found.path.name}, better)]


def _model(name: str, settings: Settings) -> ModelRef:
    """Return a model that a user named, with what llmkit.toml sets for it."""
    ref = normalise(ModelRef(settings.resolve_alias(name, where="--reflection")))
    params, options = split(resolve_params({}, {}, {}, settings, name)[0], options_of(ref.provider))
    return ModelRef(ref.name, params, {**ref.options, **options})
