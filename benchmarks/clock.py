"""Runs suites on vLLM in process and takes the time of the last one alone. Not a benchmark of its own."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmkit.runs.evaluate import Ending, Hooks, evaluate
from llmkit.runs.options import Options
from llmkit.runs.store import Store
from llmkit.types import RunResult


@dataclass(frozen=True)
class Timed:
    """The last suite's run.

    Attributes:
        start_s: Until then: start of the engine, and the suites before.
        wall_s: Of the run: rendered, asked, scored, stored and counted.
        result: Of the run.
        texts: The answers, in the data's order.
    """

    start_s: float
    wall_s: float
    result: RunResult
    texts: Sequence[str]


def timed(suites: Sequence[str], model: str, params: Mapping[str, Any], store: Path) -> Timed:
    """Run suites on one engine, with no cache.

    Raises:
        RuntimeError: A sample of the last one has no answer.
        LlmkitError: What stopped a run.
    """
    began = time.perf_counter()
    ends: list[float] = []

    class Clock(Hooks):
        def ended(self, ending: Ending) -> None:
            ends.append(time.perf_counter())

    options = Options(params=params, cache=False, fresh=True, store=store)
    result = evaluate(suites, model, options=options, hooks=Clock())[-1]
    if result.completed != result.total:
        raise RuntimeError(f"{result.failed} of {result.total} samples failed: {dict(result.faults)}")
    with Store(store) as opened:
        texts = [sample.answer.completion.text for sample in opened.samples(result.run_id) if sample.answer]
    return Timed(ends[-2] - began, ends[-1] - ends[-2], result, texts)
