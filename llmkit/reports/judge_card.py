"""Judges in a list, and one judge on a page: what it is, what was measured of it, whether it still is that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console, Group
from rich.text import Text
from typing_extensions import TypedDict

from llmkit.judgements import JudgeCard
from llmkit.redact import redact
from llmkit.reports import judge_words
from llmkit.reports.columns import Columns
from llmkit.reports.issues import safe
from llmkit.reports.judge_check import CheckDocument, check_document, check_lines, standing
from llmkit.reports.judge_documents import FiguresDocument, ProbeDocument, figures_document, probe_document
from llmkit.reports.lines import Line, block, pad
from llmkit.reports.numbers import count
from llmkit.reports.text import visible
from llmkit.types import Message

_HEADS = ("judge", "status", "kind", "model", "labels", "lock")
_DEFINED = ("criterion", "prompt", "params", "method", "examples", "labels", "accept")
_MEASURED = ("served", "split", "folds", "looks", "estimator", "threshold", "calibrator", "anchors", "versions")
_NOTHING = "–"


class CardDocument(TypedDict):
    """One judge; ``test`` is null where nothing was measured."""

    name: str
    path: str
    kind: str
    model: str
    labels: dict[str, int]
    check: CheckDocument
    test: FiguresDocument | None
    probes: list[ProbeDocument]
    details: dict[str, Any]


class CardsDocument(TypedDict):
    """What ``llmkit judge list --json`` prints; ``broken``: file → why it cannot be shown."""

    judges: list[CardDocument]
    broken: dict[str, str]


def card_document(card: JudgeCard) -> CardDocument:
    """Return one judge as plain data."""
    return {
        "name": card.name,
        "path": card.path,
        "kind": card.kind,
        "model": redact(card.model),
        "labels": dict(card.labels),
        "check": check_document(card.check),
        "test": None if card.test is None else figures_document(card.test),
        "probes": [probe_document(probe) for probe in card.details.get("probes", ())],
        "details": {name: value for name, value in card.details.items() if name != "probes"},
    }


def cards_document(cards: Sequence[JudgeCard], broken: Mapping[str, str]) -> CardsDocument:
    """Return the list as plain data."""
    return {
        "judges": [card_document(card) for card in cards],
        "broken": {path: safe(why) for path, why in broken.items()},
    }


def cards_schema() -> dict[str, Any]:
    """Return the JSON Schema of the list."""
    from pydantic import TypeAdapter

    return TypeAdapter(CardsDocument).json_schema()


def print_cards(cards: Sequence[JudgeCard], console: Console) -> None:
    """Print one line a judge."""
    rows = [
        [
            safe(card.name),
            card.check.status,
            card.kind,
            safe(card.model),
            safe(judge_words.verdict_counts(card.labels)) or "none",
            standing(card.check),
        ]
        for card in cards
    ]
    styles = [judge_words.STYLES[card.check.status] for card in cards]
    console.print(Columns(_HEADS, rows, styles), soft_wrap=not console.is_terminal)


def print_card(card: JudgeCard, console: Console) -> None:
    """Print one judge in full; into a pipe, lines stay whole."""
    console.print(Group(*_parts(card)), soft_wrap=not console.is_terminal)


def print_messages(messages: Sequence[Message], console: Console) -> None:
    """Print a request's messages as they would be sent, what a terminal obeys made visible."""
    parts: list[Line | Text] = []
    for message in messages:
        parts += [Text(message.role, style="bold"), *block(visible(redact(message.content)))]
    console.print(Group(*parts), soft_wrap=not console.is_terminal)


def messages_document(messages: Sequence[Message]) -> dict[str, Any]:
    """Return a request's messages as plain data."""
    return {"messages": [{"role": message.role, "content": redact(message.content)} for message in messages]}


def _parts(card: JudgeCard) -> Iterator[Line | Text | Columns]:
    yield from check_lines(card.check)
    reasons = card.details.get("reasons", ())
    yield from (Line(Text(safe(reason)), indent=2) for reason in reasons)
    yield Text()
    yield Text("Definition", style="bold")
    defined = {name: card.details[name] for name in _DEFINED if name in card.details}
    known = judge_words.verdict_counts(card.labels) or "none"
    yield from _pairs({"file": card.path, "kind": card.kind, "model": card.model, **defined, "labelled items": known})
    if card.test is not None:
        yield from _measured(card)


def _measured(card: JudgeCard) -> Iterator[Line | Text | Columns]:
    assert card.test is not None
    yield Text()
    level = judge_words.levels(card.test)
    title = Text(f"Measured {card.details.get('created', '')}", style="bold")
    yield title.append(f"  test labels, value [{level} interval] n=items", style="not bold dim")
    rows = [[label, *(judge_words.rate(each) for each in rates)] for _, label, rates in judge_words.figures(card.test)]
    yield Columns(["", "test"], rows)
    yield Text()
    heads, cells = judge_words.confusion(card.test.counts)
    yield Columns([safe(head) for head in heads], [[safe(cell) for cell in row] for row in cells])
    yield Line(Text(judge_words.tally(card.test.counts), style="dim"), indent=2)
    yield Text()
    for probe in card.details.get("probes", ()):
        name, verdict = judge_words.PROBES[probe.name], judge_words.probe_verdict(probe)
        said = f"{name}: {safe(probe.said)}" + (f"  {verdict}" if probe.moved is not None else "")
        yield Line(Text(said, style=judge_words.probe_style(probe)), indent=2)
    yield from _pairs({name: card.details[name] for name in _MEASURED if card.details.get(name) is not None})


def _pairs(said: Mapping[str, Any]) -> Iterator[Line]:
    shown = {name: _plain(value) for name, value in said.items()}
    width = max(map(len, shown), default=0)
    for name, value in shown.items():
        yield Line(Text(f"{pad(name, width)}  ", "dim").append(safe(value), "not dim"), indent=2, hang=width + 4)


def _plain(value: Any) -> str:
    """Write plain data on one line, as people read it."""
    if value is None or (isinstance(value, (Mapping, list, tuple)) and not value):
        return _NOTHING
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_plain(each)}" for name, each in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_plain, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return count(value)
    return f"{value:g}" if isinstance(value, float) else str(value)
