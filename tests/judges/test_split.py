"""The split: nothing is in two parts, the test is at least half, and new labels do not move old ones."""

from __future__ import annotations

import math
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmkit.errors import UsageError
from llmkit.judges.labels import Labelled
from llmkit.judges.split import FEW_ITEMS, FOLDS, Division, divide, summary
from tests.judges.labelling import label_set, labelled


@st.composite
def items(draw: st.DrawFn, most: int = 160) -> list[Labelled]:
    """Some items of some classes, some in groups, some equal."""
    rows = draw(
        st.lists(
            st.tuples(st.sampled_from(["pass", "fail"]), st.none() | st.integers(0, 12), st.integers(0, 400)),
            min_size=20,
            max_size=most,
        )
    )
    found = []
    for number, (label, group, text) in enumerate(rows):
        label = {"pass": "pass", "fail": "fail"}[label] if text % 7 else "fail"
        fields = {"group": None if group is None else f"g{group}", "input": "", "answer": f"{label} {text}"}
        found.append(labelled(f"{number:03}", label, **fields))
    return found


def parts(division: Division) -> dict[str, str]:
    named = {"few_shot": division.few_shot, "dev": division.dev, "test": division.test}
    return {id: part for part, ids in named.items() for id in ids}


def counts(division: Division, found: list[Labelled], ids: tuple[str, ...]) -> Counter[str]:
    label = {item.subject.id: item.label for item in found}
    return Counter(str(label[id]) for id in ids)


@settings(max_examples=60)
@given(items(), st.integers(0, 4), st.booleans(), st.sampled_from([0.5, 0.7]), st.integers(0, 3))
def test_the_parts_are_disjoint_by_group_and_the_test_holds_its_share(
    found: list[Labelled], few: int, dev: bool, test: float, seed: int
) -> None:
    try:
        division = divide(label_set(found), few_shot=few, dev=dev, test=test, seed=seed)
    except UsageError:
        return  # groups too large to spare any
    where = parts(division)
    assert len(where) == len(division.few_shot) + len(division.dev) + len(division.test)
    groups: dict[str, set[str]] = {}
    texts: dict[str, list[str]] = {}
    for item in found:
        groups.setdefault(item.subject.group or item.subject.id, set()).add(where[item.subject.id])
        texts.setdefault(item.subject.digest(), []).append(item.subject.id)
    assert all(len(used) == 1 for used in groups.values())
    assert all(len({where[id] for id in ids}) == 1 for ids in texts.values())  # copies are kept, and stay together
    assert all(len({division.group[id] for id in ids}) == 1 for ids in texts.values())
    total, tested = counts(division, found, tuple(where)), counts(division, found, division.test)
    assert all(tested[label] >= math.ceil(count * test - 1e-9) for label, count in total.items())
    assert len(division.few_shot) >= few
    if division.folds:
        assert sorted(id for fold in division.folds for id in fold) == sorted(division.test)


@settings(max_examples=40)
@given(items(), st.permutations(range(20)), st.booleans())
def test_the_order_of_the_items_does_not_matter(found: list[Labelled], order: list[int], dev: bool) -> None:
    moved = [found[place] for place in order] + found[20:]
    try:
        first = divide(label_set(found), few_shot=2, dev=dev, test=0.5, seed=0)
    except UsageError:
        return
    assert divide(label_set(moved), few_shot=2, dev=dev, test=0.5, seed=0) == first


@settings(max_examples=40)
@given(st.integers(FEW_ITEMS, 200), st.integers(1, 100), st.integers(0, 5))
def test_added_labels_bring_no_item_that_was_chosen_by_into_the_test(before: int, more: int, seed: int) -> None:
    """But for those that the share of the test asks for: as many as the test lacks, and no more."""
    found = [labelled(f"{n}", "fail" if n % 3 == 0 else "pass") for n in range(before + more)]
    old = divide(label_set(found[:before]), few_shot=4, dev=True, test=0.5, seed=seed)
    new = divide(label_set(found), few_shot=4, dev=True, test=0.5, seed=seed)
    came = set(new.test) & {*old.dev, *old.few_shot}
    if came:
        tested, total = counts(new, found, new.test), counts(new, found, tuple(parts(new)))
        short = {label for label, count in total.items() if tested[label] == math.ceil(count / 2)}
        assert {str(item.label) for item in found if item.subject.id in came} <= short


def test_hardly_anything_moves_as_labels_double() -> None:
    moved = 0
    for seed in range(20):
        found = [labelled(f"{n}", "fail" if n % 3 == 0 else "pass") for n in range(400)]
        old = parts(divide(label_set(found[:200]), few_shot=0, dev=True, test=0.5, seed=seed))
        new = parts(divide(label_set(found), few_shot=0, dev=True, test=0.5, seed=seed))
        moved += sum(new[id] != part for id, part in old.items())
    assert moved <= 10  # of 4,000


