"""What people's labels say of the people."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from llmkit.judges.judge import Judge
from llmkit.judges.labels import Label
from llmkit.judges.people import MOST_PAIRED, agreement, annotators, ceiling, consensus
from tests.judges.labelling import judge_in, label_set, labelled


@pytest.fixture
def judge(tmp_path: Path) -> Judge:
    return judge_in(tmp_path)


def test_one_person_agrees_with_nobody(judge: Judge) -> None:
    labels = label_set([labelled("1", "pass"), labelled("2", "fail")])
    found = agreement(labels, judge)
    assert (found.items, found.overlapping, found.kappas, found.alpha) == (2, 0, {}, None)
    assert ceiling(labels, judge) is None
    assert [one.skill for one in annotators(labels, judge)] == [None]


def test_no_labels_at_all_are_no_error(judge: Judge) -> None:
    labels = label_set([])
    assert agreement(labels, judge).items == 0
    assert annotators(labels, judge) == ()
    assert ceiling(labels, judge) is None


def test_majority_ties_and_dawid_skene_stand_side_by_side(judge: Judge) -> None:
    found = agreement(
        label_set([labelled("1", "pass", "pass"), labelled("2", "pass", "fail"), labelled("3", "fail", "fail")]), judge
    )
    assert found.majority == {"pass": 1, "fail": 1}
    assert found.ties == 1
    assert sum(found.dawid_skene.values()) == 3


def test_who_could_not_tell_gave_no_rating(judge: Judge) -> None:
    labels = label_set([labelled("1", "pass", "cannot_tell"), labelled("2", "cannot_tell", "cannot_tell")])
    assert agreement(labels, judge).items == 1
    assert agreement(labels, judge).overlapping == 0
    assert [one.n for one in annotators(labels, judge)] == [2, 2]


def test_a_gold_label_is_nobodys(judge: Judge) -> None:
    labels = label_set([labelled("1", "pass", gold="pass")])
    labels = replace(labels, labels=(*labels.labels, Label("1", "pass", "expert", gold=True)))
    assert agreement(labels, judge).annotators == ("a",)


def test_grades_are_ordered(tmp_path: Path) -> None:
    judge = judge_in(tmp_path, kind={"graded": {"min": 1, "max": 5}})
    near = [labelled(f"{n}", str(n % 4 + 1), str(n % 4 + 1 + (n % 5 == 0))) for n in range(40)]
    found = agreement(label_set(near), judge)
    assert found.level == "ordinal"
    rate = found.kappas["a", "b"]
    assert rate.value is not None
    assert rate.value > 0.9  # though they give different grades to one item of five
    assert rate.interval is not None


def test_many_people_are_not_paired(judge: Judge) -> None:
    people = [f"p{n}" for n in range(MOST_PAIRED + 1)]
    labels = label_set([labelled("1")])
    labels = replace(labels, labels=tuple(Label("1", "pass", name) for name in people))
    assert agreement(labels, judge).kappas == {}


def test_the_worst_is_flagged_by_gold_items_and_ranked_last(judge: Judge) -> None:
    known = [Label(f"{n}", "pass", gold=True) for n in range(40)]
    said = [
        Label(f"{n}", "fail" if name == "bad" else "pass", name) for n in range(40) for name in ("ann", "bad", "bob")
    ]
    labels = replace(label_set([]), labels=tuple(known + said))
    people = annotators(labels, judge)
    assert [one.name for one in people] == ["ann", "bob", "bad"]
    assert [one.flagged for one in people] == [False, False, True]
    assert people[0].gold is not None
    assert people[0].gold.value == 1.0


def test_without_gold_items_the_majority_of_the_others_is_the_measure(judge: Judge) -> None:
    def says(name: str, n: int) -> str:
        return "fail" if name == "bad" else ("pass" if n % 2 else "fail")

    said = [Label(f"{n}", says(name, n), name) for n in range(60) for name in ("ann", "bob", "cat", "dan", "bad")]
    people = annotators(replace(label_set([]), labels=tuple(said)), judge)
    assert [one.name for one in people if one.flagged] == ["bad"]
    assert all(one.gold is None for one in people)
    assert all(one.agreement is not None and one.agreement.interval is not None for one in people)


def test_nobody_is_flagged_on_nine_answers(judge: Judge) -> None:
    known = [Label(f"{n}", "pass", gold=True) for n in range(30)]
    said = [Label(f"{n}", "pass", "ann") for n in range(30)] + [Label(f"{n}", "fail", "bad") for n in range(9)]
    bad = next(
        one for one in annotators(replace(label_set([]), labels=tuple(known + said)), judge) if one.name == "bad"
    )
    assert bad.p_adjusted is None
    assert not bad.flagged


def test_time_per_item_is_the_median_where_it_is_known(judge: Judge) -> None:
    said = [Label(f"{n}", "pass", "ann", seconds=float(n)) for n in (1, 2, 30)] + [Label("1", "pass", "bob")]
    people = {one.name: one.seconds for one in annotators(replace(label_set([]), labels=tuple(said)), judge)}
    assert people == {"ann": 2.0, "bob": None}


def test_the_ceiling_is_how_often_a_person_says_what_the_others_say(judge: Judge) -> None:
    items = [labelled(f"{n}", "pass", "pass", "pass") for n in range(8)] + [labelled("x", "fail", "pass", "pass")]
    found = ceiling(label_set(items), judge)
    assert found is not None
    assert found.value == pytest.approx(24 / 25)  # of x, the others of b and c are tied
    assert found.n == 9


def test_consensus_gives_the_label_with_its_probability(judge: Judge) -> None:
    items = [labelled(f"{n}", *(["pass"] * 3 if n % 2 else ["fail"] * 3)) for n in range(20)]
    found = consensus(label_set(items), judge)
    assert found["1"].dawid_skene == found["1"].majority == "pass"
    assert found["1"].probability > 0.9
