"""A run of the store, as a comparison reads it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import cast

from llmkit.paired.rows import Chosen, Key, Row, Setup, Texts, hash_of
from llmkit.runs.export import scored, scores_of, setup_of, signatures_of
from llmkit.runs.grade import item_of
from llmkit.runs.lock import as_seen
from llmkit.runs.outcome import outcome_of
from llmkit.runs.records import references_json
from llmkit.runs.rows import RunRow, SampleRow
from llmkit.runs.store import Store
from llmkit.scoring.base import Item
from llmkit.types import Failure, Message, Score
from llmkit.variants import Pace


class StoredRun:
    """A run of an open store.

    Args:
        store: Where it lies.
        name: Its id, the start of it, ``latest`` or ``latest~N``.

    Raises:
        UsageError: No such run, or several.
    """

    def __init__(self, store: Store, name: str) -> None:
        self._store = store
        self._run = as_seen(store.run(name), store.path.parent)
        self._own = _own_answers(store, self._run)
        self.setup = _setup(self._run, name)

    def rows(self) -> Iterator[Row]:
        """Stream its samples in the data set's order."""
        for sample, scores in scored(self._store, self._run):
            found = {name: score for name, score in scores.items() if isinstance(score, Score)}
            completion = sample.answer.completion if sample.answer else None
            yield Row(
                key=(sample.sample_id, sample.epoch),
                where=f"run {self._run.run_id}",
                references=references_json(sample.references) if sample.input is not None else None,
                cluster=sample.cluster,
                slices=sample.slices,
                values={name: score.value for name, score in found.items()},
                stats={name: score.stats for name, score in found.items() if score.stats},
                answer=sample.answer.answer_id if sample.answer else None,
                answered=completion is not None,
                cost_usd=completion.cost_usd if completion else None,
                output_tokens=completion.usage.output if completion else None,
                latency_s=completion.seconds if completion else None,
                fresh=sample.answer is not None and sample.answer.run_id in self._own,
                said=hash_of(completion.text) if completion else None,
                unscored={name: score.kind for name, score in scores.items() if isinstance(score, Failure)},
                input_tokens=completion.usage.input if completion else None,
            )

    def texts(self, keys: Collection[Key]) -> dict[Key, Texts]:
        """Return what people read of some of its samples."""
        found: dict[Key, Texts] = {}
        for sample_id in dict.fromkeys(sample_id for sample_id, _ in keys):
            for sample in self._store.samples(self._run.run_id, sample_id=sample_id):
                if (sample_id, sample.epoch) in keys:
                    found[sample_id, sample.epoch] = self._texts(sample)
        return found

    def items(self, keys: Collection[Key]) -> Iterator[tuple[Key, Item]]:
        """Stream some of its samples as scorers see them, in one pass."""
        for sample in self._store.samples(self._run.run_id) if keys else ():
            if (key := (sample.sample_id, sample.epoch)) in keys:
                yield key, item_of(outcome_of(sample))

    def chosen(self, answers: Sequence[int]) -> dict[int, Chosen]:
        """Return how some stored answers came about."""
        return {answer_id: Chosen(*told) for answer_id, told in self._store.chosen(answers)}

    def pace(self) -> Pace | None:
        """Return how fast the answers came that the run asked for itself; of a rescored one, the run that asked."""
        return self._store.pace(_asking(self._store, self._run))

    def _texts(self, sample: SampleRow) -> Texts:
        stored = self._store.find_scores([sample.answer.answer_id] if sample.answer else [])
        scores = scores_of(sample, stored, signatures_of(self._run))
        return Texts(
            question_of(sample.messages),
            sample.references,
            sample.answer.completion.text if sample.answer else None,
            {name: s.answer for name, s in scores.items() if isinstance(s, Score) and s.answer is not None},
        )


def question_of(messages: Collection[Message]) -> str:
    """Return the last user message; what was asked last, where there is none."""
    said = [m.content for m in messages if m.role == "user"] or [m.content for m in messages]
    return said[-1] if said else ""


def sizes_of(epochs: int, limit: int | None, seed: int) -> dict[str, int | None]:
    """Name how much of a suite was run; the parameters may hold a seed, too, which is the model's."""
    return {"epochs": epochs, "limit": limit, "seed of the bootstrap": seed}


def _own_answers(store: Store, run: RunRow) -> frozenset[str]:
    """Return the runs whose answers are this one's: a rescored run has those of the run that asked."""
    own = {run.run_id}
    while (source := run.rescored_from) and source not in own:
        own.add(source)
        if not store.has_run(source):
            break
        run = store.run(source)
    return frozenset(own)


def _asking(store: Store, run: RunRow) -> RunRow:
    """Return the run that asked for the answers of this one: itself, unless it was rescored."""
    seen = {run.run_id}
    while (source := run.rescored_from) and source not in seen and store.has_run(source):
        seen.add(source)
        run = store.run(source)
    return run


def _setup(run: RunRow, name: str) -> Setup:
    said = setup_of(run)
    return Setup(
        name=name, run_id=run.run_id, suite=run.suite, model=run.model, status=run.status, data=said["data"],
        prompt=said["prompt"], map=said["map"], signatures=signatures_of(run), scorers=said["scorers"],
        higher_is_better=cast("dict[str, bool]", said["higher_is_better"]), params=said["params"],
        sizes=sizes_of(said["epochs"], said["limit"], said["seed"]), gate=said["gate"],
        source=run.config["suite"].get("data"), judges=said.get("judges", {}), options=said["options"],
        alias=said["alias"],
    )  # fmt: skip
