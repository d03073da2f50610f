"""A plan at a terminal: what can be seen, what a gate needs, what it costs, and the noise floor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console, Group
from rich.text import Text

from llmkit.plans import MarginPlan, MetricPlan, Noise, NoiseFloor, Outlay, Reach, Spread, SuitePlan
from llmkit.reports.columns import Columns
from llmkit.reports.lines import Line
from llmkit.reports.numbers import UNKNOWN, count, decimals, dollars, duration, figure
from llmkit.reports.text import one_line

_NONE = "–"
Part = Line | Text | Columns


def plans_table(plans: Sequence[SuitePlan]) -> Group:
    """Return the whole report of some plans."""
    parts: list[Part] = []
    for plan in plans:
        parts += [*_plan(plan), Text()]
    return Group(*parts[:-1])


def print_plans(plans: Sequence[SuitePlan], console: Console) -> None:
    """Print the report. Into a pipe or a file, long lines stay whole."""
    console.print(plans_table(plans), soft_wrap=not console.is_terminal)


def _plan(plan: SuitePlan) -> Iterator[Part]:
    asked = "asked once" if plan.epochs == 1 else f"asked {plan.epochs} times"
    size = f"{count(plan.n)} samples" if plan.n == plan.rows else f"{count(plan.n)} samples (of {count(plan.rows)})"
    title = Text(f"{one_line(plan.suite)} on {one_line(plan.model)}", style="bold")
    title.append(f"  {size}, each {asked}", style="not bold dim")
    yield Line(title)
    if plan.noise is not None:
        yield from _noise_floor(plan.noise)
        yield Text()
    yield from _metrics(plan)
    if plan.margins:
        yield Text()
        yield from _margins(plan)
    yield Text()
    yield from _outlays(plan)
    yield Text()
    yield from _assumed(plan)
    yield Line(Text("Next: ", style="bold").append(one_line(plan.next), style="not bold"), indent=2, hang=8)


def _metrics(plan: SuitePlan) -> Iterator[Part]:
    columns = ["what can be seen", "epochs", f"by compare, {_percent(plan.power)} power", "by a gate, both verdicts"]
    if plan.effect is not None:
        columns.append(f"samples for {plan.effect:g}")
    rows = []
    for metric in plan.metrics:
        for number, reach in enumerate(metric.reach):
            rows.append([one_line(metric.name) if number == 0 else "", *_reach(reach, metric, plan)])
    yield Columns(columns, rows)


def _reach(reach: Reach, metric: MetricPlan, plan: SuitePlan) -> list[str]:
    cells = [count(reach.epochs), _differs(reach.difference, metric), _margin_of(reach.margin)]
    if plan.effect is not None:
        cells.append(
            count(reach.needed) + (f" ({_figure(plan.effect * metric.span, metric.span)})" if metric.span != 1 else "")
        )
    return cells


def _differs(difference: float | None, metric: MetricPlan) -> str:
    return "no difference" if difference is None else f"±{_figure(difference, metric.span)}"


def _margin_of(margin: float | None) -> str:
    return "no margin" if margin is None else f"margin {margin:.3g}"


def _margins(plan: SuitePlan) -> Iterator[Part]:
    columns = [
        "gate",
        "margin",
        "samples to fail",
        "to pass",
        "at most",
        "there are",
        "passes unchanged",
        "fails at twice",
    ]
    rows = []
    for m in plan.margins:
        needs = [count(n) if n is not None else UNKNOWN for n in (m.n_fail, m.n_pass)]
        power = [_NONE if p is None else _percent(p) for p in (m.pass_at_no_change, m.fail_at_twice)]
        rows.append([_named(m), _margin(m, m.margin), *needs, count(m.n_max), count(m.available), *power])
    yield Columns(columns, rows)
    for m in plan.margins:
        if m.note:
            yield Line(Text(f"{_named(m)}: {one_line(m.note)}"), indent=2)
        if m.resolvable is not None:
            said = f"{_named(m)}: {count(m.available)} samples are too few for {_margin(m, m.margin)};"
            said += f" the smallest margin that they decide is {_margin(m, m.resolvable)}"
            yield Line(Text(said, style="yellow"), indent=2)
        elif m.n_fail is not None and m.available < m.n_max:
            said = f"{_named(m)}: {count(m.available)} samples decide no margin at all"
            yield Line(Text(said, style="yellow"), indent=2)


def _named(m: MarginPlan) -> str:
    return one_line(m.metric if m.slice is None else f"{m.metric}, {m.slice}={m.part}")


def _margin(m: MarginPlan, value: float) -> str:
    return f"{100 * value:.3g} %" if m.relative else f"{value:.3g}"


def _outlays(plan: SuitePlan) -> Iterator[Part]:
    yield Columns(["cost", "calls", "at most", "expected", "time"], [_outlay(each) for each in plan.outlays])
    if plan.unknown:
        yield Line(Text(f"the worst case is unknown: {one_line(plan.unknown)}", style="yellow"), indent=2)
    if plan.basis:
        yield Line(Text(f"expected from {one_line(plan.basis)}", style="dim"), indent=2)
    else:
        said = "expected cost and time are unknown: a run of a few samples (llmkit eval --limit 20) makes them known"
        yield Line(Text(said, style="dim"), indent=2)


def _outlay(outlay: Outlay) -> list[str]:
    time = UNKNOWN if outlay.expected_s is None else duration(outlay.expected_s)
    return [outlay.what, count(outlay.calls), dollars(outlay.worst_usd), dollars(outlay.expected_usd), time]


def _assumed(plan: SuitePlan) -> Iterator[Part]:
    yield Text("  Assumed", style="cyan")
    for metric in plan.metrics:
        yield Line(Text(f"{one_line(metric.name)}: {_spread(metric.spread)}"), indent=2)
    for note in plan.notes:
        yield Line(Text(one_line(note)), indent=2)


def _spread(spread: Spread) -> str:
    """Say what is assumed, and where from."""
    if spread.kind == "binary":
        what = f"{_percent(spread.psi_or_variance)} of the samples score differently"
        what += "" if spread.seen == spread.psi_or_variance else f" ({_percent(spread.seen)} seen)"
    else:
        what = f"differences vary with SD {figure(spread.psi_or_variance**0.5, 3)}"
        what += "" if spread.seen == spread.psi_or_variance else f" ({figure(spread.seen**0.5, 3)} seen)"
    said = f"{what}: {one_line(spread.source)}"
    if spread.deff > 1:
        said += f"; clusters multiply the variance by {spread.deff:.2g}"
    return f"{said} ({', '.join(map(one_line, spread.notes))})" if spread.notes else said


def _noise_floor(floor: NoiseFloor) -> Iterator[Part]:
    head = Text("  Noise floor", style="cyan")
    said = f": the same prompt asked twice, {count(floor.pairs)} pairs of answers"
    if floor.pairs:
        said += f", {_percent(floor.same_text / floor.pairs)} of them word for word the same"
    yield Line(head.append(said, style="not cyan"))
    rows = [_noise(noise) for noise in floor.metrics]
    yield Columns(["", "arm 1", "arm 2", "scored differently", "SD", "arm 2 − arm 1", "noise, 95 %"], rows)
    for noise in floor.metrics:
        yield from _meaning(noise, floor)
    yield from _quiet([noise for noise in floor.metrics if noise.n and not noise.flips and noise.signature])
    failed = sum(floor.failed)
    if failed:
        first, second = map(count, floor.failed)
        yield Line(Text(f"without an answer: {first} in arm 1, {second} in arm 2", style="yellow"), indent=2)
    if not floor.complete:
        yield Line(Text("the A/A run is not complete: these are the pairs so far", style="yellow"), indent=2)
    paid = f"A/A run {one_line(floor.aa)}: runs {' and '.join(map(one_line, floor.runs))}, {dollars(floor.cost_usd)}"
    yield Line(Text(paid, style="dim"), indent=2)


def _noise(noise: Noise) -> list[str]:
    if not noise.n:
        return [one_line(noise.metric), "no value", "no value", _NONE, _NONE, _NONE, _NONE]
    differing = f"{count(noise.flips)} of {count(noise.asked)}"
    if noise.psi is not None and noise.psi_interval is not None:
        low, high = (_percent(bound) for bound in (noise.psi_interval.low, noise.psi_interval.high))
        differing += f", {_percent(noise.psi)} [{low}, {high}]"
    values = [_value(value, noise) for value in (noise.a, noise.b)]
    return [one_line(noise.metric), *values, differing, _unit(noise.sd, noise), _differing(noise), _about(noise)]


def _value(value: float | None, noise: Noise) -> str:
    if value is None:
        return _NONE
    return f"{value:.3g}" if noise.relative else figure(value, decimals(value, noise.interval))


def _about(noise: Noise) -> str:
    return f"±{_unit(noise.floor, noise)}"


def _unit(value: float, noise: Noise, digits: int = 3) -> str:
    """Write a difference in the metric's unit, or as a share of arm 1's mean."""
    return f"{100 * value:.3g} %" if noise.relative else figure(value, digits)


def _meaning(noise: Noise, floor: NoiseFloor) -> Iterator[Line]:
    """Say in words what a metric's noise means, and what it does to a gate with a fixed tolerance."""
    name = one_line(noise.metric)
    if not noise.n:
        yield Line(Text(f"{name}: no pair has a value in both arms", style="yellow"), indent=2)
    elif noise.flips:
        said = (
            f"{name}: on {count(noise.floor_n)} samples, identical prompts differ by up to {_unit(noise.floor, noise)}"
        )
        yield Line(Text(f"{said} (95 %)"), indent=2)
    if noise.tolerance is not None and noise.naive_fails is not None and noise.flips:
        once, twice = (f"{_tolerance(k * noise.tolerance, noise)}" for k in (1, 2))
        said = f"{name}: a fixed tolerance of {once} fails identical prompts {_percent(noise.naive_fails)} of the time,"
        said += f" and misses a change for the worse of {twice} as often;"
        said += f" llmkit's gate fails them at most {_percent(floor.alpha)} of the time, all its metrics together"
        yield Line(Text(said), indent=2)


