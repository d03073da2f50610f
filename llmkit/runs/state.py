"""How far a run is: counts, sums and faults, as progress and the report show them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Protocol, TypeVar

from llmkit.runs.records import Answer, Outcome
from llmkit.types import Failure, Totals

N = TypeVar("N", int, float)

# Failures that are the model's own doing: they are shown and counted in both readings of a metric, but they are no
# sign that anything broke, so --max-failures does not count them. A judge's abstention is its own doing, too; a verdict
# that could not be read is counted: above 2 % nothing that the judge says may be relied on.
OWN_DOING = frozenset({"unparsable", "invalid", "cannot_tell"})


class Observer(Protocol):
    """Is told how a run goes; a progress bar is one."""

    def update(self, state: State) -> None:
        """Take the state after a batch of outcomes."""
        ...


@dataclass(slots=True)
class State:
    """Counts of one run.

    Attributes:
        total: Samples × epochs planned; None while unknown.
        completed: Answered.
        failed: Without an answer.
        from_cache: Answered by another run's call.
        truncated: Cut off by ``max_tokens``.
        in_flight: Calls under way.
        broken: Samples that something broke for, the model's own doing left out.
        faults: ``stage/kind`` → how often, and one message.
        reasons: Metric → sort of reason for a wrong answer → how often.
        totals: Sums over the calls.
        metric: The first metric so far, for the progress line.
    """

    total: int | None = None
    completed: int = 0
    failed: int = 0
    from_cache: int = 0
    truncated: int = 0
    in_flight: int = 0
    broken: int = 0
    faults: dict[str, tuple[int, str]] = field(default_factory=dict)
    reasons: dict[str, dict[str, int]] = field(default_factory=dict)
    totals: Totals = field(default_factory=Totals)
    metric: tuple[str, float] | None = None
    _summed: bytearray = field(default_factory=bytearray, repr=False)  # a bit an answer: samples may share one

    @property
    def done(self) -> int:
        """Samples that came to an end."""
        return self.completed + self.failed

    def count(self, outcome: Outcome, run_id: str) -> None:
        """Take one outcome."""
        failures = [s for s in outcome.scores.values() if isinstance(s, Failure)]
        if outcome.failure is None:
            self.completed += 1
        else:
            self.failed += 1
            failures.append(outcome.failure)
        for failure in failures:
            self._fault(failure)
        self.broken += any(f.kind not in OWN_DOING for f in failures)
        if outcome.answer is not None and outcome.answer.completion.http_attempts:  # else nobody was asked for it
            mine = outcome.answer.run_id == run_id
            if self._first(outcome.answer.answer_id):
                if mine and outcome.generation is not None and outcome.generation.paid is not None:
                    self.spend(outcome.generation.paid)
                else:
                    self.totals = _plus(self.totals, outcome.answer, mine=mine)
            self.from_cache += not mine
            self.truncated += outcome.answer.completion.finish_reason == "length"

    def wrong(self, metric: str, sort: str) -> None:
        """Count a wrong answer by the sort of its reason."""
        sorts = self.reasons.setdefault(metric, {})
        sorts[sort] = sorts.get(sort, 0) + 1

    def pay(self, answer: Answer) -> None:
        """Count an answer that was paid for, whether or not a sample will use it."""
        if self._first(answer.answer_id):
            self.totals = _plus(self.totals, answer, mine=True)

    def spend(self, paid: Totals) -> None:
        """Count the attempts of one generation."""
        t = self.totals
        self.totals = replace(
            t,
            input=_sum(t.input, paid.input),
            output=_sum(t.output, paid.output),
            cached=_sum(t.cached, paid.cached),
            reasoning=_sum(t.reasoning, paid.reasoning),
            calls=t.calls + paid.calls,
            http_attempts=t.http_attempts + paid.http_attempts,
            cost_usd=_sum(t.cost_usd, paid.cost_usd),
            cached_cost_usd=_sum(t.cached_cost_usd, paid.cached_cost_usd),
        )

    def _first(self, answer_id: int) -> bool:
        """Whether an answer is met for the first time: it was paid for once, however many samples share it."""
        at, bit = answer_id >> 3, 1 << (answer_id & 7)
        if at >= len(self._summed):
            self._summed.extend(bytes(at + 1 - len(self._summed)))
        first = not self._summed[at] & bit
        self._summed[at] |= bit
        return first

    def _fault(self, failure: Failure) -> None:
        name = f"{failure.stage}/{failure.kind}"
        count, example = self.faults.get(name, (0, failure.message))
        self.faults[name] = (count + 1, example)


def _plus(t: Totals, answer: Answer, *, mine: bool) -> Totals:
    """Add one answer. What another run paid is no usage of this one, only a cost saved."""
    c, u = answer.completion, answer.completion.usage
    if not mine:
        return replace(t, cached_cost_usd=_sum(t.cached_cost_usd, c.cost_usd))
    return replace(
        t,
        input=_sum(t.input, u.input),
        output=_sum(t.output, u.output),
        cached=_sum(t.cached, u.cached or 0),
        reasoning=_sum(t.reasoning, u.reasoning or 0),
        calls=t.calls + 1,
        http_attempts=t.http_attempts + c.http_attempts,
        cost_usd=_sum(t.cost_usd, c.cost_usd),
    )


def _sum(a: N | None, b: N | None) -> N | None:
    return None if a is None or b is None else a + b
