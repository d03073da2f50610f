"""Engines and commands that end before their time: answers are kept, and no process is."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import tempfile
import time
from pathlib import Path

import pytest

from tests.runs.process import end
from tests.vllm.command import alive, descendants, engine_cores, run, running, stored, until
from tests.vllm.models import ENGINE, folder, typed
from tests.vllm.suites import project

ROWS = 24
SLOW = ", extra: {ignore_eos: true}"
"""With answers of a fixed length a run is long enough to be stopped in its middle."""
GONE_S, DEATH_S = 30.0, 90.0
PATIENCE_S = 10.0
"""For Ctrl-C on a machine that is busy loading a model; llmkit's own bound, without that, is two."""


def command(suite="repeat.yaml"):
    options = typed({**ENGINE, "max_num_seqs": 2})
    return ("eval", suite, "-m", f"vllm/{folder()}", *options, "--json", "--max-failures", "1")


async def ended(process, within_s):
    began = time.monotonic()
    async with asyncio.timeout(60):
        said = await end(process)
    assert time.monotonic() - began < within_s
    return said


async def test_a_killed_engine_ends_the_run_and_the_same_command_asks_the_rest(tmp_path):
    project(tmp_path, rows=ROWS, tokens=24, more=SLOW)
    async with running(tmp_path, *command()) as process:
        await until(lambda: stored(tmp_path) >= 4)
        started = descendants(process.pid)
        (core,) = engine_cores(process.pid)
        os.kill(core, signal.SIGKILL)
        said = await ended(process, within_s=DEATH_S)
    kept = stored(tmp_path)
    assert said.code == 4
    assert 4 <= kept < ROWS
    (line,) = [line for line in said.err.splitlines() if "engine" in line.lower() and "log" in line]
    assert f"vllm/{folder()}" in line
    assert "go on with:" in said.err
    await until(lambda: not alive(started), within_s=GONE_S)

    again = await run(tmp_path, *command())
    assert again.code == 0, again.err
    document, samples = again.document, again.document["samples"]
    assert document["run_id"] == said.document["run_id"]
    assert (document["status"], samples["completed"], samples["failed"]) == ("completed", ROWS, 0)
    assert stored(tmp_path) == ROWS
    assert said.document["usage"]["calls"] == kept
    assert document["usage"]["calls"] == ROWS


@pytest.mark.parametrize("moment", ["worker", "core"])
async def test_ctrl_c_during_the_start_leaves_nothing(tmp_path, moment):
    project(tmp_path)
    async with running(tmp_path, *command()) as process:
        if moment == "worker":
            await until(lambda: any("vllm.worker" in name for name in descendants(process.pid).values()))
        else:
            await until(lambda: bool(engine_cores(process.pid)))
        started = descendants(process.pid)
        os.killpg(process.pid, signal.SIGINT)
        said = await ended(process, within_s=PATIENCE_S)
    assert said.code == 130, said.err
    assert "Traceback" not in said.err
    if said.out:
        json.loads(said.out)
    await until(lambda: not alive(started), within_s=GONE_S)


@pytest.fixture
def temporary(monkeypatch):
    """A folder of its own for temporary files, of a name that leaves room for a socket's."""
    with tempfile.TemporaryDirectory() as folder:
        monkeypatch.setenv("TMPDIR", folder)
        yield Path(folder)


async def test_a_killed_command_takes_its_engine_and_its_files_with_it(tmp_path, temporary):
    project(tmp_path, rows=ROWS, tokens=24, more=SLOW)
    async with running(tmp_path, *command()) as process:
        await until(lambda: stored(tmp_path) >= 1)
        started = descendants(process.pid)
        assert any("EngineCore" in name for name in started.values())
        assert list(temporary.glob("llmkit-vllm-*"))
        process.kill()
        await end(process)
    await until(lambda: not alive(started) and not list(temporary.glob("llmkit-vllm-*")), within_s=GONE_S)
