"""What a command would ask, and what that could cost at most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from rich.console import Group
from rich.text import Text

from llmkit.reports.numbers import count, dollars
from llmkit.reports.origins import parameters
from llmkit.reports.text import one_line


class Forecast(Protocol):
    """A run that would be, see ``runs.forecast``."""

    @property
    def suite(self) -> str: ...  # noqa: D102
    @property
    def model(self) -> str: ...  # noqa: D102
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
    def calls(self) -> int: ...  # noqa: D102
    @property
    def worst_case_usd(self) -> float | None: ...  # noqa: D102
    @property
    def unknown(self) -> str | None: ...  # noqa: D102
    @property
    def metrics(self) -> Mapping[str, str]: ...  # noqa: D102


def forecast_table(plans: Sequence[Forecast]) -> Group:
    """Return a block a run, and the sum."""
    lines: list[Text] = []
    for plan in plans:
        lines += _block(plan)
    known = [p.worst_case_usd for p in plans if p.worst_case_usd is not None]
    total = dollars(sum(known)) if len(known) == len(plans) else "unknown"
    calls = sum(p.calls for p in plans)
    lines.append(Text(f"{count(calls)} calls in all, at most {total}. Nothing was asked."))
    return Group(*lines)


def _block(plan: Forecast) -> list[Text]:
    cost = dollars(plan.worst_case_usd) if plan.worst_case_usd is not None else f"unknown: {plan.unknown}"
    counts = f"{count(plan.samples)} samples: {count(plan.calls)} calls, {count(plan.cached)} in the cache"
    counts += f", {count(plan.failed)} that cannot be asked" if plan.failed else ""
    lines = [Text(f"{one_line(plan.suite)} on {one_line(plan.model)}", style="bold")]
    lines.append(Text(f"  {counts}"))
    lines.append(Text(f"  costs at most {cost}"))
    lines.append(Text(f"  model from {one_line(plan.origins['model'])}"))
    for name, value, origin in parameters(plan.params, plan.origins):
        lines.append(Text(f"  {one_line(name)} = {one_line(str(value))} from {one_line(origin)}"))
    lines.append(Text(f"  metrics: {', '.join(map(one_line, plan.metrics))}"))
    return [*lines, Text()]
