"""The runner: samples in, calls made, answers committed, scores stored, metrics out.

    pieces ──chunks──► cache ──misses──► order ──► workers ──► store (committed) ──► scorers ──► store ──► tally
                         └─────────────────────hits───────────────────────────────────┘

A worker holds its place until its answer is committed, so a kill at any moment loses at most what is in flight.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from llmkit.errors import BudgetError, LlmkitError, ProviderError
from llmkit.generations import GenerationFailed
from llmkit.prompts.fingerprint import RequestsFingerprint
from llmkit.providers.answers import no_answer
from llmkit.providers.base import Provider
from llmkit.runs.forming import Former, paid
from llmkit.runs.grade import grade, judge
from llmkit.runs.judging import Bench
from llmkit.runs.ordering import AsGiven, Grouped, ordering
from llmkit.runs.plan import Plan
from llmkit.runs.records import Answer, Job, Outcome, storable
from llmkit.runs.render import pieces
from llmkit.runs.settle import Settler, Sink
from llmkit.runs.state import Observer, State
from llmkit.runs.stopping import StopRunError, leaves, stop_of
from llmkit.runs.store import Store
from llmkit.runs.streak import Streak
from llmkit.structured.validators import ValidatorCrash
from llmkit.types import Completion, Failure, GenerationFacts, MetricResult, Request, RunStatus, Totals

T = TypeVar("T")

CHUNK = 64  # samples rendered and looked up at once: long enough to batch the reads, short enough to start at once
SCORE_BATCH = 256
JUDGED_AT_ONCE = 4 * SCORE_BATCH  # outcomes that judges may have before them: their calls are bounded by their rates
LAST_SECOND_S = 1.0  # what an interrupted run gives the scorers; what they do not finish, a resumed run scores


class Runner:
    """Executes one plan.

    Args:
        plan: What to do.
        run_id: Under which name it is stored.
        provider: The model, started.
        call: Makes a paid call with retries, rates and money (``providers.retry.Caller``).
        store: Where everything goes.
        workers: Calls that may be under way at once.
        use_cache: Whether other runs' answers count; a run's own always do.
        since: Seconds of the epoch; other runs' answers that are older do not count.
        observer: Is told how it goes.
        sink: Is given each batch of outcomes once it is scored and stored.
        bench: Gives the judges among the scorers their models.
    """

    def __init__(
        self,
        plan: Plan,
        run_id: str,
        provider: Provider,
        call: Callable[[Request], Awaitable[Completion]],
        store: Store,
        *,
        workers: int,
        use_cache: bool = True,
        since: float = 0.0,
        observer: Observer | None = None,
        sink: Sink | None = None,
        bench: Bench | None = None,
    ) -> None:
        self.plan, self.run_id, self.store = plan, run_id, store
        self.state = State(total=None if plan.rows is None else plan.rows * plan.epochs)
        self.provider, self._call, self._workers = provider, call, workers
        self.use_cache, self._since = use_cache, since
        self.served: str | None = None  # what must have answered other runs; None: any model
        self.earliest = False  # whether the earliest answer counts, also before the run's own
        self._former = None
        if plan.form is not None:
            seats = bench.of if bench is not None else None
            self._former = Former(
                plan, run_id, provider, call, store, lambda key: self._find_keys([key]).get(key), seats
            )
        self._settler = Settler(
            store, run_id, plan.suite.scorers, plan.suite.slice_names,
            state=self.state, seed=plan.seed, observer=observer, sink=sink, bench=bench,
            pass_k=plan.pass_k, epochs=plan.epochs,
        )  # fmt: skip
        self._jobs: asyncio.Queue[Job | None] = asyncio.Queue(maxsize=2 * workers)
        self._done: asyncio.Queue[Outcome | None] = asyncio.Queue(maxsize=4 * SCORE_BATCH)
        self._asking: dict[bytes, list[Job]] = {}  # keys under way → further samples that ask the same
        self._unsettled: dict[bytes, Job] = {}  # answered, and not yet handed to the scorers
        self._streak = Streak()
        self._out_of_money: BudgetError | None = None
        self._asked = RequestsFingerprint()

    async def run(self, some: Iterable[Job | Outcome] | None = None) -> tuple[RunStatus, LlmkitError | None]:
        """Execute; returns how it ended. Whatever happens, every answer that came is stored.

        Args:
            some: The part of the plan to execute, in this order, after which the next may be; None: all of it, in
                the order that suits the provider.

        Raises:
            StoreError: The store failed; what was committed is kept.
            asyncio.CancelledError: After everything has been kept.
        """
        grading = asyncio.create_task(self._grade())
        order = ordering(self.provider) if some is None else AsGiven()
        some = pieces(self.plan, self.provider) if some is None else some
        answering = asyncio.create_task(self._answer(some, order))
        try:
            await asyncio.wait({grading, answering}, return_when=asyncio.FIRST_COMPLETED)
            if grading.done():  # before the end of the answers: it failed
                grading.result()
            stopped = stop_of(answering)
            await self._end(grading)
            stopped = stopped or self._stopped
        except BaseException:
            answering.cancel()
            await asyncio.wait({answering})
            self.store.flush()
            await self._last_second(grading)
            raise
        if stopped is None:
            return "completed", None
        return ("budget" if isinstance(stopped, BudgetError) else "failed"), stopped

    @property
    def requests_fingerprint(self) -> str:
        """The fingerprint of the rendered requests, once all of them are rendered."""
        return self._asked.hexdigest()

    def metrics(self) -> dict[str, MetricResult]:
        """Return the metrics over what has been scored."""
        return self._settler.metrics()

    def judging(self) -> dict[str, Totals]:
        """Return the sums over the calls of each judge."""
        return self._settler.judging()

    async def score(self, outcomes: Sequence[Outcome]) -> None:
        """Fill in the scores of some outcomes, and store nothing of them."""
        await grade(self.plan.suite.scorers, outcomes)
        if self._settler.asking is not None:
            await judge(self._settler.asking, self.plan.suite.scorers, outcomes)

    @property
    def _stopped(self) -> LlmkitError | None:
        """Why nothing more is asked: the money ran out, or a judge is of no use. What is under way goes on."""
        return self._out_of_money or self._settler.stopped

    async def _end(self, grading: asyncio.Task[None]) -> None:
        """Tell the scorers that no more comes, and let them end; where they fail first, nobody takes the last word."""
        last = asyncio.create_task(self._last_words())
        try:
            await asyncio.wait({last, grading}, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait({grading})  # not the task itself: an interruption would cancel it, and it has its second
            grading.result()
        finally:
            last.cancel()

    async def _last_words(self) -> None:
        for outcome in self._late():
            await self._done.put(outcome)
        await self._done.put(None)

    def _late(self) -> list[Outcome]:
        """Return what was answered and committed while the run was being stopped: it is paid for, so it counts."""
        self.store.flush()
        jobs = list(self._unsettled.values())
        self._unsettled.clear()  # each is handed on once, whoever asks again
        known = self.find(jobs) if jobs else {}
        facts = self._facts(known)
        return [_known(job, known[job.key], facts) for job in jobs if job.key in known]

    async def _last_second(self, grading: asyncio.Task[None]) -> None:
        """Let the scorers end what waits, if they are quick about it; judges are not waited for."""
        if not grading.done():
            if self._settler.asking is not None:
                self._settler.asking.stop("the run was interrupted")
            for outcome in self._late():
                if not self._done.full():
                    self._done.put_nowait(outcome)
            if self._done.full():
                self._done.get_nowait()
            self._done.put_nowait(None)
            await asyncio.wait({grading}, timeout=LAST_SECOND_S)
            grading.cancel()
        await asyncio.wait({grading})

    # --- from plan to answers ---

    async def _answer(self, some: Iterable[Job | Outcome], order: AsGiven | Grouped) -> None:
        async with asyncio.TaskGroup() as group:
            await self._produce(group, some, order)

    async def _produce(self, group: asyncio.TaskGroup, some: Iterable[Job | Outcome], order: AsGiven | Grouped) -> None:
        """Look up, and hand misses to the workers in order."""
        workers: list[asyncio.Task[None]] = []
        for chunk in _chunks(some, CHUNK):
            if self._stopped is not None:
                break
            jobs = [piece for piece in chunk if isinstance(piece, Job)]
            known = self.find(jobs)
            facts = self._facts(known)
            self._streak.ever_answered |= bool(known)
            claimed = self._claim(jobs, known)
            for piece in chunk:
                if isinstance(piece, Job) and piece.epoch == 1:
                    self._asked.add(piece.messages)
                if isinstance(piece, Outcome):
                    await self._done.put(piece)
                elif answer := known.get(piece.key):
                    await self._done.put(_known(piece, answer, facts))
                    self._unsettled.pop(piece.key, None)  # a sample that was shown before the run
                elif id(piece) in claimed:
                    await self._hand(order.add(piece), group, workers)
            await asyncio.sleep(0)  # a chunk of hits waits for nothing; let the others have their turn
        await self._hand(order.rest(), group, workers)
        for _ in workers:
            await self._jobs.put(None)

    async def _hand(self, jobs: Sequence[Job], group: asyncio.TaskGroup, workers: list[asyncio.Task[None]]) -> None:
        """Queue jobs for the workers, which are started as they are needed."""
        for job in jobs:
            if len(workers) < self._workers:
                workers.append(group.create_task(self._work()))
            await self._jobs.put(job)

    def _claim(self, jobs: Sequence[Job], known: Mapping[bytes, Answer]) -> set[int]:
        """Pick the jobs to ask; one that asks what is under way waits for that answer, so that it is paid for once.

        Nothing is awaited between the look-up and this: what is neither known nor under way has not been asked.
        """
        claimed = set()
        for job in jobs:
            if job.key in known:
                continue
            if (waiting := self._asking.get(job.key)) is not None:
                waiting.append(job)
            else:
                self._asking[job.key] = []
                claimed.add(id(job))
        return claimed

    async def _deliver(self, outcome: Outcome, job: Job) -> None:
        """Hand on what came of a job, also to the samples that asked the same."""
        others = self._asking.pop(job.key, ())
        await self._done.put(outcome)
        self._unsettled.pop(job.key, None)
        for waiting in others:
            await self._done.put(
                _outcome(waiting, answer=outcome.answer, failure=outcome.failure, facts=outcome.generation)
            )

    async def _work(self) -> None:
        while (job := await self._jobs.get()) is not None:
            if self._stopped is None:
                await self._one(job)

    async def _one(self, job: Job) -> None:
        self.state.in_flight += 1
        try:
            outcome = await self.ask(job)
            self._streak.answered()
            await self._deliver(outcome, job)
        except ProviderError as error:
            await self._failed(job, error)
        except BudgetError as error:
            self._out_of_money = error  # calls under way are paid for: they go on to their end, and no new one starts
        except LlmkitError as error:
            raise StopRunError(error) from error
        finally:
            self.state.in_flight -= 1

    def find(self, jobs: Sequence[Job]) -> dict[bytes, Answer]:
        """Return the stored answers that the jobs may use."""
        return self._find_keys([job.key for job in jobs])

    def known(self, job: Job) -> Outcome | None:
        """Return what is stored for a job; None: it has to be asked."""
        found = self.find([job])
        return _known(job, found[job.key], self._facts(found)) if job.key in found else None

    def _find_keys(self, keys: Sequence[bytes]) -> dict[bytes, Answer]:
        return self.store.find_answers(
            keys, self.run_id, others=self.use_cache, since=self._since, served=self.served, earliest=self.earliest
        )

    def _facts(self, known: Mapping[bytes, Answer]) -> dict[int, GenerationFacts]:
        """Return what the loop did for answers that it came to before."""
        return {} if self._former is None else self.store.generations([a.answer_id for a in known.values()])

    async def ask(self, job: Job) -> Outcome:
        """Make the call and commit its answer.

        Raises:
            ProviderError: There is no answer.
            LlmkitError: The money ran out, or the store failed.
        """
        facts = None
        if self._former is None:
            completion = storable(await self._call(job.request))
            failure = no_answer(completion)
        else:
            try:
                completion, facts, failure = await self._formed(job, self._former)
            except ValidatorCrash as error:  # a scorer of another kind: it fails this answer alone
                return _outcome(job, failure=Failure("scorer", "crash", str(error)))
        self._unsettled[job.key] = job
        answer = await self.store.add_answer(self.run_id, job.key, completion, cacheable=failure is None, facts=facts)
        return _outcome(job, answer=answer, failure=failure, facts=facts)

    async def _formed(self, job: Job, former: Former) -> tuple[Completion, GenerationFacts, Failure | None]:
        """Run the loop; where it breaks, what it paid for is counted and the break is raised as what it is."""
        try:
            return await former(job)
        except GenerationFailed as failed:
            self.state.spend(paid(failed.ledger))
            if isinstance(failed.__cause__, LlmkitError):
                raise failed.__cause__ from None
            raise

    async def settle_asked(self) -> None:
        """Score and count what was asked with no run after it: it is paid for."""
        await self._settler.settle(self._late())

    async def _failed(self, job: Job, error: ProviderError) -> None:
        await self._deliver(_outcome(job, failure=Failure("provider", error.fault, str(error))), job)
        self._streak.failed(error.fault)
        if self._streak.hopeless(error.fault):
            raise StopRunError(error)

    # --- from answers to numbers ---

    async def _grade(self) -> None:
        """Score and store in batches until None arrives."""
        if self._settler.asking is not None:
            await self._grade_abreast()
            return
        async for outcomes in self._batches():
            await self._settler.settle(outcomes)

    async def _grade_abreast(self) -> None:
        """Score batches while judges still work on those before, so that a slow verdict holds up none but its own."""
        under_way: dict[asyncio.Task[None], int] = {}
        try:
            async with asyncio.TaskGroup() as group:
                async for outcomes in self._batches():
                    await self._settler.compute(outcomes)
                    under_way = {task: size for task, size in under_way.items() if not task.done()}
                    while sum(under_way.values()) >= JUDGED_AT_ONCE:
                        await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
                        under_way = {task: size for task, size in under_way.items() if not task.done()}
                    under_way[group.create_task(self._settler.finish(outcomes))] = len(outcomes)
        except BaseExceptionGroup as group_error:
            raise next(leaves(group_error)) from None

    async def _batches(self) -> AsyncIterator[list[Outcome]]:
        more = True
        while more:
            batch = [await self._done.get()]
            while len(batch) < SCORE_BATCH and batch[-1] is not None and not self._done.empty():
                batch.append(self._done.get_nowait())
            more = batch[-1] is not None
            if outcomes := [o for o in batch if o is not None]:
                yield outcomes


def _outcome(
    job: Job, *, answer: Answer | None = None, failure: Failure | None = None, facts: GenerationFacts | None = None
) -> Outcome:
    return Outcome(job.sample.index, job.epoch, job.sample.id, job, answer, failure, generation=facts)


def _known(job: Job, answer: Answer, facts: Mapping[int, GenerationFacts]) -> Outcome:
    return _outcome(job, answer=answer, facts=facts.get(answer.answer_id))


def _chunks(things: Iterable[T], size: int) -> Iterator[list[T]]:
    things = iter(things)
    while chunk := list(itertools.islice(things, size)):
        yield chunk
