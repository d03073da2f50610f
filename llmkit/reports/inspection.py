"""One prompt on one row, for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from rich.console import Group
from rich.text import Text

from llmkit.reports.numbers import count, dollars
from llmkit.reports.text import one_line, visible
from llmkit.types import Message


class Inspection(Protocol):
    """See ``runs.inspect``."""

    @property
    def prompt(self) -> str: ...  # noqa: D102
    @property
    def fingerprint(self) -> str: ...  # noqa: D102
    @property
    def row(self) -> str | None: ...  # noqa: D102
    @property
    def messages(self) -> Sequence[Message]: ...  # noqa: D102
    @property
    def params(self) -> Mapping[str, Any]: ...  # noqa: D102
    @property
    def model(self) -> str | None: ...  # noqa: D102
    @property
    def tokens(self) -> int | None: ...  # noqa: D102
    @property
    def most_tokens(self) -> int: ...  # noqa: D102
    @property
    def input_usd(self) -> float | None: ...  # noqa: D102
    @property
    def worst_case_usd(self) -> float | None: ...  # noqa: D102
    @property
    def unused(self) -> Sequence[str]: ...  # noqa: D102


def inspection(found: Inspection) -> Group:
    """Return the messages by role, then what they count and cost."""
    lines: list[Text] = []
    for message in found.messages:
        lines += [Text(message.role, style="bold"), Text(visible(message.content)), Text()]
    tokens = (
        f"{count(found.tokens)} tokens" if found.tokens is not None else f"at most {count(found.most_tokens)} tokens"
    )
    lines.append(Text(f"{tokens} of prompt for {one_line(found.model) if found.model else 'an unnamed model'}"))
    if found.model:
        price = f"{dollars(found.input_usd)} for the prompt"
        worst = f", at most {dollars(found.worst_case_usd)} with the answer" if found.params.get("max_tokens") else ""
        lines.append(Text(f"price: {price}{worst}"))
    for name, value in found.params.items():
        lines.append(Text(f"{name} = {one_line(str(value))}"))
    lines.append(Text(f"fingerprint {found.fingerprint}" + (f", row {one_line(found.row)}" if found.row else "")))
    if found.unused:
        lines.append(Text(f"not used by llmkit: {', '.join(found.unused)}", style="yellow"))
    return Group(*lines)
