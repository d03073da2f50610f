"""How well verdicts agree with labels, from counts that a lock can hold."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmkit.judgements import Counts, Rate, Verdict
from llmkit.judges.figures import counts_of, figures, figures_of
from llmkit.judges.kinds import Scale
from llmkit.stats.proportion import wilson

PASS = Scale("pass_fail", {"pass": 1.0, "fail": 0.0})
GRADES = Scale("graded", {str(grade): float(grade) for grade in range(1, 6)}, ordered=True)
CHOICES = Scale("choices", {"A": 1.0, "B": 0.5, "C": 0.0})
PAIRS = Scale("pairwise", {"a": 1.0, "tie": 0.5, "b": 0.0})


def said(*labels: str) -> list[Verdict]:
    """Verdicts of these words; ``?`` is one that the judge cannot tell, ``!`` one that cannot be read."""
    states = {"?": Verdict("cannot_tell"), "!": Verdict("unread", why="unparsed: no JSON")}
    return [states.get(label) or Verdict("verdict", label) for label in labels]


def of_table(scale: Scale, table: Sequence[Sequence[int]]) -> tuple[list[str], list[Verdict]]:
    cells = [
        (label, verdict)
        for row, label in zip(table, scale.labels, strict=True)
        for count, verdict in zip(row, scale.labels, strict=True)
        for _ in range(count)
    ]
    return [label for label, _ in cells], said(*(verdict for _, verdict in cells))


def value(rate: Rate | None) -> float:
    assert rate is not None
    assert rate.value is not None
    return rate.value


def test_verdicts_are_counted_label_by_label() -> None:
    counts = counts_of(PASS, ["pass", "pass", "fail", "fail", "fail"], said("pass", "fail", "fail", "pass", "fail"))
    assert counts == Counts(("pass", "fail"), ((1, 1), (1, 2)))


def test_what_is_no_verdict_is_counted_apart_and_in_no_share() -> None:
    found = figures(PASS, ["pass"] * 4 + ["fail"] * 2, said("pass", "?", "!", "pass", "fail", "!"))
    assert found.counts == Counts(
        ("pass", "fail"), ((2, 0), (0, 1)), cannot_tell=1, unread=2, cannot_tell_of=(1, 0), unread_of=(1, 1)
    )
    assert found.counts.unjudged == (2, 1)
    assert (found.accuracy.value, found.accuracy.n, found.counts.asked) == (1.0, 3, 6)


def test_the_figures_of_pass_and_fail_by_hand() -> None:
    # 40 + 10 of 50 pass, 15 + 35 of 50 fail; chance agreement .5·.55 + .5·.45 = .5.
    found = figures(PASS, *of_table(PASS, [[40, 10], [15, 35]]))
    assert value(found.tpr) == pytest.approx(0.8)
    assert value(found.tnr) == pytest.approx(0.7)
    assert value(found.accuracy) == value(found.balanced_accuracy) == pytest.approx(0.75)
    assert value(found.kappa) == pytest.approx(0.5)
    # AC1: both together say pass 105 of 200 times; chance 2·.525·.475.
    chance = 2 * 0.525 * 0.475
    assert value(found.ac1) == pytest.approx((0.75 - chance) / (1 - chance))
    assert found.tpr is not None
    assert found.tpr.interval == wilson(40, 50)
    assert found.weighted_kappa is found.spearman is found.mae is found.consistency is None


def test_the_interval_of_balanced_accuracy_is_half_the_root_of_both_squared() -> None:
    found = figures(PASS, *of_table(PASS, [[40, 10], [15, 35]])).balanced_accuracy
    assert found is not None
    assert found.interval is not None
    low = 0.75 - math.hypot(0.8 - wilson(40, 50).low, 0.7 - wilson(35, 50).low) / 2
    assert found.interval.low == pytest.approx(low)


def test_a_class_without_labels_has_no_rate() -> None:
    found = figures(PASS, ["pass"] * 3, said("pass", "pass", "fail"))
    assert found.tnr == Rate(None, 0)
    assert found.balanced_accuracy is None


def test_nothing_judged_has_no_figures_and_no_crash() -> None:
    for scale in (PASS, GRADES, CHOICES, PAIRS):
        found = figures(scale, [], [])
        assert found.accuracy == found.kappa == found.ac1 == Rate(None, 0)


def test_the_figures_of_grades_by_hand() -> None:
    found = figures(GRADES, ["1", "2", "3", "4", "5"], said("2", "1", "3", "5", "4"))
    assert value(found.spearman) == pytest.approx(0.8)  # 1 − 6·4/(5·24)
    assert value(found.mae) == pytest.approx(0.8)
    # Quadratic: Σ d² = 4 seen; by chance 5 · mean squared distance of two draws of 1 to 5, which is 4.
    assert value(found.weighted_kappa) == pytest.approx(1 - 4 / 20)
    assert found.tpr is found.tnr is None


def test_grades_that_lie_apart_unevenly_are_weighed_as_they_lie() -> None:
    uneven = Scale("graded", {"0": 0.0, "1": 1.0, "10": 10.0}, ordered=True)
    near = figures(uneven, ["0", "1", "10", "10"], said("1", "0", "10", "10"))
    far = figures(uneven, ["0", "1", "10", "10"], said("10", "1", "0", "10"))
    assert value(near.weighted_kappa) > 0.95 > value(far.weighted_kappa)


def test_several_choices_have_the_kappa_of_words() -> None:
    found = figures(CHOICES, *of_table(CHOICES, [[8, 1, 1], [2, 6, 2], [0, 0, 10]]))
    # Margins 10, 10, 10 and 10, 7, 13: chance agreement one third.
    assert value(found.kappa) == pytest.approx((0.8 - 1 / 3) / (2 / 3))
    assert value(found.balanced_accuracy) == pytest.approx((0.8 + 0.6 + 1.0) / 3)


def test_pairs_count_how_often_both_orders_agree() -> None:
    verdicts = [
        Verdict("verdict", "a", orders=("a", "a")),
        Verdict("verdict", "tie", orders=("a", "b")),
        Verdict("verdict", "b", orders=("b", "b")),
        Verdict("cannot_tell", orders=("b", None)),
    ]
    found = figures(PAIRS, ["a", "a", "a", "b"], verdicts)
    assert found.consistency == Rate(2 / 3, 3, wilson(2, 3))
    assert (value(found.accuracy), found.accuracy.n) == (pytest.approx(1 / 3), 3)


def test_equal_weights_and_groups_of_one_are_plain_counts() -> None:
    labels, verdicts = of_table(PASS, [[8, 2], [1, 9]])
    plain = counts_of(PASS, labels, verdicts)
    groups = [None if index % 2 else str(index) for index in range(20)]
    assert counts_of(PASS, labels, verdicts, weights=[3.0] * 20, groups=groups) == plain


def test_weights_make_rates_weighted_and_counts_smaller() -> None:
    labels, verdicts = ["pass"] * 20 + ["fail"] * 20, said(*["pass"] * 10, *["fail"] * 30)
    weights = [9.0] * 10 + [1.0] * 10 + [1.0] * 20
    found = figures(PASS, labels, verdicts, weights=weights)
    assert value(found.tpr) == pytest.approx(0.9)
    assert found.counts.weighted
    assert sum(found.counts.table[0]) < 100**2 / (10 * 81 + 10) + 1
    assert found.counts.asked == 40


def test_items_of_one_group_count_less() -> None:
    labels, verdicts = ["pass"] * 40, said(*["pass"] * 20, *["fail"] * 20)
    alone = counts_of(PASS, labels, verdicts)
    together = counts_of(PASS, labels, verdicts, groups=[str(index // 10) for index in range(40)])
    assert together.n < alone.n / 4


def test_groups_shrink_a_class_and_leave_the_shares_as_they_were_drawn() -> None:
    """Half of the items are one and the same that passes: TPR rests on few, and still three of four items pass."""
    labels, verdicts = of_table(PASS, [[70, 5], [5, 20]])
    copies = ["same" if index < 50 else str(index) for index in range(100)]
    one_by_one = counts_of(PASS, labels, verdicts, groups=copies, drawn=[None] * 100)
    assert sum(one_by_one.table[0]) < 40
    assert sum(one_by_one.table[1]) == pytest.approx(25)
    assert one_by_one.drawn == ((70, 5), (5, 20))
    together = counts_of(PASS, labels, verdicts, groups=copies)
    size = sum(map(sum, together.drawn))
    assert size < 50
    assert together.drawn[0] == pytest.approx((0.7 * size, 0.05 * size))


def test_an_older_count_of_what_has_no_verdict_says_nothing_of_labels() -> None:
    assert Counts(("pass", "fail"), ((2, 0), (0, 1)), cannot_tell=1).unjudged is None
    assert Counts(("pass", "fail"), ((2, 0), (0, 1))).unjudged == (0, 0)


def test_weights_of_other_kinds_leave_the_shares_of_the_population() -> None:
    labels, verdicts = ["A", "B", "C", "C"] * 10, said(*["A", "B", "C", "A"] * 10)
    found = figures(CHOICES, labels, verdicts, weights=[3.0, 1.0, 1.0, 1.0] * 10)
    assert value(found.accuracy) == pytest.approx(5 / 6)
    assert found.counts.n < 40


@pytest.mark.parametrize(
    ("scale", "table"),
    [
        (PASS, [[40, 3], [2, 30]]),
        (GRADES, [[5, 1, 0, 0, 0], [1, 5, 1, 0, 0], [0, 0, 5, 2, 0], [0, 0, 1, 5, 0], [0, 0, 0, 1, 5]]),
        (CHOICES, [[8, 1, 1], [2, 6, 2], [0, 0, 10]]),
        (PAIRS, [[30, 2, 1], [0, 0, 0], [1, 1, 30]]),
    ],
)
def test_a_locks_counts_bring_every_figure_back(scale: Scale, table: list[list[int]]) -> None:
    labels, verdicts = of_table(scale, table)
    found = figures(scale, labels, verdicts, confidence=0.9)
    assert figures_of(scale, found.counts, 0.9) == found


@settings(max_examples=25)
@given(st.lists(st.tuples(st.sampled_from(GRADES.labels), st.sampled_from(GRADES.labels)), min_size=2, max_size=30))
def test_the_rank_correlation_of_a_table_is_that_of_its_items(pairs: list[tuple[str, str]]) -> None:
    from llmkit.stats.correlation import spearman

    found = figures(GRADES, [label for label, _ in pairs], said(*(verdict for _, verdict in pairs))).spearman
    assert found is not None
    expected = spearman([float(label) for label, _ in pairs], [float(verdict) for _, verdict in pairs])
    assert found.value == (None if expected is None else pytest.approx(expected, abs=1e-12))


def test_labels_that_the_judge_cannot_say_are_refused() -> None:
    with pytest.raises(ValueError, match="'good' is none of pass, fail"):
        figures(PASS, ["good"], said("pass"))
    with pytest.raises(ValueError, match="each label needs its verdict"):
        figures(PASS, ["pass", "fail"], said("pass"))
