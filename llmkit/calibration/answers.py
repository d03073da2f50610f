"""What a judge is put to work on: the answers of a stored run, or the items of a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from llmkit.errors import UsageError
from llmkit.judges.items import subject_of, subject_of_values
from llmkit.judges.judge import Judge
from llmkit.judges.label_file import read_lines
from llmkit.judges.subject import Population, Subject, subject_of_answer
from llmkit.runs.grade import item_of
from llmkit.runs.outcome import outcome_of
from llmkit.runs.rows import RunRow
from llmkit.runs.store import Store
from llmkit.stats.numbering import Ints, numbered


@dataclass(frozen=True, slots=True)
class Answers:
    """Subjects to judge, and how they hang together.

    Attributes:
        name: Of what they are: a run's id, a file's name.
        source: For people: ``run 2026… (quickstart on openai/…)``, ``items.jsonl``.
        subjects: In order.
        epochs: Of each; 1 throughout of a file.
        unanswered: Samples of a run without an answer; they are not judged.
        notes: What the user should know of them.
    """

    name: str
    source: str
    subjects: tuple[Subject, ...]
    epochs: tuple[int, ...]
    unanswered: int = 0
    notes: tuple[str, ...] = ()

    @property
    def population(self) -> str:
        """The fingerprint of all of them."""
        population = Population()
        for subject in self.subjects:
            population.add(subject)
        return population.fingerprint()


def answers_of_run(store: Store, run: RunRow, judge: Judge) -> Answers:
    """Read what a run answered.

    Raises:
        UsageError: It has no answers; the judge compares pairs, and a sample has no reference to compare with.
    """
    pair = judge.scale.kind == "pairwise"
    subjects, epochs, unanswered = [], [], 0
    for row in store.samples(run.run_id):
        if row.answer is None:
            unanswered += 1
            continue
        if pair and not row.references:
            raise UsageError(
                f"the judge {judge.name} compares two answers, and sample {row.sample_id!r} of run {run.run_id} has no"
                " reference to be the other one",
                hint=f"Set two runs against each other: llmkit judge run {judge.name} RUN_A RUN_B",
            )
        subjects.append(subject_of_answer(item_of(outcome_of(row)), pair=pair, group=row.cluster))
        epochs.append(row.epoch)
    if not subjects:
        raise UsageError(f"run {run.run_id} has no answer to judge")
    source = f"run {run.run_id} ({run.suite} on {run.model})"
    return Answers(run.run_id, source, tuple(subjects), tuple(epochs), unanswered)


def answers_of_file(path: Path, judge: Judge) -> Answers:
    """Read a file of items, of the form of ``labels.items``.

    Raises:
        DocumentError: A line is not what an item must be; two have one id; with the place.
        DataError: The file cannot be read.
    """
    lines, notes = read_lines(path)
    subjects: dict[str, Subject] = {}
    for line in lines:
        if judge.spec.labels is not None:
            subject = subject_of(line, judge)
        else:
            subject = subject_of_values(line.values, line.where, pair=judge.scale.kind == "pairwise")
        if subject.id in subjects:
            raise UsageError(f"the id {subject.id!r} stands twice", where=line.where, hint="Each item has its own")
        subjects[subject.id] = subject
    if not subjects:
        raise UsageError("there are no items", where=str(path))
    return Answers(path.name, path.name, tuple(subjects.values()), (1,) * len(subjects), notes=notes)


def samples_of(subjects: Sequence[Subject]) -> Ints | None:
    """Return a number a sample; None where each subject is a sample of its own, with one epoch."""
    names = [subject.id for subject in subjects]
    return None if len(set(names)) == len(names) else numbered(names)


def clusters_of(subjects: Sequence[Subject]) -> Ints | None:
    """Return a number a cluster of samples; None where no two samples share one."""
    names = [unit(subject) for subject in subjects]
    return None if len(set(names)) == len({subject.id for subject in subjects}) else numbered(names)


def unit(subject: Subject) -> tuple[str, str]:
    """Name what is independent of the others: the group, or the sample itself, whatever the two are called."""
    return ("id", subject.id) if subject.group is None else ("group", subject.group)
