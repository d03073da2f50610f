"""Every way in which a model's server fails, named once: what happened on the wire → ``ProviderError.fault``."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from llmkit.errors import ProviderError, ProviderFault
from llmkit.providers.headers import exhausted_until, rate_limits, retry_after
from llmkit.redact import strip_credentials
from llmkit.text import one_line

MAYBE_BILLED_STATUS = frozenset({408, 499, 502, 504, 520, 521, 522, 523, 524})
"""A gateway gave up, while the model behind it may have gone on and be charged for (52x are Cloudflare's)."""

_STATUS: Mapping[int, ProviderFault] = {
    401: "auth", 402: "auth", 403: "auth", 404: "not_found", 408: "timeout",
    409: "server", 425: "server", 429: "rate_limit", 499: "timeout", 504: "timeout",
}  # fmt: skip
_TYPES: Mapping[str, int] = {
    "invalid_request_error": 400, "authentication_error": 401, "billing_error": 402, "permission_error": 403,
    "not_found_error": 404, "request_too_large": 413, "rate_limit_error": 429, "rate_limit_exceeded": 429,
    "insufficient_quota": 429, "server_error": 500, "api_error": 500, "timeout_error": 504, "overloaded_error": 529,
}  # fmt: skip
_OVERFLOW = re.compile(
    r"context[_ ]length|maximum context|context[_ ](?:size|window|limit)|prompt is too long|max_model_len"
    r"|exceed_context|too many (?:input )?tokens|(?:prompt|input)[^.]{0,40}longer than|input is too long"
    r"|token count[^.]{0,40}exceeds|must have less than \d+ tokens|tokens \+ .?max_new_tokens"
    r"|reduce the length of the (?:messages|prompt|input)",
    re.IGNORECASE,
)
_NO_CREDIT = re.compile(r"insufficient_quota|credit balance|billing_hard_limit", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Peer:
    """Who was called, for messages.

    Attributes:
        provider: ``openai``, ``anthropic``, ….
        endpoint: The base URL; shown without credentials.
        key_env: The environment variable that holds the key.
    """

    provider: str
    endpoint: str
    key_env: str

    @property
    def shown(self) -> str:
        """The endpoint, credentials stripped."""
        return strip_credentials(self.endpoint)


def from_status(peer: Peer, status: int, headers: Mapping[str, str], body: bytes) -> ProviderError:
    """Classify a response whose status is not 200."""
    reason, code = _reason(body)
    wait = retry_after(headers)
    if wait is None and status == 429:
        wait = exhausted_until(rate_limits(headers))
    return _status_error(peer, status, reason, code, wait, headers.get("location"))


def from_error_object(peer: Peer, document: Mapping[str, Any]) -> ProviderError:
    """Classify a 200 whose body is ``{"error": …}``: by its numeric code or its type, else as malformed."""
    reason, code = _explain(document)
    error = document.get("error")
    raw: Any = error.get("code") if isinstance(error, Mapping) else None
    status = raw if isinstance(raw, int) and not isinstance(raw, bool) and 400 <= raw < 600 else None
    for name in code.split():
        status = status or _TYPES.get(name)
    if status is not None:
        return _status_error(peer, status, reason, code, None, None)
    return ProviderError(
        "malformed", f"{peer.provider} answered 200 with an error: {reason}", status=200, maybe_billed=True
    )


def malformed(peer: Peer, what: str, *, body: bytes = b"", status: int | None = 200) -> ProviderError:
    """Build the error for a body that is not the JSON asked for."""
    if looks_like_html(body):
        what = "HTML instead of JSON"
        hint = f"Is {peer.shown} the API's base URL? It usually ends in /v1"
    else:
        hint = f"The endpoint is {peer.shown}"
    return ProviderError("malformed", f"{peer.provider} answered {what}", status=status, maybe_billed=True, hint=hint)


def timed_out(peer: Peer, doing: str, *, maybe_billed: bool) -> ProviderError:
    """Build the error for a call that took too long."""
    return ProviderError(
        "timeout",
        f"{peer.provider} timed out {doing} ({peer.shown})",
        maybe_billed=maybe_billed,
        hint="Raise it with -M timeout_s=…",
    )


def disconnected(peer: Peer, what: str, *, maybe_billed: bool, cause: BaseException | None = None) -> ProviderError:
    """Build the error for a connection that could not be made or broke."""
    detail = one_line(str(cause)) if cause is not None and str(cause) else ""
    return ProviderError(
        "connection",
        f"{peer.provider}: {what}{f' ({detail})' if detail else ''}",
        maybe_billed=maybe_billed,
        hint=f"Is a server running at {peer.shown}?",
    )


def looks_like_html(body: bytes) -> bool:
    """Whether a body begins as a web page does."""
    head = body[:200].lstrip().lower()
    return head.startswith((b"<!doctype", b"<html", b"<head", b"<?xml"))


def _status_error(
    peer: Peer, status: int, reason: str, code: str, wait: float | None, location: str | None
) -> ProviderError:
    fault = fault_of(status, f"{reason} {code}")
    message = f"{peer.provider} answered {status}{f': {reason}' if reason else ''}"
    return ProviderError(
        fault,
        message,
        status=status,
        retry_after=wait,
        maybe_billed=status in MAYBE_BILLED_STATUS,
        hint=_hint(peer, fault, status, location),
    )


def fault_of(status: int, words: str = "") -> ProviderFault:
    """Name the fault of an HTTP status, with the server's words where the status alone does not tell."""
    if status in (400, 413, 422) and _OVERFLOW.search(words):
        return "context_overflow"
    if status in (400, 403, 429) and _NO_CREDIT.search(words):
        return "auth"  # an empty account does not fill while we wait
    if status in _STATUS:
        return _STATUS[status]
    if status >= 500:
        return "server"
    return "bad_request" if status >= 300 else "malformed"


def _hint(peer: Peer, fault: ProviderFault, status: int, location: str | None) -> str | None:
    if 300 <= status < 400:
        where = f" (it points to {one_line(strip_credentials(location))})" if location else ""
        return f"Redirects are not followed with a key: set base_url to the final address{where}"
    if fault == "auth":
        return f"Check the key in {peer.key_env} and the account's credit" if status != 403 else None
    if fault == "not_found":
        return f"Check the model's name and the base URL {peer.shown}"
    if fault == "context_overflow":
        return "Shorten the prompt, or lower max_tokens"
    return None


def _reason(body: bytes) -> tuple[str, str]:
    if looks_like_html(body):
        return "an HTML page", ""
    text = body[:65536].decode("utf-8", "replace")
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return one_line(text), ""
    return _explain(document)


def _explain(document: object) -> tuple[str, str]:
    """Find the message and the code words in an error document of any of the usual shapes."""
    if not isinstance(document, Mapping):
        return one_line(json.dumps(document)), ""
    error = document.get("error", document)
    if not isinstance(error, Mapping):
        return one_line(str(error)), ""
    message = error.get("message") or error.get("detail") or error.get("msg") or json.dumps(error, default=str)
    text = message if isinstance(message, str) else json.dumps(message, default=str)
    codes = [str(error[key]) for key in ("type", "code") if isinstance(error.get(key), (str, int))]
    return one_line(text), " ".join(codes)
