"""From names to plans: each suite on each model, loaded and checked before anything is asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from llmkit.config import Settings
from llmkit.errors import UsageError
from llmkit.providers.base import Counts, ModelRef, Provider
from llmkit.providers.pricing import Prices
from llmkit.providers.registry import create
from llmkit.providers.retry import Caller
from llmkit.runs.abilities import check_abilities
from llmkit.runs.models import choose
from llmkit.runs.options import Options
from llmkit.runs.plan import Plan
from llmkit.runs.tokenizing import bound, wants_model
from llmkit.suites.adapt import adapted
from llmkit.suites.load import check_suite_names, load_suites
from llmkit.suites.suite import Suite
from llmkit.suites.teaching import taught_suite
from llmkit.types import Continuations, Request


def pairs_of(
    suites: str | Suite | Sequence[str | Suite],
    models: str | ModelRef | Sequence[str | ModelRef] | None,
    options: Options,
    settings: Settings,
    *,
    display: bool = False,
) -> list[tuple[Plan, Provider]]:
    """Load and check everything before the first call: a plan and its provider for each model and suite.

    Args:
        suites: Paths or names, or suites that are loaded.
        models: Names, or references with parameters; None: what the suites, their prompts or the settings say.
        options: How to evaluate.
        settings: The project's.
        display: No call will be made, so no API key is needed.

    Raises:
        UsageError: What is named cannot be evaluated.
    """
    several = [suites] if isinstance(suites, (str, Suite)) else list(suites)
    loaded = [s for ref in several for s in ([ref] if isinstance(ref, Suite) else load_suites(ref, data=options.data))]
    if options.data is not None and len(loaded) > 1:
        raise UsageError(f"--data replaces the data of one suite, and {len(loaded)} are named")
    loaded = [
        adapted(
            s,
            few_shot=options.few_shot,
            few_shot_data=options.few_shot_data,
            fields=options.fields,
            tokenizer=options.tokenizer,
        )
        for s in loaded
    ]
    check_suite_names(loaded)
    counts = [None if wants_model(suite) else suite.check(options.limit) for suite in loaded]
    loaded = [s if count is None else taught_suite(s, options.limit) for s, count in zip(loaded, counts, strict=True)]
    names = [models] if models is None or isinstance(models, (str, ModelRef)) else list(models)
    return [
        _pair(suite, model, count, options, settings, display=display)
        for model in names
        for suite, count in zip(loaded, counts, strict=True)
    ]


def _pair(
    suite: Suite,
    model: str | ModelRef | None,
    count: int | None,
    options: Options,
    settings: Settings,
    *,
    display: bool,
) -> tuple[Plan, Provider]:
    ref, origins = choose(suite, model, options.params, settings)
    provider = create(ref, display=display)
    if count is None:
        suite = bound(suite, provider)
        count = suite.check(options.limit)
        suite = taught_suite(suite, options.limit)
    check_abilities(suite, provider, ref.params)
    if options.seed is not None and provider.capabilities.seed and "seed" not in ref.params:
        ref = replace(ref, params={**ref.params, "seed": options.seed})
    epochs = options.epochs if options.epochs is not None else suite.epochs
    limit = options.limit if options.limit is not None else suite.limit
    pass_k = options.pass_k if options.pass_k is not None else suite.pass_k
    return Plan(suite, ref, epochs, limit, options.seed or 0, origins, rows=count, pass_k=pass_k), provider


async def check_cap(pairs: Sequence[tuple[Plan, Provider]], prices: Prices) -> None:
    """Refuse a cap that cannot be held, before the first call.

    Raises:
        UsageError: No ``max_tokens``, or no known price.
    """
    for plan, provider in pairs:
        if not isinstance(provider, Counts):  # one that counts tokens has to be started for it; its calls will tell
            compared = Continuations(()) if plan.suite.likelihood is not None else None
            await Caller(provider, prices=prices).worst_case(Request((), plan.model.params, compared))
