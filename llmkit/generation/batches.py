"""A batch from its beginning to its end: the file that it goes on with, the money that was spent before, the sums."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from llmkit.config import Settings
from llmkit.errors import BudgetError, LlmkitError, UsageError
from llmkit.generation.batch import Batch, Observer
from llmkit.generation.distinct import Distinct
from llmkit.generation.generator import Generator
from llmkit.generation.models import Models
from llmkit.generation.options import GenerateOptions
from llmkit.generation.part import Header, Part, hashed
from llmkit.generation.pieces import pieces, unfillable
from llmkit.generation.tally import Tally
from llmkit.generations import BatchSummary
from llmkit.prompts import Prompt
from llmkit.providers.base import ModelRef
from llmkit.providers.registry import create
from llmkit.runs.asking import fetch_all
from llmkit.runs.plan import new_run_id
from llmkit.runs.result import INTERRUPTIONS
from llmkit.runs.store import Store
from llmkit.samples.source import Source
from llmkit.structured.format import Binds, Format
from llmkit.structured.validators import Validator
from llmkit.types import RunStatus


@dataclass(frozen=True)
class BatchPlan:
    """What is wanted.

    Attributes:
        prompt: What is asked.
        form: The form of the answers.
        refs: The model, and those to escalate to.
        validators: What else must hold.
        options: How to generate. Where no store is named, the project's is taken: a batch that goes on needs one.
        settings: The project's.
        rows: The rows; None: the prompt alone.
        n: Answers a row.
        limit: Only the first rows.
        distinct: The field that no two answers may have the same value of; ``value``: the whole.
        values: The prompt's variables beside the rows' fields.
        ledger: Whether each line carries all attempts in full.
    """

    prompt: Prompt
    form: Format[Any]
    refs: tuple[ModelRef, ...]
    validators: tuple[Validator, ...]
    options: GenerateOptions
    settings: Settings
    rows: Source | None = None
    n: int = 1
    limit: int | None = None
    distinct: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    ledger: bool = False

    def __post_init__(self) -> None:
        if self.n < 1:
            raise UsageError(f"the number of answers must be 1 or more, not {self.n}")
        if self.options.store is None:
            object.__setattr__(self, "options", replace(self.options, store=self.settings.store_path))

    @property
    def store(self) -> Path:
        """Where paid answers are kept."""
        return Path(self.options.store or self.settings.store_path)

    def generator(self, models: Models) -> Generator[Any]:
        """Return what generates one answer."""
        return Generator(self.prompt, self.form, models, self.validators)

    def definition(self) -> dict[str, Any]:
        """Return all that decides the file, as plain data, each part under the name that people know it by."""
        shown = Models(self.refs, self.options, self.settings, display=True)
        return {
            **self.generator(shown).definition(),
            "rows": None if self.rows is None else self.rows.fingerprint(),
            "n": self.n,
            "limit": self.limit,
            "distinct": self.distinct,
            "variables": dict(self.values),
            "ledger": self.ledger,
        }


class Hooks:
    """What a caller wants to see while a batch goes on. The default sees nothing."""

    def begun(self, done: int, paid_usd: float) -> None:
        """Take how many answers are there already, and what was paid for them, before the first call."""

    def observer(self) -> Observer | None:
        """Return what is told about the progress."""
        return None

    def ended(self, summary: BatchSummary) -> None:
        """Take the end, also an interrupted one."""


@dataclass(frozen=True, slots=True)
class BatchEnd:
    """How a batch ended.

    Attributes:
        summary: The sums of the file.
        error: What ended it before its end.
        nothing_left: Whether the file was whole before.
    """

    summary: BatchSummary
    error: Exception | None = None
    nothing_left: bool = False


async def run_batch(
    plan: BatchPlan,
    out: Path | None,
    *,
    fresh: bool = False,
    stream: Callable[[bytes], None] | None = None,
    hooks: Hooks | None = None,
) -> BatchEnd:
    """Generate everything that is wanted, and write it in order.

    Args:
        plan: What is wanted.
        out: The file; what an earlier start left of it is gone on with. None: lines go to ``stream``, and nothing is
            left behind but the paid answers in the store.
        fresh: Start anew, and replace the file if it is there.
        stream: Takes lines where there is no file.
        hooks: What to be told on the way.

    Raises:
        UsageError: Nothing was asked: the file was begun with other settings, is no batch's, or is being written, or
            the prompt has names that none of the first rows has.
        asyncio.CancelledError: After all that came is kept, and ``hooks.ended`` was told.
    """
    hooks, tally = hooks or Hooks(), Tally()
    distinct = Distinct(plan.distinct) if plan.distinct is not None else None
    if why := unfillable(plan.prompt, pieces(plan.rows, 1, limit=plan.limit), plan.values):
        raise why
    await fetch_all([create(ref, display=True) for ref in plan.refs], (), plan.validators)
    with ExitStack() as stack:
        part = None if out is None else stack.enter_context(Part(out, fresh=fresh))
        header = _begin(plan, part, tally, distinct)
        if part is not None and part.whole:
            with Store(plan.store) as store:
                paid, lost = _paid(store, header.run_id, tally)
            summary = tally.summary("completed", total=tally.done, paid_usd=paid, lost_attempts=lost)
            hooks.ended(summary)
            return BatchEnd(summary, nothing_left=True)
        return await _Execution(plan, part, stream, header, tally, distinct, hooks).run()


def _begin(plan: BatchPlan, part: Part | None, tally: Tally, distinct: Distinct | None) -> Header:
    """Find out what is there already, and count it."""
    run_id = f"batch-{new_run_id()}"
    if part is None:
        return Header({}, run_id)
    header = part.begin(hashed(plan.definition()), run_id)
    for record in part.earlier(lambda line: (line // plan.n, line % plan.n + 1)):
        tally.add(record)
        if distinct is not None and record["ok"]:
            distinct.take(record["value"])
    return header


class _Execution:
    """One start of a batch."""

    def __init__(
        self,
        plan: BatchPlan,
        part: Part | None,
        stream: Callable[[bytes], None] | None,
        header: Header,
        tally: Tally,
        distinct: Distinct | None,
        hooks: Hooks,
    ) -> None:
        self.plan, self.part, self.header, self.tally = plan, part, header, tally
        self.distinct, self.hooks = distinct, hooks
        self.write = part.append if part is not None else stream or _nowhere
        self._began = time.perf_counter()

    async def run(self) -> BatchEnd:
        plan, part, run_id = self.plan, self.part, self.header.run_id
        with Store(plan.store) as store:
            if self.header.at_risk_usd:
                store.charge(run_id, None, self.header.at_risk_usd, "killed")
            spent, used = store.spent(run_id), store.used_tokens(run_id)
            if part is not None:
                part.settled(lost_tokens=self.header.at_risk_tokens)
                used += part.header.lost_tokens
            self.hooks.begun(self.tally.done, spent)
            models = Models(
                plan.refs, plan.options, plan.settings, spent_usd=spent, spent_tokens=used, run_id=run_id,
                reserved=None if part is None else part.at_risk, bill=part,
            )  # fmt: skip
            try:
                error = await self._ask(models)
                if part is not None:
                    part.settled()
                    if error is None:
                        part.finish()
            except INTERRUPTIONS:
                if part is not None:
                    part.settled()
                self._end(store, "interrupted", "interrupted")
                raise
            except LlmkitError:  # nothing was asked
                raise
            except Exception as crash:  # nobody reads any more, or a bug of ours: what was paid is said all the same
                if part is not None:
                    part.settled()
                gone = isinstance(crash, BrokenPipeError)
                self._end(store, "interrupted" if gone else "failed", "nobody reads" if gone else type(crash).__name__)
                raise
            status: RunStatus = "completed"
            if error is not None:
                status = "budget" if isinstance(error, BudgetError) else "failed"
            return BatchEnd(self._end(store, status, None if error is None else str(error)), error)

    async def _ask(self, models: Models) -> LlmkitError | None:
        """Generate; returns what ended it early."""
        plan = self.plan
        async with models:
            if not isinstance(plan.form, Binds):
                models.speakers(plan.form)  # a strategy that cannot be had is said before anything is asked
            await models.prepare(plan.validators)
            batch = Batch(
                plan.generator(models), pieces(plan.rows, plan.n, limit=plan.limit, skip=self.tally.done), self.write,
                workers=models.workers, values=plan.values, distinct=self.distinct, tally=self.tally,
                observer=self.hooks.observer(), ledger=plan.ledger,
            )  # fmt: skip
            await batch.run()
        if batch.stopped is not None and not isinstance(batch.stopped, LlmkitError):
            raise batch.stopped
        return batch.stopped

    def _end(self, store: Store, status: RunStatus, why: str | None) -> BatchSummary:
        paid, lost = _paid(store, self.header.run_id, self.tally)
        total = self.tally.done if status == "completed" else None
        summary = self.tally.summary(
            status, total=total, paid_usd=paid, lost_attempts=lost, wall_s=time.perf_counter() - self._began,
            stopped_by=why,
        )  # fmt: skip
        if paid is None:
            summary = replace(summary, paid_least_usd=store.spent(self.header.run_id, certain=True))
        self.hooks.ended(summary)
        return summary


def _paid(store: Store, run_id: str, tally: Tally) -> tuple[float | None, int]:
    """Return the dollars that a batch paid, None where a price is unknown, and how many attempts were lost."""
    lost, lost_usd = store.lost(run_id)
    known = tally.cost_usd is not None and lost_usd is not None
    return (store.spent(run_id) if known else None), lost


def _nowhere(line: bytes) -> None:
    """Take a line where nobody reads."""