def test_another_seed_divides_otherwise() -> None:
    found = [labelled(f"{n}", "fail" if n % 3 == 0 else "pass") for n in range(120)]
    assert len({divide(label_set(found), few_shot=0, dev=True, test=0.5, seed=seed).test for seed in range(5)}) == 5


@pytest.mark.parametrize("count", [40, 200])
def test_the_first_examples_are_balanced_over_the_classes(count: int) -> None:
    found = [labelled(f"{n}", "fail" if n % 5 == 0 else "pass") for n in range(count)]
    division = divide(label_set(found), few_shot=4, dev=True, test=0.5, seed=0)
    assert counts(division, found, division.few_shot[:2]) == {"pass": 1, "fail": 1}
    assert counts(division, found, division.few_shot) == {"pass": 2, "fail": 2}


def test_with_few_items_choosing_is_cross_fitted() -> None:
    found = [labelled(f"{n}", "fail" if n % 2 else "pass") for n in range(60)]
    division = divide(label_set(found), few_shot=2, dev=True, test=0.5, seed=0)
    assert len(division.folds) == FOLDS
    assert division.dev == ()
    assert len(division.test) == 58
    assert all(counts(division, found, fold)["fail"] >= 5 for fold in division.folds)


def test_with_nothing_to_choose_all_but_the_examples_is_the_test() -> None:
    found = [labelled(f"{n}", "fail" if n % 2 else "pass") for n in range(60)]
    division = divide(label_set(found), few_shot=0, dev=False, test=0.5, seed=0)
    assert len(division.test) == 60
    assert not division.folds


def test_items_without_a_majority_are_in_no_part() -> None:
    found = [labelled(f"{n}", "fail" if n % 2 else "pass") for n in range(40)] + [labelled("tie", "pass", "fail")]
    assert "tie" not in parts(divide(label_set(found), few_shot=2, dev=False, test=0.5, seed=0))


def test_more_examples_than_can_be_spared_are_refused() -> None:
    found = [labelled(f"{n}", "fail" if n % 2 else "pass") for n in range(24)]
    with pytest.raises(UsageError, match="14 examples in the prompt leave too few of 24 labelled items"):
        divide(label_set(found), few_shot=14, dev=True, test=0.5, seed=0)


def test_what_differs_in_blanks_case_or_reference_alone_stays_together() -> None:
    found = [labelled(f"{n}", "fail" if n % 3 == 0 else "pass") for n in range(120)]
    again = [
        labelled(f"{n}b", str(item.label), input=f"Question  {n}", answer=f"answer {n} ", reference="right")
        for n, item in enumerate(found)
    ]
    division = divide(label_set(found + again), few_shot=8, dev=True, test=0.5, seed=0)
    where = parts(division)
    assert len(where) == 240
    assert all(where[str(n)] == where[f"{n}b"] for n in range(120))
    shown = division.few_shot[:8]
    assert len({id.removesuffix("b") for id in shown}) == 8  # no example is shown twice
    assert division.groups == 120


def test_examples_are_not_taken_from_what_stands_for_many_items() -> None:
    same = [labelled(f"s{n}", "pass", input="hi", answer="Hello!") for n in range(50)]
    found = [labelled(f"{n}", "fail" if n % 2 else "pass") for n in range(60)]
    for seed in range(10):
        division = divide(label_set(found + same), few_shot=4, dev=False, test=0.5, seed=seed)
        assert len(division.few_shot) == 4
        assert {item.subject.id for item in same} <= set(division.test)


def test_where_one_item_is_half_of_all_no_dev_part_takes_it() -> None:
    same = [labelled(f"s{n}", "pass", input="hi", answer="Hello!") for n in range(150)]
    found = [labelled(f"{n}", "fail" if n % 2 else "pass") for n in range(150)]
    division = divide(label_set(found + same), few_shot=0, dev=True, test=0.5, seed=0)
    assert not division.dev
    assert (len(division.folds), len(division.test)) == (FOLDS, 300)


def test_the_summary_counts_classes_and_groups() -> None:
    found = [labelled(f"{n}", "fail" if n % 2 else "pass", group=f"g{n // 4}") for n in range(40)]
    labels = label_set(found)
    division = divide(labels, few_shot=0, dev=False, test=0.5, seed=0)
    assert summary(labels, division).sizes == {"few_shot": {}, "dev": {}, "test": {"fail": 20, "pass": 20}}
    assert summary(labels, division).groups == 10
