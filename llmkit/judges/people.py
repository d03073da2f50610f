"""The people who labelled: how far they agree, who is provably worse than the rest, how well a person does."""

from __future__ import annotations

import itertools
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from llmkit.agreements import Agreement, Annotator
from llmkit.judgements import Rate
from llmkit.judges.judge import Judge
from llmkit.judges.kinds import CANNOT_TELL
from llmkit.judges.labels import Label, LabelSet
from llmkit.stats.agreement.ac1 import gwet
from llmkit.stats.agreement.alpha import krippendorff_alpha
from llmkit.stats.agreement.categories import Ints, contingency
from llmkit.stats.agreement.kappa import cohen_kappa, fleiss_kappa
from llmkit.stats.agreement.resampled import alpha_interval, fleiss_interval
from llmkit.stats.annotators.answers import Answers
from llmkit.stats.annotators.dawid_skene import dawid_skene
from llmkit.stats.annotators.exam import LEAST_ANSWERS, Exam, exam
from llmkit.stats.annotators.majority import concord, majority
from llmkit.stats.annotators.wawa import wawa
from llmkit.stats.proportion import wilson

MOST_PAIRED = 30
"""With more people, nobody reads each pair's kappa; alpha and AC1 say it of all of them."""


@dataclass(frozen=True, slots=True)
class Consensus:
    """What the answers to one item come to.

    Attributes:
        majority: The most frequent label; None for a tie.
        dawid_skene: The likeliest label by Dawid and Skene's model.
        probability: Of that label, by that model.
    """

    majority: str | None
    dawid_skene: str
    probability: float


def agreement(labels: LabelSet, judge: Judge) -> Agreement:
    """Return how far people agree. A gold label is no person's; who could not tell gave no rating.

    Grades are taken as ordered: kappa and Gwet's coefficient (AC2 then) have quadratic weights, alpha is ordinal.
    Kappas of pairs are left out where more than ``MOST_PAIRED`` people labelled.
    """
    said = _said(labels)
    names = tuple(sorted({label.annotator for label in said}))
    answers = _answers(said, judge)
    outcome = consensus(labels, judge)
    counts = answers.votes().astype(np.int64) if answers else None
    overlapping = int((counts.sum(axis=1) >= 2).sum()) if counts is not None else 0
    ordered = judge.scale.ordered
    found = [one.majority for one in outcome.values()]
    return Agreement(
        judge=judge.name,
        items=len(outcome),
        overlapping=overlapping,
        annotators=names,
        kappas=_kappas(said, names, judge),
        fleiss=_fleiss(counts, _clusters(labels, answers)) if counts is not None and overlapping else None,
        alpha=_alpha(counts, ordered, _clusters(labels, answers)) if counts is not None and overlapping else None,
        ac1=_gwet(counts, ordered) if counts is not None and overlapping else None,
        majority=_in_order(Counter(label for label in found if label is not None), judge),
        ties=found.count(None),
        dawid_skene=_in_order(Counter(one.dawid_skene for one in outcome.values()), judge),
        differing=tuple(
            sorted(id for id, one in outcome.items() if one.majority is not None and one.majority != one.dawid_skene)
        ),
        level="ordinal" if ordered else "nominal",
        ceiling=ceiling(labels, judge),
    )


def annotators(labels: LabelSet, judge: Judge) -> tuple[Annotator, ...]:
    """Return who labelled, the best first: by gold items where anyone answered enough of them, else by the others.

    Who is provably worse is flagged: exact binomial of so few right answers at the share of all, one-sided, by Holm's
    method over all who answered ``LEAST_ANSWERS`` or more. Right is the gold label, or what most of the others say.
    """
    said = _said(labels, everything=True)
    names = sorted({label.annotator for label in said})
    met = _met(_said(labels), judge)
    passed = _passed(labels)
    by_gold = any(n >= LEAST_ANSWERS for _, n in passed.values())
    tested = passed if by_gold else met
    exams = dict(zip(names, _exam([tested.get(name, (0, 0)) for name in names]), strict=True))
    skills = _skills(_said(labels), judge)
    times: dict[str, list[float]] = {}
    for label in said:
        times.setdefault(label.annotator, []).extend([] if label.seconds is None else [label.seconds])
    count = Counter(label.annotator for label in said)
    rows = [
        Annotator(
            name=name,
            n=count[name],
            agreement=_rate(*met.get(name, (0, 0))),
            gold=_rate(*passed.get(name, (0, 0))),
            skill=skills.get(name),
            p_value=exams[name].p_value,
            p_adjusted=exams[name].adjusted,
            flagged=exams[name].flagged,
            seconds=statistics.median(times[name]) if times[name] else None,
        )
        for name in names
    ]

    def place(one: Annotator) -> tuple[float, str]:
        rate = one.gold if by_gold else one.agreement
        return (-rate.value if rate is not None and rate.value is not None else 1.0, one.name)

    return tuple(sorted(rows, key=place))


def ceiling(labels: LabelSet, judge: Judge) -> Rate | None:
    """Return how often a person says what most of the others say: no judge can be asked for more.

    Over all answers to items on which the others have a majority; the interval is Wilson's for as many items as those
    are, since answers to one item are not independent. None where no item has two answers.
    """
    answers = _answers(_said(labels), judge)
    if answers is None:
        return None
    found = concord(answers)
    compared = int(found.compared.sum())
    items = int((answers.votes().sum(axis=1) >= 2).sum())
    if not compared:
        return None
    value = float(found.agreed.sum() / compared)
    n = min(items, compared)
    return Rate(value, n, wilson(value * n, n))


