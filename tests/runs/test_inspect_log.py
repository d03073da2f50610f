"""A run as a log of inspect_ai. That inspect_ai itself reads it is proven by .ci/inspect."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import pytest

from llmkit.runs import export
from llmkit.runs.inspect_log import name_of
from llmkit.runs.store import Store
from tests.judges.seats import says
from tests.providers.server import Server, status
from tests.runs.judged import both, with_judge
from tests.runs.project import Project, add, answering

ORDER = ["version", "status", "eval", "plan", "results", "stats", "samples"]


def answer(text: str) -> Any:
    return status(400) if text == "7+1" else "nothing" if text == "8+1" else add(text)


def log_of(project: Project, run: str = "latest", **how: Any) -> dict[str, Any]:
    path = project.folder / "log.json"
    with Store(project.store, read_only=True) as store:
        row = store.run(run)
        count = export.write(store, row, path, "inspect", force=True, **how)
    log: dict[str, Any] = json.loads(path.read_text("utf-8"), parse_constant=pytest.fail)
    assert len(log["samples"]) == count
    return log


async def run(project: Project, **how: Any) -> dict[str, Any]:
    more = "params: {temperature: 0.5, max_tokens: 7, stop: [x]}\n"
    suite = project.suite(scorers="[exact_match, numeric]", mapped=", slices: [topic]", more=more)
    async with Server(default=answering(answer)) as server:
        await project.one(server, suite, **how)
    return log_of(project)


async def test_the_head_says_what_ran_and_what_came_of_it(project: Project) -> None:
    log = await run(project)
    assert list(log) == ORDER  # which readers of a part of the file rely on
    assert (log["version"], log["status"]) == (2, "success")
    spec = log["eval"]
    assert (spec["task"], spec["model"], spec["dataset"]["samples"]) == ("sums", "openai/adder", 10)
    assert spec["model_generate_config"] == {"temperature": 0.5, "max_tokens": 7, "stop_seqs": ["x"]}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", spec["created"])
    match, numeric = log["results"]["scores"]
    assert (match["name"], match["scored_samples"], match["unscored_samples"]) == ("exact_match", 9, 1)
    metric = match["metrics"]["mean"]
    assert metric["value"] == pytest.approx(8 / 9)
    assert metric["metadata"]["interval"]["method"] == "wilson"
    assert metric["metadata"]["value_failures_wrong"] == 0.8
    assert set(metric["metadata"]["slices"]["topic"]) == {"odd", "even"}
    assert numeric["metrics"]["mean"]["metadata"]["signature"].startswith("metric:numeric|")
    assert log["stats"]["model_usage"]["openai/adder"]["output_tokens"] == 18


async def test_a_sample_holds_what_was_asked_answered_and_scored(project: Project) -> None:
    first = (await run(project))["samples"][0]
    assert (first["id"], first["epoch"], first["target"]) == ("s0", 1, "1")
    assert [message["role"] for message in first["messages"]] == ["user", "assistant"]
    output = first["output"]
    assert (output["completion"], output["choices"][0]["stop_reason"]) == ("1", "stop")
    assert output["choices"][0]["message"]["content"] == "1"
    assert output["usage"] == first["model_usage"]["openai/adder"]
    assert (output["usage"]["input_tokens"], output["usage"]["total_tokens"]) == (20, 22)
    assert first["scores"] == {"exact_match": {"value": 1.0}, "numeric": {"value": 1.0, "answer": "1"}}
    assert first["metadata"]["row"]["question"] == "0+1"
    assert math.isfinite(first["total_time"])
    assert "error" not in first


async def test_failures_are_errors_and_missing_scores_and_never_numbers(project: Project) -> None:
    samples = {sample["id"]: sample for sample in (await run(project))["samples"]}
    failed = samples["s7"]
    assert failed["error"]["message"].startswith("provider/bad_request: ")
    assert (failed["scores"], failed["output"]["model"]) == ({}, "openai/adder")
    assert "choices" not in failed["output"]
    unread = samples["s8"]
    assert set(unread["scores"]) == {"exact_match"}
    assert [(f["metric"], f["kind"]) for f in unread["metadata"]["failures"]] == [("numeric", "unparsable")]
    assert {sample["id"] for sample in log_of(project, failed=True)["samples"]} == {"s7", "s8"}


async def test_epochs_are_samples_of_their_own(project: Project) -> None:
    log = await run(project, epochs=2)
    assert (log["eval"]["config"]["epochs"], log["eval"]["dataset"]["samples"]) == (2, 10)
    places = [(sample["id"], sample["epoch"]) for sample in log["samples"]]
    assert len(set(places)) == 20
    assert len({sample["uuid"] for sample in log["samples"]}) == 20


async def test_a_judges_words_stand_beside_its_verdict(project: Project) -> None:
    suite = project.suite(3, scorers=with_judge(project))
    async with Server(default=both(lambda said: says("pass", "it is right"))) as server:
        await project.one(server, suite)
    log = log_of(project)
    score = log["samples"][0]["scores"]["relevance"]
    assert (score["value"], score["answer"]) == (1.0, "pass")
    assert "it is right" in score["explanation"]
    assert set(log["stats"]["role_usage"]) == {"judge relevance"}


async def test_what_is_not_known_has_no_number(project: Project) -> None:
    async with Server(default=answering(lambda text: status(400))) as server:
        await project.run(server, project.suite(2))
    log = log_of(project)
    assert log["results"]["scores"][0]["metrics"] == {}
    assert log["stats"]["model_usage"] == {}


async def test_how_a_run_ended_is_said(project: Project) -> None:
    async with Server(default=answering(lambda text: status(401))) as server:
        (ending,) = await project.run(server, project.suite(2))
    assert ending.error is not None
    log = log_of(project)
    assert log["status"] == "error"
    assert list(log) == [*ORDER[:6], "error", "samples"]
    assert "401" in log["error"]["message"] or "key" in log["error"]["message"]


async def test_the_viewer_finds_it_by_its_name(project: Project) -> None:
    await run(project)
    with Store(project.store, read_only=True) as store:
        name = name_of(store.run("latest"))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\+00-00_sums_[0-9a-f]+\.json", name)
    assert Path(name).name == name
