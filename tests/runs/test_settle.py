"""Outcomes on their way to stored scores and metrics: what stands is taken, what broke is scored again."""

import pytest

from llmkit.config import Settings
from llmkit.judges.scorer import scorer_of
from llmkit.providers.scripted import Scripted
from llmkit.runs.judging import Bench
from llmkit.runs.outcome import outcome_of
from llmkit.runs.records import Job, Outcome
from llmkit.runs.rows import RunRow
from llmkit.runs.settle import Settler
from llmkit.runs.state import State
from llmkit.runs.store import Store
from llmkit.types import Completion, Failure, Message, Request, Sample, Score
from tests.judges.locking import locked_project
from tests.judges.seats import says
from tests.runs.scorers import Plain


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path) as store:
        yield store


async def answered(store, text, index=0, run="r1"):
    """One sample with a stored answer."""
    answer = await store.add_answer(run, b"key %d" % index, Completion(text), cacheable=True)
    sample = Sample(f"s{index}", index, {"q": index}, ("1",))
    job = Job(
        sample, 1, Request((Message("user", "?"),)), b"", b"input %d" % index, b"p", "{}", '["1"]', '[["user","?"]]'
    )
    return Outcome(index, 1, sample.id, job, answer)


def again(outcome):
    """The same sample before it is scored."""
    return Outcome(outcome.index, outcome.epoch, outcome.sample_id, outcome.job, outcome.answer, outcome.failure)


async def settled(store, scorer, outcomes, **how):
    settler = Settler(store, "r1", [scorer], (), state=State(), **how)
    await settler.settle([again(o) for o in outcomes])
    return settler


async def test_a_score_that_stands_is_taken_whoever_paid_for_the_answer(store):
    outcomes = [await answered(store, "1"), await answered(store, "0", 1, run="another")]
    scorer = Plain()
    first = await settled(store, scorer, outcomes)
    second = await settled(store, scorer, outcomes)
    assert scorer.batches == [2]
    assert second.metrics() == first.metrics()
    assert second.metrics()["plain"].value == 0.5


async def test_only_what_has_no_score_is_scored(store):
    outcomes = [await answered(store, "1"), await answered(store, "0", 1)]
    scorer = Plain()
    await settled(store, scorer, outcomes[:1])
    await settled(store, scorer, outcomes)
    assert scorer.batches == [1, 1]


async def test_anew_scores_all_and_replaces_what_stood(store):
    outcomes = [await answered(store, "1")]
    await settled(store, Plain(lambda item: Score(0.25)), outcomes)
    result = await settled(store, Plain(lambda item: Score(0.75)), outcomes, anew=True)
    assert result.metrics()["plain"].value == 0.75
    assert (await settled(store, Plain(), outcomes)).metrics()["plain"].value == 0.75


@pytest.mark.parametrize("broken", [lambda item: 1 / 0, lambda item: Score(float("inf"))], ids=["crash", "not finite"])
async def test_what_broke_in_a_scorer_is_scored_again(store, broken):
    outcomes = [await answered(store, "1")]
    first = await settled(store, Plain(broken), outcomes)
    assert (first.metrics()["plain"].failed, first.state.broken) == (1, 1)
    second = await settled(store, Plain(), outcomes)
    assert (second.metrics()["plain"].value, second.metrics()["plain"].failed, second.state.broken) == (1.0, 0, 0)


async def test_an_answer_that_could_not_be_parsed_is_not_read_again(store):
    outcomes = [await answered(store, "who knows")]
    scorer = Plain(lambda item: Failure("scorer", "unparsable", "no number"))
    await settled(store, scorer, outcomes)
    second = await settled(store, scorer, outcomes)
    assert scorer.batches == [1]
    assert second.state.faults == {"scorer/unparsable": (1, "no number")}


async def test_an_outcome_comes_back_from_the_store_as_it_was(store):
    (outcome,) = [await answered(store, "1")]
    store.start_run(RunRow("r1", "s", "p/m", "running", "d", {}, {}, 1.0, 0.0, 0, None))
    await settled(store, Plain(), [outcome])
    (row,) = store.samples("r1")
    back = outcome_of(row, {"plain": Score(1.0)})
    assert (back.index, back.epoch, back.sample_id, back.answer) == (0, 1, "s0", outcome.answer)
    assert (back.job.input, back.job.sample.references, back.job.request) == (
        b"input 0", ("1",), outcome.job.request,
    )  # fmt: skip
    assert back.scores == {"plain": Score(1.0)}


# --- judges' scores ---


@pytest.fixture
def judge(tmp_path):
    return scorer_of({"judge": str(locked_project(tmp_path / "project", lock={"served": "judge-2026"}))})


def served_by(name):
    """The judge's model, as a server of this name answers."""
    return Scripted("judge", {"revision": "1"}, function=lambda request: Completion(says("pass"), served_model=name))


async def judged(store, judge, model, outcomes, run="r1", *, cache=True, **how):
    """Settle samples in a run; returns what stands behind its judge's metric, and its bill."""
    given = {"scripted/judge": model}
    async with Bench(store, Settings(store.path.parent), run_id=run, cache=cache, providers=given) as bench:
        settler = Settler(store, run, [judge], (), state=State(), bench=bench, **how)
        await settler.settle([again(o) for o in outcomes])
        metric = settler.metrics()["relevance"]
        return metric.judged, bench.totals().get("relevance")


async def test_verdicts_of_another_model_are_its_own_whoever_takes_them_again(store, judge):
    outcomes, model = [await answered(store, "1")], served_by("judge-2027")
    for run in ("r1", "r2", "r2"):
        behind, _ = await judged(store, judge, model, outcomes, run)
        assert (behind.status, behind.rate) == ("stale", None), run
        assert behind.why == "the judge is stale: served: judge-2027 answers now, and judge-2026 was measured"
    assert len(model.calls) == 1, "and nothing is paid for twice"


async def test_a_verdict_that_was_asked_for_anew_is_of_the_model_that_gave_it_last(store, judge):
    outcomes = [await answered(store, "1")]
    await judged(store, judge, served_by("judge-2027"), outcomes)
    behind, _ = await judged(store, judge, served_by("judge-2026"), outcomes, "r2", anew=True, cache=False)
    again, _ = await judged(store, judge, served_by("judge-2027"), outcomes, "r3")
    assert behind == again
    assert "answers now" not in behind.why


async def test_a_verdict_of_an_unknown_model_is_asked_for_again(store, judge):
    """An older store has the score, and nothing says whose answer it was read from: the answer is there still."""
    outcomes, model = [await answered(store, "1")], served_by("judge-2027")
    await judged(store, judge, model, outcomes)
    with store._transaction() as db:
        db.execute("DELETE FROM behind")
    behind, paid = await judged(store, judge, model, outcomes, "r2")
    assert (behind.status, paid.calls, len(model.calls)) == ("stale", 0, 1)
