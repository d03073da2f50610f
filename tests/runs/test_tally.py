"""The tally: metrics from outcomes in any order, in both readings, in little memory."""

import random
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sacrebleu.metrics import BLEU

from llmkit.errors import UsageError
from llmkit.runs.tally import Codes, Numbers, Tally
from llmkit.scoring.base import Item
from llmkit.scoring.registry import create
from llmkit.stats.proportion import wilson
from llmkit.stats.summary import summarise
from llmkit.types import Failure, Score
from tests.runs.scorers import Plain, Ratio

LOST = Failure("provider", "timeout", "no answer")


def tally_of(scorer, rows, slices=()):
    """Rows are (index, epoch, score or failure, cluster, slices)."""
    tally = Tally([scorer], slices)
    for index, epoch, score, cluster, parts in rows:
        scores = {scorer.name: score} if isinstance(score, Score) else {}
        tally.add(index, epoch, scores, Item(""), cluster, parts)
    return tally


def metric(scorer, scores, **how):
    rows = [(n, 1, score, None, {}) for n, score in enumerate(scores)]
    return tally_of(scorer, rows, **how).results()[scorer.name]


def values(*numbers):
    return [Score(float(n)) if n is not None else LOST for n in numbers]


scored = st.one_of(st.none(), st.floats(-1e6, 1e6), st.integers(0, 1).map(float))
rows_of = st.lists(st.tuples(scored, st.sampled_from([None, "a", "b", "c"]), st.sampled_from("xyz")), max_size=25)


@settings(max_examples=40, deadline=None)
@given(rows_of, st.integers(1, 3), st.randoms(use_true_random=False))
@pytest.mark.parametrize("corpus", [False, True])
def test_the_order_of_arrival_changes_nothing(corpus, drawn, epochs, rng):
    scorer = Ratio() if corpus else Plain()
    rows = []
    for index, (value, cluster, part) in enumerate(drawn):
        for epoch in range(1, epochs + 1):
            score = LOST if value is None else Score(value + epoch, (value + epoch, 2.0) if corpus else ())
            rows.append((index, epoch, score, cluster, {"part": part}))
    shuffled = rows[:]
    rng.shuffle(shuffled)
    one, other = (tally_of(scorer, some, ["part"]).results() for some in (shuffled, rows))
    assert repr(one) == repr(other)  # to the last bit, and in the order of the slices


def test_a_proportion_in_both_readings():
    result = metric(Plain(kind="proportion"), values(1, 1, 0, None, 1, None))
    assert (result.value, result.n, result.failed) == (0.75, 4, 2)
    assert result.value_failures_wrong == 0.5


def test_a_mean_in_both_readings():
    result = metric(Plain(), values(10, 20, None, 60))
    assert (result.value, result.n, result.failed) == (30.0, 3, 1)
    assert result.value_failures_wrong == 22.5


def test_a_corpus_metric_in_both_readings():
    result = metric(Ratio(), [Score(0, (3.0, 4.0)), LOST, Score(0, (1.0, 4.0))])
    assert (result.value, result.n, result.failed) == (0.5, 2, 1)
    assert result.value_failures_wrong == pytest.approx(4 / 9)


def test_without_failures_both_readings_are_one():
    result = metric(Plain(), values(1, 2))
    assert result.value == result.value_failures_wrong == 1.5


def test_with_failures_alone_there_is_no_value_and_all_are_wrong():
    result = metric(Plain(), values(None, None))
    assert (result.value, result.interval, result.n, result.failed) == (None, None, 0, 2)
    assert result.value_failures_wrong == 0.0


def test_the_second_reading_has_the_interval_of_all_samples():
    result = metric(Plain(kind="proportion"), values(*[1] * 20, *[None] * 180))
    expected = summarise("proportion", np.array([1.0] * 20 + [0.0] * 180))
    assert result.interval_failures_wrong == expected.interval
    assert result.interval == summarise("proportion", np.ones(20)).interval


def test_a_corpus_metric_has_an_interval_in_both_readings():
    result = bleu_tally({0, 7, 11})
    assert result.interval_failures_wrong.low < result.value_failures_wrong < result.interval_failures_wrong.high
    assert result.interval_failures_wrong != result.interval


