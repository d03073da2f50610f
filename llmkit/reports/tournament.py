"""Several runs set against each other by a pairwise judge, at a terminal and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.cells import cell_len
from rich.console import Console, Group
from rich.text import Text
from typing_extensions import TypedDict

from llmkit.judged_runs import Duel, Tournament
from llmkit.reports import judge_words
from llmkit.reports.columns import Columns
from llmkit.reports.comparing import probability
from llmkit.reports.finite import bounds, finite
from llmkit.reports.interval_plot import Bar, Plot
from llmkit.reports.issues import safe
from llmkit.reports.judge_documents import PaidDocument, RateDocument, paid_document, rate_document
from llmkit.reports.judged_run import standing
from llmkit.reports.lines import Line
from llmkit.reports.numbers import count, decimals, figure
from llmkit.types import Interval

_NOTHING = "–"
LEVEL = 0.05
"""A p-value at or below it shows a preference."""


class DuelDocument(TypedDict):
    """One pairing; wins, losses and ``win_rate`` are b's, ties count half."""

    a: str
    b: str
    wins: int
    losses: int
    ties: int
    flips: int
    cannot_tell: int
    unread: int
    win_rate: RateDocument
    p_value: float | None


class StandingDocument(TypedDict):
    """One run's strength by Bradley and Terry's model: natural logarithm of odds, their mean 0."""

    name: str
    rank: int
    strength: float
    ci: tuple[float, float] | None
    ci_method: str | None


class TournamentDocument(TypedDict):
    """What ``llmkit judge run --json`` prints of a pairwise judge and several runs."""

    judge: str
    status: str
    lock: str | None
    duels: list[DuelDocument]
    standings: list[StandingDocument]
    paid: PaidDocument
    notes: list[str]


def tournament_table(found: Tournament) -> Group:
    """Return the report, for a console of any width."""
    head = Text(safe(found.judge), style="bold").append("  runs against each other  ", style="not bold")
    parts: list[Any] = [Line(head.append_text(standing(found.status, found.lock))), Text()]
    parts += [*_duels(found), Text()]
    if found.standings:
        parts += [*_standings(found), Text()]
    parts.append(Line(Text(judge_words.paid(found.paid), style="dim")))
    parts += [Line(Text(f"note: {safe(note)}", style="yellow")) for note in judge_words.lines_of(found.notes)]
    return Group(*parts)


def print_tournament(found: Tournament, console: Console) -> None:
    """Print the report. Into a pipe or a file, long lines stay whole."""
    console.print(tournament_table(found), soft_wrap=not console.is_terminal)


def tournament_document(found: Tournament) -> TournamentDocument:
    """Return it as plain data."""
    return {
        "judge": found.judge,
        "status": found.status,
        "lock": found.lock,
        "duels": [_duel_document(each) for each in found.duels],
        "standings": [
            {
                "name": each.name,
                "rank": each.rank,
                "strength": each.strength,
                "ci": bounds(each.interval),
                "ci_method": each.interval.method if each.interval else None,
            }
            for each in found.standings
        ],
        "paid": paid_document(found.paid),
        "notes": list(found.notes),
    }


def tournament_schema() -> dict[str, Any]:
    """Return the JSON Schema of the document."""
    from pydantic import TypeAdapter

    return TypeAdapter(TournamentDocument).json_schema()


def _duels(found: Tournament) -> Iterator[Line | Columns]:
    yield _title("Win rates", f"b over a, both orders, ties count half  {found.status}")
    rows = [_cells(each) for each in found.duels]
    heads = ["a → b", "b wins [interval]", "won/lost/tied", "flips", "p, sign test", ""]
    unread = any(each.unread or each.cannot_tell for each in found.duels)
    if unread:
        heads.insert(4, "no verdict")
        for row, each in zip(rows, found.duels, strict=True):
            row.insert(4, f"{count(each.unread)} unread, {count(each.cannot_tell)} cannot tell")
    yield Columns(heads, rows)


def _cells(each: Duel) -> list[str]:
    judged = each.wins + each.losses + each.ties
    return [
        f"{safe(each.a)} → {safe(each.b)}",
        judge_words.rate(each.win_rate),
        f"{count(each.wins)}/{count(each.losses)}/{count(each.ties)}",
        f"{count(each.flips)} of {count(judged)}",
        _NOTHING if each.p_value is None else probability(each.p_value),
        _verdict(each),
    ]


def _verdict(each: Duel) -> str:
    """Say what is shown, in words that need no colour."""
    if each.p_value is None or each.p_value > LEVEL or each.wins == each.losses:
        return "no preference shown"
    return "b is preferred" if each.wins > each.losses else "a is preferred"


def _standings(found: Tournament) -> Iterator[Line | Columns | Plot]:
    levels = {f"{100 * each.interval.confidence:g} %" for each in found.standings if each.interval is not None}
    what = f"strength [{', '.join(sorted(levels))} interval], log odds, mean 0" if levels else "strength, log odds"
    yield _title("Standings by Bradley and Terry", what)
    yield Columns(
        ["", "", "strength"],
        [[f"{each.rank}", safe(each.name), _strength(each.strength, each.interval)] for each in found.standings],
    )
    bars = [
        Bar(safe(each.name), each.strength, each.interval.low, each.interval.high)
        for each in found.standings
        if each.interval is not None
    ]
    if bars and max(cell_len(bar.label) for bar in bars) <= 40:
        reach = max(max(abs(bar.low), abs(bar.high)) for bar in bars)
        yield Plot(bars, low=-_rounded(reach), high=_rounded(reach))


def _rounded(reach: float) -> float:
    """Return an axis' end: the next half."""
    return max(0.5, -(-2 * reach // 1) / 2)


def _strength(value: float, interval: Interval | None) -> str:
    digits = decimals(value, interval)
    if interval is None:
        return f"{figure(value, digits)} [no interval]"
    return f"{figure(value, digits)} [{figure(interval.low, digits)}, {figure(interval.high, digits)}]"


def _duel_document(each: Duel) -> DuelDocument:
    return {
        "a": each.a,
        "b": each.b,
        "wins": each.wins,
        "losses": each.losses,
        "ties": each.ties,
        "flips": each.flips,
        "cannot_tell": each.cannot_tell,
        "unread": each.unread,
        "win_rate": rate_document(each.win_rate),
        "p_value": finite(each.p_value),
    }


def _title(text: str, more: str) -> Line:
    return Line(Text(text, style="bold").append(f"  {more}", "not bold dim"))
