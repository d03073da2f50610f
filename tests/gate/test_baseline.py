"""A baseline file: what it holds, and what is refused."""

import json

import pytest

from llmkit.errors import DataError, UsageError
from llmkit.gate.baseline import load, save
from llmkit.runs.store import Store
from llmkit.types import Failure, TokenLogprob
from tests.providers.server import Server, status
from tests.runs.project import add, answering


@pytest.fixture
async def saved(project, tmp_path):
    """A stored run of ten sums, one of them refused; and its baseline."""

    def answer(text):
        return status(400) if text.startswith("3+") else add(text)

    async with Server(default=answering(answer)) as server:
        await project.one(server, project.suite(10))
    path = tmp_path / "sums.baseline.jsonl"
    with Store(project.store, read_only=True) as store:
        run = store.run("latest")
        assert save(store, run, path) == 10
    return path, run


async def test_it_reads_back_as_it_was(saved, project):
    path, run = saved
    found = load(str(path), None)
    assert (found.suite, found.model, found.epochs, found.run_id) == ("sums", "openai/adder", 1, run.run_id)
    assert found.answers["s4", 1].completion.text == "5"
    assert found.answers["s4", 1].messages[-1].content == "4+1"
    assert found.answers["s3", 1].failure == Failure("provider", "bad_request", found.answers["s3", 1].failure.message)
    assert found.served == {"adder"}


async def test_the_file_says_the_same_as_the_run(saved, project):
    path, run = saved
    with Store(project.store, read_only=True) as store:
        assert load(run.run_id, store).answers == load(str(path), None).answers


async def test_no_secret_is_in_it(saved, monkeypatch):
    path, _ = saved
    assert "Authorization" not in path.read_text()


async def test_a_file_that_is_there_is_kept(saved, project):
    path, run = saved
    with Store(project.store, read_only=True) as store, pytest.raises(UsageError, match="there already"):
        save(store, run, path)


@pytest.mark.parametrize("text", ["", "{}", "not json", '{"id": "a"}', "[1]"])
def test_another_file_is_no_baseline(tmp_path, text):
    path = tmp_path / "x.jsonl"
    path.write_text(text)
    with pytest.raises(DataError, match=r"x\.jsonl:1: this is no baseline"):
        load(str(path), None)


def test_a_newer_one_is_said(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text('{"llmkit_baseline": 99}')
    with pytest.raises(DataError, match="another llmkit"):
        load(str(path), None)


async def test_a_file_that_lost_lines_is_refused(saved):
    path, _ = saved
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-3]))
    with pytest.raises(DataError, match="7 samples of 10"):
        load(str(path), None)


@pytest.mark.parametrize("lost", ["run_id", "samples", "config"])
async def test_a_header_that_lacks_something_is_named(saved, lost):
    path, _ = saved
    first, *rest = path.read_text().splitlines(keepends=True)
    header = json.loads(first)
    del header[lost]
    path.write_text("".join([json.dumps(header) + "\n", *rest]))
    with pytest.raises(DataError, match=rf"jsonl:1: {lost}"):
        load(str(path), None)


@pytest.mark.parametrize("broken", ["{", "[]", '{"id": "a", "epoch": 1}', "null"])
async def test_a_broken_line_is_named(saved, broken):
    path, _ = saved
    lines = path.read_text().splitlines()
    lines[4] = broken
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(DataError, match=r"jsonl:5: this line is no sample"):
        load(str(path), None)


async def test_a_line_with_neither_an_answer_nor_a_failure_is_broken(saved):
    path, _ = saved
    lines = path.read_text().splitlines()
    lines[1] = json.dumps({**json.loads(lines[1]), "answer": None})
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(DataError, match=r"jsonl:2"):
        load(str(path), None)


def test_a_file_that_is_not_there_is_said(tmp_path):
    with Store(tmp_path / "store") as store, pytest.raises(UsageError, match=r"nowhere\.jsonl: no such file"):
        load(str(tmp_path / "nowhere.jsonl"), store)


async def test_log_likelihoods_are_kept_since_base_is_scored_anew(project, tmp_path):
    logprobs = [{"token": "B", "logprob": -0.5, "top_logprobs": [{"token": "B", "logprob": -0.5}]}]
    choice = {"message": {"content": "B"}, "finish_reason": "stop", "logprobs": {"content": logprobs}}
    async with Server(default=status(200, {"choices": [choice], "usage": {}})) as server:
        await project.one(server, project.suite(2), params={"top_logprobs": 1})
    path = tmp_path / "sums.baseline.jsonl"
    with Store(project.store, read_only=True) as store:
        save(store, store.run("latest"), path)
        stored = [row.answer.completion.logprobs for row in store.samples(store.run("latest").run_id)]
    found = load(str(path), None).answers
    assert [found[f"s{n}", 1].completion.logprobs for n in range(2)] == stored
    assert stored[0] == (TokenLogprob("B", -0.5, (("B", -0.5),)),)
