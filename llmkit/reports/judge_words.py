"""The words and figures of judges, whatever they are written in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from llmkit.judgements import Counts, Figures, Probe, ProbeName, Rate, Status
from llmkit.reports.comparing import probability
from llmkit.reports.numbers import UNKNOWN, count, counted, decimals, dollars, figure
from llmkit.types import JudgeStatus, Totals

NOTHING = "–"
PER = 1000
"""Costs are of so many verdicts: those of a single one have too many zeros to be compared by eye."""
STYLES: Mapping[JudgeStatus, str] = {
    "calibrated": "green",
    "provisional": "yellow",
    "refused": "red",
    "uncalibrated": "red",
    "stale": "red",
}
FIGURES: Mapping[str, str] = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "kappa": "Cohen's κ",
    "weighted_kappa": "weighted κ",
    "ac1": "Gwet's AC1",
    "tpr": "TPR",
    "tnr": "TNR",
    "spearman": "Spearman's ρ",
    "mae": "mean absolute error",
    "consistency": "both orders agree",
}
"""What agreement is told by, in order, with the words for each."""
PROBES: Mapping[ProbeName, str] = {
    "order": "order swapped",
    "length": "length padded",
    "repeat": "asked again",
    "rewording": "other words",
    "injection": "injection",
    "own_family": "own family",
}
_MEANT: Mapping[str, str] = {"tpr": "of what people pass, passed", "tnr": "of what people fail, failed"}


def word(status: JudgeStatus) -> str:
    """Return a status as a headline has it."""
    return status.upper()


def named_lock(lock: str | None) -> str:
    """Name a judge's lock."""
    return "no lock" if lock is None else f"lock {lock}"


def outcome(status: Status) -> str:
    """Say what a calibration's status means."""
    return {
        "calibrated": "it agrees with people as well as its definition asks, and nothing that must not moves it",
        "provisional": "not shown to agree well enough, and not shown to fail; its figures carry that word",
        "refused": "its verdicts are not to be relied on: rates are not corrected, and no gate decides on them",
    }[status]


def rate(found: Rate | None, *, n: float | None = None) -> str:
    """Write a share or mean with its interval, and its n where that is not ``n``: ``0.91 [0.84, 0.95] n=87``."""
    if found is None:
        return NOTHING
    if found.value is None:
        return f"{UNKNOWN} (n={count(found.n)})"
    digits = decimals(found.value, found.interval)
    said = figure(found.value, digits)
    if found.interval is None:
        said += " [no interval]"
    else:
        said += f" [{figure(found.interval.low, digits)}, {figure(found.interval.high, digits)}]"
    return said if n is not None and found.n == n else f"{said} n={count(found.n)}"


def figures(*sides: Figures | None) -> list[tuple[str, str, list[Rate | None]]]:
    """Return the figures that any side has: name, words, and each side's."""
    found = []
    for name, label in FIGURES.items():
        rates = [None if side is None else getattr(side, name) for side in sides]
        if any(each is not None for each in rates):
            found.append((name, f"{label}, {_MEANT[name]}" if name in _MEANT else label, rates))
    return found


def levels(*sides: Figures | None) -> str:
    """Return the confidence of the intervals: ``95 %``; empty where there are none."""
    found = {
        each.interval.confidence
        for _, _, rates in figures(*sides)
        for each in rates
        if each is not None and each.interval is not None
    }
    return ", ".join(f"{100 * level:g} %" for level in sorted(found))


def methods(*sides: Figures | None) -> str:
    """Say how the intervals were made, each method with the figures that have it."""
    found: dict[str, list[str]] = {}
    for name, _, rates in figures(*sides):
        for each in rates:
            if each is not None and each.interval is not None:
                names = found.setdefault(each.interval.method, [])
                if FIGURES[name] not in names:
                    names.append(FIGURES[name])
    return "; ".join(f"{method}: {', '.join(names)}" for method, names in found.items())


def amount(number: float) -> str:
    """Write a count, or an effective count with one decimal."""
    return count(int(number)) if float(number).is_integer() else figure(number, 1)


def tally(counts: Counts) -> str:
    """Say how many items have a verdict, and what became of the others."""
    said = f"{amount(counts.n)} {'effective ' if counts.weighted else ''}verdicts"
    others = [(counts.cannot_tell, "cannot tell"), (counts.unread, "unread")]
    return said + "".join(f", {count(number)} {what}" for number, what in others)


def confusion(counts: Counts) -> tuple[list[str], list[list[str]]]:
    """Return verdicts against labels: headings, and one row a label that people gave."""
    heads = ["people \\ judge", *counts.labels, "all"]
    rows = [
        [label, *map(amount, row), amount(sum(row))]
        for label, row in zip(counts.labels, counts.table, strict=True)
        if any(row) or len(counts.labels) <= 3
    ]
    return heads, rows


def needs(wanted: Mapping[str, int]) -> str:
    """Write how many more labels of which class: ``12 more of pass, 4 more of fail``; of items alone ``40 more``."""
    parts = [
        f"{count(number)} more" if name == "items" else f"{count(number)} more of {name}"
        for name, number in wanted.items()
        if number
    ]
    return ", ".join(parts)


def probe_verdict(probe: Probe) -> str:
    """Say what a probe comes to, in words that need no colour."""
    if probe.moved is None and probe.passed is None:
        return "not run"
    if probe.passed is False:
        return "✗ above its limit"
    if probe.flagged:
        return "! systematic"
    return "✓" if probe.passed else "shown only"


def probe_style(probe: Probe) -> str:
    """Return the style of a probe's line."""
    if probe.passed is False:
        return "red"
    return "yellow" if probe.flagged else ""


def probe_moved(probe: Probe) -> str:
    """Write how far a probe moved verdicts."""
    if probe.moved is None:
        return NOTHING
    return rate(Rate(probe.moved, probe.n, probe.interval))


def probe_p(probe: Probe) -> str:
    """Write a probe's p-value."""
    return NOTHING if probe.p_value is None else probability(probe.p_value)


def probe_limit(probe: Probe) -> str:
    """Write a probe's limit."""
    return NOTHING if probe.limit is None else f"≤ {probe.limit:g}"


def paid(totals: Totals) -> str:
    """Write what calls cost: now, and what the store saved; unknown stays unknown."""
    cost = f"cost {UNKNOWN}" if totals.cost_usd is None else f"{dollars(totals.cost_usd)} paid"
    parts = [f"{cost} for {counted(totals.calls, 'call')}"]
    if totals.cached_cost_usd is None:
        parts.append("what the store saved is unknown")
    elif totals.cached_cost_usd:
        parts.append(f"{dollars(totals.cached_cost_usd)} saved by the store")
    if totals.lost_attempts:
        more = f"cost {UNKNOWN}" if totals.lost_usd is None else f"{dollars(totals.lost_usd)} more"
        parts.append(f"{counted(totals.lost_attempts, 'attempt')} without an answer: {more}")
    parts.append(f"{count(totals.input)} tokens in, {count(totals.output)} out")
    return " · ".join(parts)


def verdict_counts(verdicts: Mapping[str, int]) -> str:
    """Write how often each word was said: ``pass 80, fail 20``."""
    return ", ".join(f"{label} {count(number)}" for label, number in verdicts.items())


def lines_of(notes: Sequence[str]) -> Iterator[str]:
    """Yield notes, each once."""
    yield from dict.fromkeys(note for note in notes if note)
