"""What makes two runs incomparable is named, and refused unless forced."""

import pytest

from llmkit.errors import UsageError
from llmkit.paired.comparability import check, metrics_of
from llmkit.paired.pairing import pair
from tests.paired.sides import SIGNATURE, held, row, values


def refused(a, b):
    with pytest.raises(UsageError) as caught:
        check(a, b, pair(a, b), force=False)
    return str(caught.value)


def checked(a, b, **how):
    return check(a, b, pair(a, b), **{"force": False, **how})


def test_equal_runs_are_comparable():
    assert checked(held(values([1, 0])), held(values([0, 0]), name="b")) == ()


@pytest.mark.parametrize(
    "allowed",
    [
        {"prompt": "q" * 64},
        {"model": "other"},
        {"suite": "other"},
        {"params": {"temperature": 1}},
        {"sizes": {"epochs": 3, "limit": 5, "seed": 7}},
        {"map": {"map.id": "id", "map.target": "answer", "map.slices.0": "topic", "map.cluster": "doc"}},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_what_one_compares_may_differ(allowed):
    assert checked(held(values([1])), held(values([1]), **allowed)) == ()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"data": "e" * 64}, "data: dddddddddddd ≠ eeeeeeeeeeee"),
        ({"map": {"map.id": "id", "map.target": "label"}}, "target: answer ≠ label"),
        ({"map": {"map.id": "key", "map.target": "answer"}}, "id: id ≠ key"),
        ({"map": {"map.id": "id", "map.target": "answer", "map.references.0": "x"}}, "references.0: none ≠ x"),
        (
            {"signatures": {"exact_match": SIGNATURE.replace("mixed", "lower")}},
            "exact_match: signature: case:mixed ≠ case:lower",
        ),
        ({"data": None}, "data: unknown in b"),
        ({"signatures": None}, "signatures: unknown in b"),
        ({"signatures": {}}, "exact_match: signature: unknown in b"),
    ],
)
def test_each_thing_that_differs_is_named(changed, said):
    a, b = held(values([1])), held(values([1]), name="b", **changed)
    assert said in refused(a, b)
    assert "--force" in refused(a, b)
    assert checked(a, b, force=True) == (said,)


def test_all_that_differs_is_named_at_once():
    b = held(values([1]), data="e" * 64, map={"map.target": "label"})
    assert "data: dddddddddddd ≠ eeeeeeeeeeee; id: id ≠ none; target: answer ≠ label" in refused(held(values([1])), b)


def test_right_answers_that_differ_are_counted():
    a, b = held(values([1, 1, 1])), held([*values([1, 1]), row("s2", 1, references='["other"]')])
    assert "target: 1 of 3 pairs have other right answers" in refused(a, b)


def test_a_sample_that_could_not_be_asked_has_no_other_right_answers():
    assert checked(held(values([1, 1])), held([row("s0", 1), row("s1", references=None)])) == ()


def test_no_shared_sample_is_refused_even_when_forced():
    a, b = held([row("x", 1)]), held([row("y", 1)])
    with pytest.raises(UsageError, match="share no sample: 1 and 1 samples, none of the same id and epoch"):
        checked(a, b, force=True)


def test_no_shared_metric_is_refused_even_when_forced():
    b = held([row("s0", 1, metric="f1")], signatures={"f1": "f"}, higher_is_better={"f1": True})
    with pytest.raises(UsageError, match="share no metric: one has exact_match, the other f1"):
        checked(held(values([1])), b, force=True)


def test_metrics_stand_in_the_suites_order():
    side = held([], signatures={"a": "", "z": ""}, higher_is_better={"z": True, "a": True})
    assert metrics_of(side) == ["z", "a"]
