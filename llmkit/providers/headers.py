"""What a model server's response headers say: when to come back, and how much is left."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime

from llmkit.providers.base import RateLimits

_DURATION = re.compile("".join(rf"(?:(\d+(?:\.\d+)?){unit})?" for unit in ("d", "h", "m(?!s)", "s", "ms")))
_UNITS = (86400.0, 3600.0, 60.0, 1.0, 0.001)
_FAMILIES = ("x-ratelimit-{what}-{of}", "anthropic-ratelimit-{of}-{what}")


def retry_after(headers: Mapping[str, str], *, now: datetime | None = None) -> float | None:
    """Seconds that the server asks to wait: ``retry-after-ms``, or ``Retry-After`` (RFC 9110 section 10.2.3).

    ``retry-after-ms`` is OpenAI's finer form. A date is read against the server's own ``Date``, so that two clocks
    that differ do no harm. None where there is no such header or it cannot be read.
    """
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    text = headers.get("retry-after")
    if text is None:
        return None
    seconds = _number(text)
    if seconds is not None:
        return seconds
    until = _date(text)
    if until is None:
        return None
    reference = now or _date(headers.get("date")) or datetime.now(UTC)
    return max(0.0, (until - reference).total_seconds())


def rate_limits(headers: Mapping[str, str]) -> RateLimits | None:
    """Read ``x-ratelimit-*`` (OpenAI) or ``anthropic-ratelimit-*``; None where neither is sent."""
    for form in _FAMILIES:
        requests = headers.get(form.format(what="remaining", of="requests"))
        tokens = headers.get(form.format(what="remaining", of="tokens"))
        if requests is None and tokens is None:
            continue
        return RateLimits(
            remaining_requests=_count(requests),
            remaining_tokens=_count(tokens),
            reset_requests_s=reset_seconds(headers.get(form.format(what="reset", of="requests"))),
            reset_tokens_s=reset_seconds(headers.get(form.format(what="reset", of="tokens"))),
        )
    return None


def exhausted_until(limits: RateLimits | None) -> float | None:
    """Seconds until what is used up comes back; None where nothing is, or nobody says when."""
    if limits is None:
        return None
    pairs = ((limits.remaining_requests, limits.reset_requests_s), (limits.remaining_tokens, limits.reset_tokens_s))
    waits = [reset for remaining, reset in pairs if remaining == 0 and reset is not None]
    return max(waits, default=None)


def reset_seconds(text: str | None, *, now: datetime | None = None) -> float | None:
    """Read when a limit resets: ``6m0s`` or ``20ms`` (OpenAI), an RFC 3339 time (Anthropic), or plain seconds."""
    if not text:
        return None
    seconds = _number(text)
    if seconds is not None:
        return seconds
    match = _DURATION.fullmatch(text.strip())
    if match and any(match.groups()):
        return sum(float(part) * unit for part, unit in zip(match.groups(), _UNITS, strict=True) if part)
    try:
        until = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(0.0, (until - (now or datetime.now(UTC))).total_seconds())


def waiting_time(seconds: float) -> str:
    """Write a long wait for people, to the minute: ``27 h 47 min``."""
    minutes = math.ceil(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min"
    return f"{hours // 24} d {hours % 24} h"


def _number(text: str | None) -> float | None:
    try:
        value = float(text) if text is not None else math.nan
    except ValueError:
        return None
    return value if math.isfinite(value) and value >= 0 else None


def _count(text: str | None) -> int | None:
    value = _number(text)
    return None if value is None else int(value)


def _date(text: str | None) -> datetime | None:
    if not text:
        return None
    from email.utils import parsedate_to_datetime

    try:
        when = parsedate_to_datetime(text)
    except ValueError:
        return None
    return when if when.tzinfo else when.replace(tzinfo=UTC)
