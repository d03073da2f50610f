"""What changed since a baseline was recorded, where there is no commit to compare with."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Mapping, Sequence

from llmkit.canonical import digest
from llmkit.config import Settings
from llmkit.errors import UsageError
from llmkit.gate.baseline import Baseline
from llmkit.gate.changes import Diff, Reached
from llmkit.gate.judging import sound_locks
from llmkit.gate.models import Models
from llmkit.gate.options import GateOptions
from llmkit.providers.base import ModelRef
from llmkit.providers.registry import create
from llmkit.runs.key import identity
from llmkit.runs.models import choose
from llmkit.runs.plan import Plan
from llmkit.runs.tokenizing import bound
from llmkit.suites.adapt import adapted
from llmkit.suites.gating import gating
from llmkit.suites.load import check_suite_names, load_suites
from llmkit.suites.suite import Suite
from llmkit.suites.teaching import taught_suite
from llmkit.verdicts import Change


async def against(
    baselines: Sequence[Baseline], options: GateOptions, settings: Settings, models: Models
) -> tuple[Diff, dict[str, Baseline]]:
    """Match suites with baselines by name, and say what differs.

    Raises:
        UsageError: No suite is named, one has no baseline, or a baseline has no suite.
    """
    suites = _suites(options, settings, baselines)
    by_name = {baseline.suite: baseline for baseline in baselines}
    if len(by_name) < len(baselines):
        raise UsageError("two baselines are of one suite: give one of them")
    names = [suite.name for suite in suites]
    if unknown := [name for name in by_name if name not in names]:
        where = by_name[unknown[0]].name
        raise UsageError(f"the baseline is of the suite {unknown[0]!r}, which is not gated here", where=where)
    if bare := [name for name in names if name not in by_name]:
        hint = f"Record one: llmkit eval {shlex.quote(bare[0])}, then llmkit baseline save"
        raise UsageError(f"there is no baseline of the suite {bare[0]!r}", hint=hint)
    reached = [await _reached(suite, by_name[suite.name], options, settings, models) for suite in suites]
    diff = Diff(
        base=", ".join(f"baseline {b.name}" for b in baselines),
        base_commit="",
        head="the working tree",
        reached=tuple(r for r in reached if r.changes),
        untouched=tuple(r.suite.name for r in reached if not r.changes),
        notes=(),
    )
    return diff, by_name


def _suites(options: GateOptions, settings: Settings, baselines: Sequence[Baseline]) -> list[Suite]:
    refs = list(options.suites) or [str(settings.root / name) for name in settings.gate.suites or ()]
    if not refs:
        hint = f"llmkit gate SUITE --baseline {shlex.quote(baselines[0].name)}, or list it in llmkit.toml under [gate]"
        raise UsageError("with --baseline, name the suites that are gated", hint=hint)
    with sound_locks():
        loaded = [suite for ref in refs for suite in load_suites(ref)]
    suites = [adapted(s, few_shot=options.few_shot, few_shot_data=options.few_shot_data) for s in loaded]
    check_suite_names(suites)
    for suite in suites:
        if not gating(suite):
            hint = "Add a line to it, such as gate: {exact_match: {max_drop: 0.02}}"
            raise UsageError(f"the suite {suite.name!r} has no gating metric", where=str(suite.path), hint=hint)
    return suites


async def _reached(
    suite: Suite, baseline: Baseline, options: GateOptions, settings: Settings, models: Models
) -> Reached:
    head, origins = choose(suite, options.model, options.params, settings)
    await models.fetch_for(suite, head)  # what is not here yet would be taken for another than the recorded one
    suite = bound(suite, create(head, display=True))
    epochs = options.epochs if options.epochs is not None else suite.epochs
    limit = options.limit if options.limit is not None else suite.limit
    baseline.check(Plan(suite, head, epochs, limit), identity(create(head, display=True)))
    return Reached(
        suite=suite,
        base=None,
        base_model=None,
        head_model=head,
        base_origins={},
        head_origins=origins,
        changes=tuple(_changes(suite, head, baseline, limit)),
        reason=None,
    )


def _changes(suite: Suite, head: ModelRef, baseline: Baseline, limit: int | None) -> Iterator[Change]:
    """Name what differs; data that do are an error, said before."""
    now, then = taught_suite(suite, limit).fingerprints(), baseline.config["fingerprints"]
    path = None if suite.prompt.path is None else os.path.normpath(suite.prompt.path)
    if now["prompt"] != then.get("prompt"):
        yield Change("prompt", "changed", path, "not the prompt that the baseline was recorded with")
    if digest(identity(create(head, display=True))) != digest(dict(baseline.config["model"])):
        yield Change("model", "changed", None, f"model: {baseline.model} → {head.name}")
    yield from _params(baseline.config.get("params", {}), head.params)
    if now["scorers"] != then.get("scorers"):
        yield Change("scorers", "changed", None, "the recorded answers are scored anew", asks=False)


def _params(then: Mapping[str, object], now: Mapping[str, object]) -> Iterator[Change]:
    for name in sorted({*then, *now}):
        if then.get(name) != now.get(name):
            yield Change("params", "changed", None, f"{name}: {then.get(name, 'not set')} → {now.get(name, 'not set')}")
