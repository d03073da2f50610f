"""The dry run: what would be asked, and what it cannot cost more than."""

from pathlib import Path

import pytest

from llmkit.errors import UsageError
from llmkit.runs.forecast import forecast
from llmkit.runs.options import Options
from tests.providers.server import Server, Tokens
from tests.runs.project import MODEL, answering, rows

PRICED = '[prices."openai/adder"]\ninput = 3.0\noutput = 15.0\n'
LIMITED = {"params": {"max_tokens": 8}}


@pytest.fixture
async def server():
    async with Server(default=answering(tokens=Tokens(40, 8))) as server:
        yield server


async def planned(project, server, suite, models=(MODEL,), **how):
    project.at(server)
    return await forecast([suite], list(models), options=Options(**{**LIMITED, **how}))


async def test_nothing_is_asked(project, server):
    project.configure(PRICED)
    await planned(project, server, project.suite(10))
    assert server.log == []


async def test_the_calls_that_would_be_made_are_those_that_are_made(project, server):
    data = rows(10)
    del data[3]["question"]
    suite = project.suite(data)
    (before,) = await planned(project, server, suite, epochs=2)
    assert (before.samples, before.failed, before.cached, before.calls) == (20, 2, 0, 18)
    await project.one(server, suite, epochs=2, **LIMITED)
    assert len(server.log) == before.calls
    (after,) = await planned(project, server, suite, epochs=2)
    assert (after.cached, after.calls, after.worst_case_usd) == (18, 0, 0.0)


async def test_without_the_cache_everything_would_be_asked_anew(project, server):
    suite = project.suite(10)
    await project.one(server, suite, **LIMITED)
    (found,) = await planned(project, server, suite, cache=False)
    assert (found.cached, found.calls) == (0, 10)


async def test_the_worst_case_is_no_less_than_what_the_run_then_costs(project, server):
    project.configure(PRICED)
    suite = project.suite(10)
    (before,) = await planned(project, server, suite)
    result = await project.one(server, suite, **LIMITED)
    assert result.usage.cost_usd == pytest.approx(10 * (40 * 3 + 8 * 15) / 1e6)
    assert before.worst_case_usd >= result.usage.cost_usd


async def test_a_run_capped_at_its_worst_case_ends(project, server):
    project.configure(PRICED)
    suite = project.suite(10)
    (before,) = await planned(project, server, suite)
    result = await project.one(server, suite, max_cost=before.worst_case_usd, **LIMITED)
    assert result.status == "completed"


async def test_an_unknown_price_makes_the_worst_case_unknown_and_says_why(project, server):
    (found,) = await planned(project, server, project.suite(3))
    assert found.worst_case_usd is None
    assert "price of openai/adder is not known" in found.unknown


async def test_without_max_tokens_the_worst_case_is_unknown(project, server):
    project.configure(PRICED)
    (found,) = await planned(project, server, project.suite(3), params={})
    assert found.worst_case_usd is None
    assert "max_tokens" in found.unknown


async def test_a_model_that_costs_nothing_costs_nothing(project, server):
    (found,) = await planned(project, server, project.suite(3), ["scripted/echo"])
    assert (found.worst_case_usd, found.unknown) == (0.0, None)


async def test_where_model_and_parameters_come_from_is_said(project, server):
    suite = project.suite(3, more="params: {temperature: 0.5}\n")
    (found,) = await planned(project, server, suite)
    assert (found.origins["model"], found.origins["max_tokens"]) == ("-m", "-M")
    assert found.origins["temperature"].startswith("suite ")
    assert found.params == {"temperature": 0.5, "max_tokens": 8}


async def test_rows_that_ask_the_same_are_one_call(project, server):
    data = [{**row, "question": "1+1"} for row in rows(10)]
    (found,) = await planned(project, server, project.suite(data))
    assert (found.samples, found.calls) == (10, 1)


async def test_no_key_is_needed_and_the_cache_is_read_as_with_one(project, server):
    suite = project.suite(4)
    project.monkeypatch.setenv("MY_KEY", "sk-verysecret123")
    keyed = {"params": {"api_key_env": "MY_KEY", "max_tokens": 8}}
    await project.one(server, suite, **keyed)
    project.monkeypatch.delenv("MY_KEY")
    (found,) = await planned(project, server, suite, **keyed)
    assert (found.cached, found.calls) == (4, 0)


async def test_two_suites_of_one_name_are_refused_by_both_their_files(project, server):
    one, two = project.suite(2), project.folder / "other.yaml"
    two.write_text(Path(one).read_text())
    with pytest.raises(UsageError, match=r"two suites are called 'sums': .*sums\.yaml and .*other\.yaml"):
        await project.run(server, [one, str(two)])
    with pytest.raises(UsageError, match=r"sums\.yaml is named twice"):
        await project.run(server, [one, one])
    assert server.log == []
