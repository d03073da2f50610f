"""The metrics that a suite with a form has beside its own: whether answers are valid, and after how many attempts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from llmkit.canonical import digest
from llmkit.judges.scorer import ENTRY as JUDGE
from llmkit.judges.scorer import is_entry
from llmkit.scoring import Scorer, parse
from llmkit.scoring.registry import split
from llmkit.suites.form import Form

Entry = str | Mapping[str, Any]

ALWAYS = ("valid", "valid_first", "attempts")
OF_GENERATIONS = frozenset({*ALWAYS, "retry_cost"})
"""Scorers of what the loop did. ``retry_cost`` needs prices, so that it is there where the suite lists it."""


def entries_of(entries: Sequence[Any], form: Form | None) -> list[Any]:
    """Return a suite's scorer entries with those that its form brings, each told what valid means.

    Args:
        entries: As the suite writes them; scorers made in Python stay as they are.
        form: The suite's; None: the entries as they are.
    """
    if form is None:
        return list(entries)
    told = [_told(entry, form) for entry in entries]
    named = {_name(entry) if isinstance(entry, (str, Mapping)) else entry.name for entry in told}
    return [*told, *({name: _options(name, form)} for name in ALWAYS if name not in named)]


def with_validity(scorers: Sequence[Scorer], form: Form | None) -> tuple[Scorer, ...]:
    """Return scorers with those that the form brings."""
    return tuple(parse(e) if isinstance(e, (str, Mapping)) else e for e in entries_of(scorers, form))


def _options(name: str, form: Form) -> dict[str, Any]:
    """Return what a scorer of generations is told: strategies are compared, forms are not."""
    limit = {"max_attempts": form.policy.max_attempts} if name == "attempts" else {}
    return {"form": digest(form.definition()["format"])[:12], **limit}


def _name(entry: Entry) -> str:
    return JUDGE if is_entry(entry) else split(entry)[0]


def _told(entry: Any, form: Form) -> Any:
    if not isinstance(entry, (str, Mapping)) or is_entry(entry):
        return entry
    name, own = split(entry)
    return {name: {**_options(name, form), **own}} if name in OF_GENERATIONS else entry
