"""The document of ``llmkit generate --json``: one shape for a success and for every kind of failure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import (
    Any,
    Literal,
    NotRequired,  # pydantic reads typing's own from Python 3.12 on
)

from typing_extensions import TypedDict

from llmkit.errors import LlmkitError
from llmkit.generations import MISSING, Attempt, Issue, Ledger
from llmkit.redact import redact
from llmkit.reports.bill import verdict
from llmkit.reports.finite import finite
from llmkit.reports.plain import plain
from llmkit.types import Totals


class IssueDocument(TypedDict):
    """One thing wrong with an answer; ``value`` is left out where there is no offending value."""

    message: str
    path: list[str | int]
    at: str
    rule: str
    value: NotRequired[Any]


class FailureDocument(TypedDict):
    """Why no answer came."""

    stage: str
    kind: str
    message: str


class TokensDocument(TypedDict):
    """Tokens of one answer; null where the provider did not say."""

    input_tokens: int | None
    output_tokens: int | None
    cached_tokens: int | None
    cache_write_tokens: int | None
    reasoning_tokens: int | None


class AttemptDocument(TypedDict):
    """One answer asked for.

    ``lost_usd`` has an entry for each HTTP attempt on the way that may have been paid for and brought no answer;
    null is unknown. ``cached``: it costs nothing now, and ``cost_usd`` is what it cost when it was made.
    """

    number: int
    model: str
    strategy: str
    verdict: str
    valid: bool
    text: str | None
    issues: list[IssueDocument]
    repairs: list[str]
    feedback: str | None
    failure: FailureDocument | None
    finish_reason: str | None
    usage: TokensDocument
    cost_usd: float | None
    lost_usd: list[float | None]
    latency_s: float | None
    http_attempts: int
    compile_s: float | None
    max_tokens: int | None
    cached: bool
    served_model: str | None
    request_id: str | None


class SumsDocument(TypedDict):
    """Sums over attempts; null where a part is unknown. ``paid_usd`` is ``cost_usd`` and ``lost_cost_usd`` together."""

    input_tokens: int | None
    output_tokens: int | None
    cached_tokens: int | None
    reasoning_tokens: int | None
    calls: int
    http_attempts: int
    cost_usd: float | None
    cached_cost_usd: float | None
    lost_attempts: int
    lost_cost_usd: float | None
    paid_usd: float | None


class RuleDocument(TypedDict):
    """A rule, and who enforced it."""

    rule: str
    by: Literal["provider", "decoder", "validator"]


class ErrorDocument(TypedDict):
    """What ended it, and the command's exit code."""

    message: str
    hint: str | None
    exit_code: int


class GenerationDocument(TypedDict):
    """What ``llmkit generate --json`` prints; ``value`` and ``text`` are null where no valid answer came.

    ``checks`` holds what validators paid that ask a model, by their names; it is no part of ``totals``.
    """

    ok: bool
    value: Any
    text: str | None
    stop: str
    attempts: list[AttemptDocument]
    totals: SumsDocument
    by_model: dict[str, SumsDocument]
    checks: dict[str, SumsDocument]
    rules: list[RuleDocument]
    notes: list[str]
    error: ErrorDocument | None


def generation_document(
    ledger: Ledger, *, value: Any = None, text: str | None = None, error: LlmkitError | None = None
) -> GenerationDocument:
    """Return a generation as plain dicts and lists, ready for ``json.dumps(…, allow_nan=False)``.

    Args:
        ledger: All attempts.
        value: What was read; None where no valid answer came.
        text: Where it stands in the last answer.
        error: What ended it, where it failed.
    """
    return {
        "ok": ledger.valid and error is None,
        "value": plain(value),
        "text": text,
        "stop": ledger.stop,
        "attempts": [
            _attempt(a, verdict(a)) for a in ledger.attempts
        ],
        "totals": _sums(ledger.totals),
        "by_model": {name: _sums(sums) for name, sums in ledger.by_model.items()},
        "checks": {name: _sums(sums) for name, sums in ledger.checks.items()},
        "rules": [{"rule": rule.rule, "by": rule.by} for rule in ledger.rules],
        "notes": [redact(note) for note in ledger.notes],
        "error": None if error is None else _error(error),
    }  # fmt: skip


def generation_schema() -> dict[str, Any]:
    """Return the JSON Schema of the document."""
    from pydantic import TypeAdapter

    return TypeAdapter(GenerationDocument).json_schema()


def issue_documents(issues: Sequence[Issue]) -> list[IssueDocument]:
    """Return issues as plain data."""
    return [_issue(issue) for issue in issues]


def _issue(issue: Issue) -> IssueDocument:
    shown: IssueDocument = {
        "message": redact(issue.message), "path": list(issue.path), "at": issue.at, "rule": issue.rule,
    }  # fmt: skip
    if issue.value is not MISSING:
        shown["value"] = plain(issue.value)
    return shown


def _attempt(attempt: Attempt, said: str) -> AttemptDocument:
    usage, failure = attempt.usage, attempt.failure
    return {
        "number": attempt.number,
        "model": redact(attempt.model),
        "strategy": attempt.strategy,
        "verdict": said,
        "valid": said == "valid",
        "text": attempt.text,
        "issues": issue_documents(attempt.issues),
        "repairs": list(attempt.repairs),
        "feedback": attempt.feedback,
        "failure": None if failure is None else {
            "stage": failure.stage, "kind": failure.kind, "message": redact(failure.message),
        },
        "finish_reason": attempt.finish_reason,
        "usage": {
            "input_tokens": usage.input,
            "output_tokens": usage.output,
            "cached_tokens": usage.cached,
            "cache_write_tokens": usage.cache_write,
            "reasoning_tokens": usage.reasoning,
        },
        "cost_usd": finite(attempt.cost_usd),
        "lost_usd": [finite(cost) for cost in attempt.lost],
        "latency_s": attempt.latency_s,
        "http_attempts": attempt.http_attempts,
        "compile_s": attempt.compile_s,
        "max_tokens": attempt.max_tokens,
        "cached": attempt.cached,
        "served_model": attempt.served_model,
        "request_id": attempt.request_id,
    }  # fmt: skip


def _sums(sums: Totals) -> SumsDocument:
    return {
        "input_tokens": sums.input,
        "output_tokens": sums.output,
        "cached_tokens": sums.cached,
        "reasoning_tokens": sums.reasoning,
        "calls": sums.calls,
        "http_attempts": sums.http_attempts,
        "cost_usd": finite(sums.cost_usd),
        "cached_cost_usd": finite(sums.cached_cost_usd),
        "lost_attempts": sums.lost_attempts,
        "lost_cost_usd": finite(sums.lost_usd),
        "paid_usd": finite(sums.dollars),
    }


def _error(error: LlmkitError) -> ErrorDocument:
    hint = None if error.hint is None else redact(error.hint)
    return {"message": redact(error.message), "hint": hint, "exit_code": error.exit_code}
