"""What labels can show of a judge, said before any call."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from llmkit.calibrations import Best
from llmkit.judgements import Verdict
from llmkit.judges.best import best, sizes_of
from llmkit.judges.figures import figures
from llmkit.judges.status import decide
from tests.judges.labelling import judge_in


def of(folder: Path, sizes: Mapping[str, float], *, kind: Any = "pass_fail", looks: int = 1) -> Best:
    return best(judge_in(folder, kind=kind), sizes, looks=looks)


def test_fourteen_of_each_class_are_enough_for_a_judge_without_a_mistake(tmp_path: Path) -> None:
    assert of(tmp_path, {"pass": 14, "fail": 14}).status == "calibrated"
    found = of(tmp_path, {"pass": 14, "fail": 13})
    assert (found.status, found.needs) == ("provisional", {"fail": 1})


def test_ten_failing_items_can_never_show_it(tmp_path: Path) -> None:
    found = of(tmp_path, {"pass": 40, "fail": 10})
    assert (found.status, found.needs) == ("provisional", {"fail": 4})


def test_a_class_without_labels_needs_all_of_them(tmp_path: Path) -> None:
    assert of(tmp_path, {"pass": 40}).needs == {"fail": 14}


def test_a_judge_that_is_right_95_times_of_100_takes_more(tmp_path: Path) -> None:
    small = of(tmp_path, {"pass": 25, "fail": 25})
    assert small.status == "calibrated"
    # A hundred balanced test labels do it 93 times of 100, fifty only 41 times.
    assert set(small.needs_at_95) == {"pass", "fail"}
    assert all(0 < more <= 25 for more in small.needs_at_95.values())
    assert of(tmp_path, {"pass": 50, "fail": 50}).needs_at_95 == {}


def test_many_of_one_class_leave_less_to_the_other(tmp_path: Path) -> None:
    even = of(tmp_path, {"pass": 0, "fail": 0}).needs_at_95
    one_sided = of(tmp_path, {"pass": 1000, "fail": 0}).needs_at_95
    assert set(one_sided) == {"fail"}
    assert one_sided["fail"] < even["fail"]


def test_a_second_definition_on_the_same_labels_takes_more(tmp_path: Path) -> None:
    assert of(tmp_path, {"pass": 14, "fail": 14}, looks=2).needs == {"pass": 3, "fail": 3}


def test_pairs_are_counted_together(tmp_path: Path) -> None:
    assert of(tmp_path, {"a": 4, "b": 4}, kind="pairwise").needs == {"items": 3}  # .75^11 < .05 ≤ .75^10
    assert of(tmp_path, {"a": 6, "b": 5}, kind="pairwise").status == "calibrated"


@pytest.mark.parametrize("kind", [{"graded": {"min": 1, "max": 5}}, {"choices": {"A": 1, "B": 0.5, "C": 0}}])
def test_kappa_needs_items_of_whatever_word(tmp_path: Path, kind: Any) -> None:
    words = ["1", "2", "3", "4", "5"] if "graded" in kind else ["A", "B", "C"]
    few, many = (of(tmp_path, dict.fromkeys(words, n), kind=kind) for n in (1, 100))
    assert (few.status, set(few.needs)) == ("provisional", {"items"})
    assert (many.status, many.needs_at_95) == ("calibrated", {})


def test_labels_of_one_word_only_still_get_an_answer(tmp_path: Path) -> None:
    found = of(tmp_path, {"A": 5}, kind={"choices": {"A": 1, "B": 0.5, "C": 0}})
    assert found.status == "provisional"


def test_it_is_one_line_with_its_numbers(tmp_path: Path) -> None:
    assert of(tmp_path, {"pass": 40, "fail": 10}).said == (
        "with 40 labelled pass and 10 labelled fail to test on, a judge without a mistake would be provisional: "
        "it takes 4 more labelled fail; one that is right 95 times of 100 takes 4 more labelled pass and 34 more "
        "labelled fail to be certified four times of five"
    )


WEIGHTS = [12.0 if at % 5 == 0 else 1.0 for at in range(40)]
LABELS = ["pass", "fail"] * 20


@pytest.mark.parametrize("groups", [None, [str(at // 4) for at in range(40)]])
def test_enriched_or_grouped_labels_promise_no_more_than_they_can_show(
    tmp_path: Path, groups: list[str] | None
) -> None:
    weights = WEIGHTS if groups is None else None
    judge = judge_in(tmp_path)
    sizes = sizes_of(judge.scale, LABELS, weights=weights, groups=groups)
    found = best(judge, sizes, items=40)
    # The same labels in a test, by a judge without a mistake.
    right = [Verdict("verdict", label, judge.scale.value(label)) for label in LABELS]
    decision = decide(judge, figures(judge.scale, LABELS, right, weights=weights, groups=groups), (), looks=1)
    assert found.status == decision.status == "provisional"
    assert found.needs == decision.needs != {}
    assert "(effective) labelled" in found.said


def test_equal_weights_and_groups_of_one_are_plain_counts(tmp_path: Path) -> None:
    judge = judge_in(tmp_path)
    sizes = sizes_of(judge.scale, LABELS, weights=[3.0] * 40, groups=list(map(str, range(40))))
    assert sizes == {"pass": 20, "fail": 20}
    assert best(judge, sizes, items=40) == best(judge, {"pass": 20, "fail": 20})


def test_a_fraction_that_shows_the_bound_is_enough(tmp_path: Path) -> None:
    assert of(tmp_path, {"pass": 13.5, "fail": 13.5}).status == "calibrated"  # .80^13.43 = .05
    assert of(tmp_path, {"pass": 13.5, "fail": 13.4}).needs == {"fail": 1}


@pytest.mark.parametrize("kind", ["pairwise", {"graded": {"min": 1, "max": 5}}])
def test_weights_count_for_every_kind(tmp_path: Path, kind: Any) -> None:
    judge = judge_in(tmp_path, kind=kind)
    sizes = sizes_of(judge.scale, [judge.scale.labels[at % 2] for at in range(40)], weights=WEIGHTS)
    assert 2 < sum(sizes.values()) < 20
