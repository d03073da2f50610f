"""A judge whose model is not on this machine: it is fetched before a run is named by it, and not for a look."""

import pytest

from llmkit.config import load_settings
from llmkit.judges.scorer import scorer_of
from llmkit.plan.same import ask_twice
from llmkit.runs.evaluate import Hooks
from llmkit.runs.forecast import forecast
from llmkit.runs.options import Options
from llmkit.runs.pairs import pairs_of
from llmkit.runs.rescore import rescore
from llmkit.runs.store import Store
from tests.judges.seats import says
from tests.providers.server import Server
from tests.runs.absent import MODEL as JUDGE
from tests.runs.absent import Absent
from tests.runs.judged import with_judge
from tests.runs.project import MODEL, QUICK, answering


@pytest.fixture
def absent(project, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "test")
    return Absent(project.folder, monkeypatch, lambda _: says("pass"))


@pytest.fixture
def suite(project):
    return project.suite(4, scorers=with_judge(project, model=JUDGE))


def signature(project):
    """Return the signature of a judge that is loaded now."""
    return scorer_of({"judge": "relevance"}, folder=project.folder).signature


def stored(result):
    """Return the signature that a run has, without how its interval was made."""
    return result.metrics["relevance"].signature.removesuffix("|ci:wilson")


async def test_a_run_that_fetches_it_is_the_run_of_the_next_day(project, absent, suite):
    before = signature(project)
    async with Server(default=answering()) as server:
        with absent.reachable() as fetched:
            first = await project.one(server, suite)
        second = await project.one(server, suite, fresh=True)
    assert len(fetched) == 3
    assert signature(project) != before
    assert stored(first) == stored(second) == signature(project)
    with Store(project.store, read_only=True) as store:
        assert len({store.run(result.run_id).digest for result in (first, second)}) == 1


async def test_both_arms_of_an_a_a_run_know_it(project, absent, suite):
    options, settings = Options(retry=QUICK), load_settings()
    async with Server(default=answering()) as server:
        project.at(server)
        with absent.reachable() as fetched, Store(project.store) as store:
            pairs = pairs_of(suite, MODEL, options, settings)
            (twice,) = await ask_twice(pairs, options, settings, store, Hooks())
    assert len(fetched) == 3
    assert {stored(end.result) for end in twice.endings} == {signature(project)}


async def test_scoring_anew_fetches_it_first(project, absent):
    with_judge(project, model=JUDGE)
    async with Server(default=answering()) as server:
        run = await project.one(server, project.suite(4))
    with absent.reachable() as fetched, Store(project.store) as store:
        result = await rescore(store, store.run(run.run_id), [{"judge": "relevance"}], retry=QUICK)
    assert len(fetched) == 3
    assert stored(result) == signature(project)


async def test_a_forecast_fetches_nothing(project, absent, suite):
    with absent.reachable() as fetched:
        await forecast([suite], [MODEL], options=Options())
    assert (fetched, absent.started) == ([], 0)
