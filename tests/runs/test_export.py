"""A stored run as files for others: what is read back is what was stored."""

import asyncio
import json
import math
import shutil
import subprocess
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from llmkit.errors import UnknownNameError, UsageError
from llmkit.runs import export
from llmkit.runs.store import Store
from llmkit.scoring.registry import parse
from tests.providers.server import Server, status
from tests.runs.project import add, answering, rows


@pytest.fixture
async def server():
    async with Server(default=answering(lambda text: status(400) if text == "7+1" else add(text))) as server:
        yield server


async def stored(project, server, data=10, **how):
    suite = project.suite(data, scorers="[exact_match, numeric, bleu]", mapped=", slices: [topic], cluster: topic")
    return await project.one(server, suite, **how)


def read(project, form, run="latest", **how):
    path = project.folder / f"out.{form}"
    with Store(project.store) as store:
        count = export.write(store, store.run(run), path, form, force=True, **how)
    if form == "jsonl":
        records = [json.loads(line, parse_constant=pytest.fail) for line in path.read_text().splitlines()]
    else:
        records = parquet.read_table(path).to_pylist()
    assert count == len(records)
    return records


async def test_json_lines_hold_every_sample_with_its_row_answer_scores_and_usage(project, server):
    result = await stored(project, server)
    records = read(project, "jsonl")
    assert [r["id"] for r in records] == [f"s{n}" for n in range(10)]
    third = records[3]
    assert third["row"] == rows(10)[3]
    assert (third["answer"], third["references"], third["messages"]) == (
        "4", ["4"], [{"role": "user", "content": "3+1"}],
    )  # fmt: skip
    assert (third["run_id"], third["cluster"], third["slices"]) == (result.run_id, "odd", {"topic": "odd"})
    assert third["scores"]["exact_match"] == 1.0
    assert third["usage"] == {"input_tokens": 20, "output_tokens": 2, "cached_tokens": 0, "reasoning_tokens": None}


async def test_each_row_says_how_its_run_was_set_up(project, server):
    await stored(project, server, epochs=2, limit=3, params={"temperature": 0.5})
    records = read(project, "jsonl")
    setup = records[0]["setup"]
    with Store(project.store) as store:
        run = store.run("latest")
    assert all(r["setup"] == setup for r in records)
    assert (setup["data"], setup["prompt"]) == (
        run.config["fingerprints"]["data"],
        run.config["fingerprints"]["prompt"],
    )
    assert (setup["status"], setup["epochs"], setup["limit"], setup["gate"]) == ("completed", 2, 3, None)
    assert setup["params"] == {"temperature": 0.5}
    assert setup["map"]["map.target"] == "answer"
    assert setup["scorers"] == ["exact_match", "numeric", "bleu"]
    assert list(setup["higher_is_better"].items()) == [("exact_match", True), ("numeric", True), ("bleu", True)]
    side = replace(run, config={**run.config, "experiment": {"gate": "g1", "side": "head"}})
    assert export.setup_of(side)["gate"] == "g1"


async def test_each_row_says_what_measured_it_and_holds_the_statistics_of_corpus_metrics(project, server):
    result = await stored(project, server)
    records = read(project, "jsonl")
    for name, signature in records[0]["signatures"].items():
        assert result.metrics[name].signature.startswith(signature)
    assert list(records[0]["stats"]) == ["bleu"]
    totals = np.sum([r["stats"]["bleu"] for r in records if r["stats"]], axis=0)
    assert parse("bleu").corpus_value(totals) == pytest.approx(result.metrics["bleu"].value)


async def test_a_failure_is_a_record_with_no_answer_and_no_score(project, server):
    await stored(project, server)
    (record,) = read(project, "jsonl", failed=True)
    assert (record["id"], record["answer"], record["scores"], record["usage"]) == ("s7", None, {}, None)
    (failure,) = record["failures"]
    assert (failure["stage"], failure["kind"], failure["metric"]) == ("provider", "bad_request", None)


async def test_parquet_holds_what_json_lines_hold(project, server):
    await stored(project, server)
    lines, table = read(project, "jsonl"), read(project, "parquet")
    nested = export.NESTED
    assert [{k: json.loads(v) if k in nested else v for k, v in r.items()} for r in table] == lines


async def test_parquet_of_many_row_groups_is_whole(project, server, monkeypatch):
    monkeypatch.setattr(export, "ROWS_A_GROUP", 3)
    await stored(project, server)
    assert [r["id"] for r in read(project, "parquet")] == [f"s{n}" for n in range(10)]


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
async def test_a_run_without_failures_exports_no_failures(project, server, form):
    server.default = answering()
    await stored(project, server)
    assert read(project, form, failed=True) == []


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
async def test_epochs_are_records_of_their_own(project, server, form):
    server.default = answering()
    await stored(project, server, 2, epochs=2)
    assert [(r["id"], r["epoch"]) for r in read(project, form)] == [("s0", 1), ("s0", 2), ("s1", 1), ("s1", 2)]


async def test_answers_of_other_runs_are_marked(project, server):
    server.default = answering()
    await stored(project, server)
    await stored(project, server)
    assert all(r["from_cache"] for r in read(project, "jsonl"))
    assert not any(r["from_cache"] for r in read(project, "jsonl", "latest~1"))


