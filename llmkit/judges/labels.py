"""People's labels, and what was labelled."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from llmkit.canonical import digest
from llmkit.errors import DocumentError, nearest
from llmkit.judgements import Sampling
from llmkit.judges.items import id_of, item_line, subject_of
from llmkit.judges.judge import Judge
from llmkit.judges.kinds import CANNOT_TELL
from llmkit.judges.label_file import Line, append_line, items_path, labels_path, read_lines, write_lines
from llmkit.judges.spec import PopulationSpec
from llmkit.judges.subject import Subject
from llmkit.text import quoted

T = TypeVar("T", bool, str)

FIELDS = ("id", "label", "annotator", "gold", "seconds", "at", "note", "undo")
"""Fields of a label; in a file that holds the items too, all others are the item's."""


@dataclass(frozen=True, slots=True)
class Label:
    """One person's answer for one item, as a line of the file holds it.

    Attributes:
        id: The item's.
        label: A word of the judge's scale, or ``cannot_tell``.
        annotator: Who; empty where the file does not say.
        gold: Whether it is a known answer, by which people are examined.
        seconds: That it took; None where unknown.
        where: ``path:line``.
        at: When, ISO 8601; empty where unknown.
        note: What the person remarked.
    """

    id: str
    label: str
    annotator: str = ""
    gold: bool = False
    seconds: float | None = None
    where: str = ""
    at: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Labelled:
    """An item with what people say of it.

    Attributes:
        subject: What was labelled.
        label: The gold label where there is one, else the majority's; None where there is none (a tie, or all could not
            tell): such an item measures nothing.
        said: Annotator → label; without the gold one.
    """

    subject: Subject
    label: str | None
    said: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LabelSet:
    """All labels of one judge.

    Attributes:
        items: In the order of the items file (of first sight in the labels file without one); unlabelled ones left out.
        labels: Every answer that holds, in the order of the file; what was undone, or said once more, is left out.
        unlabelled: Items that nobody has labelled.
        sampling: How they were drawn; None where not stated.
        population: Fingerprint of what they were drawn from; None where unknown.
        digest: Hash of all that a measurement uses of them.
        weighed: Items whose line names a weight.
        notes: What the user should know of the files.
    """

    items: tuple[Labelled, ...]
    labels: tuple[Label, ...]
    unlabelled: tuple[Subject, ...] = ()
    sampling: Sampling | None = None
    population: str | None = None
    digest: str = ""
    weighed: int = 0
    notes: tuple[str, ...] = ()


def read_labels(judge: Judge) -> LabelSet:
    """Read a judge's labels and items.

    An annotator may say the same of an item again, the last line holding; whoever says otherwise takes the first back
    before: ``{"id": …, "annotator": …, "undo": true}``. Without that two lines that differ are a contradiction: nobody
    knows which of them holds.

    Raises:
        DocumentError: The judge names no labels; a file is missing or outside the project; a line has no id, an id that
            no item has, a label that the judge cannot produce, or is not what a line must be; two lines contradict
            each other; with its place.
        DataError: A file cannot be read.
    """
    path, beside = labels_path(judge), items_path(judge)
    assert judge.spec.labels is not None
    hint = f"Label items with: llmkit label start {judge.name}"
    lines, notes = read_lines(path, where=judge.where("labels", "file"), hint=hint)
    if beside is None:
        item_lines = _item_lines(lines, judge)
    else:
        item_lines, more = read_lines(beside, where=judge.where("labels", "items"))
        notes += more
    subjects = _subjects(item_lines, judge)
    _check_slices(item_lines, judge)
    labels = _standing(lines, judge, subjects, alone=beside is not None)
    said: dict[str, list[Label]] = {}
    for label in labels:
        said.setdefault(label.id, []).append(label)
    items = tuple(_labelled(subject, said[name]) for name, subject in subjects.items() if name in said)
    of = judge.spec.labels.population
    return LabelSet(
        items=items,
        labels=labels,
        unlabelled=tuple(subject for name, subject in subjects.items() if name not in said),
        sampling=judge.spec.labels.sampling,
        population=of.fingerprint if isinstance(of, PopulationSpec) else None,
        digest=_digest(items, judge),
        weighed=sum("weight" in line.values for line in item_lines),
        notes=notes,
    )


