"""pass@k and pass^k: made of right and wrong answers to one sample."""

from collections.abc import Sequence
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmkit.runs.passing import metrics_of
from llmkit.runs.tally import Tally
from llmkit.scoring import Item, create
from llmkit.stats.summary import summarise
from llmkit.types import Failure, MetricResult, Score
from tests.runs.scorers import Plain

LOST = Failure("scorer", "unparsable", "no code")


def results(*samples: Sequence[Score | Failure], ks: Sequence[int], epochs: int = 9) -> dict[str, MetricResult]:
    tally = Tally([create("exact_match")], pass_k=ks, epochs=epochs)
    for index, answers in enumerate(samples):
        for epoch, score in enumerate(answers, start=1):
            tally.add(index, epoch, {"exact_match": score}, Item("", ("a",)), None, {"even": str(index % 2 == 0)})
    return tally.results()


def answers(pattern: str) -> list[Score | Failure]:
    """``+`` right, ``-`` wrong, ``?`` without a score."""
    return [LOST if sign == "?" else Score(float(sign == "+")) for sign in pattern]


def test_one_of_k_and_all_of_k() -> None:
    found = results(answers("++-"), answers("---"), ks=[1, 2])
    assert found["exact_match_pass@1"].value == pytest.approx((2 / 3 + 0) / 2)
    assert found["exact_match_pass@2"].value == pytest.approx((1 + 0) / 2)
    assert found["exact_match_pass^2"].value == pytest.approx((1 / 3 + 0) / 2)
    assert "exact_match_pass^1" not in found


def test_the_interval_is_over_samples() -> None:
    patterns = ["++-", "---", "+--", "+++"]
    found = results(*map(answers, patterns), ks=[2])["exact_match_pass@2"]
    each = [1 - comb(p.count("-"), 2) / comb(3, 2) for p in patterns]
    expected = summarise("mean", np.array(each))
    assert (found.value, found.interval, found.n) == (expected.value, expected.interval, 4)
    assert "|over:pass@2|ci:" in found.signature


def test_pass_at_1_is_the_metric_itself() -> None:
    found = results(answers("++-"), answers("---"), answers("+-?"), ks=[1])
    one, metric = found["exact_match_pass@1"], found["exact_match"]
    assert (one.value, one.interval, one.n, one.failed) == (metric.value, metric.interval, metric.n, metric.failed)


def test_a_sample_with_fewer_scored_answers_than_k_says_nothing_of_k() -> None:
    found = results(answers("+-"), answers("+?"), ks=[2])["exact_match_pass@2"]
    assert (found.value, found.n, found.failed) == (1.0, 1, 1)
    assert found.value_failures_wrong == 1.0
    both = results(answers("--"), answers("+?"), ks=[2])["exact_match_pass@2"]
    assert (both.value, both.value_failures_wrong) == (0.0, 0.5)


def test_a_sample_whose_every_answer_failed_has_none_of_k_right_where_failures_are_wrong() -> None:
    found = results(answers("++"), answers("??"), answers("?"), ks=[2])
    for word in ("pass@2", "pass^2"):
        made = found[f"exact_match_{word}"]
        assert (made.value, made.n, made.failed) == (1.0, 1, 3)
        assert made.value_failures_wrong == pytest.approx(1 / 3)


def test_a_k_beyond_the_epochs_is_left_out() -> None:
    assert metrics_of(create("exact_match"), [1, 5, 10], 5) == (
        "exact_match", "exact_match_pass@1", "exact_match_pass@5", "exact_match_pass^5",
    )  # fmt: skip


def test_nothing_is_made_of_a_metric_that_is_not_right_or_wrong() -> None:
    assert metrics_of(create("f1"), [1, 2], 5) == ("f1",)
    assert metrics_of(Plain(), [1, 2], 5) == ("plain",)


@given(st.lists(st.text("+-", min_size=3, max_size=6), min_size=1, max_size=6), st.integers(1, 3))
def test_it_is_the_share_of_the_subsets_of_k_answers(patterns: list[str], k: int) -> None:
    from itertools import combinations

    found = results(*map(answers, patterns), ks=[k])["exact_match_pass@" + str(k)]
    shares = [
        sum("+" in subset for subset in combinations(p, k)) / sum(1 for _ in combinations(p, k)) for p in patterns
    ]
    assert found.value == pytest.approx(sum(shares) / len(shares))