async def test_what_is_written_is_json_also_where_rows_hold_nan_and_infinity(project, server):
    table = pa.table({"id": ["a", "b"], "question": ["1+1", "2+1"], "answer": ["2", "3"], "x": [math.nan, math.inf]})
    parquet.write_table(table, project.folder / "odd.parquet")
    await project.one(server, project.suite(2), data=str(project.folder / "odd.parquet"))
    assert [r["answer"] for r in read(project, "jsonl")] == ["2", None]  # infinity makes a bad row


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
async def test_a_failing_export_leaves_an_older_file_as_it_was(project, server, monkeypatch, form):
    await stored(project, server)
    read(project, form)
    path = project.folder / f"out.{form}"
    before = path.read_bytes()
    real, count = export.record, iter(range(10))

    def breaking(*args):
        if next(count) == 5:
            raise OSError(28, "No space left on device")
        return real(*args)

    monkeypatch.setattr(export, "record", breaking)
    with pytest.raises(UsageError, match="No space left on device"):
        read(project, form)
    assert path.read_bytes() == before
    assert sorted(p.name for p in project.folder.iterdir() if "out" in p.name) == [path.name]


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
async def test_a_folder_that_is_not_there_is_said_in_one_line(project, server, form):
    await stored(project, server)
    with Store(project.store) as store, pytest.raises(UsageError, match="cannot be written"):
        export.write(store, store.run("latest"), project.folder / "no" / "x", form)


async def test_a_samples_curl_command_repeats_its_call(project, server):
    if shutil.which("curl") is None:
        pytest.skip("needs curl")
    project.monkeypatch.setenv("OPENAI_API_KEY", "sk-verysecret123")
    data = [{"id": "a", "question": 'It\'s "1+1"; $HOME `id` \\ ü\nnext', "answer": "2", "topic": "t"}]
    server.default = answering()
    await stored(project, server, data, params={"temperature": 0.5, "max_tokens": 9})
    with Store(project.store) as store:
        run = store.run("latest")
        command = export.curl(run, export.sample_record(store, run, "a")[0])
    assert "sk-verysecret123" not in command
    process = await asyncio.create_subprocess_shell(
        f"{command} -s", stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=project.folder
    )
    out, _ = await process.communicate()
    first, second = server.log
    assert json.loads(out)["choices"][0]["message"]["content"] == "2"
    assert (second.path, second.body) == (first.path, first.body)
    assert second.headers["authorization"] == first.headers["authorization"] == "Bearer sk-verysecret123"


async def test_the_curl_command_is_the_one_that_was_sent_whatever_the_environment_says_now(project, server):
    project.monkeypatch.setenv("OPENAI_API_KEY", "sk-verysecret123")
    await stored(project, server, params={"max_tokens": 9})
    with Store(project.store) as store:
        run = store.run("latest")
        sample = export.sample_record(store, run, "s1")[0]
        before = export.curl(run, sample)
        project.monkeypatch.delenv("OPENAI_API_KEY")
        project.monkeypatch.delenv("OPENAI_BASE_URL")
        assert export.curl(run, sample) == before
    assert f"{server.url}/chat/completions" in before
    assert '"Authorization: Bearer $OPENAI_API_KEY"' in before
    assert '"max_tokens": 9' in before


async def test_a_model_in_process_has_no_curl_command(project, server):
    await project.one(server, project.suite(2), "scripted/echo")
    with Store(project.store) as store:
        run = store.run("latest")
        with pytest.raises(UsageError, match="no HTTP request"):
            export.curl(run, export.sample_record(store, run, "s0")[0])


async def test_a_samples_test_case_is_a_row_that_runs_again(project, server):
    await stored(project, server)
    with Store(project.store) as store:
        run = store.run("latest")
        case = export.test_case(export.sample_record(store, run, "s3")[0])
    before = len(server.log)
    result = await project.one(server, project.suite([json.loads(case)]))
    assert (result.completed, result.from_cache, len(server.log)) == (1, 1, before)
    assert result.metrics["exact_match"].value == 1.0


async def test_a_sample_that_is_not_there_offers_the_nearest(project, server):
    await stored(project, server)
    with Store(project.store) as store, pytest.raises(UnknownNameError, match="Did you mean 's3'"):
        export.sample_record(store, store.run("latest"), "s33")


async def test_samples_read_through_the_api_are_those_stored(project, server):
    await stored(project, server)
    samples = list(export.read_samples())
    assert [s.sample_id for s in samples] == [f"s{n}" for n in range(10)]
    assert samples[3].completion.text == "4"
    assert samples[3].scores["exact_match"].value == 1.0
    assert [s.sample_id for s in export.read_samples(failed=True)] == ["s7"]


async def test_a_stored_sample_is_read_back_as_the_record_it_was_shown_as(project, server):
    """The same record whether it comes from memory, before the run, or from the store, after it."""
    from llmkit.runs.evaluate import Hooks

    class Keeping(Hooks):
        def shown(self, plan, results):
            self.results = list(results)
            return True

    hooks = Keeping()
    suite = project.suite(10, mapped=", slices: [topic], cluster: topic")
    await project.one(server, suite, hooks=hooks, sample=10)
    assert list(export.read_samples("latest", store=project.store)) == hooks.results
