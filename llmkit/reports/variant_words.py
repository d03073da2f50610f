"""What a variant does to quality, in words and figures, whatever they are written in.

Names and reasons of others come out as they are; whoever writes them makes them safe for where they go.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from llmkit.reports.comparing import moved
from llmkit.reports.numbers import UNKNOWN, count, counted, decimals, figure
from llmkit.variants import MarginVerdict, Sameness, Verdict, overall

WORDS: dict[Verdict, str] = {"pass": "PASS", "fail": "FAIL", "undecided": "NOT ENOUGH EVIDENCE"}
EXITS: dict[Verdict, int] = {"pass": 0, "fail": 1, "undecided": 3}
ABOUT = "b may be worse by less than the margin"


def word(margin: MarginVerdict) -> str:
    """Return one metric's verdict; a worsening that is proven within the margin is a warning."""
    return f"{WORDS[margin.verdict]} (warning)" if margin.within else WORDS[margin.verdict]


def levels(margins: Sequence[MarginVerdict]) -> str:
    """Say with what errors it is decided, and what the intervals' level is."""
    errors = {one.alpha for one in margins}
    shown = f"error {' or '.join(f'{100 * alpha:.3g} %' for alpha in sorted(errors))} one-sided, for either verdict"
    confidences = sorted({one.interval.confidence for one in margins if one.interval})
    return f"{shown}; {', '.join(f'{100 * level:.3g} %' for level in confidences)} interval" if confidences else shown


def why(margin: MarginVerdict) -> str:
    """Say what is proven, what is ruled out, and what an undecided one lacks."""
    what, size = _worsening(margin), f"{margin.margin:.3g}"
    if margin.reason is not None:
        return margin.reason
    if margin.verdict == "pass":
        proven = f"{_proven(margin)}, but within the margin: " if margin.within else ""
        return f"{proven}a {what} of {size} is ruled out ({_at_most(margin)})"
    if margin.verdict == "fail":
        rest = f"which is more than {size}" if margin.beyond else f"and one of {size} is not ruled out"
        return f"{_proven(margin)}, {rest}"
    bound = f" ({_at_most(margin)})" if margin.ruled_out is not None else ""
    return "; ".join([f"no {what} is proven, and one of {size} is not ruled out{bound}", *_needs(margin)])


def figures(margin: MarginVerdict) -> str:
    """Write both sides, the difference with its interval, and over how many units."""
    if not margin.n:
        return ""
    digits = decimals(margin.b or margin.a or 0.0, margin.interval) + 1
    sides = " → ".join(UNKNOWN if value is None else figure(value, digits) for value in (margin.a, margin.b))
    parts = [
        f"{sides}   {moved(margin.difference, margin.interval, margin.b or margin.a or 0.0)}",
        f"n={count(margin.n)}{' clusters' if margin.clustered else ''}",
        f"b won {count(margin.gains)}, lost {count(margin.losses)}, tied {count(margin.ties)}",
        margin.method,
    ]
    return " · ".join(filter(None, parts))


def failures(margin: MarginVerdict) -> str | None:
    """Say how failures are counted; None where there are none."""
    parts = []
    if margin.wrong_a or margin.wrong_b:
        parts.append(f"{count(margin.wrong_a)} in a and {count(margin.wrong_b)} in b unreadable: counted as wrong")
    if margin.left_out:
        parts.append(f"{counted(margin.left_out, 'pair')} without a score on both sides: left out")
    if margin.failures_wrong is not None:
        parts.append(f"with those as wrong answers too: {WORDS[margin.failures_wrong]}")
    return "; ".join(parts) or None


def conclusion(margins: Sequence[MarginVerdict]) -> str:
    """Return the verdict on all margins, and what the command exits with."""
    verdict = overall(tuple(margins))
    if verdict is None:
        return ""
    of = [one.metric for one in margins if one.verdict == verdict]
    said = {
        "pass": "b is not worse by its margin in",
        "fail": "b is worse in",
        "undecided": "whether b is worse is open in",
    }[verdict]
    return f"{WORDS[verdict]}: {said} {', '.join(of)} (exit {EXITS[verdict]})"


def same(sameness: Sameness) -> str:
    """Write how many answers are the same, and why the others are not."""
    shared = ""
    if sameness.shared:
        verb = "shares one stored answer and is" if sameness.shared == 1 else "share one stored answer each and are"
        shared = f"{counted(sameness.shared, 'pair')} {verb} not counted"
    if not sameness.pairs:
        return shared
    said = f"{count(sameness.same)} of {count(sameness.pairs)} are the same"
    if sameness.same < sameness.pairs:
        said += f"; {_differ(sameness)}"
    return f"{said}; {shared}" if shared else said


def _differ(sameness: Sameness) -> str:
    number = sameness.pairs - sameness.same
    verb = "1 differs" if number == 1 else f"{count(number)} differ"
    parts = list(_partings(sameness))
    if len(parts) == 1:
        all_of = {1: "", 2: "both "}.get(number, "all ")
        said = f"{verb}, {all_of}{parts[0][1]}"
    else:
        said = f"{verb}: {', '.join(f'{count(times)} {how}' for times, how in parts)}"
    return f"{said} (sample {', '.join(sameness.examples)})" if sameness.beyond and sameness.examples else said


def _partings(sameness: Sameness) -> Iterator[tuple[int, str]]:
    if sameness.tied:
        yield sameness.tied, f"from a near tie (within {sameness.tolerance:g} nats)"
    if sameness.beyond:
        yield sameness.beyond, f"by more than a near tie (within {sameness.tolerance:g} nats)"
    if silent := sameness.unknown - sameness.logged:
        yield silent, "by an unknown gap: no log-probabilities are stored"
    if sameness.logged:
        yield sameness.logged, "by a gap that the stored log-probabilities do not show"


def _worsening(margin: MarginVerdict) -> str:
    return "drop" if margin.higher_is_better else "rise"


def _proven(margin: MarginVerdict) -> str:
    """Say how large a worsening is proven at least, by the interval's nearer bound."""
    at_least = ""
    if margin.interval is not None:
        least = -margin.interval.high if margin.higher_is_better else margin.interval.low
        at_least = f" of at least {least:.2g}" if math.isfinite(least) and least > 0 else ""
    return f"a {_worsening(margin)}{at_least} is proven"


def _at_most(margin: MarginVerdict) -> str:
    return "" if margin.ruled_out is None else f"any above {margin.ruled_out:.2g} is"


def _needs(margin: MarginVerdict) -> Iterator[str]:
    if margin.needs is None:
        return
    unit = "clusters" if margin.clustered else "samples"
    if margin.needs <= margin.n:
        yield "the truth probably lies between 0 and the margin; near its half, four times as many decide"
        return
    text = f"two new runs need {count(margin.needs)} {unit} for either verdict; these have {count(margin.n)}"
    yield text if margin.decidable is None else f"{text}, which decide a margin of {_up(margin.decidable)}"


def _up(margin: float) -> str:
    """Return two digits, rounded up: what is printed can be decided."""
    places = 1 - math.floor(math.log10(margin))
    return f"{math.ceil(margin * 10.0**places - 1e-9) / 10.0**places:.2g}"
