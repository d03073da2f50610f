"""``--optimize gepa``: an optimiser of prompts (GEPA, arXiv 2507.19457) rewrites the judge's, on the dev part alone.

The optimiser is the package ``gepa``, of the extra ``[gepa]``. It sees dev items, what the judge says of them and what
people say; never a test item. Its calls go through the bench, so that the cap and the bill hold.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from llmkit.calibration.rewriting import Draft, body_of, draft_in, drafted, renders, request_of, save, thinking
from llmkit.errors import MissingExtraError, UsageError
from llmkit.judgements import Verdict
from llmkit.judges.judge import Judge
from llmkit.judges.labels import Labelled
from llmkit.judges.outlay import most_calls
from llmkit.judges.panel import judge_many
from llmkit.judges.seat import Seat, Seats
from llmkit.prompts import load_prompt
from llmkit.providers.base import ModelRef
from llmkit.types import Totals, summed

T = TypeVar("T")
PART = "prompt"
"""GEPA's name for the text that it may change: the template, less the file's front matter."""
MINIBATCH = 3
"""Items that a draft is first tried on, and that its mistakes are shown of; GEPA's own default."""


@dataclass(frozen=True, slots=True)
class Optimised:
    """What an optimiser came to.

    Attributes:
        judge: It asks by the best template; the one given where none was better.
        path: The best template's file.
        paid: What was paid.
        calls: Calls of the judge and of the model that thinks, those answered from the store included.
        better: Whether another template than the judge's own did better on dev.
    """

    judge: Judge
    path: Path
    paid: Totals
    calls: int
    better: bool


async def optimise(
    judge: Judge,
    dev: Sequence[Labelled],
    bench: Seats,
    *,
    budget_calls: int,
    reflection: ModelRef | None,
    seed: int,
    folder: Path,
    told: Callable[[int, int], None] = lambda done, total: None,
) -> Optimised:
    """Have GEPA rewrite the judge's prompt, and save the best one beside it.

    The score is the balanced share of right verdicts: each label counts the same however many items have it.

    Args:
        judge: As it would be asked.
        dev: All that the optimiser sees.
        bench: Seats the models.
        budget_calls: Calls that it may make at most, to the judge and to the model that thinks.
        reflection: The model that thinks about mistakes; None: the judge's own.
        seed: Of everything that is drawn.
        folder: Where the prompt is saved.
        told: Is told of the calls made, and how many may be made at most.

    Raises:
        MissingExtraError: ``gepa`` is not installed.
        UsageError: There are no dev items, or the budget is too small to try the judge's own prompt.
        BudgetError: The money ran out; what was paid for is kept.
        ProviderError: A server is of no use.
    """
    run = _gepa()
    if not dev:
        raise UsageError("an optimiser needs labelled items of the dev part", where=judge.where("labels"))
    thinker = reflection or ModelRef(judge.model.name, {}, dict(judge.model.options))
    search = _Search(
        judge, dev, await bench.seat(judge.model), await bench.seat(thinker), dict(thinker.params), budget_calls,
        asyncio.get_running_loop(), told,
    )  # fmt: skip
    if search.most(len(dev)) > budget_calls:
        raise UsageError(
            f"{budget_calls:,} calls are too few to try one prompt on {len(dev):,} dev items",
            hint="Label fewer, or leave out --optimize",
        )
    try:
        await asyncio.to_thread(run, search, seed)
    except _Spent:
        pass  # what was tried until then stands
    finally:
        search.stopped = True
    if search.broke is not None:
        raise search.broke
    return _concluded(search, folder)


def _concluded(search: _Search, folder: Path) -> Optimised:
    own = body_of(search.judge)
    best = max(search.whole, key=lambda body: search.whole[body], default=own)  # of equals the first: the judge's own
    judge, path, better = search.judge, search.judge.prompt.path, best != own
    if better:
        path = save(search.judge, best, folder, ending="gepa")
        draft = search.drafts[best].judge
        assert draft is not None
        judge = _named(draft, path)
    assert path is not None
    return Optimised(judge, path, summed(search.paid), search.calls, better)


