"""What a command would ask, and what that could cost at most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from rich.console import Group
from rich.text import Text

from llmkit.reports.numbers import count, dollars
from llmkit.reports.origins import options, parameters
from llmkit.reports.text import one_line
from llmkit.text import labelled


class Outlay(Protocol):
    """Calls that would be made, and what they could cost."""

    @property
    def model(self) -> str: ...  # noqa: D102
    @property
    def calls(self) -> int: ...  # noqa: D102
    @property
    def worst_case_usd(self) -> float | None: ...  # noqa: D102
    @property
    def unknown(self) -> str | None: ...  # noqa: D102


class JudgeForecast(Outlay, Protocol):
    """A judge of a run that would be, see ``runs.judge_forecast``."""

    @property
    def name(self) -> str: ...  # noqa: D102


class Forecast(Outlay, Protocol):
    """A run that would be, see ``runs.forecast``."""

    @property
    def suite(self) -> str: ...  # noqa: D102
    @property
    def alias(self) -> str | None: ...  # noqa: D102
    @property
    def origins(self) -> Mapping[str, str]: ...  # noqa: D102
    @property
    def params(self) -> Mapping[str, Any]: ...  # noqa: D102
    @property
    def samples(self) -> int: ...  # noqa: D102
    @property
    def failed(self) -> int: ...  # noqa: D102
    @property
    def cached(self) -> int: ...  # noqa: D102
    @property
    def metrics(self) -> Mapping[str, str]: ...  # noqa: D102
    @property
    def judges(self) -> Sequence[JudgeForecast]: ...  # noqa: D102


def forecast_table(plans: Sequence[Forecast]) -> Group:
    """Return a block a run, and the sum."""
    lines: list[Text] = []
    for plan in plans:
        lines += _block(plan)
    outlays: list[Outlay] = [each for plan in plans for each in (plan, *plan.judges)]
    costs = [each.worst_case_usd for each in outlays]
    known = [cost for cost in costs if cost is not None]
    total = dollars(sum(known)) if len(known) == len(costs) else "unknown"
    calls = sum(each.calls for each in outlays)
    lines.append(Text(f"{count(calls)} calls in all, at most {total}. Nothing was asked."))
    return Group(*lines)


def _block(plan: Forecast) -> list[Text]:
    cost = dollars(plan.worst_case_usd) if plan.worst_case_usd is not None else f"unknown: {plan.unknown}"
    counts = f"{count(plan.samples)} samples: {count(plan.calls)} calls, {count(plan.cached)} in the cache"
    counts += f", {count(plan.failed)} that cannot be asked" if plan.failed else ""
    lines = [Text(f"{one_line(plan.suite)} on {one_line(labelled(plan.model, plan.alias))}", style="bold")]
    lines.append(Text(f"  {counts}"))
    lines.append(Text(f"  costs at most {cost}"))
    for judge in plan.judges:
        cost = dollars(judge.worst_case_usd) if judge.worst_case_usd is not None else f"unknown: {judge.unknown}"
        asked = f"judge {one_line(judge.name)} ({one_line(judge.model)}): at most {count(judge.calls)} calls"
        lines.append(Text(f"  {asked}, at most {cost}"))
    lines.append(Text(f"  model from {one_line(plan.origins['model'])}"))
    for name, value, origin in parameters(plan.params, plan.origins):
        lines.append(Text(f"  {one_line(name)} = {one_line(str(value))} from {one_line(origin)}"))
    for name, origin in options(plan.params, plan.origins):
        lines.append(Text(f"  {one_line(name)} from {one_line(origin)}"))
    lines.append(Text(f"  metrics: {', '.join(map(one_line, plan.metrics))}"))
    return [*lines, Text()]
