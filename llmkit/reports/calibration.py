"""A calibration at a terminal: the status first, why and what would settle it, then the figures, then the lock."""

from __future__ import annotations

from collections.abc import Iterator

from rich.cells import cell_len
from rich.console import Console, Group
from rich.text import Text

from llmkit.calibrations import Calibration, Disagreement
from llmkit.reports import calibration_words as words
from llmkit.reports import judge_words
from llmkit.reports.columns import Columns
from llmkit.reports.interval_plot import Bar, Plot
from llmkit.reports.issues import safe
from llmkit.reports.lines import Line, pad

_WARNING = "yellow"
_DIM = "dim"
Part = Line | Text | Columns | Plot


def calibration_table(found: Calibration) -> Group:
    """Return the whole report, for a console of any width, coloured or not."""
    parts: list[Part] = []
    for section in (_head, _agreement, _confusion, _search, _probes, _slices, _disagreements, _worth):
        lines = list(section(found))
        if lines:
            parts += [*lines, Text()]
    return Group(*parts, *_foot(found))


def print_calibration(found: Calibration, console: Console) -> None:
    """Print the report. Into a pipe or a file, long lines stay whole, so that they can be searched and copied."""
    console.print(calibration_table(found), soft_wrap=not console.is_terminal)


def _head(found: Calibration) -> Iterator[Part]:
    style = judge_words.STYLES[found.status]
    title = Text(judge_words.word(found.status), style=f"bold {style}")
    title.append(f"  {safe(found.judge)}", style="bold default").append(f"  {safe(words.about(found))}", "not bold dim")
    yield Line(title)
    for line in words.standing(found):
        yield Line(Text(safe(line), style="" if found.status == "calibrated" else _WARNING), indent=2)
    for line in (words.outlook(found), words.parts(found), words.looks(found)):
        yield Line(Text(safe(line), style=_DIM), indent=2)


def _agreement(found: Calibration) -> Iterator[Part]:
    level = judge_words.levels(found.dev, found.test)
    yield _title("Agreement with people", f"value [{level} interval] n=items" if level else "value n=items")
    sides = [found.test] if found.dev is None else [found.dev, found.test]
    rows = [[label, *(judge_words.rate(each) for each in rates)] for _, label, rates in judge_words.figures(*sides)]
    yield Columns(["", "test"] if found.dev is None else ["", "dev", "test"], rows)
    for line in filter(None, (words.optimism(found), words.ceiling(found))):
        yield Line(Text(line), indent=2)
    yield from _plot(found)
    yield Line(Text(f"intervals on test: {safe(judge_words.methods(found.test))}", style=_DIM), indent=2)


def _plot(found: Calibration) -> Iterator[Part]:
    """Draw what the status rests on, where it has intervals."""
    bars = []
    for name, bound in found.required.items():
        rate = getattr(found.test, name, None)
        if rate is not None and rate.value is not None and rate.interval is not None:
            bars.append(Bar(judge_words.FIGURES[name], rate.value, rate.interval.low, rate.interval.high, bound))
    said = words.required(found)
    if bars and said:
        yield Plot(bars, low=min(0.0, *(bar.low for bar in bars)))
        yield Line(Text(said, style=_DIM), indent=2)


def _confusion(found: Calibration) -> Iterator[Part]:
    yield _title("Verdicts on the test labels", judge_words.tally(found.test.counts))
    heads, rows = judge_words.confusion(found.test.counts)
    yield Columns([safe(head) for head in heads], [[safe(cell) for cell in row] for row in rows])


def _search(found: Calibration) -> Iterator[Part]:
    said = [line for line in (words.runner_up(found), words.saved(found)) if line is not None]
    if len(found.candidates) < 2:
        return
    yield _title("Search on dev", f"{len(found.candidates)} candidates, best first")
    shown = found.candidates[: words.MOST_CANDIDATES]
    rows = [words.candidate(each, number) for number, each in enumerate(shown)]
    yield Columns(words.CANDIDATE_HEADS, rows)
    if len(found.candidates) > len(shown):
        yield Text(f"  and {len(found.candidates) - len(shown):,} more: --json", style=_WARNING)
    yield from (Line(Text(line), indent=2) for line in said)


def _probes(found: Calibration) -> Iterator[Part]:
    if not found.probes:
        return
    yield _title("Probes", "what moves verdicts and should not")
    rows, styles = [], []
    for probe in found.probes:
        name = judge_words.PROBES[probe.name]
        cells = [judge_words.probe_moved(probe), judge_words.probe_p(probe), judge_words.probe_limit(probe)]
        rows.append([name, *cells, judge_words.probe_verdict(probe)])
        styles.append(judge_words.probe_style(probe))
    yield Columns(["", "moved [interval]", "p", "limit", ""], rows, styles)
    width = max(cell_len(judge_words.PROBES[probe.name]) for probe in found.probes)
    for probe in found.probes:
        line = f"{pad(judge_words.PROBES[probe.name], width)}   {safe(probe.said)}"
        yield Line(Text(line, style=judge_words.probe_style(probe) or _DIM), indent=2, hang=width + 5)


def _slices(found: Calibration) -> Iterator[Part]:
    if not found.slices:
        return
    yield _title("Slices of the test part", "each against the rest")
    rows = [words.slice_cells(each) for each in found.slices]
    yield Columns(words.SLICE_HEADS, rows, [_WARNING if row[-1] else "" for row in rows])


def _disagreements(found: Calibration) -> Iterator[Part]:
    if not found.disagreements:
        return
    shown = words.disagreements_shown(found)
    more = len(found.disagreements) - len(shown)
    yield _title("Where judge and people differ", f"{len(shown)} shown{f', {more} more with --json' if more else ''}")
    for each in shown:
        yield from _disagreement(each)


def _disagreement(each: Disagreement) -> Iterator[Line]:
    head = Text(safe(each.id), style="bold")
    yield Line(head.append(safe(words.disagreement(each).removeprefix(each.id)), style="not bold"), indent=2)
    texts = words.disagreement_texts(each)
    width = max((len(name) for name, _ in texts), default=0)
    for name, text in texts:
        yield Line(Text(f"{pad(name, width)}  ", _DIM).append(text, "not dim"), indent=4, hang=width + 6)


def _worth(found: Calibration) -> Iterator[Part]:
    yield _title("Worth it?")
    for line in (*words.worth(found.worth), words.estimator(found)):
        yield Line(Text(safe(line)), indent=2)
    threshold = words.cut(found)
    if threshold is not None:
        yield Line(Text(safe(threshold)), indent=2)


def _foot(found: Calibration) -> Iterator[Line]:
    yield Line(Text(safe(words.lock(found)), style="bold"))
    yield Line(Text(judge_words.paid(found.paid), style=_DIM))
    yield from (Line(Text(f"note: {safe(note)}", style=_WARNING)) for note in judge_words.lines_of(found.notes))
    if found.next:
        yield Line(Text("Next: ", style="bold").append(safe(found.next), style="not bold"), hang=6)


def _title(text: str, more: str = "") -> Line:
    return Line(Text(text, style="bold").append(f"  {more}" if more else "", "not bold dim"))