def test_without_failures_there_is_no_second_interval():
    assert metric(Plain(kind="proportion"), values(1, 0)).interval_failures_wrong is None


def test_more_epochs_than_two_bytes_count_are_told_apart():
    rows = [(0, 1, Score(0.0), None, {}), (0, 40_000, Score(1.0), None, {})]
    assert tally_of(Plain(), rows).results()["plain"].value == 0.5


def test_nothing_at_all_has_no_value():
    result = metric(Plain(), [])
    assert (result.value, result.n, result.failed, result.value_failures_wrong) == (None, 0, 0, None)


ANSWERS = ["the cat sat on the mat", "a dog ran in the park", "it rains", "birds sing in the early morning light"]
RIGHT = ["the cat sat on a mat", "the dog ran through the park", "it is raining", "birds sing in the morning light"]


def bleu_tally(failing=()):
    scorer = create("bleu")
    tally = Tally([scorer])
    items = [Item(a, (r,)) for a, r in zip(ANSWERS * 5, RIGHT * 5, strict=True)]
    for index, (item, score) in enumerate(zip(items, scorer.score(items), strict=True)):
        scores = {} if index in failing else {"bleu": score}
        tally.add(index, 1, scores, Item("", item.references) if index in failing else item)
    return tally.results()["bleu"]


def test_bleu_is_sacrebleus_over_the_whole_lists():
    assert bleu_tally().value == pytest.approx(BLEU().corpus_score(ANSWERS * 5, [RIGHT * 5]).score, abs=1e-9)


def test_bleu_with_failures_is_sacrebleus_without_them_and_with_empty_answers():
    failing = {0, 7, 11}
    kept = [n for n in range(20) if n not in failing]
    answers, right = ANSWERS * 5, RIGHT * 5
    without = BLEU().corpus_score([answers[n] for n in kept], [[right[n] for n in kept]]).score
    empty = BLEU().corpus_score([("" if n in failing else answers[n]) for n in range(20)], [right]).score
    result = bleu_tally(failing)
    assert result.value == pytest.approx(without, abs=1e-9)
    assert result.value_failures_wrong == pytest.approx(empty, abs=1e-9)


def test_bleu_is_no_mean_of_sentences():
    scores = create("bleu").score([Item(a, (r,)) for a, r in zip(ANSWERS, RIGHT, strict=True)])
    assert bleu_tally().value != pytest.approx(np.mean([s.value for s in scores]), abs=0.5)


def test_epochs_are_averaged_first():
    rows = [(0, 1, Score(0.0), None, {}), (0, 2, Score(1.0), None, {}), (1, 1, Score(1.0), None, {})]
    result = tally_of(Plain(), rows).results()["plain"]
    assert (result.value, result.n) == (0.75, 2)


def test_a_sample_that_failed_in_one_epoch_counts_by_the_other():
    rows = [(0, 1, Score(1.0), None, {}), (0, 2, LOST, None, {}), (1, 1, Score(0.0), None, {}), (1, 2, LOST, None, {})]
    result = tally_of(Plain(), rows).results()["plain"]
    assert (result.value, result.n, result.failed, result.value_failures_wrong) == (0.5, 2, 2, 0.25)


def test_clusters_are_those_of_the_statistics():
    numbers, clusters = [1, 1, 0, 0, 1, 0], ["a", "a", "b", "b", "c", None]
    rows = [(n, 1, Score(float(v)), c, {}) for n, (v, c) in enumerate(zip(numbers, clusters, strict=True))]
    result = tally_of(Plain(kind="proportion"), rows).results()["plain"]
    codes = np.array([0, 0, 1, 1, 2, 3 + 5])
    expected = summarise("proportion", np.array(numbers, dtype=float), clusters=codes)
    assert (result.value, result.interval) == (expected.value, expected.interval)


def test_a_sample_without_a_cluster_is_one_of_its_own():
    rows = [(n, 1, Score(float(n)), "a" if n < 2 else None, {}) for n in range(5)]
    lone = [(n, 1, Score(float(n)), "a" if n < 2 else f"own {n}", {}) for n in range(5)]
    assert tally_of(Plain(), rows).results() == tally_of(Plain(), lone).results()


