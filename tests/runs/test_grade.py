"""Scoring: a failure is a record of the one answer that caused it."""

import asyncio
import math
import threading

import pytest

from llmkit.runs.grade import HEAVY_BATCH, grade, prepare, score_all
from llmkit.runs.records import Answer, Job, Outcome
from llmkit.scoring.base import Item
from llmkit.types import Completion, Failure, Request, Sample, Score
from tests.runs.scorers import Plain


def outcome(text, index=0, references=()):
    job = Job(Sample(str(index), index, {}, references), 1, Request(()), b"", b"", b"", "{}", "[]", "[]")
    return Outcome(index, 1, str(index), job, Answer(index, "run", 0.0, Completion(text)))


def items(*texts):
    return [Item(text) for text in texts]


def kinds(results):
    return [r.kind if isinstance(r, Failure) else r.value for r in results]


@pytest.mark.parametrize("bad", [[0], [6], [2, 3], [0, 3, 6], list(range(7))])
def test_a_crash_fails_only_the_answers_that_cause_it(bad):
    texts = ["oops" if n in bad else str(n) for n in range(7)]
    assert kinds(score_all(Plain(), items(*texts))) == ["crash" if n in bad else float(n) for n in range(7)]


def test_a_crash_is_recorded_with_its_cause():
    (failure,) = score_all(Plain(), items("oops"))
    assert (failure.stage, failure.kind) == ("scorer", "crash")
    assert failure.message == "plain: ValueError: could not convert string to float: 'oops'"


def test_one_call_is_made_where_nothing_crashes():
    scorer = Plain()
    score_all(scorer, items(*"1234567"))
    assert scorer.batches == [7]


def test_a_crash_takes_a_number_of_calls_that_grows_with_the_logarithm():
    scorer = Plain()
    score_all(scorer, items(*(["1"] * 511 + ["oops"])))
    assert len(scorer.batches) <= 1 + 2 * math.ceil(math.log2(512))


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_result_of_the_wrong_length_fails_what_it_came_for(count):
    class Short(Plain):
        def score(self, batch):
            return [Score(1.0)] * count

    results = score_all(Short(), items("a", "b"))
    assert kinds(results) == ([1.0, 1.0] if count == 1 else ["crash", "crash"])


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_value_that_is_no_number_is_a_failure(value):
    scorer = Plain(lambda item: Score(value if item.text == "x" else 1.0))
    assert kinds(score_all(scorer, items("a", "x", "b"))) == [1.0, "not_finite", 1.0]


def test_statistics_that_are_no_numbers_are_a_failure():
    assert kinds(score_all(Plain(lambda item: Score(1.0, (1.0, math.nan))), items("a"))) == ["not_finite"]


def test_a_failure_of_the_scorers_own_stands_as_it_is():
    own = Failure("scorer", "unparsable", "no number in it")
    assert score_all(Plain(lambda item: own), items("a")) == [own]


def test_a_row_without_a_reference_fails_where_one_is_needed_and_the_scorer_does_not_see_it():
    scorer = Plain(needs_references=True)
    results = score_all(scorer, [Item("1", ("1",)), Item("2"), Item("3", ("3",))])
    assert kinds(results) == [1.0, "no_reference", 3.0]
    assert scorer.batches == [2]


def test_a_row_without_a_reference_is_scored_where_none_is_needed():
    assert kinds(score_all(Plain(), items("1"))) == [1.0]


async def test_only_answered_samples_are_scored():
    lost = Outcome(1, 1, "1", failure=Failure("provider", "timeout", ""))
    answered = outcome("2")
    await grade([Plain()], [lost, answered])
    assert (lost.scores, answered.scores) == ({}, {"plain": Score(2.0)})


async def test_scores_that_stand_already_are_kept():
    standing = outcome("2")
    standing.scores["plain"] = Score(9.0)
    scorer = Plain()
    await grade([scorer], [standing])
    assert (standing.scores["plain"], scorer.batches) == (Score(9.0), [])


async def test_one_crashing_scorer_leaves_the_others_alone():
    several = [outcome("1", 0), outcome("oops", 1)]
    await grade([Plain(), Plain(lambda item: Score(5.0), name="other")], several)
    assert [kinds(o.scores.values()) for o in several] == [[1.0, 5.0], ["crash", 5.0]]


async def test_a_heavy_scorer_works_while_the_loop_goes_on():
    began, may_end = threading.Event(), threading.Event()

    def wait(item):
        began.set()
        assert may_end.wait(10)
        return Score(1.0)

    grading = asyncio.create_task(grade([Plain(wait, heavy=True)], [outcome("1")]))
    while not began.is_set():
        await asyncio.sleep(0)  # the loop turns although the scorer is at work
    may_end.set()
    await grading


async def test_a_light_scorer_works_in_the_loop_and_a_heavy_one_in_a_thread():
    threads = []

    def note(item):
        threads.append(threading.current_thread())
        return Score(1.0)

    await grade([Plain(note), Plain(note, name="heavy", heavy=True)], [outcome("1")])
    assert threads[0] is threading.main_thread()
    assert threads[1] is not threading.main_thread()


async def test_a_heavy_scorer_takes_small_batches():
    scorer = Plain(heavy=True)
    await grade([scorer], [outcome("1", n) for n in range(2 * HEAVY_BATCH + 1)])
    assert scorer.batches == [HEAVY_BATCH, HEAVY_BATCH, 1]


async def test_a_heavy_scorer_that_is_given_up_on_disturbs_nothing():
    began, may_end = threading.Event(), threading.Event()

    def wait(item):
        began.set()
        assert may_end.wait(10)
        return Score(1.0)

    given_up = outcome("1")
    grading = asyncio.create_task(grade([Plain(wait, heavy=True)], [given_up]))
    while not began.is_set():
        await asyncio.sleep(0)
    grading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await grading
    may_end.set()
    assert given_up.scores == {}


def test_what_a_scorer_needs_is_loaded_once_and_before_any_call():
    loaded = []

    class Loads(Plain):
        def prepare(self):
            loaded.append(self.name)

    prepare([Loads(), Plain()])
    assert loaded == ["plain"]
