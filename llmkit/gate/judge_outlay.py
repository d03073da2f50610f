"""What a suite's judges may ask for one side, and what that costs at most, before there is an answer to judge."""

from __future__ import annotations

from collections.abc import Sequence

from llmkit.errors import UsageError
from llmkit.judges.panel import calls_of
from llmkit.judges.request import request_for
from llmkit.judges.scorer import JudgeScorer
from llmkit.providers.pricing import Prices
from llmkit.providers.registry import create
from llmkit.providers.retry import Caller
from llmkit.runs.records import Job
from llmkit.scoring.base import Item
from llmkit.structured.loop import Policy
from llmkit.structured.outlay import worst_case

BYTES_PER_TOKEN = 4
"""Of an answer that is not there yet: English text runs at about four a token. The cap itself is held call by call, by
the answers that there are."""


def most_calls(scorer: JudgeScorer) -> int:
    """Return the calls that one answer takes at most: each that cannot be read may be asked for again."""
    return calls_of(scorer.judge) * scorer.judge.method.max_attempts


async def dearest(scorer: JudgeScorer, jobs: Sequence[Job], prices: Prices) -> float:
    """Return dollars that judging one answer to any of these requests may cost at most.

    Args:
        scorer: The judge.
        jobs: What the model under test is asked, at least one.
        prices: Of the judge's model.

    Raises:
        UsageError: The judge's model has no known price, or it or the model under test has no ``max_tokens``.
    """
    judge = scorer.judge
    caller = Caller(create(judge.model, display=True), prices=prices)
    longest = max(jobs, key=lambda job: sum(len(message.content) for message in job.request.messages))
    sample, limit = longest.sample, longest.request.params.get("max_tokens")
    policy = Policy(max_attempts=judge.method.max_attempts)
    item = Item("", sample.references, sample.row, None, sample.id, longest.request.messages)
    request = request_for(judge, scorer.subject(item))
    if await caller.worst_case(request) == 0.0:
        return 0.0
    if limit is None:
        raise UsageError(f"the judge {judge.name} reads answers of any length: the model has no max_tokens")
    item = Item("x" * (BYTES_PER_TOKEN * int(limit)), item.references, item.row, None, item.id, item.messages)
    request = request_for(judge, scorer.subject(item))
    return calls_of(judge) * await worst_case(caller, request, judge.method.max_attempts, policy)
