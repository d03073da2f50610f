"""Labels divided: examples for the prompt, items to choose by, items to test on once."""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from llmkit.calibrations import Split
from llmkit.canonical import digest
from llmkit.errors import UsageError
from llmkit.judgements import Part
from llmkit.judges.labels import Labelled, LabelSet
from llmkit.judges.subject import Subject

FOLDS = 5
"""Of cross-fitting: each test item is judged by what was chosen on four fifths of the others."""
FEW_ITEMS = 100
"""With fewer labelled items, a dev part cut out of them leaves too few to test: choosing is cross-fitted instead.

Of groups that differ in size as many count as Kish's (Σn)²/Σn²: where one item stands for half of the labels, by chance
all of its copies are in the test part or none, and what is said of the population hangs on that alone.
"""
SLACK = 0.2
"""The part of the share beyond the test's that is given to it as well, so that the test's hold on its share survives
chance: items then need not change parts as labels are added."""


@dataclass(frozen=True, slots=True)
class Division:
    """Which labelled item is used for what. No group is in two parts, and copies of one item are one group.

    Attributes:
        few_shot: Items that a prompt may show, in the order in which examples are taken: class after class, so that the
            first k of them are balanced; copies of those last.
        dev: Items to choose by; empty where there is nothing to choose, and with folds.
        test: Items that the judge is tested on.
        folds: The test items, divided for cross-fitting: what is tested on one is chosen on the others; empty without.
        groups: How many groups the divided items make; None where each is its own.
        digest: Hash of all parts.
        group: Id → name of its group, of each divided item: two groups that share a copy are one.
    """

    few_shot: tuple[str, ...]
    dev: tuple[str, ...]
    test: tuple[str, ...]
    folds: tuple[tuple[str, ...], ...] = ()
    groups: int | None = None
    digest: str = ""
    group: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class _Group:
    """Items that stay together.

    Attributes:
        at: Where the hash of its name lies, in [0, 1).
        items: All of them.
        distinct: The first of each that are copies.
    """

    at: float
    items: list[Labelled] = field(default_factory=list)
    distinct: list[Labelled] = field(default_factory=list)

    @property
    def classes(self) -> Counter[str]:
        return Counter(item.label for item in self.items if item.label is not None)

    @property
    def repeats(self) -> bool:
        """Whether it holds copies."""
        return len(self.distinct) < len(self.items)


def divide(labels: LabelSet, *, few_shot: int, dev: bool, test: float, seed: int) -> Division:
    """Divide the items that have a label, by a hash of each one's group.

    A group is a test group where its hash is low; the threshold does not depend on the other items, so that labels that
    are added later move none of those before. It lies a little above ``test`` (``SLACK``). Where chance leaves less
    than ``test`` of some class, the next groups by hash that hold it go to the test as well: the test always has at
    least the share ``test`` of each class, and of all. Only such groups can ever change parts, or those that a new item
    joins together. Examples are the groups with the highest hashes of each class: new labels may take their place, but
    they never go to the test before those between.

    Copies (:meth:`Subject.folded`) are kept: labels drawn at random stand for a population as it is, repetitions
    included. Examples are taken from items without copies as long as there are some, and never twice.

    Without ``dev`` all items that are no examples are the test. With fewer than ``FEW_ITEMS`` items, ``dev`` gives
    ``FOLDS`` folds of the test and no dev part; folds are dealt evenly over the classes, and anew for other labels.

    Args:
        labels: Read and linted.
        few_shot: Items that prompts may show, at least so many.
        dev: Whether there is something to choose.
        test: Least share of the test, from ½.
        seed: Of the hashes.

    Raises:
        UsageError: Too few items for so many examples.
    """
    groups = _groups(labels.items, seed)
    wanted = _least(groups, test)
    folded = dev and _independent(groups) < FEW_ITEMS
    if dev and not folded:
        inside = _test_groups(groups, wanted, test + (1 - test) * SLACK)
        outside = _without(groups, inside)
        shown = _examples(outside, few_shot, Counter())
        rest = _without(outside, shown)
    else:
        shown = _examples(groups, few_shot, wanted)
        inside, rest = _without(groups, shown), []
    if sum(len(group.distinct) for group in shown) < few_shot or (dev and not (rest or folded)):
        raise UsageError(
            f"{few_shot} examples in the prompt leave too few of {sum(map(_size, groups))} labelled items to choose by,"
            f" and {test:.0%} of each class for the test",
            hint="Show fewer, or label more",
        )
    folds = _folds(inside) if folded else ()
    parts = _in_turn(shown), _ids(rest), _ids(inside)
    named = any(group.repeats or item.subject.group is not None for group in groups for item in group.items)
    return Division(
        *parts,
        folds=folds,
        groups=len(groups) if named else None,
        digest=digest([*map(list, parts), *map(list, folds)]),
        group={item.subject.id: group.items[0].subject.id for group in groups for item in group.items},
    )


def summary(labels: LabelSet, division: Division) -> Split:
    """Return how the labels were divided, as reports show it."""
    label = {item.subject.id: item.label for item in labels.items}
    parts: Mapping[Part, Sequence[str]] = {
        "few_shot": division.few_shot,
        "dev": division.dev,
        "test": division.test,
    }
    sizes = {part: dict(sorted(Counter(str(label[name]) for name in ids).items())) for part, ids in parts.items()}
    return Split(sizes, len(division.folds), division.groups, division.digest)


def position(seed: int, key: Sequence[str]) -> float:
    """Return where a name's hash lies in [0, 1): the same on every machine."""
    return int(digest([seed, *key])[:13], 16) / 16**13


