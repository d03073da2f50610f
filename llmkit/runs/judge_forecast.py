"""What a run's judges would be asked, and what that could cost at most, before there are answers."""

from __future__ import annotations

from dataclasses import dataclass

from llmkit.errors import LlmkitError, UsageError
from llmkit.judges.panel import calls_of
from llmkit.judges.request import request_for
from llmkit.judges.scorer import JudgeScorer
from llmkit.judges.verdict import form_of
from llmkit.providers.pricing import Prices
from llmkit.providers.registry import create
from llmkit.providers.retry import Caller
from llmkit.runs.records import Job
from llmkit.scoring.base import Item
from llmkit.structured.loop import Policy
from llmkit.structured.outlay import worst_case
from llmkit.structured.strategy import choose
from llmkit.structured.wording import describe
from llmkit.types import Request


@dataclass(frozen=True, slots=True)
class JudgeForecast:
    """One judge of a run that would be.

    What it has said before is not looked up: the answers that it would be asked about are not all there yet.

    Attributes:
        name: The metric's.
        model: Who would be asked.
        calls: Calls at most: votes and orders, each asked for as often as the judge's method allows.
        worst_case_usd: What they cannot exceed; None where it is unknown, and then ``unknown`` says why. An answer of
            the model under test is taken to have ``max_tokens`` tokens, and as many as the judge's model counts them;
            a cap holds in any case.
        unknown: Why the worst case is unknown.
    """

    name: str
    model: str
    calls: int
    worst_case_usd: float | None
    unknown: str | None = None


class JudgeOutlook:
    """Adds up what one judge would be asked.

    Args:
        scorer: The judge.
        answer_tokens: Tokens of an answer, at most; None where there is no limit.
        prices: For costs.
    """

    def __init__(self, scorer: JudgeScorer, answer_tokens: int | None, prices: Prices) -> None:
        self._scorer, self._answer_tokens = scorer, answer_tokens
        self._caller = Caller(create(scorer.judge.model, display=True), prices=prices)
        self._form = form_of(scorer.judge)
        self._way = choose(self._form, "auto", self._caller.provider)
        self._items = 0
        self._worst: float | None = 0.0
        self._unknown: str | None = None

    async def add(self, job: Job) -> None:
        """Take a sample that would be judged."""
        if self._scorer.needs_references and not job.sample.references:
            return
        self._items += 1
        if self._worst is None:
            return
        try:
            self._worst += await self._of(job)
        except LlmkitError as error:
            self._worst, self._unknown = None, str(error)

    def forecast(self) -> JudgeForecast:
        """Return the sums."""
        judge = self._scorer.judge
        calls = self._items * calls_of(judge) * judge.method.max_attempts
        return JudgeForecast(self._scorer.name, judge.model.name, calls, self._worst, self._unknown)

    async def _of(self, job: Job) -> float:
        judge, provider = self._scorer.judge, self._caller.provider
        if not provider.capabilities.billed and self._caller.price(Request(()), 0, 0) == 0.0:
            return 0.0
        if self._answer_tokens is None:
            raise UsageError("without max_tokens an answer, which is shown to the judge, has no bound")
        sample = job.sample
        answer = "x" * self._answer_tokens  # a byte a token: that is how tokens are bounded
        item = Item(answer, sample.references, sample.row, None, sample.id, job.request.messages)
        asked = request_for(judge, self._scorer.subject(item))
        first = Request(describe(asked.messages, self._form.describe()), {**asked.params, **self._way.params})
        attempts = judge.method.max_attempts
        return calls_of(judge) * await worst_case(self._caller, first, attempts, Policy(max_attempts=attempts))
