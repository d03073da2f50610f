"""Labels that would make a measurement worthless are refused before anything is paid for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from llmkit.errors import DocumentError
from llmkit.judges.judge import Example
from llmkit.judges.labels import Labelled
from llmkit.judges.lint import lint
from tests.judges.labelling import judge_in, label_set, labelled


def some(count: int = 24, **fields: Any) -> list[Labelled]:
    return [labelled(f"{n}", "fail" if n % 3 == 0 else "pass", **fields) for n in range(count)]


def test_good_labels_have_nothing_to_say_for_themselves(tmp_path: Path) -> None:
    judge = judge_in(tmp_path, sampling="random", population={"run": "r", "fingerprint": "0" * 64})
    assert lint(label_set(some(), sampling="random", population="0" * 64), judge) == ()


def test_fewer_than_twenty_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"19 items have a label.*Label 1 more"):
        lint(label_set(some(19)), judge_in(tmp_path))


def test_equal_items_count_once(tmp_path: Path) -> None:
    again = [labelled("x", "pass", input="question 1", answer="answer 1")]
    with pytest.raises(DocumentError, match="19 items have a label"):
        lint(label_set(some(19) + again), judge_in(tmp_path))
    assert any("1 item is equal to another" in note for note in lint(label_set(some(20) + again), judge_in(tmp_path)))


def test_items_that_differ_in_blanks_and_case_alone_count_once(tmp_path: Path) -> None:
    again = [labelled("x", "pass", input="Question  1", answer="answer 1 ", reference="so")]
    with pytest.raises(DocumentError, match="19 items have a label"):
        lint(label_set(some(19) + again), judge_in(tmp_path))
    notes = lint(label_set(some(20) + again), judge_in(tmp_path))
    assert any("1 item is equal to another, but for blanks and case: they stay together" in note for note in notes)


def test_such_items_with_different_labels_are_noted(tmp_path: Path) -> None:
    """No error: a criterion may be about blanks or case, and the reference may be what decides."""
    again = [labelled("x", "fail", input="question 1", answer="Answer 1")]
    again.append(labelled("y", "fail", input="question 2", answer="answer 2", reference="other"))
    (note,) = (n for n in lint(label_set(some() + again), judge_in(tmp_path)) if "is that so?" in n)
    assert "'1' and 'x' are equal but for blanks, case or the reference, and one is pass, the other fail" in note
    assert "and 1 more such" in note


def test_one_class_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"all 24 labels are pass.*Label items that are fail"):
        lint(label_set([labelled(f"{n}", "pass") for n in range(24)]), judge_in(tmp_path))


def test_a_grade_that_nobody_gave_is_noted(tmp_path: Path) -> None:
    found = [labelled(f"{n}", "1" if n % 2 else "2") for n in range(24)]
    notes = lint(label_set(found), judge_in(tmp_path, kind={"graded": {"min": 1, "max": 3}}))
    assert any("no item is labelled 3" in note for note in notes)


def test_pairs_of_which_one_side_always_wins_are_refused(tmp_path: Path) -> None:
    found = [labelled(f"{n}", "a" if n % 2 else "tie", answer="", a=f"x{n}", b=f"y{n}") for n in range(24)]
    with pytest.raises(DocumentError, match="no label is b"):
        lint(label_set(found), judge_in(tmp_path, kind="pairwise"))


def test_equal_items_with_different_labels_are_refused(tmp_path: Path) -> None:
    again = [labelled("x", "fail", input="question 1", answer="answer 1")]
    with pytest.raises(
        DocumentError, match=r"'1' and 'x' are equal, and '1' is pass \(labels.jsonl:2\) but 'x' is fail"
    ):
        lint(label_set(some() + again), judge_in(tmp_path))


@pytest.mark.parametrize(
    ("guideline", "told"),
    [
        ("Such as: Question 7 →  answer\n7 passes.", True),
        ("An answer 7 passes.", False),  # so short an answer is no leak without its question
    ],
)
def test_an_item_that_the_guideline_shows_is_refused(tmp_path: Path, guideline: str, told: bool) -> None:
    judge = judge_in(tmp_path, guideline=guideline)
    if not told:
        lint(label_set(some()), judge)
        return
    with pytest.raises(DocumentError, match=r"guideline.md: the labelled item '7' stands here word for word"):
        lint(label_set(some()), judge)


def test_a_long_answer_in_the_prompt_is_refused_without_its_question(tmp_path: Path) -> None:
    judge = judge_in(tmp_path)
    long = "The judge must not have seen this very answer before."
    path = tmp_path / "relevance.prompty"
    path.write_text(path.read_text().replace("You grade answers.", f"You grade answers. {long}"))
    with pytest.raises(DocumentError, match=r"relevance.prompty: the labelled item 'x'"):
        lint(label_set([*some(), labelled("x", "pass", answer=long)]), judge)


def test_an_example_that_is_a_labelled_item_by_another_name_is_refused(tmp_path: Path) -> None:
    judge, found = judge_in(tmp_path), some()
    shown = replace(judge, examples=(Example(replace(found[3].subject, id="other"), "fail"),))
    with pytest.raises(DocumentError, match="the item '3' is an example"):
        lint(label_set(found), shown)
    lint(label_set(found), replace(judge, examples=(Example(found[3].subject, "fail"),)))  # one of the labels' own part


def test_ties_and_unlabelled_items_are_counted(tmp_path: Path) -> None:
    labels = label_set([*some(), labelled("tie", "pass", "fail")], unlabelled=(labelled("new").subject,))
    notes = lint(labels, judge_in(tmp_path))
    assert any("1 item is without a majority" in note for note in notes)
    assert any("1 item is not labelled yet" in note for note in notes)


def test_random_items_have_no_different_weights(tmp_path: Path) -> None:
    found = [*some(), labelled("x", "pass", weight=2.0)]
    with pytest.raises(DocumentError, match="sampling is random, but the items have different weights"):
        lint(label_set(found, sampling="random"), judge_in(tmp_path, sampling="random"))


def test_enriched_items_need_weights(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="4 of 24 items have no weight"):
        lint(label_set(some(), sampling="enriched", weighed=20), judge_in(tmp_path, sampling="enriched"))
    lint(label_set(some(), sampling="enriched", weighed=24), judge_in(tmp_path, sampling="enriched"))


@pytest.mark.parametrize(
    ("spec", "note"),
    [
        ({}, "nothing says how the items were drawn"),
        ({"sampling": "random"}, "nothing says what the items were drawn from"),
        ({"sampling": "random", "population": "run:r"}, "the population has no fingerprint"),
    ],
)
def test_what_keeps_rates_from_being_corrected_is_said(tmp_path: Path, spec: dict[str, Any], note: str) -> None:
    assert note in lint(label_set(some(), sampling=spec.get("sampling")), judge_in(tmp_path, **spec))[-1]


@pytest.mark.parametrize(("size", "sound"), [(20, True), (19, False)])
def test_no_more_items_are_drawn_than_the_population_has(tmp_path: Path, size: int, sound: bool) -> None:
    judge = judge_in(tmp_path, sampling="random", population={"run": "r", "size": size})
    labels = label_set(some()[:20], sampling="random", population="0")
    if sound:
        lint(labels, judge)
        return
    with pytest.raises(DocumentError, match=r"relevance.yaml.*: the population has 19 items, and 20 were drawn"):
        lint(labels, judge)
