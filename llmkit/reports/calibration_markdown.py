"""A calibration as GitHub's and GitLab's Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from llmkit.calibrations import Calibration
from llmkit.redact import redact
from llmkit.reports import calibration_words as words
from llmkit.reports import judge_words
from llmkit.reports.quoting import quoted, sentence


def calibration_markdown(found: Calibration) -> str:
    """Return the whole report as Markdown, with a newline at the end; nothing in it is obeyed."""
    blocks = [
        f"### {judge_words.word(found.status)}: {_name(found.judge)}",
        _items([words.about(found), *words.standing(found), words.outlook(found), words.parts(found)]),
        "\n\n".join(_agreement(found)),
        *_section("Search on dev", _search(found)),
        *_section("Probes", _probes(found)),
        *_section("Slices of the test part", _slices(found)),
        *_disagreements(found),
        "\n\n".join(["**Worth it?**", _items(_worth(found))]),
        _items(_foot(found)),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _agreement(found: Calibration) -> Iterator[str]:
    level = judge_words.levels(found.dev, found.test)
    sides = [found.test] if found.dev is None else [found.dev, found.test]
    heads = ["", "test"] if found.dev is None else ["", "dev", "test"]
    yield f"**Agreement with people**{f', value [{level} interval] n=items' if level else ''}"
    rows = [[label, *map(judge_words.rate, rates)] for _, label, rates in judge_words.figures(*sides)]
    yield _table(heads, rows)
    lines = [words.optimism(found), words.ceiling(found), words.looks(found)]
    lines.append(f"intervals on test: {judge_words.methods(found.test)}")
    yield _items(filter(None, lines))
    yield f"**Verdicts on the test labels**: {sentence(judge_words.tally(found.test.counts))}"
    yield _table(*judge_words.confusion(found.test.counts))


def _search(found: Calibration) -> Iterator[str]:
    if len(found.candidates) < 2:
        return
    shown = found.candidates[: words.MOST_CANDIDATES]
    yield _table(words.CANDIDATE_HEADS, [words.candidate(each, number) for number, each in enumerate(shown)])
    lines = [words.runner_up(found), words.saved(found)]
    if len(found.candidates) > len(shown):
        lines.append(f"{len(found.candidates) - len(shown):,} more candidates are not shown")
    yield _items(filter(None, lines))


def _probes(found: Calibration) -> Iterator[str]:
    if not found.probes:
        return
    rows = [
        [
            judge_words.PROBES[probe.name], judge_words.probe_moved(probe), judge_words.probe_p(probe),
            judge_words.probe_limit(probe), judge_words.probe_verdict(probe), probe.said,
        ]
        for probe in found.probes
    ]  # fmt: skip
    yield _table(["probe", "moved [interval]", "p", "limit", "", ""], rows)


def _slices(found: Calibration) -> Iterator[str]:
    if found.slices:
        yield _table(words.SLICE_HEADS, [words.slice_cells(each) for each in found.slices])


def _disagreements(found: Calibration) -> Iterator[str]:
    if not found.disagreements:
        return
    shown = words.disagreements_shown(found)
    more = len(found.disagreements) - len(shown)
    yield f"**Where judge and people differ**: {len(shown)} shown{f', {more} more with --json' if more else ''}"
    for each in shown:
        lines = [f"- {name}: {quoted(text)}" for name, text in words.disagreement_texts(each)]
        summary = f"{_name(each.id)}{sentence(words.disagreement(each).removeprefix(each.id))}"
        yield "\n".join([f"<details><summary>{summary}</summary>", "", *lines, "", "</details>"])


def _worth(found: Calibration) -> Iterator[str]:
    yield from words.worth(found.worth)
    yield words.estimator(found)
    threshold = words.cut(found)
    if threshold is not None:
        yield threshold


def _foot(found: Calibration) -> Iterator[str]:
    yield words.lock(found)
    yield judge_words.paid(found.paid)
    yield from (f"note: {note}" for note in judge_words.lines_of(found.notes))
    if found.next:
        yield f"next: {found.next}"


def _section(title: str, blocks: Iterable[str]) -> Iterator[str]:
    found = list(blocks)
    if found:
        yield "\n\n".join([f"**{title}**", *found])


def _items(lines: Iterable[str]) -> str:
    return "\n".join(f"- {sentence(redact(line))}" for line in lines)


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "\n".join([_row(heads), _row(["---"] * len(heads)), *map(_row, rows)])


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(sentence(redact(cell)) for cell in cells)} |"


def _name(text: str) -> str:
    return quoted(redact(text))