def consensus(labels: LabelSet, judge: Judge) -> Mapping[str, Consensus]:
    """Return item → what its answers come to; items of which nobody could tell are left out."""
    answers = _answers(_said(labels), judge)
    if answers is None:
        return {}
    voted, model = majority(answers), dawid_skene(answers)
    return {
        str(item): Consensus(
            majority=None if voted.tied[place] else str(answers.labels[voted.label[place]]),
            dawid_skene=str(answers.labels[model.label[place]]),
            probability=float(model.posterior[place, model.label[place]]),
        )
        for place, item in enumerate(answers.items)
    }


def _said(labels: LabelSet, *, everything: bool = False) -> list[Label]:
    """Return people's ratings; ``everything``: also that they could not tell."""
    return [label for label in labels.labels if not label.gold and (everything or label.label != CANNOT_TELL)]


def _answers(said: Sequence[Label], judge: Judge) -> Answers | None:
    if not said:
        return None
    return Answers.of(((label.id, label.annotator, label.label) for label in said), judge.scale.labels)


def _clusters(labels: LabelSet, answers: Answers | None) -> Ints | None:
    """Return the number of each item's group; None where no item has one."""
    if answers is None:
        return None
    group = {item.subject.id: item.subject.group for item in labels.items}
    if not any(group.values()):
        return None
    keys: list[tuple[str, str]] = []
    for item in map(str, answers.items):
        of = group.get(item)
        keys.append(("item", item) if of is None else ("group", of))
    place = {key: number for number, key in enumerate(dict.fromkeys(keys))}
    return np.array([place[key] for key in keys], dtype=np.int64)


def _kappas(said: Sequence[Label], names: Sequence[str], judge: Judge) -> dict[tuple[str, str], Rate]:
    if len(names) > MOST_PAIRED:
        return {}
    by: dict[str, dict[str, str]] = {name: {} for name in names}
    for label in said:
        by[label.annotator][label.id] = label.label
    found = {}
    for one, two in itertools.combinations(names, 2):
        both = sorted(by[one].keys() & by[two].keys())
        if not both:
            continue
        table = contingency([by[one][id] for id in both], [by[two][id] for id in both], judge.scale.labels)
        kappa = cohen_kappa(table, "quadratic" if judge.scale.ordered else "identity")
        found[one, two] = Rate(None, len(both)) if kappa is None else Rate(kappa.value, kappa.n, kappa.interval)
    return found


def _fleiss(counts: Ints, clusters: Ints | None) -> Rate | None:
    raters = counts.sum(axis=1)
    if raters.min() != raters.max() or raters[0] < 2:
        return None
    return Rate(fleiss_kappa(counts), len(counts), fleiss_interval(counts, clusters=clusters))


def _alpha(counts: Ints, ordered: bool, clusters: Ints | None) -> Rate:
    value = krippendorff_alpha(counts, "ordinal" if ordered else "nominal")
    interval = None if value is None else alpha_interval(counts, ordinal=ordered, clusters=clusters)
    return Rate(value, int((counts.sum(axis=1) >= 2).sum()), interval)


def _gwet(counts: Ints, ordered: bool) -> Rate | None:
    found = gwet(counts, "quadratic" if ordered else "identity")
    return None if found is None else Rate(found.value, found.n, found.interval)


def _in_order(counted: Counter[str], judge: Judge) -> dict[str, int]:
    return {label: counted[label] for label in judge.scale.labels if counted[label]}


def _met(said: Sequence[Label], judge: Judge) -> dict[str, tuple[int, int]]:
    """Return annotator → (answers that most of the others give, answers where these have a majority)."""
    answers = _answers(said, judge)
    if answers is None:
        return {}
    found = concord(answers)
    pairs = zip(found.agreed.tolist(), found.compared.tolist(), strict=True)
    return dict(zip(map(str, answers.annotators), pairs, strict=True))


def _passed(labels: LabelSet) -> dict[str, tuple[int, int]]:
    """Return annotator → (right answers to gold items, answers to them); not to be able to tell is an answer."""
    gold = {label.id: label.label for label in labels.labels if label.gold}
    right: Counter[str] = Counter()
    asked: Counter[str] = Counter()
    for label in labels.labels:
        if not label.gold and label.id in gold:
            asked[label.annotator] += 1
            right[label.annotator] += label.label == gold[label.id]
    return {name: (right[name], count) for name, count in asked.items()}


def _exam(results: Sequence[tuple[int, int]]) -> tuple[Exam, ...]:
    """Examine everybody against the share of right answers of all."""
    correct, answered = [k for k, _ in results], [n for _, n in results]
    share = sum(correct) / sum(answered) if sum(answered) else 0.5
    if share in (0.0, 1.0):  # all alike: nobody is worse
        return tuple(Exam(k, n, None, None, None, 1.0 if n else None, None, False) for k, n in results)
    return exam(correct, answered, share)


def _skills(said: Sequence[Label], judge: Judge) -> dict[str, float]:
    """Return annotator → share of answers that are the majority's, one's own vote among them (Wawa)."""
    answers = _answers(said, judge)
    if answers is None or len(answers.annotators) < 2:
        return {}
    return dict(zip(map(str, answers.annotators), wawa(answers).skills.tolist(), strict=True))


def _rate(k: int, n: int) -> Rate | None:
    return Rate(k / n, n, wilson(k, n)) if n else None
