"""What a gate found, in words and figures: the same at a terminal, in Markdown and in JUnit's XML.

Names and messages of others come out as they are; whoever writes them makes them safe for where they go.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from llmkit.reports import judged_verdict
from llmkit.reports.numbers import UNKNOWN, count, decimals, dollars, duration, figure
from llmkit.types import Interval
from llmkit.verdicts import Change, GateReport, MetricVerdict, Needs, Planned, Spent, SuiteVerdict, Verdict

WORDS: dict[Verdict, str] = {"pass": "PASS", "fail": "FAIL", "undecided": "NOT ENOUGH EVIDENCE"}
STYLES: dict[Verdict, str] = {"pass": "green", "fail": "red", "undecided": "yellow"}
UNCOMPARED = "NOT COMPARED"
NOTHING = "–"
RERUNS = 3
"""Runs of one gate for which the chance of a false verdict is said: what people do with a red build."""
UNDECIDED, BROKE = 3, 4
MOST_MISSING = 20
"""Missing answers that are listed; the rest is counted, and ``--json`` has them all."""


def word(metric: MetricVerdict) -> str:
    """Return one metric's verdict; what is proven within the margin says so."""
    if metric.verdict == "pass":
        return "pass (warning)" if metric.within else "pass"
    return "FAIL" if metric.verdict == "fail" else "undecided"


def worsening(metric: MetricVerdict) -> str:
    """Return what getting worse is called."""
    return "drop" if metric.higher_is_better else "rise"


def label(metric: MetricVerdict) -> str:
    """Return a metric's name, with the slice that it is of."""
    return metric.metric if metric.slice is None else f"{metric.metric} · {metric.slice[0]} {metric.slice[1]}"


def amount(metric: MetricVerdict, value: float) -> str:
    """Write a margin or a worsening in the metric's unit, to three digits: ``0.02``, ``20 %``, ``10 % of cost``."""
    of = " of cost" if _of_retries(metric) else ""
    return f"{100 * value:.3g} %{of}" if metric.relative else f"{value:.3g}"


def difference(metric: MetricVerdict) -> str:
    """Write head − base with its interval: ``-0.21 [-0.30, -0.11]``; ``unknown`` where it is."""
    if metric.difference is None:
        return UNKNOWN
    if metric.interval is None:
        return f"{_signed(metric, metric.difference, _digits(metric))} [no interval]"
    bounds = (_signed(metric, bound, _digits(metric)) for bound in (metric.interval.low, metric.interval.high))
    return f"{_signed(metric, metric.difference, _digits(metric))} [{', '.join(bounds)}]"


def side(metric: MetricVerdict, value: float | None) -> str:
    """Write one side's value: dollars a sample for a cost, a time for a latency, else a figure."""
    if value is None:
        return UNKNOWN
    if metric.metric == "cost" or _of_retries(metric):  # three digits, however little one sample costs
        return f"${value:.{max(2, 2 - math.floor(math.log10(value)))}f}" if value > 0 else dollars(value)
    if metric.metric.startswith("latency_"):
        return duration(value)
    said = figure(value, decimals(value, metric.interval))
    return said if metric.judged is None else f"{said} raw"


def _of_retries(metric: MetricVerdict) -> bool:
    """Whether a metric is what retries cost, by whatever name: dollars, held to a share of what base costs."""
    return metric.relative and metric.signature.startswith("metric:retry_cost|")


def tallies(metric: MetricVerdict) -> str:
    """Write samples won, lost and tied by head; of a figure without such, nothing."""
    if not (metric.gains or metric.losses or metric.ties):
        return NOTHING
    return f"{count(metric.gains)}/{count(metric.losses)}/{count(metric.ties)}"


def look(metric: MetricVerdict, suite: SuiteVerdict) -> str:
    """Write at which look a metric was decided."""
    return f"{metric.look}/{suite.looks}" if metric.look else NOTHING


def reasons(metric: MetricVerdict, suite: SuiteVerdict) -> list[str]:
    """Say why a metric's verdict is what it is, where the figures alone do not; without its name."""
    said = []
    if metric.verdict == "fail":
        said.append(f"{_proven(metric)}; the margin is {amount(metric, metric.margin)}")
    elif metric.verdict == "undecided":
        said += list(_undecided(metric, suite.planned))
    elif metric.within:
        said.append(f"{_proven(metric)}, but within the margin: one of {amount(metric, metric.margin)} is ruled out")
    if metric.adjusted is not None and metric.difference is not None:
        raw, fair = (_signed(metric, value, _digits(metric)) for value in (metric.difference, metric.adjusted))
        if raw != fair:
            said.append(
                f"stopped early, which favours large differences: {raw} as observed, {fair} adjusted (median-unbiased)"
            )
    return said + judged_verdict.lines(metric)


