"""The words of a calibration, whatever they are written in."""

from __future__ import annotations

from collections.abc import Iterator

from llmkit.calibrations import Calibration, Candidate, Disagreement, SliceFigures, Worth
from llmkit.reports.comparing import NO_DIFFERENCE, probability
from llmkit.reports.issues import safe
from llmkit.reports.judge_words import FIGURES, NOTHING, PER, lines_of, needs, outcome, rate
from llmkit.reports.numbers import UNKNOWN, count, counted, dollars, figure
from llmkit.reports.words import middle_cut

MOST_DISAGREEMENTS = 5
"""Of each part, at a terminal and in Markdown."""
MOST_CANDIDATES = 10
"""Candidates that are shown; a grid of hundreds would push the verdict off the screen. ``--json`` has them all."""
LEVEL = 0.05
"""Of the tests between candidates and of slices: a p-value at or below it shows a difference."""
LONGEST_TEXT = 240
"""Characters of a disagreement's question and answer that are shown."""


def about(found: Calibration) -> str:
    """Say what was measured."""
    served = f", served by {found.served}" if found.served and not found.model.endswith(found.served) else ""
    return f"{found.kind} · {found.model}{served}"


def standing(found: Calibration) -> Iterator[str]:
    """Yield what the status means, why, and what would settle it."""
    yield outcome(found.status)
    yield from lines_of(found.reasons)
    if found.status == "provisional" and needs(found.needs):
        yield f"needs {needs(found.needs)}, as test labels, to be settled"


def outlook(found: Calibration) -> str:
    """Say what was said before any call."""
    return f"said before any call: {found.best.said}"


def parts(found: Calibration) -> str:
    """Say how the labels were divided."""
    said = []
    for part, sizes in found.split.sizes.items():
        if any(sizes.values()):
            classes = ", ".join(f"{label} {count(number)}" for label, number in sizes.items())
            said.append(f"{part.replace('_', '-')} {count(sum(sizes.values()))} ({classes})")
    kept = "" if found.split.groups is None else f"; {counted(found.split.groups, 'group')} kept together"
    folds = f"; {count(found.split.folds)}-fold cross-fitting" if found.split.folds else ""
    return f"labels: {' · '.join(said)}{kept}{folds}; split {found.split.digest[:12]}, seed {found.seed}"


def looks(found: Calibration) -> str:
    """Say how often the test labels were looked at."""
    if not found.looks_known:
        return f"how often the test labels were looked at is unknown: at least {counted(found.looks, 'time')}"
    if found.looks <= 1:
        return "the test labels were looked at once: by this judge"
    return (
        f"the test labels were looked at {count(found.looks)} times, by as many definitions: each bound is as much"
        " stricter"
    )


def optimism(found: Calibration) -> str | None:
    """Say by how much dev flatters; None without a dev part."""
    if found.optimism is None:
        return None
    shown = figure(found.optimism, 3)
    sign = "+" if found.optimism > 0 and shown.strip("0.") else ""
    return f"optimism: {sign}{shown} (dev − test): by how much choosing on dev flatters"


def ceiling(found: Calibration) -> str | None:
    """Say how far people agree among themselves; None where one person labelled."""
    if found.ceiling is None:
        return None
    return f"human ceiling: {rate(found.ceiling)}: how often a person agrees with the majority of the others"


def runner_up(found: Calibration) -> str | None:
    """Set the chosen candidate against the next; None where there was one."""
    if len(found.candidates) < 2:
        return None
    if found.runner_up_p is None:
        return f"chosen and runner-up: p {UNKNOWN} (they share no dev item with a verdict)"
    shown = "the chosen one is shown to be better" if found.runner_up_p <= LEVEL else NO_DIFFERENCE
    return f"chosen and runner-up on dev: McNemar's p {probability(found.runner_up_p)}: {shown}"


def saved(found: Calibration) -> str | None:
    """Say what racing saved; None where there was no search."""
    if len(found.candidates) < 2 or not found.planned_calls:
        return None
    share = 100 * found.saved_calls / found.planned_calls
    return (
        f"racing: {count(found.saved_calls)} of the full grid's {counted(found.planned_calls, 'call')} saved"
        f" ({share:.0f} %)"
    )


