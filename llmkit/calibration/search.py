"""Choosing among configurations of a judge on labelled items, by racing; and cross-fitting where there are few.

With few labels there is no dev part. Then each fold of the test part is judged by what was chosen on all the others
(``cross_search``): every test verdict is by a configuration that never saw its item, so the figures are as honest as
those of a part held out. They are figures of the procedure "choose on about these many labels, then judge". What is
locked is chosen once more, on all of them (M. Stone, JRSS B 36, 1974). No verdict is asked for twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from llmkit.calibration.candidates import Configuration
from llmkit.calibration.racing import ALPHA, Raced, class_weights, race
from llmkit.calibrations import Candidate
from llmkit.judgements import Rate, Verdict
from llmkit.judges.figures import figures
from llmkit.judges.judge import Judge
from llmkit.judges.labels import Labelled
from llmkit.judges.panel import calls_of, judge_many
from llmkit.judges.seat import Seats
from llmkit.types import Totals, summed

Progress = Callable[[int, int, float | None], None]
"""Is told how many verdicts are there, of how many at most, and what they have cost; None where that is unknown."""


@dataclass(frozen=True, slots=True)
class Searched:
    """What a search came to.

    Attributes:
        candidates: As reports show them, best first.
        configuration: The best one.
        verdicts: Its verdicts by item id; it has judged all items.
        runner_up_p: McNemar's exact p-value between it and the second, on the items that both were asked about. None
            with one configuration.
        paid: What was paid for now.
        planned_calls: Calls of the full grid.
        saved_calls: Of those, calls that racing spared.
    """

    candidates: tuple[Candidate, ...]
    configuration: Configuration
    verdicts: Mapping[str, Verdict]
    runner_up_p: float | None = None
    paid: Totals = Totals()  # noqa: RUF009 - frozen
    planned_calls: int = 0
    saved_calls: int = 0

    @property
    def chosen(self) -> Judge:
        """The best one's judge."""
        return self.configuration.judge


@dataclass(frozen=True, slots=True)
class CrossSearched:
    """What a cross-fitted search came to.

    Attributes:
        final: The choice on all items: what is locked, and what the report shows of the candidates. Its bill and its
            counts of calls are of all folds together.
        verdicts: By item id, each by what was chosen without the item's fold: these are what is tested.
        choices: What was chosen for each fold.
    """

    final: Searched
    verdicts: Mapping[str, Verdict]
    choices: tuple[Configuration, ...]


async def search(
    configurations: Sequence[Configuration],
    dev: Sequence[Labelled],
    seats: Seats,
    *,
    seed: int,
    alpha: float = ALPHA,
    progress: Progress | None = None,
) -> Searched:
    """Choose the configuration with the best balanced accuracy on dev; accuracy where the kind has no two classes.

    In the race a missing verdict is a wrong one. The first of equals is chosen; the judge's own stands first.

    Args:
        configurations: From ``candidates``; at least one.
        dev: Labelled items.
        seats: Give each configuration's model its seat.
        seed: Of the order of the items.
        alpha: Probability that racing stops what the full grid would have chosen.
        progress: Is told of each verdict.

    Raises:
        UsageError: A configuration cannot be asked: no log-probabilities, say.
        BudgetError: The next call does not fit under the cap.
        ProviderError: A server is of no use.
    """
    asked = _Asked(configurations, seats, len(configurations) * len(dev), progress)
    return asked.searched(dev, await asked.race(dev, seed, alpha))


async def cross_search(
    configurations: Sequence[Configuration],
    folds: Sequence[Sequence[Labelled]],
    seats: Seats,
    *,
    seed: int,
    alpha: float = ALPHA,
    progress: Progress | None = None,
) -> CrossSearched:
    """Choose for each fold on the others, judge it with that choice, and choose once more on all; see the module.

    Args and errors are those of ``search``, with the folds of the test part in the place of dev.
    """
    items = [item for fold in folds for item in fold]
    asked = _Asked(configurations, seats, len(configurations) * len(items), progress)
    verdicts: dict[str, Verdict] = {}
    choices = []
    for left_out, fold in enumerate(folds):
        others = [item for number, other in enumerate(folds) if number != left_out for item in other]
        chosen = (await asked.race(others, seed, alpha)).ranking[0]
        judged = await asked.verdicts(chosen, fold)
        verdicts |= {item.subject.id: verdict for item, verdict in zip(fold, judged, strict=True)}
        choices.append(configurations[chosen])
    final = asked.searched(items, await asked.race(items, seed, alpha))
    return CrossSearched(final, verdicts, tuple(choices))