def changed(change: Change) -> str:
    """Say what differs: ``prompt changed: prompts/sum.prompty:3-5: 2 lines``."""
    where = "" if change.path is None else change.path + lines_of(change)
    if change.old_path is not None and change.old_path != change.path:
        where = f"{change.old_path} → {where}"
    again = "both sides are judged anew" if change.part == "judge" else "applied to both sides, no call needed"
    scored = "" if change.asks else again
    return ": ".join(part for part in (f"{change.part} {change.how}", where, change.detail, scored) if part)


def lines_of(change: Change) -> str:
    """Write the changed lines: ``:3-5,9``."""
    return f":{','.join(str(a) if a == b else f'{a}-{b}' for a, b in change.lines)}" if change.lines else ""


def spent(name: str, one: Spent) -> str:
    """Say what one side's answers came to."""
    cost = "cost unknown" if one.cost_usd is None else f"{dollars(one.cost_usd)} paid"
    calls = "no new answer" if one.failed and not one.calls else _several(one.calls, "call", "calls")  # refused, say
    parts = [f"{name}: {one.model}" if one.model else name, calls, cost]
    parts += [_several(one.from_cache, "stored answer", "stored answers")] if one.from_cache else []
    parts += [f"{count(one.failed)} failed"] if one.failed else []
    parts += [f"run {one.run_id}"] if one.run_id else []
    return " · ".join(parts)


def basis(suite: SuiteVerdict) -> list[str]:
    """Say what a suite's verdict rests on: the plan, how far it went, which pairs count, what each side cost."""
    planned, said = suite.planned, []
    if planned is not None and suite.looks:
        said += plan(planned)
        early = 0 < suite.look < suite.looks and not suite.stopped_by
        at = f"look {suite.look} of {suite.looks}" if suite.look else "no look was reached"
        text = f"{count(suite.n)} of {count(planned.n_max)} {planned.unit} seen, {at}"
        said.append(f"{text}: {_saved(suite)}" if early else text)
    if suite.dropped:
        said.append(f"{_several(suite.dropped, 'pair', 'pairs')} without a score on both sides")
    said += [suite.rule] if suite.rule else []
    if suite.same:
        shared = _several(suite.same, "pair shares a request", "pairs share a request")
        said.append(f"{shared} on both sides, and so an answer")
    for name, one in (("base", suite.base), ("head", suite.head)):
        if one.calls or one.from_cache or one.run_id:
            said.append(spent(name, one))
    said += map(judged_verdict.spent, suite.judges)
    return said + [f"note: {note}" for note in suite.notes]


def forecast(suite: SuiteVerdict) -> list[str]:
    """Say what a gate would ask for a suite, and what that costs at most."""
    said = reason(suite)
    if suite.planned is not None:
        said += [*plan(suite.planned), worst_case(suite.planned)]
    return said + [f"note: {note}" for note in suite.notes]


def measured(suite: SuiteVerdict) -> list[tuple[str, str]]:
    """Return each metric with its signature and the tests that decided it."""
    found = {(m.metric, m.signature, m.method): None for m in suite.metrics if m.signature or m.method}
    return [
        (name, "  ".join(filter(None, (signature, f"({method})" if method else ""))))
        for name, signature, method in found
    ]


def flipped(suite: SuiteVerdict) -> str:
    """Return the heading of the flipped samples that are shown."""
    text = f"{_several(suite.flipped, 'sample', 'samples')} flipped"
    return f"{text}; the worst {count(len(suite.flips))}:" if suite.flipped > len(suite.flips) else f"{text}:"


def plan(planned: Planned) -> list[str]:
    """Say how many samples a gate may ask, and why so many."""
    unit, epochs = planned.unit, f" × {planned.epochs} epochs" if planned.epochs > 1 else ""
    text = f"planned: at most {count(planned.n_max)} {unit}{epochs}, of {count(planned.available)} in the data"
    said = [f"{text}; spread: {planned.spread}"]
    if planned.wanted > planned.n_max:
        text = f"at that spread, {count(planned.wanted)} {unit} would decide every margin"
        if planned.resolvable:
            least = ", ".join(f"{name} {value:.3g}" for name, value in planned.resolvable.items())
            text += f"; with {count(planned.n_max)}, the smallest that can be decided: {least}"
        said.append(text)
    return said


