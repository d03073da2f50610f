"""Labels at a terminal: the item to label, how far people agree, and how each of them does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.text import Text

from llmkit.agreements import Agreement, Annotator
from llmkit.reports.columns import Columns
from llmkit.reports.comparing import probability
from llmkit.reports.judge_words import NOTHING, rate
from llmkit.reports.lines import Line
from llmkit.reports.numbers import count, duration
from llmkit.reports.text import one_line, visible

MOST_DIFFERING = 20


class Page:
    """One item to label.

    Args:
        head: Where one is: ``12 of 100 · relevance · ana``.
        texts: What is to be read, by name: what was asked, the answer.
        keys: What may be typed, and what it means.
        note: What was remarked so far.
    """

    def __init__(
        self, head: str, texts: Sequence[tuple[str, str]], keys: Sequence[tuple[str, str]], note: str = ""
    ) -> None:
        self.head, self.texts, self.keys, self.note = head, texts, keys, note

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Text(one_line(self.head), style="bold")
        for name, text in self.texts:
            yield Text()
            yield Text(one_line(name), style="cyan")
            yield Text(visible(text)) if text.strip() else Text("(empty)", style="dim")
        yield Text()
        if self.note:
            yield Line(Text(f"note: {one_line(self.note)}", style="yellow"))
        said = Text()
        for key, meaning in self.keys:
            said.append("   " if said else "").append(one_line(key), style="bold").append(f" {one_line(meaning)}")
        yield Line(said)


def agreement_report(found: Agreement) -> Group:
    """Return how far people agree."""
    return Group(*_agreement(found))


def _agreement(found: Agreement) -> Iterator[Columns | Line | Text]:
    people = len(found.annotators)
    yield Text(f"{one_line(found.judge)} · how far people agree", style="bold")
    yield Line(
        Text(
            f"{count(found.items)} items labelled by {count(people)} {'person' if people == 1 else 'people'};"
            f" {count(found.overlapping)} by two or more · {found.level}"
        ),
        indent=2,
    )
    if not found.overlapping:
        yield Line(Text("Nothing to compare: no item has two labels.", style="yellow"), indent=2)
        return
    weighted = found.level == "ordinal"
    rows = [
        ("Krippendorff's α", rate(found.alpha)),
        ("Gwet's AC2, quadratic" if weighted else "Gwet's AC1", rate(found.ac1)),
        ("Fleiss' κ", rate(found.fleiss) if found.fleiss else f"{NOTHING} (items have unequal numbers of labels)"),
    ]
    rows.append(("a person with the others", rate(found.ceiling)))
    yield Text()
    yield Columns(("", "agreement"), rows)
    if found.kappas:
        yield Text()
        pairs = [(f"{one_line(a)} and {one_line(b)}", rate(kappa)) for (a, b), kappa in found.kappas.items()]
        yield Columns(("pair", "Cohen's κ, quadratic" if weighted else "Cohen's κ"), pairs)
    yield Text()
    labels = list(dict.fromkeys([*found.majority, *found.dawid_skene]))
    by = [
        (one_line(label), count(found.majority.get(label, 0)), count(found.dawid_skene.get(label, 0)))
        for label in labels
    ]
    yield Columns(("label", "majority", "Dawid–Skene"), [*by, ("no majority", count(found.ties), NOTHING)])
    if found.differing:
        shown = ", ".join(map(one_line, found.differing[:MOST_DIFFERING]))
        more = len(found.differing) - MOST_DIFFERING
        rest = f" and {count(more)} more: --json" if more > 0 else ""
        yield Line(Text(f"The two differ on {count(len(found.differing))}: {shown}{rest}"), indent=2)
    yield Line(Text("Intervals are 95 %, over items."), indent=2)


def annotators_report(judge: str, found: Sequence[Annotator]) -> Group:
    """Return how each person does, the best first."""
    gold = any(one.gold is not None for one in found)
    rows = [
        (
            one_line(one.name) or "(no name)",
            count(one.n),
            *((rate(one.gold),) if gold else ()),
            rate(one.agreement),
            NOTHING if one.skill is None else f"{one.skill:.2f}",
            _p(one.p_value),
            _p(one.p_adjusted),
            NOTHING if one.seconds is None else duration(one.seconds),
            "worse" if one.flagged else "",
        )
        for one in found
    ]
    heads = (
        "annotator", "items", *(("right on gold",) if gold else ()), "with the others", "Wawa", "p", "p, Holm",
        "per item", "",
    )  # fmt: skip
    flagged = sum(one.flagged for one in found)
    return Group(
        Text(f"{one_line(judge)} · who labelled, the best first", style="bold"),
        Columns(heads, rows, ["red" if one.flagged else "" for one in found]),
        Line(
            Text(
                f"{count(flagged)} of {count(len(found))} provably worse than all together (one-sided exact binomial,"
                " Holm, 0.05; nobody with fewer than ten answers is tested). Intervals are Wilson's, 95 %."
            ),
            indent=2,
        ),
    )


def _p(value: float | None) -> str:
    return NOTHING if value is None else probability(value)
