"""Takes the time of a suite on an engine of vLLM that runs already. Not a benchmark of its own."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmkit.providers.base import ModelRef
from llmkit.providers.registry import create
from llmkit.runs.begin import started
from llmkit.runs.evaluate import Ending, Hooks, evaluate_async
from llmkit.runs.options import Options
from llmkit.runs.plan import Plan
from llmkit.runs.store import Store
from llmkit.types import RunResult


@dataclass(frozen=True)
class Timed:
    """A run.

    Attributes:
        wall_s: From the plan to the end: rendered, asked, scored, stored and counted.
        result: Of the run.
        texts: The answers, in the data's order.
    """

    wall_s: float
    result: RunResult
    texts: Sequence[str]


class _Clock(Hooks):
    began = ended_at = 0.0

    def planned(self, plans: Sequence[tuple[str, Plan]], resumed: Mapping[str, float]) -> None:
        self.began = time.perf_counter()

    def ended(self, ending: Ending) -> None:
        self.ended_at = time.perf_counter()


@contextlib.asynccontextmanager
async def engine(model: str, options: Mapping[str, Any]) -> AsyncIterator[None]:
    """Keep an engine, which all that asks for the same model with the same options takes."""
    async with started(create(ModelRef(model, options=options))):
        yield


async def timed(suite: str, model: str, options: Mapping[str, Any], store: Path) -> Timed:
    """Run a suite, with no cache.

    Raises:
        RuntimeError: A sample has no answer.
        LlmkitError: What stopped the run.
    """
    clock = _Clock()
    how = Options(params=options, cache=False, fresh=True, store=store)
    (ending,) = await evaluate_async(suite, model, options=how, hooks=clock)
    if ending.error is not None:
        raise ending.error
    result = ending.result
    if result.completed != result.total:
        raise RuntimeError(f"{result.failed} of {result.total} samples failed: {dict(result.faults)}")
    with Store(store) as opened:
        texts = [sample.answer.completion.text for sample in opened.samples(result.run_id) if sample.answer]
    return Timed(clock.ended_at - clock.began, result, texts)
