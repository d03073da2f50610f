"""Models that are not on this machine: fetched before anybody says what changed, and not for a list."""

import pytest

from llmkit.gate.options import GateOptions
from llmkit.gate.run import gate
from llmkit.runs.evaluate import evaluate_async
from tests.gate.repository import Repo, needs_git
from tests.judges.project import project as write_judge
from tests.judges.seats import says
from tests.runs.absent import MODEL, Absent

pytestmark = needs_git


@pytest.fixture
def absent(tmp_path, monkeypatch):
    """A suite whose model is its judge's, too."""
    repo = Repo(tmp_path / "repo", monkeypatch).start()
    write_judge(repo.top, model=MODEL)
    repo.edit("suites/sums.yaml", "model: scripted/echo", f"model: {MODEL}")
    repo.edit("suites/sums.yaml", "[exact_match]", "[exact_match, {judge: relevance}]")
    return Absent(tmp_path, monkeypatch, lambda _: says("pass"))


async def recorded(absent):
    """Record a baseline where the model is, and go to a machine where it is not."""
    with absent.reachable():
        (ending,) = await evaluate_async("suites/sums.yaml")
    assert ending.error is None
    absent.forget()
    absent.started = 0
    return GateOptions(suites=("suites/sums.yaml",), baseline=("latest",))


async def test_neither_model_nor_judge_changed_for_not_being_here(absent):
    options = await recorded(absent)
    with absent.reachable() as fetched:
        report = await gate(options)
    assert len(fetched) == 3
    assert (report.suites, report.untouched, absent.started) == ((), ("sums",), 0)


@pytest.mark.parametrize("shown", ["offline", "listed"])
async def test_nothing_is_fetched_where_no_call_may_be_made(absent, shown):
    options = await recorded(absent)
    with absent.reachable() as fetched:
        await gate(GateOptions(suites=options.suites, baseline=options.baseline, **{shown: True}))
    assert (fetched, absent.started) == ([], 0)
