"""Before any call: the labels read and linted, the candidates listed, the labels divided, the outlay bounded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from llmkit.calibration.candidates import Configuration, candidates, examples_needed, provider_of, read_grid
from llmkit.calibration.disturbances import INJECTIONS, injected, padded
from llmkit.calibration.locking import looks_at, measured_files
from llmkit.calibration.options import CalibrateOptions, Outlay
from llmkit.calibration.probes import calls_of_probes
from llmkit.calibration.skeleton import check_guideline
from llmkit.calibrations import Best
from llmkit.config import Settings
from llmkit.errors import UsageError
from llmkit.judges.best import best, sizes_of
from llmkit.judges.judge import Judge
from llmkit.judges.labels import Labelled, LabelSet, read_labels
from llmkit.judges.lint import lint
from llmkit.judges.outlay import dearest, most_calls
from llmkit.judges.panel import calls_of
from llmkit.judges.split import Division, divide
from llmkit.judges.status import tried_enough
from llmkit.providers.base import Provider
from llmkit.providers.params import Params, as_typed, split
from llmkit.providers.pricing import Prices
from llmkit.providers.registry import options_model, options_of
from llmkit.providers.retry import Caller

OPTIMISER_CALLS = 400
"""Calls to the judge that an optimiser of the prompt may make, at most."""


@dataclass(frozen=True)
class Prepared:
    """What a calibration will do.

    Attributes:
        judge: As its file says.
        labels: People's.
        items: Id → item, of those that have a label.
        configurations: The candidates, the judge's own first.
        division: How the labels are divided.
        probed: Items that each probe tries.
        outlay: What it would ask at most.
        files: File → SHA-256 of all that is measured, from before it was read.
    """

    judge: Judge
    labels: LabelSet
    items: Mapping[str, Labelled]
    configurations: Sequence[Configuration]
    division: Division
    probed: int
    outlay: Outlay
    files: Mapping[Path, str]

    def those(self, ids: Sequence[str]) -> list[Labelled]:
        """Return the items of some ids, in their order."""
        return [self.items[id_] for id_ in ids]


async def prepare(judge: Judge, options: CalibrateOptions, settings: Settings) -> Prepared:
    """Read, check and plan; no call is made.

    Raises:
        UsageError: No labels, labels that measure nothing, a grid that cannot be tried.
    """
    spec = judge.spec.labels
    if spec is None:
        raise UsageError(
            f"the judge {judge.name} has no labels", where=judge.where(),
            hint=f"llmkit judge new makes the items to label, llmkit label start {judge.name} labels them",
        )  # fmt: skip
    check_guideline(judge)
    files = measured_files([judge])
    judge = _given(judge, options.params)
    labels = read_labels(judge)
    notes = lint(labels, judge)
    items = {item.subject.id: item for item in labels.items if item.label is not None}
    grid = read_grid(options.search) if options.search is not None else None
    needed = examples_needed(grid, judge)
    choosing = grid is not None or options.optimize is not None or _cuts(judge)
    division = divide(labels, few_shot=needed, dev=choosing, test=spec.test, seed=spec.seed)
    pool = [items[id_] for id_ in division.few_shot]
    configurations = [
        replace(each, judge=_given(each.judge, options.params))
        for each in candidates(judge, grid, pool, settings=settings)
    ]
    files = {**measured_files(each.judge for each in configurations), **files}
    probed = min(len(division.test), options.probe_items)
    if probed < (enough := tried_enough(len(division.test))):
        said = f"each probe tries {probed} of the {len(division.test)} test items (--probe-items)"
        notes = (*notes, f"{said}, and a judge is called calibrated where {enough} were tried")
    test = [items[id_] for id_ in division.test]
    outlook = _outlook(judge, labels, division, test, options.store or settings.store_path)
    outlay = await _outlay(outlook, configurations, division, items, probed, options, settings, notes)
    return Prepared(judge, labels, items, configurations, division, probed, outlay, files)


def _given(judge: Judge, pairs: Mapping[str, Any]) -> Judge:
    """Return the judge with the parameters and options of the command line, which go before all others."""
    if not pairs:
        return judge
    model = judge.model
    own = options_model(model.provider)
    merged = as_typed(pairs, {**model.params, **model.options, **pairs}, *([Params] if own is None else [Params, own]))
    params, options = split(merged, options_of(model.provider))
    if changed := sorted(key for key in options if options[key] != model.options.get(key)):
        raise UsageError(
            f"-M {changed[0]}: an option of the provider is no part of what a lock keeps",
            hint=f'Write it in llmkit.toml: [models."{model.alias or model.name}"] {changed[0]} = …',
        )
    return replace(judge, model=replace(model, params=params, options=options))


def _cuts(judge: Judge) -> bool:
    """Whether a threshold on probabilities is to be learnt."""
    return judge.method.logprobs and judge.scale.kind == "pass_fail"


async def _outlay(
    outlook: Best,
    configurations: Sequence[Configuration],
    division: Division,
    items: Mapping[str, Labelled],
    probed: int,
    options: CalibrateOptions,
    settings: Settings,
    notes: Sequence[str],
) -> Outlay:
    """Bound the calls, and their dollars where every price and every length has a bound."""
    searched = [items[id_] for id_ in (division.dev or (division.test if division.folds else ()))]
    test = [items[id_] for id_ in division.test]
    parts = {
        "search": sum(most_calls(c.judge) * len(searched) for c in configurations),
        "test": max(most_calls(c.judge) for c in configurations) * len(test),
        "probes": max(calls_of_probes(c.judge, probed) * c.judge.method.max_attempts for c in configurations),
    }
    if options.optimize is not None:
        parts["optimize"] = OPTIMISER_CALLS
    providers = [provider_of(each, options.providers) for each in configurations]  # its errors are no unknown price
    usd, unknown = 0.0, None
    try:
        prices = Prices(settings.prices)
        bounds = [
            await _dearest(each.judge, provider, [*searched, *test], prices)
            for each, provider in zip(configurations, providers, strict=True)
        ]
        judged = [plain for plain, _ in bounds]
        probes = [
            probe * calls_of_probes(c.judge, probed) / calls_of(c.judge)
            for (_, probe), c in zip(bounds, configurations, strict=True)
        ]
        usd = sum(judged) * len(searched) + max(judged) * len(test) + max(probes)
        if options.optimize is not None:
            unknown = "what an optimiser thinks has no bound but --max-cost"
    except UsageError as error:
        unknown = str(error)
    return Outlay(outlook, parts, None if unknown else usd, unknown, notes)


def _outlook(judge: Judge, labels: LabelSet, division: Division, test: Sequence[Labelled], store: Path) -> Best:
    """Return the best that the test labels can show, each counted for what it is worth."""
    weighted = labels.sampling == "enriched"
    there = sizes_of(
        judge.scale,
        [str(item.label) for item in test],
        weights=[item.subject.weight for item in test] if weighted else None,
        groups=[division.group.get(item.subject.id) for item in test],
    )
    looks = len(looks_at(judge, division.test, store).with_(judge.fingerprint))
    return best(judge, there, items=len(test), looks=looks)


async def _dearest(judge: Judge, provider: Provider, items: Sequence[Labelled], prices: Prices) -> tuple[float, float]:
    """Return dollars that judging one of these items cannot exceed: as it stands, and as a probe would have it."""
    caller = Caller(provider, prices=prices)
    subjects = [item.subject for item in items]
    plain = [await dearest(judge, subject, caller) for subject in subjects]
    longest = subjects[plain.index(max(plain))]
    sides = ("a", "b") if longest.pair else ("answer",)
    disturbed = [padded(longest, side) for side in sides]
    disturbed += [injected(judge, longest, side, each) for side in sides for each in INJECTIONS]
    return max(plain), max([await dearest(judge, subject, caller) for subject in disturbed])
