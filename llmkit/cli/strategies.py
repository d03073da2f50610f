"""``llmkit generate --compare``: strategies on the same rows."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmkit.cli.console import err, out, print_json, say
from llmkit.cli.generating import Setup
from llmkit.cli.session import this_command
from llmkit.comparisons import StrategyComparison
from llmkit.errors import BudgetError, LlmkitError, UsageError
from llmkit.generation.arms import Arm, arms_of
from llmkit.generation.pieces import Piece, pieces
from llmkit.generation.trials import Trial
from llmkit.generations import Attempt
from llmkit.reports.progress import Progress
from llmkit.runs.evaluate import run_async

if TYPE_CHECKING:
    from llmkit.generation.batches import BatchPlan


def run(
    setup: Setup,
    *,
    strategies: Sequence[str],
    rows: str | Path,
    target: str | None,
    limit: int | None,
    dry_run: bool,
    markdown: bool,
) -> int:
    """Ask the same rows by several strategies, and print what each comes to and how they differ.

    Args:
        setup: What is asked of which models.
        strategies: Their names; the control comes by itself.
        rows: The file with the rows.
        target: The rows' field with the right answer, ``FIELD`` or ``FIELD=path.in.value``.
        limit: Only the first rows.
        dry_run: Show what would be asked, and ask nothing.
        markdown: Print Markdown in place of the table.

    Returns:
        0 compared, whatever came of it; 3 the budget ran out, with what was compared until then.

    Raises:
        UsageError: Nothing was asked.
        LlmkitError: The server, or the store, failed; what is paid for is kept.
        KeyboardInterrupt: By the user; what is kept is said already.
    """
    from llmkit.cli.batch import plan_of

    arms = arms_of(strategies, setup.options.policy())
    plan = plan_of(setup, rows=rows, limit=limit)
    if dry_run:
        return _forecast(plan, arms, as_json=setup.as_json)
    asked = list(pieces(plan.rows, 1, limit=limit))
    if not asked:
        raise UsageError("there are no rows to compare on", where=str(rows))
    try:
        comparison = run_async(_compared(setup, arms, asked, target))
    except (LlmkitError, KeyboardInterrupt) as error:
        if not isinstance(error, UsageError):
            say(f"what is paid for is kept; go on with: {this_command()}")
        raise
    _print(comparison, as_json=setup.as_json, markdown=markdown)
    if comparison.stopped_by is not None:
        say(f"what is paid for is kept; with a higher cap, go on with: {this_command()}")
        return BudgetError.exit_code
    return 0


async def _compared(setup: Setup, arms: Sequence[Arm], rows: Sequence[Piece], target: str | None) -> StrategyComparison:
    from llmkit.generation.generator import Generator
    from llmkit.generation.models import Models
    from llmkit.generation.strategies import compare_strategies
    from llmkit.generation.targets import target_of

    readable = [row.row for row in rows if row.bad is None]
    wanted = None if target is None or not readable else target_of(target, readable)
    async with Models(setup.refs, setup.options, setup.settings) as models:
        await models.prepare(setup.validators)
        generator = Generator(setup.prompt, setup.form, models, setup.validators)
        with _Watched(arms, len(rows)) as watched:
            return await compare_strategies(
                generator, arms, rows, values=setup.values, target=wanted, told=watched.told
            )


class _Watched:
    """A progress bar for each strategy, on standard error."""

    def __init__(self, arms: Sequence[Arm], rows: int) -> None:
        self._progress = Progress(err())
        self._rows = rows
        self._done, self._valid, self._failed, self._stored = (
            Counter[str](),
            Counter[str](),
            Counter[str](),
            Counter[str](),
        )
        self._cost: dict[str, float | None] = {arm.name: 0.0 for arm in arms}

    def __enter__(self) -> _Watched:
        self._progress.__enter__()
        return self

    def __exit__(self, *exc: Any) -> None:
        self._progress.__exit__(*exc)

    def told(self, name: str, row: Piece, trial: Trial, attempts: Sequence[Attempt]) -> None:
        """Count a trial."""
        self._done[name] += 1
        self._valid[name] += trial.valid
        self._failed[name] += trial.failure is not None
        self._stored[name] += bool(trial.attempts) and trial.stored == trial.attempts
        before = self._cost[name]
        self._cost[name] = None if before is None or trial.cost_usd is None else before + trial.cost_usd
        judged = self._done[name] - self._failed[name]
        self._progress.update(
            self._done[name], self._rows, ("valid", self._valid[name] / judged) if judged else None, self._cost[name],
            self._failed[name], self._stored[name], run=name,
        )  # fmt: skip


def _print(comparison: StrategyComparison, *, as_json: bool, markdown: bool) -> None:
    if as_json:
        from llmkit.reports.strategies_document import strategies_document

        print_json(strategies_document(comparison))
    elif markdown:
        from llmkit.reports.strategies_markdown import strategies_markdown

        sys.stdout.write(strategies_markdown(comparison))
    else:
        from llmkit.reports.strategies import print_strategies

        print_strategies(comparison, out())


def _forecast(plan: BatchPlan, arms: Sequence[Arm], *, as_json: bool) -> int:
    from llmkit.generation.strategy_forecast import forecast_strategies

    found = run_async(forecast_strategies(plan, arms))
    if as_json:
        from llmkit.reports.strategies_document import forecasts_document

        print_json(forecasts_document(found))
    else:
        from llmkit.reports.strategies import print_forecasts

        print_forecasts(found, out())
    return 0
