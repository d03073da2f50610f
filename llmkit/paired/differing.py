"""What was set otherwise on side b than on side a, which is what one compares."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from llmkit.canonical import canonical
from llmkit.paired.rows import Setup
from llmkit.redact import names_secret
from llmkit.text import one_line, shorten

_MANY_CHARS = 160
"""A table of options is shown up to here: a speculative configuration with a draft model's name fits."""


def differs(a: Setup, b: Setup) -> Iterator[str]:
    """Yield ``model: a → b``, ``prompt``, ``speculative_config: not set → …``; nothing of what a side does not say.

    Options that hold secrets are left out, whatever they hold.
    """
    for name, one, two in (("suite", a.suite, b.suite), ("model", a.model, b.model)):
        if one != two:
            yield f"{name}: {one} → {two}"
    if a.prompt is not None and b.prompt is not None and a.prompt != b.prompt:
        yield "prompt"
    for before, after in ((a.params, b.params), (a.options, b.options), (a.sizes, b.sizes)):
        if before is not None and after is not None:
            yield from _changed(before, after)


def _changed(before: Mapping[str, Any], after: Mapping[str, Any], at: str = "") -> Iterator[str]:
    for name in dict.fromkeys([*before, *after]):
        one, two = before.get(name), after.get(name)
        if canonical(one) == canonical(two) or names_secret(name):
            continue
        if isinstance(one, Mapping) and isinstance(two, Mapping):
            yield from _changed(one, two, f"{at}{name}.")
        else:
            yield f"{at}{name}: {_value(one)} → {_value(two)}"


def _value(value: object) -> str:
    if value is None:
        return "not set"
    if isinstance(value, Mapping):
        parts = (f"{name}: {_value(part)}" for name, part in value.items() if not names_secret(str(name)))
        return one_line(f"{{{', '.join(parts)}}}", _MANY_CHARS)
    return one_line(shorten(str(value)))