class _Asked:
    """The verdicts of each configuration, asked for once."""

    def __init__(
        self, configurations: Sequence[Configuration], seats: Seats, most: int, progress: Progress | None
    ) -> None:
        self._configurations, self._seats, self._most, self._progress = configurations, seats, most, progress
        self._known: list[dict[str, Verdict]] = [{} for _ in configurations]
        self._spent = Totals()

    async def verdicts(self, candidate: int, items: Sequence[Labelled]) -> list[Verdict]:
        """Return the verdicts of one configuration; those that are not there are asked for."""
        judge, known = self._configurations[candidate].judge, self._known[candidate]
        missing = [item.subject for item in items if item.subject.id not in known]
        if missing:
            seat = await self._seats.seat(judge.model)

            def done(place: int, verdict: Verdict) -> None:
                known[missing[place].id] = verdict
                self._told(verdict)

            await judge_many(judge, missing, seat, done=done)
        return [known[item.subject.id] for item in items]

    async def race(self, items: Sequence[Labelled], seed: int, alpha: float) -> Raced:
        """Race the configurations over items."""

        async def block(candidate: int, places: Sequence[int]) -> list[bool | None]:
            some = [items[place] for place in places]
            judged = await self.verdicts(candidate, some)
            return [
                verdict.label == item.label if verdict.state == "verdict" else None
                for item, verdict in zip(some, judged, strict=True)
            ]

        binary = self._configurations[0].judge.scale.kind == "pass_fail"
        labels = [str(item.label) for item in items]
        weights = class_weights(labels) if binary else [1.0] * len(items)
        return await race(len(self._configurations), weights, block, seed=seed, alpha=alpha)

    def searched(self, items: Sequence[Labelled], raced: Raced) -> Searched:
        """Put together what a race came to."""
        first = raced.ranking[0]
        known, ids = self._known, [item.subject.id for item in items]
        calls = [calls_of(each.judge) for each in self._configurations]
        planned = sum(calls) * len(items)
        made = sum(each * len(verdicts) for each, verdicts in zip(calls, known, strict=True))
        return Searched(
            candidates=tuple(self._candidate(place, items, raced) for place in raced.ranking),
            configuration=self._configurations[first],
            verdicts={name: known[first][name] for name in ids},
            runner_up_p=raced.runner_up_p,
            paid=summed(verdict.paid for verdicts in known for verdict in verdicts.values()),
            planned_calls=planned,
            saved_calls=planned - made,
        )

    def _candidate(self, place: int, items: Sequence[Labelled], raced: Raced) -> Candidate:
        each, right = self._configurations[place], raced.outcomes[place]
        some = [items[index] for index in sorted(right)]
        verdicts = [self._known[place][item.subject.id] for item in some]
        return Candidate(
            name=each.name,
            settings=each.settings,
            dev=_figure(each.judge, some, verdicts),
            n=len(some),
            stopped=place in raced.stopped,
            unread=sum(verdict.state == "unread" for verdict in verdicts),
            cost_usd=summed(verdict.made for verdict in self._known[place].values()).dollars,
        )

    def _told(self, verdict: Verdict) -> None:
        self._spent = summed((self._spent, verdict.paid))
        if self._progress is not None:
            self._progress(sum(map(len, self._known)), self._most, self._spent.dollars)


def _figure(judge: Judge, items: Sequence[Labelled], verdicts: Sequence[Verdict]) -> Rate:
    found = figures(judge.scale, [str(item.label) for item in items], verdicts)
    if judge.scale.kind == "pass_fail":
        return found.balanced_accuracy or Rate(None, found.accuracy.n)
    return found.accuracy
