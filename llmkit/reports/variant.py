"""What a variant does, at a terminal: each margin with its verdict, how many answers are the same, and its speed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.cells import cell_len
from rich.text import Text

from llmkit.reports import speed_words
from llmkit.reports import variant_words as words
from llmkit.reports.lines import Line, pad
from llmkit.reports.text import one_line
from llmkit.variants import MarginVerdict, Sameness, Speed, Verdict, overall

_STYLES: dict[Verdict, str] = {"pass": "green", "fail": "red", "undecided": "yellow"}
_GAP = "   "


def margin_lines(margins: Sequence[MarginVerdict]) -> Iterator[Line]:
    """Yield each metric's verdict with what it rests on, and the verdict on all."""
    yield Line(Text("Margins", style="bold").append(f"  {words.ABOUT}; {words.levels(margins)}", "not bold dim"))
    label = max(cell_len(one_line(one.metric)) for one in margins)
    for one in margins:
        line = Text(pad(one_line(one.metric), label) + _GAP)
        line.append(words.word(one), style="yellow" if one.within else _STYLES[one.verdict])
        line.append(f"{_GAP}margin {one.margin:.3g}: {one_line(words.why(one))}")
        yield Line(line, indent=2, hang=2 + label + len(_GAP))
        for more in (words.figures(one), words.failures(one)):
            if more:
                yield Line(Text(one_line(more), style="dim"), indent=2 + label + len(_GAP))
    verdict = overall(tuple(margins))
    yield Line(Text(one_line(words.conclusion(margins)), style=f"bold {_STYLES[verdict]}" if verdict else ""), indent=2)


def same_line(sameness: Sameness) -> Line:
    """Return how many answers are the same."""
    return Line(Text("Answers", style="bold").append(f"  {one_line(words.same(sameness))}", "not bold"))


def speed_lines(speed: Speed) -> Iterator[Line]:
    """Yield both engines' speed, and what speculation came to."""
    yield Line(Text("Speed", style="bold").append(f"  a → b   {speed_words.ABOUT}", "not bold dim"))
    rows = list(speed_words.rows(speed))
    label = max(cell_len(row.name) for row in rows)
    width = max(cell_len(f"{row.a} → {row.b}") for row in rows)
    for row in rows:
        both = f"{row.a} → {row.b}"
        line = Text(pad(row.name, label) + _GAP + (pad(both, width) + _GAP + row.more if row.more else both))
        yield Line(line, indent=2, hang=2 + label + len(_GAP))
    if (caution := speed_words.caution(speed)) is not None:
        yield Line(Text(one_line(caution), style="yellow"), indent=2)
