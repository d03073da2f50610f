"""What a command would ask and what it could cost at most, before anything is spent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from llmkit.config import load_settings
from llmkit.errors import UsageError
from llmkit.providers.base import Provider
from llmkit.providers.pricing import Prices
from llmkit.providers.retry import Caller
from llmkit.runs.forming import calls_at_most, worst_case_of
from llmkit.runs.judge_forecast import JudgeForecast, outlooks
from llmkit.runs.options import Options
from llmkit.runs.pairs import pairs_of
from llmkit.runs.plan import Plan
from llmkit.runs.records import Job
from llmkit.runs.render import pieces
from llmkit.runs.store import Store


@dataclass(frozen=True, slots=True)
class Forecast:
    """One run that would be.

    Attributes:
        suite: Its name.
        model: Its name.
        origins: What decided the model and each parameter.
        params: Sampling parameters.
        samples: Samples × epochs.
        failed: Of them, those that cannot be asked.
        cached: Of them, those that an answer is stored for.
        calls: Calls that would be made; at most, where the suite has a form.
        worst_case_usd: What they cannot exceed; None where it is unknown, and then ``unknown`` says why.
        unknown: Why the worst case is unknown.
        metrics: Name → scorer signature.
        judges: What the judges among the scorers would be asked, each for itself.
        alias: What the user called the model; None: by its name.
    """

    suite: str
    model: str
    origins: dict[str, str]
    params: dict[str, Any]
    samples: int
    failed: int
    cached: int
    calls: int
    worst_case_usd: float | None
    unknown: str | None = None
    metrics: dict[str, str] = field(default_factory=dict)
    judges: list[JudgeForecast] = field(default_factory=list)
    alias: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return asdict(self)


async def forecast(suites: Sequence[str], models: Sequence[str] | None, *, options: Options) -> list[Forecast]:
    """Plan each suite on each model, and make no call.

    Args:
        suites: Paths or names.
        models: Names; None: what the suites, their prompts or llmkit.toml say.
        options: As for ``evaluate``.
    """
    settings = load_settings()
    with Store(options.store or settings.store_path) as store:
        prices = Prices(settings.prices)
        pairs = pairs_of(suites, models, options, settings, display=True)
        return [await forecast_plan(*pair, store, prices, options) for pair in pairs]


async def forecast_plan(plan: Plan, provider: Provider, store: Store, prices: Prices, options: Options) -> Forecast:
    """Return what one plan would ask; ``options`` say whether answers of other runs count."""
    caller = Caller(provider, prices=prices)
    samples = failed = cached = calls = 0
    worst: float | None = 0.0
    unknown: str | None = None
    asked: set[bytes] = set()  # starts of keys: rows that ask the same are one call
    judges = outlooks(plan, prices)
    for piece in pieces(plan, provider):
        samples += 1
        if not isinstance(piece, Job):
            failed += 1
            continue
        for judge in judges:
            await judge.add(piece)
        if options.cache and store.find_answers([piece.key], ""):
            cached += 1
        elif piece.key[:8] not in asked:
            asked.add(piece.key[:8])
            calls += calls_at_most(plan)
            try:
                worst = None if worst is None else worst + await worst_case_of(plan, caller, piece)
            except UsageError as error:
                worst, unknown = None, str(error)
    metrics = {s.name: s.signature for s in plan.suite.scorers}
    return Forecast(
        plan.suite.name, plan.model.name, dict(plan.origins), dict(plan.model.params), samples, failed, cached, calls,
        worst, unknown, metrics, [judge.forecast() for judge in judges], plan.model.alias,
    )  # fmt: skip
