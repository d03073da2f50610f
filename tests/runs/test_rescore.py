"""Scoring stored answers anew: no call, the same answers, a run of its own."""

import pytest

from llmkit.runs.export import rows as exported
from llmkit.runs.rescore import rescore, scorers_of
from llmkit.runs.result import result_of
from llmkit.runs.store import Store
from llmkit.scoring.registry import create
from tests.providers.server import Server
from tests.runs.project import add, answering, rows
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
