"""The bill of one generation: every attempt with what it cost, what was wrong with it, and the sums."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.text import Text

from llmkit.generations import UNCHECKED, Attempt, Enforced, Enforcer, Ledger
from llmkit.redact import redact
from llmkit.reports.issues import issue_text, safe
from llmkit.reports.lines import Line, block, pad
from llmkit.reports.numbers import UNKNOWN, count, dollars, duration
from llmkit.reports.text import visible
from llmkit.types import Totals

_GAP = "   "
_NOTHING = "–"
_BY: dict[Enforcer, str] = {"provider": "the provider", "decoder": "the decoder", "validator": "checked afterwards"}


def bill(ledger: Ledger, *, verbose: bool = False) -> Group:
    """Return the bill, for a console of any width, coloured or not.

    Args:
        ledger: All attempts.
        verbose: Whether what the model was told about earlier answers is shown.
    """
    parts: list[Any] = []
    if ledger.attempts:
        parts += [_Table(ledger, verbose=verbose), Text()]
    parts.append(Line(Text(_total(ledger), style="bold")))
    models = ledger.by_model
    if len(models) > 1:
        parts += [Line(Text(f"{safe(name)}: {_sums(sums)}"), indent=2) for name, sums in models.items()]
    parts += [Line(Text(f"{safe(name)}: {_sums(sums)}"), indent=2) for name, sums in ledger.checks.items()]
    compiled = [a.compile_s for a in ledger.attempts if a.compile_s is not None]
    if compiled:
        parts.append(Line(Text(f"grammar compiled in {duration(sum(compiled))}"), indent=2))
    parts += [Line(text, indent=2) for text in rule_lines(ledger.rules)]
    parts += [Line(Text(f"note: {safe(note)}", style="yellow"), indent=2) for note in ledger.notes]
    return Group(*parts)


def print_bill(ledger: Ledger, console: Console, *, verbose: bool = False) -> None:
    """Print the bill. Into a pipe or a file, long lines stay whole, so that they can be searched and copied."""
    console.print(bill(ledger, verbose=verbose), soft_wrap=not console.is_terminal)


def verdict(attempt: Attempt) -> str:
    """Say in a word or two what became of an attempt."""
    if attempt.failure is not None:
        kind = attempt.failure.kind
        return kind if kind in ("refused", "deadline", "interrupted") else f"failed: {safe(kind)}"
    if not attempt.issues:
        return "valid"
    if attempt.finish_reason == "length":
        return "truncated"
    if attempt.issues[-1].rule == UNCHECKED:
        return "not checked"
    return f"{len(attempt.issues)} issue{'s' if len(attempt.issues) > 1 else ''}"


def rule_lines(rules: Sequence[Enforced]) -> Iterator[Text]:
    """Say who enforces which rules, a line an enforcer."""
    for by, name in _BY.items():
        found = [safe(rule.rule) for rule in rules if rule.by == by]
        if found:
            yield Text(f"{name}: ", style="dim").append(", ".join(found), style="not dim")


class _Table:
    """The attempts, one a line, with what is to be said about each below it."""

    def __init__(self, ledger: Ledger, *, verbose: bool) -> None:
        self.attempts, self.verbose = ledger.attempts, verbose
        self.verdicts = [verdict(a) for a in ledger.attempts]
        several = len({a.model for a in self.attempts}) > 1
        self.heads = ("", *(("model",) if several else ()), "strategy", "in", "out", "cost", "time", "verdict")
        self.rows = [
            (str(a.number), *((safe(a.model),) if several else ()), a.strategy, *_used(a), _cost(a), _time(a), said)
            for a, said in zip(self.attempts, self.verdicts, strict=True)
        ]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        columns = list(zip(self.heads, *self.rows, strict=True))
        widths = [max(map(cell_len, column)) for column in columns]
        fits = sum(widths) + len(_GAP) * (len(widths) - 1) <= options.max_width
        if fits:
            yield Text(_joined(self.heads, widths), style="cyan")
        for attempt, row, said in zip(self.attempts, self.rows, self.verdicts, strict=True):
            style = "green" if said == "valid" else "yellow"
            if fits:
                line = Text(_joined(row, widths))
                line.stylize(style, len(line.plain) - len(said))
                yield line
            else:
                yield from self._stacked(row, style)
            yield from _details(attempt, verbose=self.verbose)

    def _stacked(self, row: Sequence[str], style: str) -> Iterator[Line]:
        yield Line(Text(f"{row[0]}  ").append(row[-1], style=style))
        named = zip(self.heads[1:-1], row[1:-1], strict=True)
        yield Line(Text(" · ".join(f"{name} {cell}" for name, cell in named)), indent=4)


def _joined(cells: Sequence[str], widths: Sequence[int]) -> str:
    return _GAP.join(pad(cell, width) for cell, width in zip(cells, widths, strict=True)).rstrip()


def _used(attempt: Attempt) -> tuple[str, str]:
    usage = attempt.usage
    cached = [f"{count(usage.cached)} cached"] if usage.cached else []
    written = [f"{count(usage.cache_write)} written to the cache"] if usage.cache_write else []
    reasoning = f" ({count(usage.reasoning)} reasoning)" if usage.reasoning else ""
    inside = f" ({', '.join([*cached, *written])})" if cached or written else ""
    nothing = attempt.failure is not None and usage.input is None and attempt.cost_usd == 0
    if nothing:
        return _NOTHING, _NOTHING
    return f"{count(usage.input)}{inside}", f"{count(usage.output)}{reasoning}"


def _cost(attempt: Attempt) -> str:
    return "$0 (cached)" if attempt.cached else dollars(attempt.cost_usd)


def _time(attempt: Attempt) -> str:
    if attempt.latency_s is None or attempt.cached:
        return _NOTHING
    return duration(attempt.latency_s)


def _details(attempt: Attempt, *, verbose: bool) -> Iterator[Line]:
    for issue in attempt.issues:
        yield Line(Text("- ").append_text(issue_text(issue)), indent=4)
    if attempt.failure is not None:
        yield Line(Text(safe(attempt.failure.message), style="yellow"), indent=4)
    if attempt.finish_reason == "length" and attempt.max_tokens is not None:
        yield Line(Text(f"cut off at max_tokens={count(attempt.max_tokens)}", style="yellow"), indent=4)
    for repair in attempt.repairs:
        yield Line(Text(f"repaired: {safe(repair)}"), indent=4)
    if attempt.lost:
        yield Line(Text(_lost(len(attempt.lost), _sum(attempt.lost)), style="yellow"), indent=4)
    elif attempt.http_attempts > 1:
        yield Line(Text(f"{count(attempt.http_attempts)} HTTP attempts"), indent=4)
    if verbose and attempt.feedback is not None:
        yield Line(Text("was told:", style="dim"), indent=4)
        yield from block(visible(redact(attempt.feedback)), indent=6, style="dim")


def _sum(costs: Sequence[float | None]) -> float | None:
    known = [cost for cost in costs if cost is not None]
    return sum(known) if len(known) == len(costs) else None


def _lost(number: int, cost: float | None) -> str:
    price = f"cost {UNKNOWN}" if cost is None else f"{dollars(cost)} more"
    return f"{count(number)} HTTP attempt{'s' if number > 1 else ''} lost on the way: {price}"


def _total(ledger: Ledger) -> str:
    number = len(ledger.attempts)
    said = f"{count(number)} attempt{'' if number == 1 else 's'}"
    return f"{said}: {_sums(ledger.totals)}" if number else f"{said}: nothing was asked"


def _sums(sums: Totals) -> str:
    paid = sums.dollars
    cached = f" ({count(sums.cached)} cached)" if sums.cached else ""
    reasoning = f" ({count(sums.reasoning)} reasoning)" if sums.reasoning else ""
    parts = [f"cost {UNKNOWN}" if paid is None else f"{dollars(paid)} paid"]
    if sums.lost_attempts:
        if paid is None and sums.cost_usd is not None:
            parts[0] = f"{dollars(sums.cost_usd)} paid for answers"
        parts.append(_lost(sums.lost_attempts, sums.lost_usd))
    if sums.cached_cost_usd is None:
        parts.append("what the cache saved is unknown")
    elif sums.cached_cost_usd:
        parts.append(f"{dollars(sums.cached_cost_usd)} saved by the cache")
    parts.append(f"{count(sums.input)} tokens in{cached}, {count(sums.output)} out{reasoning}")
    return " · ".join(parts)
