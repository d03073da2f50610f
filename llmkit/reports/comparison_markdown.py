"""A comparison as GitHub Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from llmkit.comparisons import Comparison, MetricDifference, Side
from llmkit.reports import comparing, speed_words, variant_words
from llmkit.reports.flips import flip_markdown
from llmkit.reports.numbers import count
from llmkit.reports.quoting import quoted, sentence
from llmkit.text import labelled
from llmkit.variants import MarginVerdict, Speed

MOST = 60_000
"""Characters after which no further flip is shown: GitHub takes 65,536 in a comment."""


def comparison_markdown(comparison: Comparison) -> str:
    """Return the whole report as Markdown, with a newline at the end; nothing in it is obeyed."""
    blocks = ["\n".join(_head(comparison))]
    blocks.append(_table(comparison.b.suite, comparison.metrics, comparison.confidence))
    for metric in comparison.metrics.values():
        for name, parts in metric.slices.items():
            blocks.append(_table(f"{comparison.b.suite} · {metric.name} by {name}", parts, comparison.confidence))
    if comparison.margins:
        blocks.append("\n".join(_margins(comparison.margins)))
    if comparison.sameness is not None:
        blocks.append(f"Answers: {sentence(variant_words.same(comparison.sameness))}")
    if comparison.speed is not None:
        blocks += _speed(comparison.speed)
    if comparison.amounts:
        blocks.append(_amounts(comparison))
    if comparison.flips:
        blocks += _flips(comparison, MOST - sum(map(len, blocks)))
    blocks.append("\n".join(_signatures(comparison)))
    if comparison.notes:
        blocks.append("\n".join(f"- note: {sentence(note)}" for note in comparison.notes))
    return "\n\n".join(block for block in blocks if block) + "\n"


def _head(comparison: Comparison) -> Iterator[str]:
    for which, side in (("a", comparison.a), ("b", comparison.b)):
        yield f"- {which}: {_side(side)}"
    if comparison.differs:
        yield f"- differ in {', '.join(map(sentence, comparison.differs))}"
    yield f"- {comparing.pairs(comparison)}; {100 * comparison.confidence:g} % intervals, seed {comparison.seed}"
    if comparison.forced:
        yield f"- **FORCED**: these runs are not comparable: {sentence('; '.join(comparison.forced))}"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _side(side: Side) -> str:
    parts = [f"{sentence(labelled(side.model, side.alias))} on {sentence(side.suite)} ({quoted(side.run_id)})"]
    if not side.stored:
        parts.append(f"file {quoted(side.name)}")
    if side.status != "completed":
        parts.append(side.status or "ending unknown")
    if side.failed:
        parts.append(f"{count(side.failed)} of {count(side.samples)} failed")
    return ", ".join(parts)


def _table(title: str, metrics: Mapping[str, MetricDifference], confidence: float) -> str:
    head = [sentence(title), "a → b", "b − a", "p, two-sided", "won / lost / tied", "n", ""]
    lines = [_row(head), _row(["---"] * len(head))]
    lines += [_row([sentence(name), *_cells(metric, confidence)]) for name, metric in metrics.items()]
    return "\n".join(lines)


def _cells(metric: MetricDifference, confidence: float) -> list[str]:
    said = sentence(comparing.verdict(metric, confidence))
    if metric.failed_a or metric.failed_b:
        said += f"; failed {count(metric.failed_a)} in a, {count(metric.failed_b)} in b"
    tally = " / ".join(map(count, (metric.won, metric.lost, metric.tied)))
    if metric.difference is None:
        return ["–", "–", "–", tally, count(metric.n), said]
    figures = [comparing.values(metric), comparing.change(metric), sentence(comparing.test(metric))]
    return [*figures, tally, count(metric.n), said]


def _amounts(comparison: Comparison) -> str:
    lines = [_row(["an answer's", "a → b", "b / a", "n"]), _row(["---"] * 4)]
    for amount in comparison.amounts:
        shown = sentence(comparing.amount_values(amount))
        ratio = comparing.amount_ratio(amount) or "–"
        lines.append(_row([sentence(comparing.amount_name(amount)), shown, ratio, count(amount.n)]))
    return "\n".join(lines)


def _margins(margins: Sequence[MarginVerdict]) -> Iterator[str]:
    yield f"**{sentence(variant_words.conclusion(margins))}**\n"
    head = ["margin", "verdict", "", "b − a, and what it rests on"]
    yield from (_row(head), _row(["---"] * len(head)))
    for one in margins:
        rest = " · ".join(filter(None, (variant_words.figures(one), variant_words.failures(one))))
        name = f"{sentence(one.metric)}: {one.margin:.3g}"
        yield _row([name, variant_words.word(one), sentence(variant_words.why(one)), sentence(rest) or "–"])
    yield f"\n{sentence(f'{variant_words.ABOUT}; {variant_words.levels(margins)}')}"


def _flips(comparison: Comparison, room: int) -> Iterator[str]:
    yield sentence(comparing.flips_title(comparison)) + ":"
    for number, flip in enumerate(comparison.flips):
        block = flip_markdown(flip, a="a", b="b").strip()
        if (room := room - len(block)) < 0:
            yield f"{count(len(comparison.flips) - number)} more are left out, for want of room."
            break
        yield block
    if found := comparing.commands(comparison):
        yield f"One in full: {' or '.join(map(quoted, found))}"


def _speed(speed: Speed) -> Iterator[str]:
    head = ["Speed", "a", "b", "b / a"]
    lines = [_row(head), _row(["---"] * len(head))]
    lines += [_row([sentence(cell) for cell in row]) for row in speed_words.rows(speed)]
    yield "\n".join(lines)
    if (caution := speed_words.caution(speed)) is not None:
        yield sentence(caution)


def _signatures(comparison: Comparison) -> Iterator[str]:
    for name, metric in comparison.metrics.items():
        for text in comparing.signatures(metric, comparison):
            yield f"- {sentence(name)}: {quoted(text)}"
