"""What a run's judges would be asked, and what that could cost at most, before there are answers."""

from __future__ import annotations

from dataclasses import dataclass

from llmkit.errors import LlmkitError
from llmkit.judges.outlay import costs_nothing, dearest, most_calls, stand_in
from llmkit.judges.scorer import JudgeScorer
from llmkit.judges.subject import Subject
from llmkit.providers.pricing import Prices
from llmkit.providers.registry import create
from llmkit.providers.retry import Caller
from llmkit.runs.plan import Plan
from llmkit.runs.records import Job
from llmkit.scoring.base import Item
from llmkit.structured.loop import RAISE


@dataclass(frozen=True, slots=True)
class JudgeForecast:
    """One judge of a run that would be.

    What it has said before is not looked up: the answers that it would be asked about are not all there yet.

    Attributes:
        name: The metric's.
        model: Who would be asked.
        calls: Calls at most: votes and orders, each asked for as often as the judge's method allows.
        worst_case_usd: What they cannot exceed; None where it is unknown, and then ``unknown`` says why. An answer of
            the model under test is taken to be as long as its ``max_tokens`` lets it be; a cap holds in any case.
        unknown: Why the worst case is unknown.
    """

    name: str
    model: str
    calls: int
    worst_case_usd: float | None
    unknown: str | None = None


def longest_answer(plan: Plan) -> int | None:
    """Return the tokens that an answer has at most; None without a limit. A further attempt's limit is higher."""
    limit = plan.model.params.get("max_tokens")
    return limit if limit is None or plan.attempts == 1 else RAISE * int(limit)


def to_be_judged(scorer: JudgeScorer, job: Job, answer_tokens: int | None) -> Subject:
    """Return what a judge would look at once there is an answer, the answer as long as it may be.

    Raises:
        UsageError: No answer has a limit.
    """
    sample = job.sample
    item = Item(stand_in(answer_tokens), sample.references, sample.row, None, sample.id, job.request.messages)
    return scorer.subject(item)


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
        self._free = costs_nothing(scorer.judge, self._caller)
        self._items = 0
        self._worst: float | None = 0.0
        self._unknown: str | None = None

    async def add(self, job: Job) -> None:
        """Take a sample that would be judged."""
        if self._scorer.needs_references and not job.sample.references:
            return
        self._items += 1
        if self._worst is None or self._free:
            return
        try:
            subject = to_be_judged(self._scorer, job, self._answer_tokens)
            self._worst += await dearest(self._scorer.judge, subject, self._caller)
        except LlmkitError as error:
            self._worst, self._unknown = None, str(error)

    def forecast(self) -> JudgeForecast:
        """Return the sums."""
        judge = self._scorer.judge
        return JudgeForecast(
            self._scorer.name, judge.model.name, self._items * most_calls(judge), self._worst, self._unknown
        )


def outlooks(plan: Plan, prices: Prices) -> list[JudgeOutlook]:
    """Return what adds up the calls of each judge among a plan's scorers."""
    answer_tokens = longest_answer(plan)
    return [JudgeOutlook(s, answer_tokens, prices) for s in plan.suite.scorers if isinstance(s, JudgeScorer)]
