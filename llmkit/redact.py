"""Secrets never reach a terminal, a log or the store: text and URLs without them."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

MASK = "***"
MIN_SECRET = 6
"""Shorter values are not masked wherever they occur: a key of "x" for a local server would blot out all text."""

_FIELD = (
    r"(?:x-api-key|api[-_]?key|key|(?:access|auth)[-_]?token|token|secret|password|passwd|pwd"
    r"|sig|signature|credential|authorization)"
)
# Keys by the prefixes that their makers publish: OpenAI, Anthropic, Hugging Face, GitHub, Google, AWS and others.
_KEY = re.compile(r"\b(?:(?:sk|pk|rk)-[\w*.-]{6,}|(?:hf_|gh[pousr]_|github_pat_|gsk_|xai-|AIza|AKIA)[\w*-]{8,})")
# Wider than _FIELD, for names of variables: OPENAIKEY and MYSQL_PWD are secrets; MAX_TOKENS, TOKENIZERS, PWD are not.
_SECRET_NAME = re.compile(
    r"(?i)key(?!board|word)|token(?!s|iz|_(?:limit|count))|secret|passw|(?:_|^)pass(?:_|$)|.[_-]pwd|_pat$|credential"
    r"|authorization|cookie"
)
_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(?i)\b(bearer)\s+[\w.~+/=*-]{8,}"), rf"\1 {MASK}"),
    (re.compile(r"(?i)(\bauthorization[\"']?\s*[:=]\s*[\"']?)(?!bearer)(\w+\s+)?[^\s\"',}]{4,}"), rf"\1{MASK}"),
    (re.compile(r"(?i)(\b(?:x-api-key|api[-_]key)[\"']?\s*[:=]\s*[\"']?)[^\s\"',}]{4,}"), rf"\1{MASK}"),
    (re.compile(r"(?i)(\b[a-z][a-z0-9+.-]*://)[^\s/?#\"'<>]+@"), rf"\1{MASK}@"),
    (re.compile(rf"(?i)([?&;]{_FIELD}=)[^&\s\"'<>#]+"), rf"\1{MASK}"),
    (_KEY, MASK),
)
_QUERY_SECRET = re.compile(rf"(?i)^{_FIELD}$")
_known: set[str] = set()


def remember(secret: str | None) -> None:
    """Have ``redact`` mask this very value from now on, in this process. Values under 6 characters are left out."""
    if secret and len(secret) >= MIN_SECRET:
        _known.add(secret)


def redact(text: str) -> str:
    """Mask keys that were remembered, and whatever looks like a key, a token or a URL's credentials."""
    for secret in sorted(_known, key=len, reverse=True):
        if secret in text:
            text = text.replace(secret, MASK)
        quoted = quote(secret, safe="")
        if quoted in text:
            text = text.replace(quoted, MASK)
    for pattern, put in _PATTERNS:
        text = pattern.sub(put, text)
    return text


def names_secret(field: str) -> bool:
    """Whether a field of this name holds a secret: ``api_key`` does, ``api_key_env`` does not."""
    return _QUERY_SECRET.match(field) is not None


def suggests_secret(name: str, value: str = "") -> bool:
    """Whether a variable of this name, or one that holds this value, is taken to be secret: rather once too often."""
    return _SECRET_NAME.search(name) is not None or redact(value) != value


def strip_credentials(url: str) -> str:
    """Return the URL without user, password, fragment and secret query fields: what may be stored and shown."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    query = urlencode([(k, v) for k, v in parse_qsl(parts.query, keep_blank_values=True) if not _QUERY_SECRET.match(k)])
    return urlunsplit((parts.scheme, host, parts.path, query, ""))
