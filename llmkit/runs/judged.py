"""What stands behind the metrics that a run's judges gave: their locks, and corrected rates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from llmkit.judgements import Check
from llmkit.judges.scorer import CANNOT_TELL, NO_VERDICT, JudgeScorer
from llmkit.judges.subject import Population
from llmkit.runs.records import Outcome
from llmkit.runs.tally import Part, Tally
from llmkit.scoring.base import Item, Scorer
from llmkit.types import Judged, JudgeStatus, MetricResult


class Judges:
    """The judges among a run's scorers, and the population that they look at.

    Args:
        scorers: The run's.
    """

    def __init__(self, scorers: Sequence[Scorer]) -> None:
        self._scorers = [scorer for scorer in scorers if isinstance(scorer, JudgeScorer)]
        self._standing: dict[str, JudgeStatus] = {}
        # A judge of pairs looks at other subjects, so that its population has another fingerprint.
        self._populations = {scorer.needs_references: (scorer, Population()) for scorer in self._scorers}

    def label(self, metric: str) -> str:
        """Return a metric's name for a running figure: a judge's is raw, and says what the judge was measured to be."""
        for scorer in self._scorers:
            if scorer.name == metric:
                if metric not in self._standing:
                    self._standing[metric] = _check(scorer, ()).status
                return f"{metric} (raw, {self._standing[metric]})"
        return metric

    def add(self, outcome: Outcome, item: Item) -> None:
        """Take one outcome; what has no answer belongs to no population."""
        if outcome.answer is None or outcome.job is None:
            return
        for scorer, population in self._populations.values():
            population.add(scorer.subject(item))

    def told(
        self, metrics: Mapping[str, MetricResult], tally: Tally, served: Mapping[str, Sequence[str]]
    ) -> dict[str, MetricResult]:
        """Return the metrics, each judge's with its lock's status and its corrected rate, its slices' likewise.

        Args:
            metrics: As counted: raw.
            tally: What they were counted from.
            served: Judge → the models that answered it, in the server's words.
        """
        found = dict(metrics)
        for scorer in self._scorers:
            said = _check(scorer, served.get(scorer.name, ()))
            metric, population = metrics[scorer.name], self._populations[scorer.needs_references][1]
            slices = {
                name: {
                    value: replace(part, judged=_judged(scorer, said, tally, (name, value), None))
                    for value, part in parts.items()
                }
                for name, parts in metric.slices.items()
            }
            whole = _judged(scorer, said, tally, None, population.fingerprint())
            found[scorer.name] = replace(metric, judged=whole, slices=slices)
        return found


def _check(scorer: JudgeScorer, served: Sequence[str]) -> Check:
    """Hold the judge against its lock, as ``llmkit judge check`` does, with the models that gave its verdicts."""
    from llmkit.judges.check import check

    judge = scorer.judge
    others = [name for name in served if judge.lock is None or name != judge.lock.served]
    return check(judge, served=next(iter(others or served), None))


def _judged(scorer: JudgeScorer, check: Check, tally: Tally, part: Part | None, population: str | None) -> Judged:
    from llmkit.judges.correct import judged
    from llmkit.stats.correction import effective_trials

    said = tally.said(scorer.name, part)
    passed, n = float(said.values.sum()), float(len(said.values))
    if scorer.kind == "proportion" and said.clusters is not None:
        trials = effective_trials(said.values, said.clusters)
        passed, n = trials.passed, trials.n
    words = {label: float(said.words.get(label, 0)) for label in scorer.judge.scale.labels}
    found = judged(
        scorer.judge, check.status, passed=passed, n=n, counts=words, population=population,
        cannot_tell=said.words.get(CANNOT_TELL, 0), unread=said.words.get(NO_VERDICT, 0),
    )  # fmt: skip
    # Which model answered is known here alone: `judge check`, which asks nobody, would not name it.
    return replace(found, why=f"the judge is stale: {'; '.join(check.stale)}") if check.stale else found
