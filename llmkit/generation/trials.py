"""What one strategy made of one row: the numbers that figures are made of, and none of the texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from llmkit.errors import LlmkitError, ProviderError
from llmkit.generation.targets import Target, key_of, plain
from llmkit.generations import MISSING, Attempt, GenerationFailed, Result, totals
from llmkit.types import Failure


@dataclass(frozen=True, slots=True)
class Trial:
    """One strategy on one row.

    Attributes:
        valid: Whether the last answer is valid.
        first_valid: Whether the first one is.
        right: Whether the last answer is valid and a right one; None where the row has no right answer.
        lacks: Whether the value has no such part as the right answer is compared with.
        attempts: Answers asked for.
        stored: Of them, those that the store had.
        input_tokens: Of all attempts; None where the provider did not say.
        output_tokens: Likewise.
        cost_usd: Dollars of all attempts when they were made, lost HTTP attempts with them; None where unknown.
        paid_usd: Dollars paid now: the same without what the store had.
        seconds: Of all attempts, each its HTTP attempt that succeeded; None where one brought no answer.
        compile_s: Seconds that a grammar took to compile; None where none was.
        key: Equal where values are; None where there is no valid one.
        failure: What broke: no figure counts the row then.
        notes: What was decided on the way.
    """

    valid: bool = False
    first_valid: bool = False
    right: bool | None = None
    lacks: bool = False
    attempts: int = 0
    stored: int = 0
    input_tokens: int | None = 0
    output_tokens: int | None = 0
    cost_usd: float | None = 0.0
    paid_usd: float | None = 0.0
    seconds: float | None = 0.0
    compile_s: float | None = None
    key: str | None = None
    failure: Failure | None = None
    notes: tuple[str, ...] = ()

    @property
    def tokens(self) -> int | None:
        """Tokens in and out together."""
        return (
            None if self.input_tokens is None or self.output_tokens is None else self.input_tokens + self.output_tokens
        )


def succeeded(result: Result[Any], row: Mapping[str, Any], target: Target | None) -> Trial:
    """Note a valid answer."""
    value = plain(result.value)
    return replace(
        billed(result.attempts),
        valid=True,
        right=None if target is None else target.right(value, row),
        lacks=target is not None and target.found(value, row.get(target.field)) is MISSING,
        key=key_of(value),
        notes=result.ledger.notes,
    )


def gave_up(error: GenerationFailed, row: Mapping[str, Any], target: Target | None) -> Trial:
    """Note that no valid answer came: a wrong answer, unless a server or a validator broke.

    A deadline that passed is no fault of the server: the strategy was given that long.
    """
    failure = _failure(error) if error.ledger.stop == "failed" else None
    return replace(billed(error.attempts), right=_wrong(row, target), failure=failure, notes=error.ledger.notes)


def refused(error: LlmkitError, row: Mapping[str, Any], target: Target | None) -> Trial:
    """Note that the row cannot be asked."""
    return Trial(right=_wrong(row, target), failure=Failure("prompt", "row", str(error)))


def _wrong(row: Mapping[str, Any], target: Target | None) -> bool | None:
    """Return False where the row has a right answer, which was not given."""
    return None if target is None or target.right(None, row) is None else False


def billed(attempts: Sequence[Attempt]) -> Trial:
    """Add up what attempts cost, and say whether the first one was valid."""
    now = totals(attempts)
    made = totals(replace(a, cached=False) for a in attempts)
    known = [a.latency_s for a in attempts if a.latency_s is not None]
    compiled = [a.compile_s for a in attempts if a.compile_s is not None]
    return Trial(
        first_valid=attempts[0].valid if attempts else False,
        attempts=len(attempts),
        stored=sum(a.cached for a in attempts),
        input_tokens=made.input,
        output_tokens=made.output,
        cost_usd=made.dollars,
        paid_usd=now.dollars,
        seconds=sum(known) if len(known) == len(attempts) else None,
        compile_s=sum(compiled) if compiled else None,
    )


def _failure(error: GenerationFailed) -> Failure:
    cause = error.__cause__
    if isinstance(cause, ProviderError):
        return Failure("provider", cause.fault, str(cause))
    last = error.attempts[-1].failure if error.attempts else None
    return last or Failure("scorer", "crash", str(cause or error))
