"""Scoring stored answers anew: no call, the same answers, a run of its own."""

import asyncio

import pytest

from llmkit.errors import StoreError, UsageError
from llmkit.runs.evaluate import evaluate_async
from llmkit.runs.export import rows as exported
from llmkit.runs.lock import RunLock
from llmkit.runs.options import Options
from llmkit.runs.rescore import rescore, scorers_of
from llmkit.runs.result import result_of
from llmkit.runs.store import Store
from llmkit.scoring.registry import create
from llmkit.suites.inline import make_suite
from llmkit.types import Score
from tests.providers.server import Server, status
from tests.runs.project import MODEL, QUICK, add, answering, rows
from tests.runs.scorers import Plain


async def first_run(project, data=12, *, answer=lambda text: f"{add(text)} apples", **suite):
    async with Server(default=answering(answer)) as server:
        return await project.one(server, project.suite(data, **suite))


async def again(project, run_id, scorers=None, **how):
    with Store(project.store) as store:
        run = store.run(run_id)
        result = await rescore(store, run, scorers if scorers is not None else scorers_of(run), **how)
        assert result_of(store.run(result.run_id)) == result
        return result


async def test_the_same_scorers_give_the_same_metrics(project):
    first = await first_run(project, scorers="[includes, f1, bleu]", mapped=", cluster: topic, slices: [topic]")
    second = await again(project, first.run_id)
    assert second.run_id != first.run_id
    assert second.metrics == first.metrics
    assert (second.status, second.total, second.completed) == ("completed", 12, 12)


async def test_another_scorer_scores_the_stored_answers(project):
    first = await first_run(project)
    second = await again(project, first.run_id, [create("includes")])
    assert (first.metrics["exact_match"].value, second.metrics["includes"].value) == (0.0, 1.0)


async def test_nothing_is_paid(project):
    first = await first_run(project)
    second = await again(project, first.run_id)
    assert (second.usage.calls, second.from_cache) == (0, 12)


async def test_a_score_that_stands_under_the_same_signature_is_not_computed_again(project):
    first = await first_run(project)
    scorer = Plain(lambda item: create("f1").score([item])[0])
    await again(project, first.run_id, [scorer])
    await again(project, first.run_id, [scorer])
    assert sum(scorer.batches) == 12


async def test_samples_that_had_failed_are_failures_still(project):
    data = rows(10)
    del data[3]["question"]
    first = await first_run(project, data)
    second = await again(project, first.run_id)
    assert (second.failed, second.faults) == (first.failed, first.faults)
    assert second.metrics == first.metrics


async def test_epochs_stay_epochs(project):
    first = await first_run(project, 4, more="epochs: 3\n")
    second = await again(project, first.run_id)
    assert (second.total, second.metrics) == (12, first.metrics)


async def test_a_rescored_run_can_be_rescored(project):
    first = await first_run(project)
    second = await again(project, first.run_id, [create("includes")])
    third = await again(project, second.run_id, [create("f1")])
    assert list(third.metrics) == ["f1"]


async def test_options_of_scorers_are_kept(project):
    first = await first_run(project, scorers="[{numeric: {tolerance: 1}}]")
    second = await again(project, first.run_id)
    assert second.metrics["numeric"].signature == first.metrics["numeric"].signature


@pytest.mark.parametrize("mapped", [", cluster: topic", ", slices: [topic]", ", cluster: id, slices: {by: topic}"])
async def test_rows_mapped_otherwise_are_not_taken_for_those_of_an_earlier_run(project, mapped):
    await first_run(project)
    second = await first_run(project, mapped=mapped)
    assert (await again(project, second.run_id)).metrics == second.metrics
    with Store(project.store) as store:
        records = list(exported(store, store.run(second.run_id)))
    assert (records[0]["cluster"] is not None) == ("cluster" in mapped)
    assert bool(records[0]["slices"]) == ("slices" in mapped)


async def test_a_scorer_that_crashed_scores_again_once_it_is_mended(project):
    first = await first_run(project)
    broken = await again(project, first.run_id, [Plain(lambda item: 1 / 0)])
    mended = await again(project, first.run_id, [Plain(lambda item: Score(1.0))])
    assert (broken.broken, broken.metrics["plain"].value) == (12, None)
    assert (mended.broken, mended.metrics["plain"].value) == (0, 1.0)


async def test_everything_can_be_scored_anew(project):
    first = await first_run(project)
    scorer = Plain(lambda item: Score(1.0))
    await again(project, first.run_id, [scorer])
    await again(project, first.run_id, [scorer], anew=True)
    assert sum(scorer.batches) == 24


async def test_the_seed_is_the_runs_own(project):
    first = await first_run_with_seed(project, 7)
    second = await again(project, first.run_id)
    assert (second.metrics, second.digest) == (first.metrics, first.digest)
    assert "|seed:7" in second.metrics["bleu"].signature


async def test_another_seed_makes_another_digest(project):
    first = await first_run_with_seed(project, 7)
    second = await again(project, first.run_id, seed=8)
    assert second.digest != first.digest
    assert "|seed:8" in second.metrics["bleu"].signature


async def first_run_with_seed(project, seed):
    async with Server(default=answering(lambda text: f"{add(text)} apples and {text} pears")) as server:
        return await project.one(server, project.suite(12, scorers="[bleu]"), seed=seed)


