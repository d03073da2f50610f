"""Which run a command goes on with, and which it leaves alone."""

import pytest

from llmkit.errors import ResumeMismatchError, UsageError
from llmkit.runs.lock import RunLock
from llmkit.runs.result import result_of
from llmkit.runs.store import Store
from tests.providers.server import Server, status
from tests.runs.project import MODEL, add, answering, asked, rows


def dying(after):
    """Answer so many requests, then refuse the key: the run ends as failed."""
    count = iter(range(10**9))
    return answering(lambda text: add(text) if next(count) < after else status(401))


async def unfinished(project, server, suite, **how):
    """Leave a run behind that has some answers and is not at its end."""
    server.default = dying(5)
    (ending,) = await project.run(server, suite, concurrency=1, **how)
    assert ending.result.status == "failed"
    assert ending.result.completed == 5
    server.default = answering()
    server.log.clear()
    return ending.result


@pytest.fixture
async def server():
    async with Server(default=answering()) as server:
        yield server


async def test_the_same_command_goes_on_with_the_unfinished_run(project, server):
    suite = project.suite(30)
    first = await unfinished(project, server, suite)
    second = await project.one(server, suite)
    assert (second.run_id, second.status, second.completed) == (first.run_id, "completed", 30)
    assert second.from_cache == 0
    assert second.usage.calls == 30
    assert len(server.log) == 25


async def test_failures_are_asked_again(project, server):
    suite = project.suite(30)
    first = await unfinished(project, server, suite)
    assert first.failed > 0
    second = await project.one(server, suite)
    assert (second.failed, second.faults) == (0, {})


async def test_the_time_of_all_stretches_is_added_up(project, server):
    suite = project.suite(30)
    first = await unfinished(project, server, suite)
    second = await project.one(server, suite)
    assert second.wall_s > first.wall_s > 0
    assert second.started_at == first.started_at


async def test_a_finished_run_is_not_gone_on_with(project, server):
    suite = project.suite(10)
    first = await project.one(server, suite)
    second = await project.one(server, suite)
    assert second.run_id != first.run_id
    assert second.from_cache == 10


async def test_fresh_starts_anew_and_takes_paid_answers_from_the_cache(project, server):
    suite = project.suite(30)
    first = await unfinished(project, server, suite)
    second = await project.one(server, suite, fresh=True)
    assert second.run_id != first.run_id
    assert second.from_cache == 5


async def test_resume_goes_on_with_the_unfinished_run(project, server):
    suite = project.suite(30)
    first = await unfinished(project, server, suite)
    assert (await project.one(server, suite, resume=True)).run_id == first.run_id


async def test_resume_goes_on_with_the_run_of_the_configuration_that_is_named(project, server):
    suite = project.suite(30)
    first = await unfinished(project, server, suite)
    other = await unfinished(project, server, suite, params={"temperature": 0.5})
    assert (await project.one(server, suite, resume=True)).run_id == first.run_id != other.run_id


async def test_resume_without_an_unfinished_run_is_refused(project, server):
    suite = project.suite(5)
    await project.one(server, suite)
    with pytest.raises(UsageError, match="no unfinished run of sums on openai/adder"):
        await project.run(server, suite, resume=True)


@pytest.mark.parametrize(
    ("change", "keys"),
    [
        ({"params": {"temperature": 0.5}}, ["params.temperature"]),
        ({"epochs": 2}, ["epochs"]),
        ({"limit": 3}, ["limit"]),
        ({"seed": 9}, ["params.seed", "seed"]),
    ],
    ids=["parameter", "epochs", "limit", "seed"],
)
async def test_resume_of_another_configuration_names_what_changed(project, server, change, keys):
    suite = project.suite(30)
    await unfinished(project, server, suite)
    with pytest.raises(ResumeMismatchError) as caught:
        await project.run(server, suite, resume=True, **change)
    assert caught.value.keys == keys
    assert server.log == []


@pytest.mark.parametrize(
    ("change", "keys"),
    [
        ({"scorers": "[f1]"}, ["fingerprints.scorers", "suite.scorers.exact_match", "suite.scorers.f1"]),
        ({"prompt": "What is {{question}}?"}, ["fingerprints.prompt"]),
        ({"data": rows(31)}, ["fingerprints.data"]),
        ({"mapped": ", cluster: topic"}, ["fingerprints.map", "suite.map.map.cluster"]),
    ],
    ids=["scorer", "prompt", "data", "map"],
)
async def test_resume_of_another_suite_names_what_changed(project, server, change, keys):
    await unfinished(project, server, project.suite(30))
    with pytest.raises(ResumeMismatchError) as caught:
        await project.run(server, project.suite(**{"data": rows(30), **change}), resume=True)
    assert caught.value.keys == keys


