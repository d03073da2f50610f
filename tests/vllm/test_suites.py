"""The command line end to end: suites, forms and judges, on an engine that it starts and at a server."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import jsonschema
import pytest

from llmkit.reports.document import document_schema
from tests.judges.project import project as write_judge
from tests.runs.process import Ended, end
from tests.vllm.command import LOOKS_S, alive, descendants, running, until
from tests.vllm.models import ENGINE, folder, typed
from tests.vllm.suites import project

PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string", "pattern": "^[A-Z][a-z]{2,8}$"}, "age": {"enum": [20, 30, 40]}},
    "required": ["name", "age"],
    "additionalProperties": False,
}


async def watched(where: Path, *arguments: str) -> tuple[Ended, int]:
    """Run a command, and count the engines that it started; none is left behind."""
    seen: set[tuple[int, str]] = set()  # a process changes its name when it begins its program, and when it has ended
    async with running(where, *arguments) as process:
        ending = asyncio.ensure_future(end(process))
        while not ending.done():
            seen |= set(descendants(process.pid).items())
            await asyncio.wait({ending}, timeout=LOOKS_S)
    await until(lambda: not alive({pid for pid, _ in seen}), within_s=10)
    return ending.result(), len({pid for pid, name in seen if "vllm.worker" in name})


def configured(where: Path) -> str:
    """Name the engine's options in llmkit.toml, where a suite's model and a judge both find them; returns the model."""
    name = f"vllm/{folder()}"
    options = "".join(f"{key} = {json.dumps(value)}\n" for key, value in ENGINE.items())
    (where / "llmkit.toml").write_text(f"[models.{json.dumps(name)}]\n{options}")
    return name


async def test_two_suites_share_one_engine_and_the_server_gives_the_same_figures(tmp_path, url):
    suites = ("repeat.yaml", "copy.yaml")
    documents = []
    for name, model, engines in (("process", f"vllm/{folder()}", 1), ("http", f"vllm/{folder()}@{url}", 0)):
        where = tmp_path / name
        where.mkdir()
        options = typed(ENGINE) if engines else []
        said, started = await watched(project(where), "eval", *suites, "-m", model, *options, "--json")
        assert said.code == 0, said.err
        assert started == engines
        documents.append(json.loads(said.out))  # pure JSON: vLLM writes much, and none of it here
    for document in documents:
        jsonschema.validate(document, document_schema())
        assert [each["suite"] for each in document["runs"]] == ["repeat", "copy"]
        for each in document["runs"]:
            assert (each["status"], each["samples"]["completed"], each["samples"]["failed"]) == ("completed", 12, 0)
            assert each["cost_usd"] == 0
    (repeat, copy), (repeat_http, copy_http) = (document["runs"] for document in documents)
    assert copy["metrics"]["right"]["value"] == copy_http["metrics"]["right"]["value"] > 0.9
    assert repeat["metrics"]["said"]["value"] == pytest.approx(repeat_http["metrics"]["said"]["value"], abs=1 / 12)
    assert repeat["usage"]["input_tokens"] == repeat_http["usage"]["input_tokens"]


async def test_generate_constrained(tmp_path):
    project(tmp_path)
    (tmp_path / "person.json").write_text(json.dumps(PERSON))
    said, started = await watched(
        tmp_path, "generate", "Describe a person.", "--format", "json:person.json", "--strategy", "constrained",
        "-m", f"vllm/{folder()}", *typed(ENGINE), "-M", "max_tokens=120", "-M", "extra.repetition_penalty=1.2",
        "--json",
    )  # fmt: skip
    assert said.code == 0, said.err
    assert started == 1
    document = json.loads(said.out)
    jsonschema.validate(document["value"], PERSON)
    assert {attempt["strategy"] for attempt in document["attempts"]} == {"constrained"}


async def test_a_judge_on_the_model_under_test_shares_its_engine(tmp_path):
    project(tmp_path, rows=4)
    model = configured(tmp_path)
    toml = (tmp_path / "llmkit.toml").read_text()
    write_judge(tmp_path, model=model, params={"temperature": 0, "max_tokens": 60})
    (tmp_path / "llmkit.toml").write_text(toml)
    suite = (tmp_path / "repeat.yaml").read_text().replace("scorers: [", "scorers: [{judge: relevance}, ")
    (tmp_path / "repeat.yaml").write_text(suite)
    said, started = await watched(tmp_path, "eval", "repeat.yaml", "-m", model, "--json", "--max-failures", "1")
    assert said.code == 0, said.err
    assert started == 1
    metric = said.document["metrics"]["relevance"]
    assert metric["n"] + metric["failed"] == 4
    assert metric["judged"]["status"] == "uncalibrated"
    assert said.document["judging"]["relevance"]["calls"] >= 4