async def stopped(project):
    """A run that its server ended after five answers."""
    count = iter(range(10**9))
    async with Server(default=answering(lambda text: add(text) if next(count) < 5 else status(500))) as server:
        (ending,) = await project.run(server, project.suite(40), concurrency=1)
    assert (ending.result.status, ending.result.completed) == ("failed", 5)
    return ending.result


async def test_a_partial_run_stays_partial(project):
    first = await stopped(project)
    second = await again(project, first.run_id)
    assert (second.status, second.stopped_by) == ("failed", first.stopped_by)
    assert (second.total, second.completed, second.failed) == (40, 5, first.failed)


async def test_a_killed_run_is_scored_as_far_as_it_came(project):
    first = await stopped(project)
    with Store(project.store) as store, store._transaction() as db:
        db.execute("UPDATE runs SET status='running', result=NULL")
    second = await again(project, first.run_id)
    assert (second.status, second.total, second.completed) == ("interrupted", 40, 5)
    assert second.stopped_by == f"run {first.run_id} had not ended"


class Watching:
    """Runs something after a batch."""

    def __init__(self, act):
        self.act = act

    def update(self, state):
        self.act(state)


async def test_its_run_is_locked_while_it_lasts(project):
    first = await first_run(project)
    seen = []

    def look(state):
        with Store(project.store, read_only=True) as store:
            (run,) = [r for r in store.runs() if r.status == "running"]
            seen.append((run.rescored_from, RunLock(project.store, run.run_id).held()))

    second = await again(project, first.run_id, observer=Watching(look))
    assert seen == [(first.run_id, True)]
    assert not RunLock(project.store, second.run_id).held()


async def interrupted(project, first, monkeypatch):
    """Interrupt a rescoring after its first batch."""
    monkeypatch.setattr("llmkit.runs.scoring.CHUNK", 4)
    task, results = asyncio.current_task(), []
    with Store(project.store) as store, pytest.raises(asyncio.CancelledError):
        run = store.run(first.run_id)
        await rescore(store, run, observer=Watching(lambda state: task.cancel()), ended=results.append)
    task.uncancel()
    (result,) = results
    return result


async def test_an_interrupted_one_says_so_and_keeps_what_it_scored(project, monkeypatch):
    first = await first_run(project)
    result = await interrupted(project, first, monkeypatch)
    assert (result.status, result.stopped_by, result.completed, result.total) == ("interrupted", "interrupted", 4, 12)
    assert result.metrics["exact_match"].n == 4
    with Store(project.store) as store:
        assert result_of(store.run(result.run_id)) == result


async def test_an_evaluation_never_goes_on_with_a_rescored_run(project, monkeypatch):
    first = await first_run(project)
    rescored = await interrupted(project, first, monkeypatch)
    assert rescored.digest == first.digest
    suite = str(project.folder / "sums.yaml")
    async with Server(default=answering()) as server:
        second = await project.one(server, suite)
        assert second.run_id not in (first.run_id, rescored.run_id)
        with pytest.raises(UsageError, match="there is no unfinished run"):
            await project.run(server, suite, resume=True)
        with pytest.raises(UsageError, match=f"llmkit rescore {first.run_id}"):
            await project.run(server, suite, resume_run=rescored.run_id)


async def test_a_store_that_fails_leaves_no_run_that_seems_to_go_on(project, monkeypatch):
    first = await first_run(project)

    def full(*_):
        raise StoreError("the disk is full")

    monkeypatch.setattr(Store, "add_outcomes", full)
    results = []
    with Store(project.store) as store, pytest.raises(StoreError, match="the disk is full"):
        await rescore(store, store.run(first.run_id), ended=results.append)
    assert [(r.status, r.stopped_by) for r in results] == [("failed", "the disk is full")]


async def test_two_scorers_of_one_name_are_refused(project):
    first = await first_run(project)
    twice = [{"numeric": {"tolerance": 1}}, {"numeric": {"tolerance": 5}}]
    with pytest.raises(UsageError, match="two scorers give the metric 'numeric'"):
        await again(project, first.run_id, twice)
    with Store(project.store) as store:
        assert len(store.runs()) == 1


async def test_a_rescored_runs_own_scorers_are_those_that_rescored_it(project):
    first = await first_run(project)
    second = await again(project, first.run_id, ["includes", {"numeric": {"tolerance": 1}}])
    third = await again(project, second.run_id)
    assert third.metrics == second.metrics


async def test_scorers_made_in_python_cannot_be_made_again_and_are_named(project):
    class Numeric(Plain):
        """Has the name of a built-in scorer and is another one."""

        name, signature = "numeric", "mine|version:1"

    made = [create("includes"), create("exact_match", {"ignore_case": True}), Numeric()]
    ask = [{"role": "user", "content": "{{question}}"}]
    suite = make_suite("sums", rows(3), messages=ask, scorers=made, target="answer")
    async with Server(default=answering()) as server:
        project.at(server)
        (ending,) = await evaluate_async(suite, MODEL, options=Options(retry=QUICK))
    with Store(project.store) as store:
        run = store.run(ending.result.run_id)
        with pytest.raises(UsageError, match=r"Python objects.*: exact_match, numeric\. Name scorers with --scorer"):
            scorers_of(run)
    assert (await again(project, run.run_id, ["includes"])).metrics["includes"].n == 3
    assert (await again(project, run.run_id, made)).metrics == ending.result.metrics