async def test_another_configuration_without_resume_is_a_run_of_its_own(project, server):
    suite = project.suite(30)
    first = await unfinished(project, server, suite)
    assert (await project.one(server, suite, epochs=2)).run_id != first.run_id
    assert (await project.one(server, suite)).run_id == first.run_id


async def test_a_run_is_resumed_by_its_id(project, server):
    suite = project.suite(30)
    first = await unfinished(project, server, suite)
    second = await unfinished(project, server, suite, epochs=2, cache=False)
    assert (await project.one(server, suite, resume_run=first.run_id)).run_id == first.run_id
    assert (await project.one(server, suite, resume_run=second.run_id, epochs=2)).run_id == second.run_id


async def test_a_finished_run_is_not_resumed_and_keeps_its_result(project, server):
    suite = project.suite(10)
    first = await project.one(server, suite)
    with pytest.raises(UsageError, match="is completed: there is nothing to go on with"):
        await project.run(server, suite, resume_run=first.run_id)
    with Store(project.store) as store:
        assert result_of(store.run(first.run_id)) == first


@pytest.mark.parametrize("how", [{"resume": True}, {"resume_run": "latest"}])
async def test_fresh_and_resume_contradict_each_other(project, server, how):
    suite = project.suite(30)
    await unfinished(project, server, suite)
    with pytest.raises(UsageError, match="give one of them"):
        await project.run(server, suite, fresh=True, **how)


async def test_a_run_that_another_process_executes_is_left_alone(project, server):
    suite = project.suite(30)
    first = await unfinished(project, server, suite)
    lock = RunLock(project.store, first.run_id)
    assert lock.acquire()
    try:
        second = await project.one(server, suite)
        with pytest.raises(UsageError, match="is being executed by another process"):
            await project.run(server, suite, resume_run=first.run_id)
    finally:
        lock.release()
    assert second.run_id != first.run_id


async def test_what_the_suite_is_called_on_disk_does_not_matter(project, server):
    suite = project.suite(30)
    first = await unfinished(project, server, suite)
    moved = project.folder / "elsewhere.yaml"
    (project.folder / "sums.yaml").rename(moved)
    assert (await project.one(server, str(moved))).run_id == first.run_id


async def test_answers_of_the_run_itself_come_before_those_of_others(project, server):
    suite = project.suite(30)
    server.default = answering(lambda text: "early")
    await project.one(server, suite, MODEL, limit=10)
    server.default = answering()
    first = await unfinished(project, server, suite, cache=False)
    second = await project.one(server, suite)
    assert second.run_id == first.run_id
    with Store(project.store) as store:
        texts = [s.answer.completion.text for s in store.samples(second.run_id)]
    assert texts[:5] == ["1", "2", "3", "4", "5"]
    assert texts[5:10] == ["early"] * 5
    assert sorted(asked(server)) == sorted(f"{n}+1" for n in range(10, 30))


async def test_without_the_cache_a_run_still_goes_on_with_its_own_answers(project, server):
    suite = project.suite(30)
    await project.one(server, suite)
    first = await unfinished(project, server, suite, cache=False)
    second = await project.one(server, suite, cache=False)
    assert (second.run_id, len(server.log)) == (first.run_id, 25)


async def test_scores_that_stand_are_not_computed_again(project, server, monkeypatch):
    from llmkit.scoring.exact_match import ExactMatch

    scored = []
    real = ExactMatch.score

    def counting(self, items):
        scored.extend(items)
        return real(self, items)

    monkeypatch.setattr(ExactMatch, "score", counting)
    suite = project.suite(30)
    await unfinished(project, server, suite)
    second = await project.one(server, suite)
    assert (len(scored), second.metrics["exact_match"].n) == (30, 30)


async def test_the_requests_fingerprint_is_that_of_the_prompts_own(project, server):
    from llmkit.prompts import requests_fingerprint
    from llmkit.types import Message

    data = [{"id": str(n), "question": q, "answer": "1"} for n, q in enumerate(['1+1 "é"\n', "2+2 \u2028\x7f"])]
    result = await project.one(server, project.suite(data), epochs=2)
    with Store(project.store) as store:
        stored = store.run(result.run_id).about["requests_fingerprint"]
    assert stored == requests_fingerprint([(Message("user", row["question"]),) for row in data])


async def test_a_run_that_ended_since_it_was_looked_at_is_not_gone_on_with(project, server, monkeypatch):
    suite = project.suite(30)
    first = await unfinished(project, server, suite)
    acquire = RunLock.acquire

    def slowly(lock):
        """Let the other process end its run between the look and the lock."""
        if lock.path.name == first.run_id:
            with Store(project.store) as store:
                store.set_status(first.run_id, "completed")
        return acquire(lock)

    monkeypatch.setattr(RunLock, "acquire", slowly)
    second = await project.one(server, suite)
    assert second.run_id != first.run_id
    assert second.completed == 30