def test_a_slice_is_the_metric_of_its_part():
    rows = [(n, 1, Score(float(n)), None, {"half": "low" if n < 3 else "high"}) for n in range(6)]
    slices = tally_of(Plain(), rows, ["half"]).results()["plain"].slices["half"]
    alone = tally_of(Plain(), rows[:3]).results()["plain"]
    assert slices["low"] == alone
    assert (slices["high"].value, slices["high"].n) == (4.0, 3)


def test_failures_are_counted_in_their_slice():
    rows = [(0, 1, Score(1.0), None, {"s": "a"}), (1, 1, LOST, None, {"s": "a"}), (2, 1, Score(1.0), None, {"s": "b"})]
    slices = tally_of(Plain(), rows, ["s"]).results()["plain"].slices["s"]
    assert {name: (part.failed, part.value_failures_wrong) for name, part in slices.items()} == {
        "a": (1, 0.5),
        "b": (0, 1.0),
    }


def test_the_running_value_is_the_value():
    tally = tally_of(Ratio(), [(0, 1, Score(0, (3.0, 4.0)), None, {}), (1, 1, Score(0, (1.0, 4.0)), None, {})])
    assert tally.running() == ("ratio", 0.5)
    assert tally_of(Plain(), [(0, 1, LOST, None, {})]).running() is None


@given(st.lists(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=2, max_size=2), max_size=20))
def test_numbers_come_back_as_they_went_in(table):
    numbers = Numbers()
    for row in table:
        numbers.extend(row)
    assert numbers.table(len(table)).tolist() == table if table else True


def test_whole_numbers_that_are_too_large_for_four_bytes_come_back_too():
    numbers = Numbers()
    for value in (1.0, float(2**31), -float(2**40), 0.5):
        numbers.extend((value,))
    assert numbers.table(4)[:, 0].tolist() == [1.0, 2.0**31, -(2.0**40), 0.5]


def test_codes_are_small_numbers_in_order_of_first_sight():
    codes = Codes()
    assert [codes.code(name) for name in ("b", "a", None, "b")] == [0, 1, -1, 0]


def test_bleu_and_ids_take_at_most_100_bytes_a_row():
    scorer, count = create("bleu"), 30_000
    item = Item(ANSWERS[0], (RIGHT[0],))
    (score,) = scorer.score([item])
    tally = Tally([scorer], ["topic"])
    scores, clusters = {"bleu": score}, [f"c{n}" for n in range(50)]
    rng = random.Random(0)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for index in range(count):
            tally.add(index, 1, scores, item, clusters[rng.randrange(50)], {"topic": "odd" if index % 2 else "even"})
        used = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert used <= 100 * count


def test_two_scorers_of_one_name_are_refused():
    with pytest.raises(UsageError, match="two scorers give the metric 'plain'"):
        Tally([Plain(), Plain(signature="plain|version:2")])


def test_one_attempt_each_may_have_been_more_and_never_fewer():
    """A generation takes from one to three attempts: nothing below 1, and two more, at most."""
    found = metric(create("attempts"), values(*[1] * 60)).interval
    assert (found.low, found.high) == (1.0, pytest.approx(1 + 2 * wilson(0, 60).high))


def test_what_retries_cost_has_no_interval_where_there_were_none():
    found = metric(create("retry_cost"), values(*[0] * 60))
    assert (found.value, found.interval) == (0.0, None)
    assert found.signature.endswith("|ci:none")


def test_what_retries_cost_is_not_below_nothing():
    found = metric(create("retry_cost"), values(*[0] * 50, 3e-6, 9e-6)).interval
    assert found.low == 0.0
    assert found.high < 1e-6


def test_prompts_beyond_the_context_are_counted_apart_in_the_whole_and_in_each_part():
    scorer = Plain()
    tally = Tally([scorer], ["length"])
    for index, (length, overflowed) in enumerate([("1", False), ("1", False), ("9", True), ("9", True), ("9", False)]):
        scores = {} if overflowed else {scorer.name: Score(1.0)}
        tally.add(index, 1, scores, Item(""), None, {"length": length}, overflowed=overflowed)
    found = tally.results()[scorer.name]
    parts = found.slices["length"]
    assert (found.failed, found.overflowed) == (2, 2)
    assert (parts["1"].overflowed, parts["9"].overflowed, parts["9"].n) == (0, 2, 1)