def candidate(each: Candidate, number: int) -> list[str]:
    """Return a candidate's cells: place, name, dev figure, items, what became of it, cost."""
    became = "stopped early" if each.stopped else ""
    if each.unread:
        became = ", ".join(filter(None, (became, f"{count(each.unread)} unread")))
    place = {0: "chosen", 1: "runner-up"}.get(number, f"{number + 1}")
    return [place, safe(each.name), rate(each.dev, n=each.n), count(each.n), became, dollars(each.cost_usd)]


CANDIDATE_HEADS = ("", "candidate", "dev [interval]", "n", "", "cost")


def slice_cells(each: SliceFigures) -> list[str]:
    """Return a slice's cells."""
    p = NOTHING if each.p_value is None else probability(each.p_value)
    adjusted = NOTHING if each.p_adjusted is None else probability(each.p_adjusted)
    differs = each.p_adjusted is not None and each.p_adjusted <= LEVEL
    return [f"{safe(each.name)}={safe(each.value)}", rate(each.accuracy), p, adjusted, "differs" if differs else ""]


SLICE_HEADS = ("slice", "accuracy [interval]", "p", "p by Holm", "")


def disagreements_shown(found: Calibration) -> list[Disagreement]:
    """Return the first few of each part; all of them would bury the rest."""
    parts = [[each for each in found.disagreements if each.part == part] for part in ("dev", "test")]
    return [each for some in parts for each in some[:MOST_DISAGREEMENTS]]


def disagreement(each: Disagreement) -> str:
    """Return the first line of a disagreement."""
    return f"{each.id}  people: {each.label}, judge: {each.verdict}  ({each.part})"


def disagreement_texts(each: Disagreement) -> list[tuple[str, str]]:
    """Return what was asked, answered and said, cut to what a person reads."""
    texts = [("asked", each.input), ("answer", each.answer), ("reason", each.reason)]
    return [(name, safe(middle_cut(text, LONGEST_TEXT))) for name, text in texts if text]


def worth(found: Worth) -> Iterator[str]:
    """Say what the judge is good for."""
    yield _narrower(found)
    cost = "dollars unknown" if found.usd_per_1000 is None else dollars(found.usd_per_1000)
    tokens = "tokens unknown" if found.tokens_per_1000 is None else f"{count(round(found.tokens_per_1000))} tokens"
    yield f"per {PER:,} verdicts: {cost}, {tokens}"


def _narrower(found: Worth) -> str:
    labels, corrected = found.labels_width, found.corrected_width
    if labels is None:
        return "the labels alone give no interval to be compared with"
    alone = f"the labels alone give an interval {figure(labels, 3)} wide"
    if corrected is None:
        return f"{alone}; no rate is corrected, so the judge narrows nothing"
    with_judge = f"{alone}, with {counted(found.n, 'verdict')} of the judge {figure(corrected, 3)}"
    if corrected < labels:
        return f"{with_judge}: {100 * (1 - corrected / labels):.0f} % narrower"
    more = f"{100 * (corrected / labels - 1):.0f} % wider" if labels else "wider"
    return f"{with_judge}: {more}; on the labelled population itself, the labels say more"


def estimator(found: Calibration) -> str:
    """Say what corrects rates, and why."""
    if found.estimator is None:
        return f"no rate is corrected: {found.estimator_why}" if found.estimator_why else "no rate is corrected"
    if not found.estimator_why.startswith(found.estimator):
        return f"rates are corrected by {found.estimator}{f': {found.estimator_why}' if found.estimator_why else ''}"
    return f"rates are corrected: {found.estimator_why}"


def cut(found: Calibration) -> str | None:
    """Say where a probability is cut, and how it is calibrated; None where the judge gives none."""
    said = [] if found.threshold is None else [f"verdicts are cut at probability {figure(found.threshold, 3)}"]
    if found.calibrator is not None:
        given = ", ".join(f"{name} {_parameter(value)}" for name, value in found.calibrator.items() if name != "method")
        said.append(f"probabilities are calibrated by {found.calibrator.get('method', UNKNOWN)} ({given})")
    return "; ".join(said) or None


def _parameter(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return f"{len(value)} steps" if isinstance(value, (list, tuple)) else str(value)


def lock(found: Calibration) -> str:
    """Say which lock was written where."""
    return f"lock {found.lock} in {found.lock_path}"


def required(found: Calibration) -> str | None:
    """Say what the status asked for; None where the record does not hold it."""
    if not found.required:
        return None
    asked = ", ".join(f"{FIGURES.get(name, name)} ≥ {bound:g}" for name, bound in found.required.items())
    return f"┃ marks what must be shown, by a one-sided lower bound: {asked}"