def _named(draft: Judge, path: Path) -> Judge:
    """Return the judge that asks by the saved file."""
    root = draft.prompt.path.parent if draft.prompt.path is not None else None
    return replace(draft, prompt=load_prompt(path, root=root))


class _Spent(Exception):
    """The next call might be one too many."""


@dataclass
class _Search:
    """What GEPA drives from its thread: drafts tried on items, and mistakes thought about.

    Each method that GEPA calls hands its work to the event loop and waits for it; what fails there is kept, so that it
    is raised whatever GEPA makes of it.

    Attributes:
        judge: Whose prompt it is.
        dev: All items.
        seat: Of the judge's model.
        thinker: Of the model that rewrites.
        params: Of its calls.
        budget: Calls at most.
        loop: Where calls are made.
        told: Is told of the calls made.
        drafts: Template → the judge that asks by it.
        whole: Template → its score on all dev items.
        paid: Bills.
        calls: Calls made, stored answers included: what is drawn must not depend on the store.
        broke: What went wrong.
        stopped: Whether nothing more is to be asked.
    """

    judge: Judge
    dev: Sequence[Labelled]
    seat: Seat
    thinker: Seat
    params: dict[str, Any]
    budget: int
    loop: asyncio.AbstractEventLoop
    told: Callable[[int, int], None]
    drafts: dict[str, Draft] = field(default_factory=dict)
    whole: dict[str, float] = field(default_factory=dict)
    paid: list[Totals] = field(default_factory=list)
    calls: int = 0
    broke: BaseException | None = None
    stopped: bool = False
    _said: dict[tuple[str, str], Verdict] = field(default_factory=dict)
    _thought: Counter[str] = field(default_factory=Counter)
    _last: str = ""

    propose_new_texts: Any = None  # GEPA looks for it; ``propose`` is given to it as a proposer of our own

    def most(self, items: int) -> int:
        """Return the calls that so many items may take."""
        return items * most_calls(self.judge)

    # --- what GEPA calls ---

    def evaluate(self, batch: list[Labelled], candidate: dict[str, str], capture_traces: bool = False) -> Any:
        """Try a template on items."""
        from gepa.core.adapter import EvaluationBatch

        verdicts = self._wait(self._tried(candidate[PART], batch))
        scores = [self._score(item, verdict) for item, verdict in zip(batch, verdicts, strict=True)]
        if len(batch) == len(self.dev):
            self.whole.setdefault(candidate[PART], sum(scores) / len(scores))
        trajectories = list(zip(batch, verdicts, strict=True)) if capture_traces else None
        return EvaluationBatch(outputs=list(verdicts), scores=scores, trajectories=trajectories)

    def make_reflective_dataset(
        self, candidate: dict[str, str], eval_batch: Any, components_to_update: list[str]
    ) -> Any:
        """Hand the items and what was said of them on to ``propose``."""
        return {PART: [{"item": item, "verdict": verdict} for item, verdict in eval_batch.trajectories or []]}

    def propose(
        self,
        candidate: dict[str, str],
        reflective_dataset: Mapping[str, Sequence[Mapping[str, Any]]],
        components_to_update: list[str],
    ) -> dict[str, str]:
        """Have the template rewritten."""
        seen = reflective_dataset[PART]
        items, verdicts = [each["item"] for each in seen], [each["verdict"] for each in seen]
        return {PART: self._wait(self._rewritten(candidate[PART], items, verdicts))}

    def stop(self, gepa_state: Any) -> bool:
        """Whether nothing more is to be tried."""
        return self.stopped or self.broke is not None

    # --- in the event loop ---

    async def _tried(self, body: str, batch: Sequence[Labelled]) -> list[Verdict | None]:
        draft = self._draft(body)
        if draft.judge is None:
            return [None] * len(batch)
        asked = list({i.subject.id: i for i in batch if (body, i.subject.id) not in self._said}.values())
        if self.calls + self.most(len(asked)) > self.budget:
            raise _Spent
        verdicts = await judge_many(draft.judge, [item.subject for item in asked], self.seat)
        for item, verdict in zip(asked, verdicts, strict=True):
            self._said[body, item.subject.id] = verdict
            self.calls += verdict.made.calls
            self.paid.append(verdict.paid)
        self.told(self.calls, self.budget)
        return [self._said[body, item.subject.id] for item in batch]

    async def _rewritten(self, body: str, items: Sequence[Labelled], verdicts: Sequence[Verdict | None]) -> str:
        if self.calls + 1 > self.budget:
            raise _Spent
        text = thinking(self.judge, body, items, verdicts, self._draft(self._last).why if self._last else "")
        self._thought[text] += 1
        # Asked the same again, it shall think anew, and the same anew on another day.
        ask = self.thinker.ask(self._thought[text] - 1)
        answered = await ask(request_of(text, self.params), 0)
        if answered.error is not None:
            raise answered.error
        completion = answered.completion
        self.calls += 1
        self.paid.append(_bill(completion, cached=answered.cached))
        if completion.finish_reason == "length":
            return body  # half a template is none
        self._last = draft_in(completion.text) or body
        return self._last

    def _draft(self, body: str) -> Draft:
        if body not in self.drafts:
            own = body == body_of(self.judge)
            draft = Draft(body, self.judge) if own else drafted(self.judge, body)
            if draft.judge is not None and not own and (why := renders(draft.judge, self.dev)):
                draft = Draft(body, None, why)
            self.drafts[body] = draft
        return self.drafts[body]

    def _score(self, item: Labelled, verdict: Verdict | None) -> float:
        """Return the item's part of the balanced share of right verdicts; grades that are near count in part."""
        if verdict is None or verdict.value is None or item.label is None:
            return 0.0
        labels = Counter(each.label for each in self.dev)
        weight = len(self.dev) / (len(labels) * labels[item.label])
        if not self.judge.scale.ordered:
            return weight if verdict.label == item.label else 0.0
        low, high = self.judge.scale.bounds
        return weight * (1 - abs(verdict.value - self.judge.scale.value(item.label)) / (high - low))

    @property
    def perfect(self) -> float:
        """What an item scores at least where it is judged right."""
        labels = Counter(each.label for each in self.dev)
        return min(len(self.dev) / (len(labels) * number) for number in labels.values())

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        """Have the loop do something, from GEPA's thread; what fails is kept, for GEPA logs some errors and goes on."""
        if self.stop(None):
            work.close()
            raise _Spent
        try:
            return asyncio.run_coroutine_threadsafe(work, self.loop).result()
        except _Spent:
            self.stopped = True
            raise
        except BaseException as error:
            self.broke = error
            raise


