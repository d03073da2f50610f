"""Labels looked over before anything is paid for: what would make a measurement worthless is an error, else a note."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from llmkit.documents import read_text
from llmkit.errors import DocumentError
from llmkit.judges.judge import Judge
from llmkit.judges.label_file import items_path, labels_path
from llmkit.judges.labels import Labelled, LabelSet
from llmkit.judges.spec import PopulationSpec
from llmkit.judges.subject import folded

FEWEST = 20
"""With fewer labels no bound of any use can be shown: all of 14 right is the least that proves .8."""
LONG = 40
"""Characters of an answer that are no accident in a prompt; a shorter one must stand there with its input."""


def lint(labels: LabelSet, judge: Judge) -> tuple[str, ...]:
    """Look over a judge's labels.

    Returns:
        What the user should know, one line each.

    Raises:
        DocumentError: For the first of these: fewer than ``FEWEST`` items with a label (copies count once); labels of
            one class; equal items with different labels; a labelled item that the prompt or the guideline shows;
            weights that do not fit how the items were drawn; a population of fewer items than were drawn from it.
    """
    where = str(labels_path(judge))
    known = [item for item in labels.items if item.label is not None]
    _check_equal(known, labels, where)
    copies = _copies(known)
    _check_number(len(copies), judge, where)
    _check_classes(known, judge, where)
    _check_leakage(known, judge)
    _check_weights(labels, judge)
    _check_population(labels, judge)
    return (*labels.notes, *_notes(labels, known, copies, judge))


def _check_equal(known: list[Labelled], labels: LabelSet, where: str) -> None:
    """Refuse items that are equal in every byte, the reference included, and have different labels."""
    places = {label.id: label.where for label in reversed(labels.labels)}
    first: dict[str, Labelled] = {}
    for item in known:
        other = first.setdefault(item.subject.digest(), item)
        if other.label != item.label:
            one, two = other.subject.id, item.subject.id
            raise DocumentError(
                f"the items {one!r} and {two!r} are equal, and {one!r} is {other.label} ({places[one]}) but {two!r} is"
                f" {item.label}",
                where=places.get(two, where),
                hint="Decide which is right and label both so",
            )


def _copies(known: list[Labelled]) -> list[list[Labelled]]:
    """Return the items, those together that a reader would call the same (:meth:`Subject.folded`)."""
    found: dict[str, list[Labelled]] = {}
    for item in known:
        found.setdefault(item.subject.folded(), []).append(item)
    return list(found.values())


def _check_number(count: int, judge: Judge, where: str) -> None:
    if count < FEWEST:
        raise DocumentError(
            f"{count} items have a label, and a judge cannot be measured with fewer than {FEWEST}",
            where=where,
            hint=f"Label {FEWEST - count} more, about 100 in all: llmkit label start {judge.name}",
        )


def _check_classes(known: list[Labelled], judge: Judge, where: str) -> None:
    found = Counter(item.label for item in known)
    if len(found) == 1:
        (only,) = found
        others = " or ".join(label for label in judge.scale.labels if label != only)
        raise DocumentError(
            f"all {len(known)} labels are {only}: nothing shows whether the judge would see another",
            where=where,
            hint=f"Label items that are {others}; --sampling enriched draws more of the rare ones",
        )
    needed = [label for label in ("a", "b") if judge.scale.kind == "pairwise" and not found[label]]
    if needed:
        hint = "Put the answers of each pair in an order drawn at random"
        raise DocumentError(f"no label is {needed[0]}: the same side wins every pair", where=where, hint=hint)


def _check_leakage(known: list[Labelled], judge: Judge) -> None:
    """Refuse items that the judge has seen: it would be tested on what it was told."""
    items = {item.subject.folded(): item.subject.id for item in known}
    ids = {item.subject.id for item in known}
    for example in judge.examples:
        if (name := items.get(example.subject.folded())) is not None and example.subject.id not in ids:
            raise DocumentError(f"the item {name!r} is an example in the prompt", where=judge.where("prompt"))
    for where, text in _shown(judge):
        for item in known:
            subject = item.subject
            asked = folded(subject.input)
            for answer in filter(None, map(folded, (subject.answer, subject.a or "", subject.b or ""))):
                if answer in text and (len(answer) >= LONG or (asked and asked in text)):
                    raise DocumentError(
                        f"the labelled item {subject.id!r} stands here word for word: the judge would be tested on what"
                        " it is shown",
                        where=where,
                        hint="Take it out of the text, or out of the labels",
                    )


def _shown(judge: Judge) -> Iterator[tuple[str, str]]:
    """Yield what every request shows, with its file."""
    yield str(judge.criterion_path), folded(judge.criterion)
    for path in (judge.prompt.path, *judge.prompt.files):
        if path is not None:
            yield str(path), folded(read_text(path))


def _check_weights(labels: LabelSet, judge: Judge) -> None:
    every = [item.subject.weight for item in labels.items] + [subject.weight for subject in labels.unlabelled]
    where = str(items_path(judge) or labels_path(judge))
    if labels.sampling == "random" and len(set(every)) > 1:
        raise DocumentError(
            "sampling is random, but the items have different weights",
            where=judge.where("labels", "sampling"),
            hint=f"Items drawn with different chances are enriched; else take the weights out of {where}",
        )
    if labels.sampling == "enriched" and labels.weighed < len(every):
        missing = len(every) - labels.weighed
        raise DocumentError(
            f"sampling is enriched, but {missing} of {len(every)} items have no weight",
            where=where,
            hint="Give each its weight: items in its stratum of the population, divided by those drawn from it",
        )


def _check_population(labels: LabelSet, judge: Judge) -> None:
    assert judge.spec.labels is not None
    of, drawn = judge.spec.labels.population, len(labels.items) + len(labels.unlabelled)
    if isinstance(of, PopulationSpec) and of.size is not None and of.size < drawn:
        raise DocumentError(
            f"the population has {of.size} items, and {drawn} were drawn from it to be labelled",
            where=judge.where("labels", "population", "size"),
            hint="Write how many items the labelled ones were drawn from; leave it out where nobody knows",
        )


def _notes(labels: LabelSet, known: list[Labelled], copies: list[list[Labelled]], judge: Judge) -> Iterator[str]:
    found = Counter(item.label for item in known)
    if empty := [label for label in judge.scale.labels if not found[label]]:
        yield f"no item is labelled {', '.join(empty)}: nothing is known of the judge there"
    if repeated := len(known) - len(copies):
        yield (
            f"{_items(repeated)} equal to another, but for blanks and case: they stay together, and count for less"
            " than as many different ones"
        )
    if differing := [(same[0], item) for same in copies for item in same if item.label != same[0].label]:
        (one, two), *more = differing
        yield (
            f"the items {one.subject.id!r} and {two.subject.id!r} are equal but for blanks, case or the reference, and"
            f" one is {one.label}, the other {two.label}{f', and {len(more)} more such' if more else ''}: is that so?"
        )
    if open_ := len(labels.items) - len(known):
        yield f"{_items(open_)} without a majority, or nobody could tell: not measured on"
    if labels.unlabelled:
        yield f"{_items(len(labels.unlabelled))} not labelled yet: llmkit label start {judge.name}"
    if labels.sampling is None:
        yield "nothing says how the items were drawn (labels.sampling): no rate will be corrected"
    elif judge.spec.labels is not None and judge.spec.labels.population is None:
        yield "nothing says what the items were drawn from (labels.population): no rate will be corrected"
    elif labels.population is None:
        yield "the population has no fingerprint (labels.population): no run can be told to be the one labelled"


def _items(count: int) -> str:
    return f"{count} item is" if count == 1 else f"{count} items are"