def worst_case(planned: Planned) -> str:
    """Say what a gate would ask, and what that costs at most."""
    there = f" ({count(planned.from_cache)} answers are there already)" if planned.from_cache else ""
    calls = f"at most {_several(planned.calls, 'call', 'calls')} on both sides{there}"
    if judging := judged_verdict.planned(planned):
        calls += f", and {judging}"
    if planned.worst_case_usd is not None:
        return f"{calls}, for at most {dollars(planned.worst_case_usd)}"
    return f"{calls}; what they cost is unknown{f': {planned.unknown}' if planned.unknown else ''}"


def missing(suite: SuiteVerdict) -> tuple[str, list[str]]:
    """Return what to say of answers that ``--offline`` lacks, and the first of them."""
    more = len(suite.missing) - MOST_MISSING
    listed = list(suite.missing[:MOST_MISSING]) + ([f"and {count(more)} more"] if more > 0 else [])
    answers = _several(len(suite.missing), "answer is", "answers are")
    return f"{answers} missing, and --offline makes no calls (side, sample, epoch):", listed


def advice(report: GateReport, suite: SuiteVerdict) -> str | None:
    """Say what to do about a suite that wants samples; running it again until it passes is no evidence."""
    if suite.verdict != "undecided":
        return None
    if suite.stopped_by and suite.exit_code == UNDECIDED:
        return "The same command with a higher --max-cost goes on: it takes the answers so far from the cache."
    if not any(m.needs for m in suite.metrics if m.verdict == "undecided"):
        return None
    chance = 100 * (1 - (1 - report.alpha) ** RERUNS)
    return (
        "Running this gate again until it passes is not evidence: every run spends its error rate anew"
        f" ({100 * report.alpha:g} % for one, up to {chance:.0f} % for {RERUNS}). A new run, with rows"
        " or epochs added where the data has too few: llmkit gate --fresh."
    )


def next_command(suite: SuiteVerdict) -> str | None:
    """Return the command that compares both sides in full."""
    if suite.base.run_id is None or suite.head.run_id is None or not suite.n:
        return None
    return f"llmkit compare {suite.base.run_id} {suite.head.run_id}"


def warned(suite: SuiteVerdict) -> bool:
    """Return whether a pass is not the whole story."""
    return suite.verdict == "pass" and (suite.warning is not None or any(m.within for m in suite.metrics))


def warning(suite: SuiteVerdict) -> list[str]:
    """Return a suite's warning, for the line below its verdict."""
    return [] if suite.warning is None else [f"warning: {suite.warning}"]


def reason(suite: SuiteVerdict) -> list[str]:
    """Say why there is no comparison, where none of the changes that stand above it has said so."""
    said = suite.reason is None or any(change.detail == suite.reason for change in suite.changes)
    return [] if said or suite.reason is None else [suite.reason]


def outcome(suite: SuiteVerdict) -> str:
    """Return a suite's verdict, and what it means to the caller where that is not plain."""
    text = UNCOMPARED if suite.new else WORDS[suite.verdict]
    if warned(suite):
        text += " (with a warning)"
    if suite.exit_code == BROKE:
        text += ", something broke"
    return text


def headline(report: GateReport) -> str:
    """Return the verdict of all suites in a word; where all are new, nothing was compared."""
    bare = bool(report.suites) and all(suite.new for suite in report.suites)
    return UNCOMPARED if bare else WORDS[report.verdict]


def conclusion(report: GateReport) -> str:
    """Return the last line: the verdict of all suites, and the exit code."""
    if report.listed:
        return _listed(report)
    if not report.suites:
        names = f" ({', '.join(report.untouched)})" if report.untouched else ""
        reach = "nothing that differs reaches a gated suite" if report.untouched else "no suite is gated"
        return f"PASS: {reach}{names}; no call was made (exit {report.exit_code})"
    total, compared = len(report.suites), [suite for suite in report.suites if not suite.new]
    numbers = {
        "failed": sum(suite.verdict == "fail" for suite in compared),
        "undecided": sum(suite.verdict == "undecided" for suite in compared),
        "not compared": total - len(compared),
        "passed": sum(suite.verdict == "pass" for suite in compared),
    }
    said = (
        f"{times if total == 1 else f'{times} of {total}'} {'suite' if total == 1 else 'suites'} {what}"
        for what, times in numbers.items()
        if times
    )
    text = f"{headline(report)}: {', '.join(said)}"
    if report.on_inconclusive is not None and numbers["undecided"]:
        text += f"; undecided counts as {report.on_inconclusive} (--on-inconclusive)"
    if report.on_inconclusive is not None and any(suite.distrusted for suite in compared):
        text += ", but not where a judge may not decide"
    return f"{text} (exit {report.exit_code})"


