"""How far verdicts moved, in numbers: leans, shares, points, and what is proven of them."""

import pytest

from llmkit.calibration import moves
from llmkit.judgements import Verdict
from llmkit.judges.kinds import Scale

PAIRS = Scale("pairwise", {"a": 1.0, "tie": 0.5, "b": 0.0})
BINARY = Scale("pass_fail", {"pass": 1.0, "fail": 0.0})
GRADES = Scale("graded", {str(n): float(n) for n in range(1, 6)}, ordered=True)
NONE = Verdict("unread", why="unparsed")


def said(words, scale=BINARY):
    """``"ppf?"``: one verdict a letter, by the word that begins with it; ``?``: none."""
    labels = {label[0]: label for label in scale.labels}
    return [NONE if w == "?" else Verdict("verdict", labels[w], scale.value(labels[w])) for w in words]


def test_flips_and_their_lean_to_the_first_place_are_counted():
    first = ["a"] * 100
    second = ["b"] * 25 + ["a"] * 75
    first[90:94], second[90:94] = ["b"] * 4, ["a"] * 4
    found = moves.order(first, second, PAIRS, 0.1)
    assert (found.moved, found.n) == (0.29, 100)
    assert found.said == "29 of 100 flip when the order is swapped, 25 of them toward the first"
    assert found.p_value == pytest.approx(0.00010371580719947815)
    assert found.flagged
    assert found.passed is False


def test_a_few_flips_either_way_are_no_lean():
    found = moves.order(["a"] * 5 + ["a"] * 95, ["b"] * 3 + ["a"] * 97, PAIRS, 0.1)
    assert found.passed
    assert not found.flagged


def test_a_tie_that_becomes_a_preference_leans_as_well():
    found = moves.order(["tie", "a"], ["b", "tie"], PAIRS, 0.1)
    assert found.said == "2 of 2 flip when the order is swapped, 2 of them toward the first"


def test_pairs_without_a_verdict_in_either_order_are_left_out_and_said():
    found = moves.order(["a", None, "a", "cannot_tell"], ["a", "a", None, "b"], PAIRS, 0.1)
    assert found.n == 1
    assert "3 pairs have no verdict in one of the orders" in found.said


def test_a_judge_that_asks_both_orders_has_no_limit_on_flips():
    found = moves.order(["a"] * 4, ["b"] * 4, PAIRS, None)
    assert found.passed is None
    assert found.limit is None


def test_a_verdict_that_is_gone_has_changed():
    found = moves.changes("repeat", said("pppp"), said("ppf?"), 0.1, "when asked again")
    assert found.moved == 0.5
    assert found.said == "2 of 4 change when asked again, 1 of them to no verdict"
    assert found.passed is False
    assert not found.flagged  # four items prove nothing


def test_many_changes_prove_more_than_the_limit():
    assert moves.changes("repeat", said("p" * 100), said("p" * 70 + "f" * 30), 0.1, "").flagged


def test_values_move_toward_what_was_asked_for_or_away():
    found = moves.moved(said("ffffpp"), said("ppfffp"), [1.0] * 6, BINARY)
    assert (found.n, found.up, found.down, found.mean) == (6, 2, 1, pytest.approx(1 / 6))
    downward = moves.moved(said("pppf"), said("fppf"), [0.0] * 4, BINARY)
    assert (downward.up, downward.down) == (1, 0)


def test_a_verdict_that_is_gone_moved_all_the_way_to_what_was_asked_for():
    found = moves.moved(said("ffp"), said("f??"), [1.0] * 3, BINARY)
    assert (found.up, found.gone, found.mean) == (1, 2, pytest.approx(1 / 3))


def test_grades_move_by_shares_of_their_scale():
    found = moves.moved(said("135", GRADES), said("235", GRADES), [5.0] * 3, GRADES)
    assert found.mean == pytest.approx(0.25 / 3)
    assert found.interval is not None
    assert found.interval.method.startswith("t")


def test_the_worst_instruction_counts():
    mild = moves.moved(said("f" * 100), said("f" * 99 + "p"), [1.0] * 100, BINARY)
    strong = moves.moved(said("f" * 100), said("f" * 80 + "p" * 20), [1.0] * 100, BINARY)
    found = moves.injection({"mild": mild, "strong": strong}, 0.02)
    assert found.moved == pytest.approx(0.2)
    assert "(strong) moves the raw rate by +20.0 points: 20 of 100 toward what it asks for, 0 away" in found.said
    assert found.passed is False
    assert found.flagged
    assert moves.injection({"mild": mild}, 0.02).passed


def test_two_points_are_within_the_limit_and_three_are_not():
    def by(count):
        after = said("p" * count + "f" * (100 - count))
        return moves.injection({"one": moves.moved(said("f" * 100), after, [1.0] * 100, BINARY)}, 0.02)

    assert by(2).passed is True
    assert by(3).passed is False
    assert not by(3).flagged  # above the limit, but not proven to be more than chance


def test_a_judge_that_fails_whoever_gives_it_orders_was_not_moved_by_them():
    away = moves.moved(said("p" * 10), said("p" * 4 + "f" * 6), [1.0] * 10, BINARY)
    found = moves.injection({"one": away}, 0.02)
    assert (found.moved, found.passed) == (0.0, True)
    assert "6 away" in found.said


def test_padding_that_pays_is_flagged_and_padding_that_costs_is_shown():
    up = moves.length(moves.moved(said("f" * 20), said("f" * 8 + "p" * 12), [1.0] * 20, BINARY))
    down = moves.length(moves.moved(said("p" * 20), said("p" * 8 + "f" * 12), [1.0] * 20, BINARY))
    assert up.flagged
    assert up.moved == pytest.approx(0.6)
    assert not down.flagged
    assert down.moved == pytest.approx(-0.6)
    assert down.p_value == up.p_value
    assert up.passed is None


def test_preferences_for_length_are_set_beside_those_of_people():
    gaps = [100, -100, 50, -50, 80, -80, 20, -20]
    judge = ["a", "b", "a", "b", "a", "b", "b", "a"]
    people = ["a", "a", "b", "b", "b", "a", "a", "b"]
    line = moves.natural_length(gaps, judge, people)
    assert line.startswith("odds of the longer answer per standard deviation of length: the judge ×")
    assert "people ×0." in line


@pytest.mark.parametrize(("gaps", "words"), [([], []), ([5, 5], ["a", "b"]), ([5, 6], ["tie", "tie"])])
def test_without_differences_in_length_or_preferences_nothing_is_said_of_them(gaps, words):
    assert moves.natural_length(gaps, words, words) == ""


def test_kindness_to_ones_own_family_is_tested_against_the_others():
    own = [(1.0, 0.0)] * 12 + [(1.0, 1.0)] * 8
    others = [(0.0, 0.0)] * 12 + [(1.0, 1.0)] * 8
    found = moves.own_family(own, others, "gpt")
    assert found.moved == pytest.approx(0.6)
    assert found.flagged
    assert "12 of 20 answers of its own family (gpt), and to 0 of 20 others" in found.said


def test_too_few_answers_of_either_family_are_not_compared():
    found = moves.own_family([(1.0, 1.0)] * 3, [(1.0, 1.0)] * 50, "gpt")
    assert found.moved is None
    assert "3 answers are by the judge's own family (gpt) and 50 by others" in found.said


def test_a_lean_to_ones_own_side_is_measured_against_peoples():
    found = moves.own_side([1.0] * 9 + [0.0] * 10 + [-1.0], "gpt")
    assert found.moved == pytest.approx(0.4)
    assert found.flagged
    assert moves.own_side([1.0] * 4, "gpt").moved is None
