"""What a calibration shows beside its figures: slices, and the items on which judge and people differ."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from llmkit.calibrations import Disagreement, SliceFigures
from llmkit.judgements import Part, Rate, Verdict
from llmkit.judges.labels import Labelled
from llmkit.stats.mcnemar import fisher_exact
from llmkit.stats.multiplicity import holm
from llmkit.stats.proportion import wilson
from llmkit.text import shorten

LONGEST = 2_000
"""Characters of an input or an answer in a report."""
FEWEST = 5
"""Items of a slice's part below which it is compared with nothing."""


def slices_of(items: Sequence[Labelled], verdicts: Sequence[Verdict], confidence: float) -> tuple[SliceFigures, ...]:
    """Return the judge's accuracy on each part of each slice, with Fisher's exact test against the rest (Holm).

    Items without a verdict are left out.
    """
    right = [
        (item, verdict.label == item.label)
        for item, verdict in zip(items, verdicts, strict=True)
        if verdict.state == "verdict"
    ]
    found: list[tuple[str, str, int, int, float | None]] = []
    for name in sorted({name for item, _ in right for name in item.subject.slices}):
        for value in sorted({item.subject.slices[name] for item, _ in right if name in item.subject.slices}):
            inside = [ok for item, ok in right if item.subject.slices.get(name) == value]
            outside = [ok for item, ok in right if item.subject.slices.get(name, value) != value]
            p = None
            if min(len(inside), len(outside)) >= FEWEST:
                p = fisher_exact(sum(inside), len(inside), sum(outside), len(outside))
            found.append((name, value, sum(inside), len(inside), p))
    tested = [p for *_, p in found if p is not None]
    adjusted = iter(holm(tested).tolist() if tested else ())
    return tuple(
        SliceFigures(name, value, Rate(k / n, n, wilson(k, n, confidence)), p, None if p is None else next(adjusted))
        for name, value, k, n, p in found
    )


def disagreements_of(items: Sequence[Labelled], verdicts: Sequence[Verdict], part: Part) -> Iterator[Disagreement]:
    """Yield the items whose verdict is another word than people's, in order."""
    for item, verdict in zip(items, verdicts, strict=True):
        if verdict.label is None or item.label is None or verdict.label == item.label:
            continue
        subject = item.subject
        answer = f"a: {subject.a}\nb: {subject.b}" if subject.pair else subject.answer
        yield Disagreement(
            subject.id,
            item.label,
            verdict.label,
            shorten(verdict.reason, LONGEST),
            shorten(subject.input, LONGEST),
            shorten(answer, LONGEST),
            part,
        )