def append_label(path: Path, label: Label) -> None:
    """Add an answer to a labels file; it is on disk when this returns.

    Raises:
        UsageError: It cannot be written.
    """
    row: dict[str, Any] = {"id": label.id, "label": label.label}
    if label.annotator:
        row["annotator"] = label.annotator
    if label.gold:
        row["gold"] = True
    if label.seconds is not None:
        row["seconds"] = round(label.seconds, 1)
    append_line(path, row | {name: said for name, said in (("at", label.at), ("note", label.note)) if said})


def append_undo(path: Path, id: str, annotator: str) -> None:
    """Take back what an annotator said of an item; it is on disk when this returns.

    Raises:
        UsageError: It cannot be written.
    """
    append_line(path, {"id": id, **({"annotator": annotator} if annotator else {}), "undo": True})


def write_items(path: Path, subjects: Iterable[Subject], *, force: bool = False) -> None:
    """Write an items file, whole or not at all.

    Raises:
        UsageError: It is there already and ``force`` is not given; it cannot be written.
    """
    write_lines(path, map(item_line, subjects), force=force)


def majority_of(said: Iterable[str]) -> str | None:
    """Return the most frequent label, those who could not tell aside; None for a tie or none at all."""
    counted = Counter(label for label in said if label != CANNOT_TELL).most_common(2)
    if not counted or (len(counted) > 1 and counted[0][1] == counted[1][1]):
        return None
    return counted[0][0]


def _item_lines(lines: Sequence[Line], judge: Judge) -> list[Line]:
    """Return the items that stand in a labels file: the first line of each, less the label's own fields."""
    found: dict[str, Line] = {}
    for line in lines:
        name = id_of(line)
        values = {"id": name} | {key: value for key, value in line.values.items() if key not in FIELDS}
        if len(values) == 1 and name in found:
            continue  # a further label need not repeat the item
        if name not in found:
            if len(values) == 1:
                hint = "Write its input and answer here, or name a file of items (labels.items)"
                raise DocumentError(f"nothing says what the item {name!r} is", where=line.where, hint=hint)
            found[name] = Line(values, line.where)
        elif values != found[name].values:
            first = found[name].where
            raise DocumentError(f"the item {name!r} is another one at {first}", where=line.where, hint="Rename one")
    return list(found.values())


def _subjects(lines: Sequence[Line], judge: Judge) -> dict[str, Subject]:
    found: dict[str, Subject] = {}
    places: dict[str, str] = {}
    for line in lines:
        subject = subject_of(line, judge)
        if subject.id in found:
            first = places[subject.id]
            raise DocumentError(f"the id {subject.id!r} stands twice: first at {first}", where=line.where)
        found[subject.id], places[subject.id] = subject, line.where
    return found


def _check_slices(lines: Sequence[Line], judge: Judge) -> None:
    assert judge.spec.labels is not None
    fields = {name for line in lines for name in line.values}
    for place, name in enumerate(judge.spec.labels.slices):
        if lines and name not in fields:
            where = judge.where("labels", "slices", place)
            raise DocumentError(f"no item has the field {name!r}", where=where, hint=nearest(name, fields))


def _standing(
    lines: Sequence[Line], judge: Judge, subjects: Mapping[str, Subject], *, alone: bool
) -> tuple[Label, ...]:
    """Return the answers that hold: each annotator's for each item, unless it was taken back."""
    found: dict[tuple[str, str, bool], Label] = {}
    for line in lines:
        name = id_of(line)
        if name not in subjects:
            raise DocumentError(f"no item has the id {name!r}", where=line.where, hint=nearest(name, subjects))
        if alone:
            _check_fields(line)
        label = _label(line, judge, name)
        key = name, label.annotator, label.gold
        before = found.pop(key, None)
        if before is not None and label.label not in ("", before.label):
            _contradiction(label, before)
        if not line.values.get("undo"):
            found[key] = label
    _check_gold(found.values())
    return tuple(found.values())