def _quiet(metrics: Sequence[Noise]) -> Iterator[Line]:
    """Say what it means that no score differed."""
    if not metrics:
        return
    names = ", ".join(one_line(noise.metric) for noise in metrics)
    said = (
        f"{names}: no score differed. Asked again, this model scores the same here: repeated runs and more epochs add"
    )
    said += " nothing, and a difference between two prompts is the prompts' own."
    limits = [noise.psi_interval.high for noise in metrics if noise.psi_interval is not None]
    if limits:
        said += f" Up to {_percent(max(limits))} may yet differ (95 %)."
    yield Line(Text(said), indent=2)


def _tolerance(value: float, noise: Noise) -> str:
    return _unit(value, noise) if noise.relative else f"{value:.2g}"


def _differing(noise: Noise) -> str:
    """Write arm 2 − arm 1 with its interval."""
    if noise.difference is None:
        return "no value"
    sign = "+" if noise.difference > 0 else ""
    if noise.relative:
        low, high = (_NONE, _NONE) if (i := noise.interval) is None else (_unit(i.low, noise), _unit(i.high, noise))
        return f"{sign}{_unit(noise.difference, noise)} [{low}, {high}]"
    digits = decimals(noise.difference, noise.interval)
    said = f"{sign}{figure(noise.difference, digits)}"
    if noise.interval is None:
        return f"{said} [no interval]"
    return f"{said} [{figure(noise.interval.low, digits)}, {figure(noise.interval.high, digits)}]"


def _figure(value: float, span: float) -> str:
    return figure(value, 3 if span < 10 else 1)


def _percent(share: float) -> str:
    """Write a share: ``12 %``, ``4.3 %``, ``0.43 %``; never 0 for what is not, nor 100 for what is not all."""
    if 0 < share < 0.0005:
        return "<0.1 %"
    if 0.995 < share < 1:
        return ">99 %"
    return f"{100 * share:.0f} %" if share >= 0.0995 or share == 0 else f"{100 * share:.2g} %"
