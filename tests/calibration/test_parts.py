"""A report names the slices on which a judge is worse, and the items on which it and people differ."""

from __future__ import annotations

import pytest
from scipy import stats  # type: ignore[import-untyped]

from llmkit.calibration.parts import disagreements_of, slices_of
from llmkit.judgements import Verdict
from llmkit.judges.labels import Labelled
from llmkit.judges.subject import Subject


def item(number: int, label: str, **slices: str) -> Labelled:
    return Labelled(Subject(f"i{number}", f"question {number}", f"answer {number}", slices=slices), label)


def verdict(label: str | None) -> Verdict:
    return Verdict("verdict" if label else "unread", label, reason="so it seems")


ITEMS = [item(i, "pass", topic="law" if i < 10 else "food") for i in range(30)]
VERDICTS = [verdict("fail" if i < 8 else "pass") for i in range(30)]


def test_a_slices_accuracy_is_compared_with_the_rest_by_fishers_exact_test() -> None:
    food, law = slices_of(ITEMS, VERDICTS, 0.95)

    assert (law.name, law.value, law.accuracy.value, law.accuracy.n) == ("topic", "law", 0.2, 10)
    expected = stats.fisher_exact([[2, 8], [20, 0]]).pvalue
    assert law.p_value == pytest.approx(expected)
    assert law.p_adjusted == pytest.approx(2 * expected)  # Holm, of two parts
    assert food.accuracy.value == 1.0


def test_a_part_of_few_items_is_compared_with_nothing() -> None:
    items = [item(i, "pass", topic="law" if i < 3 else "food") for i in range(20)]

    assert {s.p_value for s in slices_of(items, [verdict("pass")] * 20, 0.95)} == {None}


def test_items_without_a_verdict_are_in_no_slice() -> None:
    found = slices_of(ITEMS, [*VERDICTS[:-1], verdict(None)], 0.95)

    assert [s.accuracy.n for s in found] == [19, 10]


def test_disagreements_are_other_words_and_not_missing_ones() -> None:
    found = list(disagreements_of(ITEMS[:3], [verdict("fail"), verdict("pass"), verdict(None)], "dev"))

    assert [(d.id, d.label, d.verdict, d.part) for d in found] == [("i0", "pass", "fail", "dev")]
