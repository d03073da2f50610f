"""From answered samples to stored scores and metrics: the one road of a run and of a rescored run.

outcomes ──► scores that stand ──► scorers ──► judges ──► store ──► counts and tally
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from llmkit.errors import OVERFLOW, LlmkitError
from llmkit.runs.asking import asking, need_bench
from llmkit.runs.grade import SCORERS_FAULT, grade, item_of, judge
from llmkit.runs.judged import Judges
from llmkit.runs.judging import Bench
from llmkit.runs.records import Outcome
from llmkit.runs.state import Observer, State
from llmkit.runs.store import Store
from llmkit.runs.tally import Tally
from llmkit.scoring.base import Scorer, SortsReasons
from llmkit.types import Failure, MetricResult, Score, Totals

Sink = Callable[[Sequence[Outcome]], None]


class Settler:
    """Takes outcomes to their end, a batch at a time.

    Args:
        store: Where samples and scores go.
        run_id: The run that they belong to.
        scorers: One metric each.
        slices: Names of the slices to report by.
        state: What is counted into.
        seed: Of the bootstrap.
        observer: Is told after each batch.
        anew: Score everything, also what has a score under the same signature.
        sink: Is given each batch once it is scored and stored.
        bench: Gives judges their models.
        pass_k: As of a ``Tally``.
        epochs: Likewise.

    Raises:
        ScorerError: There are judges and no bench.
    """

    def __init__(
        self,
        store: Store,
        run_id: str,
        scorers: Sequence[Scorer],
        slices: Sequence[str],
        *,
        state: State,
        seed: int = 0,
        observer: Observer | None = None,
        anew: bool = False,
        sink: Sink | None = None,
        bench: Bench | None = None,
        pass_k: Sequence[int] = (),
        epochs: int = 1,
    ) -> None:
        self.run_id, self.state = run_id, state
        self.asking, self._bench = need_bench(scorers, bench), bench
        self._judges = Judges(scorers)
        self._sink = sink
        self._store, self._scorers, self._observer, self._anew = store, scorers, observer, anew
        self._signatures = {s.name: s.signature for s in scorers}
        self._sorting = [(s.name, s) for s in scorers if isinstance(s, SortsReasons)]
        self._judged_by = {s.name: s.signature for s in asking(scorers)}
        self._tally = Tally(scorers, slices, seed=seed, pass_k=pass_k, epochs=epochs)

    @property
    def stopped(self) -> LlmkitError | None:
        """Why no judge is asked any more; None where there is no reason."""
        return self.asking.stopped if self.asking is not None else None

    async def settle(self, outcomes: Sequence[Outcome]) -> None:
        """Score what has an answer, store all, count all."""
        await self.compute(outcomes)
        await self.finish(outcomes)

    async def compute(self, outcomes: Sequence[Outcome]) -> None:
        """Fill in the scores that take no model."""
        scored = [o for o in outcomes if o.failure is None]
        if not self._anew:
            self._reuse(scored)
        await grade(self._scorers, scored)

    async def finish(self, outcomes: Sequence[Outcome]) -> None:
        """Have the judges asked, then store all and count all. Several batches may be under way at once."""
        if self.asking is not None:
            await judge(self.asking, self._scorers, [o for o in outcomes if o.failure is None])
        self._keep(outcomes)

    def _keep(self, outcomes: Sequence[Outcome]) -> None:
        self._store.add_outcomes(self.run_id, outcomes, self._signatures)
        for outcome in outcomes:
            self.state.count(outcome, self.run_id)
            for name, scorer in self._sorting:
                score = outcome.scores.get(name)
                if isinstance(score, Score) and score.reason is not None:
                    self.state.wrong(name, scorer.sort_of(score.reason))
            sample = outcome.job.sample if outcome.job else None
            cluster, slices = (sample.cluster, sample.slices) if sample else (None, None)
            item = item_of(outcome)
            self._tally.add(
                outcome.index, outcome.epoch, outcome.scores, item, cluster, slices,
                overflowed=outcome.failure is not None and outcome.failure.kind == OVERFLOW,
            )  # fmt: skip
            self._judges.add(outcome, item)
        if self._sink is not None:
            self._sink(outcomes)
        if self._observer is not None:
            running = self._tally.running()
            self.state.metric = None if running is None else (self._judges.label(running[0]), running[1])
            self._observer.update(self.state)

    def metrics(self) -> dict[str, MetricResult]:
        """Return the metrics over what has been settled, those of judges with what stands behind them."""
        found = self._tally.results()
        if self.asking is None:
            return found
        return self._judges.told(found, self._tally, self._store.judges_served(self.run_id, self._judged_by))

    def judging(self) -> dict[str, Totals]:
        """Return the sums over the calls of each judge, those that check answers on the way among them."""
        return self._bench.totals() if self._bench is not None else {}

    def _reuse(self, outcomes: Sequence[Outcome]) -> None:
        """Take the scores that stand already; a scorer that changed has another signature, so no score yet.

        What broke in a scorer is no score: the scorer may have been mended, or have had enough memory since. Nor is a
        judge's of which nobody knows which model gave it: the judge is asked, and finds its answers where they are.
        """
        ids = [o.answer.answer_id for o in outcomes if o.answer]
        stored = self._store.find_scores(ids)
        if not stored:
            return
        judged = self._store.find_judged(ids) if self._judged_by else set()
        for o in outcomes:
            for name, signature in self._signatures.items():
                if o.answer is None or o.job is None:
                    continue
                key = o.answer.answer_id, o.job.input, signature
                score = stored.get(key) if name not in self._judged_by or key in judged else None
                if score is not None and not (isinstance(score, Failure) and score.kind in SCORERS_FAULT):
                    o.scores[name] = score
