"""How a scoring of answers that are there already ends, whatever happens between."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

import pytest

from llmkit.errors import BudgetError, LlmkitError
from llmkit.runs.records import Outcome
from llmkit.runs.result import how_ended
from llmkit.runs.rows import RunRow
from llmkit.runs.scoring import settle_all
from llmkit.runs.settle import Settler
from llmkit.runs.state import State
from llmkit.runs.store import Store
from llmkit.types import Failure, RunResult, RunStatus


@pytest.mark.parametrize(
    ("error", "ended"),
    [
        (BudgetError("over 1 $"), ("budget", "over 1 $")),
        (LlmkitError("no"), ("failed", "no")),
        (ZeroDivisionError(), ("failed", "ZeroDivisionError")),
        (KeyboardInterrupt(), ("interrupted", "interrupted")),
        (asyncio.CancelledError("why"), ("interrupted", "interrupted")),
    ],
)
def test_an_error_says_how_a_run_ended(error: BaseException, ended: tuple[RunStatus, str]) -> None:
    assert how_ended(error) == ended


@pytest.mark.parametrize("error", [BudgetError("over 1 $"), RuntimeError("broke"), KeyboardInterrupt()])
async def test_what_was_settled_before_an_error_is_concluded_and_the_source_is_closed(
    error: BaseException, tmp_path: Path
) -> None:
    told: list[RunResult] = []
    closed = False

    async def batches() -> AsyncGenerator[Sequence[Outcome], None]:
        nonlocal closed
        try:
            yield [Outcome(0, 0, "a", None, failure=Failure("data", "no_answer", "none"))]
            yield []
        finally:
            closed = True

    with Store(tmp_path / "store") as store:
        store.start_run(RunRow("r", "s", "m", "running", "d", {}, {"slices": []}, 0.0, 0, 2, None))
        settler = Settler(store, "r", [], [], state=State(total=2))
        whole, settled = settler.settle, 0

        async def settle(outcomes: Sequence[Outcome]) -> None:
            nonlocal settled
            if settled:
                raise error
            settled += 1
            await whole(outcomes)

        settler.settle = settle  # type: ignore[method-assign]
        with pytest.raises(type(error)):
            await settle_all(store, settler, batches(), told.append)
        assert store.run("r").status == how_ended(error)[0]
    assert closed
    assert [(r.status, r.stopped_by, r.failed) for r in told] == [(*how_ended(error), 1)]