def footing(report: GateReport) -> str:
    """Return what the verdicts rest on."""
    return f"seed {report.seed} · error rate {100 * report.alpha:g} % for either verdict · {duration(report.wall_s)}"


def confidences(suite: SuiteVerdict) -> str:
    """Return the intervals' level, for a heading: ``95 % interval``."""
    levels = {m.interval.confidence for m in suite.metrics if m.interval}
    return f"{', '.join(f'{100 * level:.4g} %' for level in sorted(levels))} interval" if levels else "interval"


def _listed(report: GateReport) -> str:
    plans = [suite.planned for suite in report.suites if suite.planned is not None]
    if not plans:
        return "nothing would be asked: no suite to plan"
    known = [one.worst_case_usd for one in plans if one.worst_case_usd is not None]
    total = f"for at most {dollars(sum(known))}" if len(known) == len(plans) else "at a cost that is unknown"
    return f"at most {count(sum(one.calls for one in plans))} calls in all, {total}. Nothing was asked."


def _saved(suite: SuiteVerdict) -> str:
    cost = "what they would have cost is unknown" if suite.saved_usd is None else dollars(suite.saved_usd)
    return f"stopping early saved {_several(suite.saved_calls, 'call', 'calls')} ({cost})"


def _proven(metric: MetricVerdict) -> str:
    """Say how large a worsening is proven at least, by the interval's nearer bound."""
    at_least = ""
    if metric.interval is not None:
        least = -metric.interval.high if metric.higher_is_better else metric.interval.low
        at_least = f" of at least {amount(metric, least)}" if math.isfinite(least) and least > 0 else ""
    return f"a {worsening(metric)} is proven{',' if at_least else ''}{at_least}"


def _undecided(metric: MetricVerdict, planned: Planned | None) -> Iterator[str]:
    what = worsening(metric)
    if metric.reason:
        yield metric.reason
    if metric.ruled_out is not None and math.isfinite(metric.ruled_out):
        yield f"a {what} above {amount(metric, metric.ruled_out)} is ruled out; {_margin(metric)}"
    elif metric.n:
        yield f"no {what} is ruled out; {_margin(metric)}"
    needs = metric.needs
    if needs is None:
        return
    if needs.samples is None:
        parts = ["no number of samples would decide this margin"]
    elif needs.samples <= metric.n:
        parts = [f"the {what} is probably between 0 and the margin; near its half, four times as many samples decide"]
    else:
        parts = [_wanted(metric, needs, "samples" if planned is None else planned.unit)]
    if needs.epochs is not None:
        parts.append(f"or {needs.epochs} epochs of what there is")
    if needs.margin is not None:
        parts.append(f"the smallest margin that so many can decide is {amount(metric, needs.margin)}")
    yield "; ".join(parts)


def _wanted(metric: MetricVerdict, needs: Needs, unit: str) -> str:
    """Say how many samples a new run needs, and how many there are: of a slice, its own."""
    of = "" if metric.slice is None else f" of {metric.slice[0]}={metric.slice[1]}"
    text = f"a new run needs {count(needs.samples)} {unit}{of}; this one had {count(metric.n)}"
    if needs.available is not None:
        text += f", the data has {count(needs.available)}"
        if needs.of_all is not None and needs.samples is not None and needs.samples > needs.available:
            text += f" (so many would be in {count(needs.of_all)} {unit} like these)"
    return text


def _margin(metric: MetricVerdict) -> str:
    return f"the margin is {amount(metric, metric.margin)}"


def _several(number: int, one: str, many: str) -> str:
    return f"{count(number)} {one if number == 1 else many}"


def _digits(metric: MetricVerdict) -> int:
    """Return the decimals of a difference, by its interval; of a relative one, of its percentage."""
    interval, value = metric.interval, metric.difference or 0.0
    if not metric.relative:
        return decimals(value, interval)
    if interval is None or not (math.isfinite(interval.low) and math.isfinite(interval.high)):
        return 1
    return min(2, decimals(100.0, Interval(100 * interval.low, 100 * interval.high, interval.method)))


def _signed(metric: MetricVerdict, value: float, digits: int) -> str:
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    text = figure(100 * value if metric.relative else value, digits)
    sign = "+" if not text.startswith("-") and float(text.replace(",", "")) else ""
    return f"{sign}{text} %" if metric.relative else f"{sign}{text}"
