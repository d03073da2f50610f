"""A model on loopback that adds, and of chosen questions gets every second asking wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack, ExitStack
from dataclasses import replace
from typing import Any

from llmkit.config import load_settings
from llmkit.plan.same import Twice, ask_twice
from llmkit.providers.budget import Budget
from llmkit.providers.limits import limiter_for
from llmkit.providers.pricing import Prices
from llmkit.runs.begin import started
from llmkit.runs.evaluate import Ending, Hooks
from llmkit.runs.options import Options
from llmkit.runs.pairs import pairs_of
from llmkit.runs.resume import plan_run
from llmkit.runs.store import Store
from llmkit.runs.together import Shared, together
from tests.providers.server import Server, Tokens
from tests.runs.project import MODEL, QUICK, Project, add, answering


class Noisy(AsyncExitStack):
    """Right where ``unsure`` does not hold the question; else right at the first asking, wrong at the second, ….

    ``server`` holds the log of what was asked.
    """

    def __init__(self) -> None:
        super().__init__()
        self.unsure: set[str] = set()
        self.times: Counter[str] = Counter()
        self.server = Server(default=answering(self._answer, Tokens(40, 8)))

    async def __aenter__(self) -> Noisy:
        await super().__aenter__()
        await self.enter_async_context(self.server)
        return self

    def unsure_of(self, count: int) -> None:
        """Be unsure of the first ``count`` sums of the project's rows."""
        self.unsure = {f"{n}+1" for n in range(count)}

    def _answer(self, text: str) -> str:
        self.times[text] += 1
        return "wrong" if text in self.unsure and self.times[text] % 2 == 0 else add(text)


async def twice(
    project: Project, noisy: Noisy, suite: str, *, hooks: Hooks | None = None, model: str = MODEL, **how: Any
) -> Twice:
    """Make an A/A run of one suite on one model."""
    project.at(noisy.server)
    options, settings = Options(**{"retry": QUICK, **how}), load_settings()
    pairs = pairs_of(suite, model, options, settings)
    with Store(project.store) as store:
        (found,) = await ask_twice(pairs, options, settings, store, hooks or Hooks())
    return found


async def side(
    project: Project, suite: str, experiment: Mapping[str, Any], answer: Callable[[str], str] = add, **how: Any
) -> Ending:
    """Run one side of an experiment, on a server of its own that answers by ``answer``."""
    async with Server(default=answering(answer)) as server:
        project.at(server)
        options, settings = Options(**{"retry": QUICK, **how}), load_settings()
        ((plan, provider),) = pairs_of(suite, MODEL, options, settings)
        with Store(project.store) as store, ExitStack() as locks:
            planned = plan_run(replace(plan, experiment=experiment), provider, options, store, locks)
            async with started(provider):
                prices = Prices(settings.prices)
                shared = Shared(provider, limiter_for(None, None), Budget(None), prices, store, options.retry)
                (ending,) = await together([planned], shared, Hooks())
    return ending