def _key(subject: Subject) -> tuple[str, str]:
    return ("group", subject.group) if subject.group is not None else ("subject", subject.folded())


def _groups(items: Iterable[Labelled], seed: int) -> list[_Group]:
    """Return the groups, by their hashes; two of them that hold copies of one item are one."""
    copies: dict[str, list[Labelled]] = {}
    keys: dict[str, list[tuple[str, str]]] = {}
    for item in sorted((item for item in items if item.label is not None), key=lambda item: item.subject.id):
        same = item.subject.folded()
        copies.setdefault(same, []).append(item)
        keys.setdefault(same, []).append(_key(item.subject))
    parent: dict[tuple[str, str], tuple[str, str]] = {}

    def top(key: tuple[str, str]) -> tuple[str, str]:
        while parent.setdefault(key, key) != key:
            key = parent[key]
        return key

    for joined in keys.values():
        for key in joined[1:]:
            parent[top(key)] = top(joined[0])
    lowest: dict[tuple[str, str], float] = {}
    for key in list(parent) + [joined[0] for joined in keys.values()]:
        lowest[top(key)] = min(lowest.get(top(key), 1.0), position(seed, key))
    found = {key: _Group(at) for key, at in lowest.items()}
    for same, alike in copies.items():
        group = found[top(keys[same][0])]
        group.distinct.append(alike[0])
        group.items += alike
    for group in found.values():
        group.items.sort(key=lambda item: item.subject.id)
    return sorted((group for group in found.values()), key=lambda group: (group.at, group.items[0].subject.id))


def _without(groups: Iterable[_Group], others: Iterable[_Group]) -> list[_Group]:
    left_out = set(others)
    return [group for group in groups if group not in left_out]


def _size(group: _Group) -> int:
    return len(group.items)


def _independent(groups: Iterable[_Group]) -> float:
    """Return how many groups of one size would tell as much (L. Kish, Survey Sampling, 1965)."""
    sizes = [_size(group) for group in groups]
    return sum(sizes) ** 2 / sum(size * size for size in sizes) if sizes else 0.0


def _least(groups: Sequence[_Group], test: float) -> Counter[str]:
    """Return how many items of each class the test needs."""
    total: Counter[str] = sum((group.classes for group in groups), Counter())
    return Counter({label: math.ceil(count * test - 1e-9) for label, count in total.items()})


def _test_groups(groups: Sequence[_Group], wanted: Counter[str], threshold: float) -> list[_Group]:
    """Return the groups below the threshold, and above it as many as are wanted, lowest first."""
    inside = [group for group in groups if group.at < threshold]
    have: Counter[str] = sum((group.classes for group in inside), Counter())
    for group in groups[len(inside) :]:
        if any(have[label] < wanted[label] for label in group.classes):
            inside.append(group)
            have += group.classes
    return inside


def _examples(groups: Sequence[_Group], few_shot: int, kept: Counter[str]) -> list[_Group]:
    """Take groups with the highest hashes, class after class, as long as others still hold ``kept`` of each class.

    Those that hold copies come last: they would take items out of the test that stand for much of the population.
    """
    left: Counter[str] = sum((group.classes for group in groups), Counter())
    taken: list[_Group] = []
    shown: Counter[str] = Counter()
    in_order = sorted(groups, key=lambda group: not group.repeats)  # the last of a list is taken first
    waiting = {label: [group for group in in_order if group.classes[label]] for label in sorted(left)}
    while sum(shown.values()) < few_shot:
        open_ = [label for label, queue in waiting.items() if queue]
        if not open_:
            break
        group = waiting[min(open_, key=lambda label: shown[label])].pop()  # the class shown least; the first of equals
        if group in taken or any(left[label] - count < kept[label] for label, count in group.classes.items()):
            continue
        taken.append(group)
        shown += Counter(str(item.label) for item in group.distinct)
        left -= group.classes
    return taken


def _in_turn(groups: Sequence[_Group]) -> tuple[str, ...]:
    """Return the items class after class; the first of each group go before its others, and copies after all."""
    queues: dict[str, deque[str]] = {}
    spare: list[str] = []
    copies: list[str] = []
    for group in groups:
        first, *others = group.distinct
        queues.setdefault(str(first.label), deque()).append(first.subject.id)
        spare += [item.subject.id for item in others]
        once = {item.subject.id for item in group.distinct}
        copies += [item.subject.id for item in group.items if item.subject.id not in once]
    ordered: list[str] = []
    while any(queues.values()):
        ordered += [queues[label].popleft() for label in sorted(queues) if queues[label]]
    return (*ordered, *spare, *copies)


def _folds(groups: Sequence[_Group]) -> tuple[tuple[str, ...], ...]:
    """Deal the groups out by their rarest class and hash, the largest first: folds of like size and like classes."""
    total: Counter[str] = sum((group.classes for group in groups), Counter())
    folds: list[list[_Group]] = [[] for _ in range(FOLDS)]
    have: list[Counter[str]] = [Counter() for _ in range(FOLDS)]
    for group in sorted(groups, key=lambda group: (min(total[label] for label in group.classes), -_size(group))):
        place = min(range(FOLDS), key=lambda k: (sum(have[k][label] for label in group.classes), have[k].total(), k))
        folds[place].append(group)
        have[place] += group.classes
    return tuple(_ids(fold) for fold in folds)


def _ids(groups: Iterable[_Group]) -> tuple[str, ...]:
    return tuple(sorted(item.subject.id for group in groups for item in group.items))
