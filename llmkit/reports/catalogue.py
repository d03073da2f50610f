"""The suites that there are, two lines each; and one suite on a page: what it asks of whom, and how it is scored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rich.cells import cell_len
from rich.console import Console, Group
from rich.text import Text
from typing_extensions import TypedDict

from llmkit.catalogue import SuiteCard, SuiteClass, SuiteEntry
from llmkit.redact import redact
from llmkit.reports.issues import safe
from llmkit.reports.lines import Line, block, pad
from llmkit.reports.numbers import count
from llmkit.reports.text import visible
from llmkit.types import Message

_NOTHING = "–"
_GAP = "  "
_HEADS = ("suite", "class", "rows", "licence", "variants")


class VariantDocument(TypedDict):
    """A variant, as it is run, and what it does otherwise."""

    name: str
    description: str


# Written as a call, because a field is called class.
EntryDocument = TypedDict(
    "EntryDocument",
    {
        "name": str,
        "class": SuiteClass | None,
        "rows": int | None,
        "licence": str | None,
        "description": str,
        "variants": list[VariantDocument],
    },
)
"""A suite in the list; null where it does not say."""


class CatalogueDocument(TypedDict):
    """What ``llmkit suites --json`` prints."""

    suites: list[EntryDocument]


class PromptDocument(TypedDict):
    """The prompt; ``messages`` are what ``row`` sends, where one was read."""

    name: str | None
    source: str | None
    template: str
    messages: list[dict[str, str]]
    row: str | None


class CardDocument(TypedDict):
    """What ``llmkit suites NAME --json`` prints; null where the suite does not say."""

    suite: EntryDocument
    path: str
    source: str | None
    data: str | None
    revision: str | None
    prompt: PromptDocument
    few_shot: str | None
    normalisation: str | None
    scorers: dict[str, str]
    pass_k: list[int]
    epochs: int
    params: dict[str, Any]
    compares: dict[str, Any]
    slices: list[str]
    parts: list[EntryDocument]
    commands: list[str]


def catalogue_document(entries: Sequence[SuiteEntry]) -> CatalogueDocument:
    """Return the list as plain dicts and lists."""
    return {"suites": [_entry(each) for each in entries]}


def card_document(card: SuiteCard) -> CardDocument:
    """Return one suite as plain dicts and lists."""
    return {
        "suite": _entry(card.entry),
        "path": card.path,
        "source": card.source,
        "data": card.data,
        "revision": card.revision,
        "prompt": {
            "name": card.prompt,
            "source": card.prompt_source,
            "template": redact(card.template),
            "messages": [{"role": each.role, "content": redact(each.content)} for each in card.messages],
            "row": card.row,
        },
        "few_shot": card.few_shot or None,
        "normalisation": card.normalisation,
        "scorers": dict(card.scorers),
        "pass_k": list(card.pass_k),
        "epochs": card.epochs,
        "params": dict(card.params),
        "compares": dict(card.compares),
        "slices": list(card.slices),
        "parts": [_entry(each) for each in card.parts],
        "commands": list(card.commands),
    }


def _entry(entry: SuiteEntry) -> EntryDocument:
    return {
        "name": entry.name,
        "class": entry.kind,
        "rows": entry.rows,
        "licence": entry.licence,
        "description": entry.description,
        "variants": [{"name": each.name, "description": each.description} for each in entry.variants],
    }


def print_catalogue(entries: Sequence[SuiteEntry], console: Console) -> None:
    """Print the list; it fits into 80 columns. Into a pipe or a file, long lines stay whole."""
    console.print(Group(*_list(entries)), soft_wrap=not console.is_terminal)


def print_suite(card: SuiteCard, console: Console) -> None:
    """Print one suite. Into a pipe or a file, long lines stay whole."""
    console.print(Group(*_page(card)), soft_wrap=not console.is_terminal)


def _list(entries: Sequence[SuiteEntry]) -> Iterator[Any]:
    rows = [_cells(each) for each in entries]
    widths = [max(map(cell_len, column)) for column in zip(_HEADS, *rows, strict=True)]
    yield Line(Text(_row(_HEADS, widths), style="cyan"), indent=2)
    for entry, cells in zip(entries, rows, strict=True):
        line = Text(_row(cells, widths))
        line.stylize("bold", 0, len(cells[0]))
        yield Line(line, indent=2)
        if entry.description:
            yield Line(Text(safe(entry.description)), indent=6, hang=6)
    yield Text()
    yield Line(Text("One in full: llmkit suites NAME. Run one: llmkit eval NAME, or NAME:VARIANT"), indent=2)


def _cells(entry: SuiteEntry) -> tuple[str, ...]:
    base = f"{entry.name}:"
    variants = " ".join(f":{safe(each.name.removeprefix(base))}" for each in entry.variants)
    rows = _NOTHING if entry.rows is None else count(entry.rows)
    return safe(entry.name), entry.kind or _NOTHING, rows, safe(entry.licence or _NOTHING), variants


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    name, kind, rows, *rest = (
        cell.rjust(width) if number == 2 else pad(cell, width)
        for number, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    return _GAP.join((name, kind, rows, *rest)).rstrip()


def _page(card: SuiteCard) -> Iterator[Any]:
    entry = card.entry
    yield Line(Text(safe(entry.name), style="bold"))
    if entry.description:
        yield Line(Text(safe(entry.description)), indent=2, hang=2)
    yield Text()
    for name, value in _facts(card):
        if value:
            yield Line(Text(f"{name:15}", style="cyan").append(safe(value), style="not cyan"), indent=2, hang=17)
    if card.parts:
        yield from _parts("Suites in it", [(each.name, each.description) for each in card.parts])
    if entry.variants:
        yield from _parts("Variants", [(each.name, each.description) for each in entry.variants])
    if card.scorers:
        yield Text()
        yield Text("Scorers", style="cyan")
        for name, signature in card.scorers.items():
            yield Line(Text(f"{safe(name)}  ").append(safe(signature), style="dim"), indent=2)
    if card.template:
        yield from _prompt(card)
    yield Text()
    yield Text("Next", style="cyan")
    yield from (Line(Text(safe(each)), indent=2) for each in card.commands)


def _facts(card: SuiteCard) -> Iterator[tuple[str, str]]:
    entry = card.entry
    yield "class", entry.kind or ""
    yield "rows", "" if entry.rows is None else count(entry.rows)
    yield "licence", entry.licence or ""
    yield "source", card.source or ""
    yield "data", card.data or ""
    yield "revision", card.revision or ("not pinned" if (card.data or "").startswith("hf:") else "")
    yield "prompt", f"{card.prompt}: {card.prompt_source}" if card.prompt_source else card.prompt or ""
    yield "examples", card.few_shot
    yield "normalisation", card.normalisation or ""
    yield from _compared(card)
    yield "params", ", ".join(f"{name}={value}" for name, value in card.params.items())
    yield "epochs", str(card.epochs) if card.epochs > 1 else ""
    yield "pass@k", ", ".join(map(str, card.pass_k))
    yield "slices", ", ".join(card.slices)
    yield "file", card.path


def _compared(card: SuiteCard) -> Iterator[tuple[str, str]]:
    """Say which continuations are compared, after what, and in which form."""
    said = card.compares
    if not said:
        return
    yield "compares", _listed(said["choices"])
    yield "after", "" if not said["prefix"] else " | ".join(_several(said["prefix"]))
    yield "separator", repr(said["separator"]) if "separator" in said else ""
    how = "the prompt is a text that goes on" if said["template"] == "none" else "they begin the chat's answer"
    yield "template", f"{said['template']}: {how}"
    yield "unconditional", said.get("unconditional", "")


def _listed(texts: str | Sequence[str]) -> str:
    return f"the field {texts}" if isinstance(texts, str) and "{" not in texts else " | ".join(_several(texts))


def _several(texts: str | Sequence[str]) -> Sequence[str]:
    return (texts,) if isinstance(texts, str) else texts


def _parts(title: str, parts: Sequence[tuple[str, str]]) -> Iterator[Line | Text]:
    yield Text()
    yield Text(title, style="cyan")
    width = max(cell_len(name) for name, _ in parts)
    for name, said in parts:
        yield Line(Text(f"{pad(safe(name), width)}{_GAP}{safe(said)}".rstrip()), indent=2, hang=4 + width)


def _prompt(card: SuiteCard) -> Iterator[Line | Text]:
    yield Text()
    if not card.messages:
        yield Text("Prompt, as a template", style="cyan")
        yield from block(visible(redact(card.template)))
        return
    yield Line(Text("Prompt", style="cyan").append(f", as {safe(card.row or 'the first row')} sends it", "not cyan"))
    for message in card.messages:
        yield from _message(message)


def _message(message: Message) -> Iterator[Line | Text]:
    yield Text(f"  {message.role}:", style="bold")
    yield from block(visible(redact(message.content)))