def _contradiction(label: Label, before: Label) -> NoReturn:
    said = f"the item {label.id!r} is {label.label} here and {before.label} at {before.where}"
    if label.annotator:
        hint = 'Keep the right line, or take the first back by one before this: {"id": …, "annotator": …, "undo": true}'
        raise DocumentError(f"{said}, both by {quoted(label.annotator)}", where=label.where, hint=hint)
    hint = "Name who says so (annotator), or keep the right line"
    raise DocumentError(f"{said}, by nobody's name", where=label.where, hint=hint)


def _check_fields(line: Line) -> None:
    for name in line.values:
        if name not in FIELDS:
            raise DocumentError(f"a label has no field {name!r}", where=line.where, hint=nearest(name, FIELDS))


def _check_gold(labels: Iterable[Label]) -> None:
    gold: dict[str, Label] = {}
    for label in labels:
        if not label.gold:
            continue
        if (other := gold.setdefault(label.id, label)).label != label.label:
            said = f"the item {label.id!r} has two gold labels: {label.label} here, {other.label} at {other.where}"
            raise DocumentError(said, where=label.where, hint="Keep the right one")


def _label(line: Line, judge: Judge, name: str) -> Label:
    values = line.values
    undo = _kind(line, "undo", bool, False)
    return Label(
        id=name,
        label="" if undo else _word(line, judge),
        annotator=_kind(line, "annotator", str, ""),
        gold=_kind(line, "gold", bool, False),
        seconds=_seconds(line) if values.get("seconds") is not None else None,
        where=line.where,
        at=_kind(line, "at", str, ""),
        note=_kind(line, "note", str, ""),
    )


def _word(line: Line, judge: Judge) -> str:
    said = line.values.get("label")
    if said is None:
        near = nearest("label", [name for name in line.values if name not in FIELDS])
        hint = near if near.startswith("Did you mean") else f"It is one of: {_words(judge)}"
        raise DocumentError("no label", where=line.where, hint=hint)
    word = judge.scale.label_of(said)
    if word is None:
        near = nearest(str(said), [*judge.scale.labels, CANNOT_TELL])
        hint = (
            f"{near} It can say: {_words(judge)}" if near.startswith("Did you mean") else f"It can say: {_words(judge)}"
        )
        message = f"the judge {judge.name!r} cannot produce the label {quoted(said)}"
        raise DocumentError(message, where=line.where, hint=hint)
    return word


def _words(judge: Judge) -> str:
    return ", ".join((*judge.scale.labels, CANNOT_TELL))


def _kind(line: Line, name: str, kind: type[T], default: T) -> T:
    value = line.values.get(name)
    if value is None:
        return default
    if not isinstance(value, kind):
        wanted = "true or false" if kind is bool else "a text"
        raise DocumentError(f"the field {name!r} is {quoted(value)}, not {wanted}", where=line.where)
    return value


def _seconds(line: Line) -> float:
    value = line.values["seconds"]
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or value < 0:
        raise DocumentError(f"the field 'seconds' is {quoted(value)}, not a number from 0", where=line.where)
    return float(value)


def _labelled(subject: Subject, labels: Sequence[Label]) -> Labelled:
    said = {label.annotator: label.label for label in labels if not label.gold}
    gold = next((label.label for label in labels if label.gold), None)
    label = majority_of(said.values()) if gold is None else majority_of([gold])
    return Labelled(subject, label, said)


def _digest(items: Sequence[Labelled], judge: Judge) -> str:
    assert judge.spec.labels is not None
    spec = judge.spec.labels
    population = spec.population.model_dump() if isinstance(spec.population, PopulationSpec) else spec.population
    each = [
        [of.id, of.digest(), item.label, of.weight, of.group, dict(of.slices)]
        for item in items
        for of in (item.subject,)
    ]
    return digest([sorted(each, key=lambda row: str(row[0])), spec.sampling, population])