def _bill(completion: Any, *, cached: bool) -> Totals:
    usage = completion.usage
    if cached:
        return Totals(cached_cost_usd=completion.cost_usd)
    return Totals(
        input=usage.input, output=usage.output, cached=usage.cached, reasoning=usage.reasoning, calls=1,
        http_attempts=completion.http_attempts, cost_usd=completion.cost_usd, lost_attempts=len(completion.lost),
        lost_usd=None if None in completion.lost else sum(cost or 0.0 for cost in completion.lost),
    )  # fmt: skip


class _Silent:
    """GEPA's log, which nobody reads here."""

    def log(self, message: str) -> None:
        """Say nothing."""


def _gepa() -> Callable[[_Search, int], None]:
    """Return what runs GEPA.

    Raises:
        MissingExtraError: It is not installed.
    """
    try:
        from gepa.api import optimize
    except ImportError as error:
        raise MissingExtraError("--optimize gepa", "gepa") from error

    def run(search: _Search, seed: int) -> None:
        optimize(
            seed_candidate={PART: body_of(search.judge)}, trainset=list(search.dev), valset=list(search.dev),
            adapter=search, custom_candidate_proposer=search.propose, stop_callbacks=search.stop,
            max_metric_calls=search.budget, reflection_minibatch_size=min(MINIBATCH, len(search.dev)),
            perfect_score=search.perfect, seed=seed, logger=_Silent(), raise_on_exception=True,
        )  # fmt: skip

    return run
