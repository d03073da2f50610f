"""What a batch would ask and what it could cost at most, before anything is spent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from llmkit.errors import LlmkitError, UsageError
from llmkit.generation.batches import BatchPlan
from llmkit.generation.pieces import fields_of, pieces
from llmkit.generation.preview import Preview, preview, worst_of
from llmkit.judges.outlay import checks_at_most, unbounded
from llmkit.providers.base import Provider
from llmkit.providers.pricing import Prices
from llmkit.providers.registry import create
from llmkit.providers.retry import Caller
from llmkit.structured.format import Binds
from llmkit.structured.strategy import Way, choose
from llmkit.structured.wording import describe
from llmkit.types import Request


@dataclass(frozen=True, slots=True)
class BatchPreview:
    """A batch that would be.

    Attributes:
        answers: Answers wanted, those of rows that cannot be asked among them.
        bad: Answers whose row cannot be asked.
        example: Why the first of them cannot.
        first: The first request.
        calls: Calls at most.
        worst_case_usd: What they cannot exceed; None where it is unknown, and then ``unknown`` says why.
        unknown: Why the worst case is unknown.
    """

    answers: int
    bad: int
    example: str | None
    first: Preview | None
    calls: int
    worst_case_usd: float | None
    unknown: str | None


async def preview_batch(plan: BatchPlan) -> BatchPreview:
    """Read all rows, render all prompts, and make no call; no API key is needed.

    Raises:
        UsageError: The strategy cannot be had.
        DataError: The rows cannot be read to their end.
    """
    costs = _Costs(plan)
    answers = bad = 0
    example: str | None = None
    first: Preview | None = None
    for piece in pieces(plan.rows, plan.n, limit=plan.limit):
        answers += 1
        fields = fields_of(piece, plan.values)
        try:
            if piece.bad is not None:
                raise LlmkitError(piece.bad, where=piece.where)
            request = plan.prompt.render(fields)
            form = plan.form.bind(fields) if isinstance(plan.form, Binds) else plan.form
        except LlmkitError as error:
            bad += 1
            example = example or (str(error) if piece.bad is not None or not piece.where else f"{piece.where}: {error}")
            continue
        if first is None:
            first = await preview(
                plan.prompt, plan.form, plan.refs, plan.validators, plan.options, plan.settings, fields
            )
        await costs.add(Request(describe(request, form.describe())), fields)
    return BatchPreview(answers, bad, example, first, costs.calls, costs.total, costs.unknown)


class _Costs:
    """Sums the worst cases of generations."""

    def __init__(self, plan: BatchPlan) -> None:
        self._plan, prices = plan, Prices(plan.settings.prices)
        self._models: list[tuple[Provider, Caller]] = []
        for ref in plan.refs:
            provider = create(ref, display=True)
            self._models.append((provider, Caller(provider, prices=prices)))
        self._ways: list[Way] = []
        self.calls = 0
        self._checks = checks_at_most(plan.validators)
        self.unknown = unbounded(plan.validators, prices)
        self.total: float | None = 0.0 if self.unknown is None else None

    async def add(self, request: Request, fields: Mapping[str, object]) -> None:
        """Add one generation."""
        plan, before = self._plan, 0
        for ref, (_, caller), way in zip(plan.refs, self._models, self._chosen(fields), strict=True):
            most = 1 if way.strategy == "plain" else plan.options.max_attempts
            asked = Request(request.messages, {**ref.params, **way.params})
            try:
                cost, unknown = await worst_of(caller, asked, before, most, plan.options)
            except UsageError as error:
                cost, unknown = None, str(error)
            self.calls += most * (1 + self._checks)
            before += most
            self.total = None if self.total is None or cost is None else self.total + cost
            self.unknown = self.unknown or unknown

    def _chosen(self, fields: Mapping[str, object]) -> list[Way]:
        """Return each model's way: chosen once, or for each row where the form is the row's own."""
        plan = self._plan
        if isinstance(plan.form, Binds):
            form = plan.form.bind(fields)
            return [choose(form, plan.options.strategy, provider) for provider, _ in self._models]
        if not self._ways:
            self._ways = [choose(plan.form, plan.options.strategy, provider) for provider, _ in self._models]
        return self._ways
