"""The engine process: started, asked, ended. The worker is a real process that speaks the protocol without a model."""

import asyncio
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from llmkit.errors import EngineError, ProviderError
from llmkit.providers.starting import STARTED, watching
from llmkit.providers.vllm import engine as module
from llmkit.providers.vllm.engine import Engine, Start
from tests.runs.process import ROOT


@pytest.fixture(autouse=True)
def stand_in(monkeypatch):
    monkeypatch.setattr(module, "WORKER", "tests.providers.vllm.stand_in")


def engine(how="ready", *, start_timeout_s=60.0, places=8, **more):
    start = Start(
        "vllm/m", {"model": how, "max_num_seqs": places}, "m",
        environment={"PYTHONPATH": str(ROOT), "STAND_IN": "here"}, timeout_s=start_timeout_s, **more,
    )  # fmt: skip
    return Engine(start, lambda log, said, status: EngineError(f"{said} [{''.join(log.splitlines()[-1:])}]"))


async def gone(pid):
    """Wait until a process is no more, or only its exit status is left."""
    async with asyncio.timeout(60):
        while alive(pid):
            await asyncio.sleep(0.02)


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def child_of(running):
    return int(re.search(r"child (\d+)", running.log.read_text())[1])


pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="vLLM runs on Linux alone")


class TestStart:
    async def test_what_is_started_and_what_it_says_when_it_is_ready(self):
        running = engine(lora="/adapter")
        await running.start()
        assert running.facts["max_model_len"] == 8
        assert running.facts["environment"]["STAND_IN"] == "here"
        assert running.facts["start"] == {
            "arguments": {"model": "ready", "max_num_seqs": 8}, "name": "m", "lora": "/adapter",
            "folder": str(running.log.parent),
        }  # fmt: skip
        await running.stop()

    async def test_what_is_compiled_is_kept_and_all_else_goes_with_the_engine(self, monkeypatch, tmp_path):
        monkeypatch.delenv("TORCHINDUCTOR_CACHE_DIR", raising=False)
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
        running = engine()
        await running.start()
        said = running.facts["environment"]
        assert said["TORCHINDUCTOR_CACHE_DIR"] == str(tmp_path / "llmkit" / "torchinductor")
        assert said["TMPDIR"] == str(running.log.parent)
        assert next(iter(said)) != "TORCHINDUCTOR_CACHE_DIR"  # processes whose first variable changes lose their names
        await running.stop()

    async def test_a_start_is_told_from_its_beginning_to_its_end(self):
        told = []
        running = engine()
        with watching(lambda who, stage: told.append((who, stage))):
            await running.start()
        await running.stop()
        assert [stage for _, stage in told] == ["starting", STARTED, None]

    async def test_a_failure_is_explained_by_what_was_said_and_the_log_which_is_kept(self):
        running = engine("fails")
        with pytest.raises(EngineError, match=r"it cannot be \[ERROR the root of it all\]") as caught:
            await running.start()
        assert str(running.log) in str(caught.value)
        assert running.log.is_file()
        await gone(child_of(running))

    async def test_a_worker_that_is_killed_is_a_failure_and_leaves_nobody(self):
        running = engine("crashes")
        with pytest.raises(EngineError, match="Segmentation fault"):
            await running.start()
        await gone(child_of(running))

    async def test_a_start_that_takes_too_long_is_ended(self):
        for seconds in (1, 10, 100):  # the first that lets it begin, on a busy machine
            running = engine("hangs", start_timeout_s=seconds)
            with pytest.raises(EngineError, match=rf"did not start within {seconds} s.*start_timeout_s"):
                await running.start()
            if "child" in running.log.read_text():
                break
        await gone(child_of(running))

    async def test_sockets_have_room_where_temporary_files_lie_deep(self, monkeypatch, tmp_path):
        deep = tmp_path / ("x" * 80)
        deep.mkdir()
        monkeypatch.setattr("tempfile.tempdir", str(deep))
        running = engine()
        await running.start()
        assert running.log.parent.parent == Path("/tmp")
        await running.stop()
        assert list(deep.iterdir()) == []

    async def test_a_start_that_is_cancelled_leaves_nobody(self):
        running = engine("hangs")
        starting = asyncio.create_task(running.start())
        async with asyncio.timeout(60):
            while running.pid is None or "child" not in running.log.read_text():
                await asyncio.sleep(0.01)
        child = child_of(running)
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting
        await gone(running.pid)
        await gone(child)
        assert not running.log.parent.exists()


class TestAnswers:
    @pytest.fixture
    async def running(self):
        running = engine()
        await running.start()
        yield running
        await running.stop()

    async def test_each_call_gets_its_own_answer(self, running):
        replies = await asyncio.gather(*(running.post("echo", {"n": n}) for n in range(50)))
        assert [reply.document["n"] for reply in replies] == list(range(50))
        assert all(reply.latency_s > 0 for reply in replies)

    async def test_texts_of_any_kind_and_length_arrive(self, running):
        text = "line\nbreak \u2028 \x00 🙂" + "x" * 1_000_000
        assert (await running.post("echo", {"text": text})).document == {"text": text}

    @pytest.mark.parametrize(
        ("code", "message", "fault"),
        [
            (400, "temperature must be non-negative", "bad_request"),
            (400, "This model's maximum context length is 8 tokens", "context_overflow"),
            (500, "the step failed", "server"),
        ],
    )
    async def test_a_refusal_is_named_as_a_servers_is(self, running, code, message, fault):
        with pytest.raises(ProviderError, match=message) as caught:
            await running.post("refuse", {"code": code, "message": message})
        assert caught.value.fault == fault

    async def test_a_cancelled_call_is_aborted(self, running):
        teller = asyncio.create_task(running.post("tell_aborted", {}))
        call = asyncio.create_task(running.post("nothing", {}))
        await asyncio.sleep(0)  # both are sent in their first step, the second as number 2
        call.cancel()
        assert (await teller).document == {"aborted": 2}

    async def test_a_death_ends_every_call_with_its_reason_and_all_later_ones(self, running):
        waiting = asyncio.create_task(running.post("nothing", {}))
        with pytest.raises(EngineError, match="it died"):
            await running.post("die", {})
        with pytest.raises(EngineError, match="it died"):
            await waiting
        with pytest.raises(EngineError, match="it died"):
            await running.post("echo", {})
        await running.stop()
        assert running.log.is_file()

    async def test_a_call_has_its_time(self):
        running = engine()
        await running.start()
        with pytest.raises(ProviderError, match="timeout_s") as caught:
            await running.post("nothing", {}, timeout_s=0.2)
        assert caught.value.fault == "timeout"
        await running.stop()

    async def test_a_question_of_the_engine_itself_takes_no_place(self):
        running = engine(places=1)
        await running.start()
        call = asyncio.create_task(running.post("nothing", {}))
        assert (await running.post("../echo", {"n": 1})).document == {"n": 1}
        call.cancel()
        await running.stop()

    async def test_whoever_shares_the_engine_waits_for_a_place_in_it(self):
        running, done = engine(places=1), []
        await running.start()

        async def ask(path, timeout_s):
            try:
                return await running.post(path, {"n": 1}, timeout_s=timeout_s)
            finally:
                done.append(path)

        _, echo = await asyncio.gather(ask("nothing", 0.2), ask("echo", 60.0), return_exceptions=True)
        assert (done, echo.document) == (["nothing", "echo"], {"n": 1})
        await running.stop()


class TestEnd:
    async def test_nothing_is_left_neither_processes_nor_files(self):
        running = engine()
        await running.start()
        pid, child, folder = running.pid, child_of(running), running.log.parent
        await running.stop()
        assert not alive(pid)
        await gone(child)
        assert not folder.exists()

    async def test_nor_where_the_end_itself_is_interrupted(self):
        running = engine("stays")
        await running.start()
        stopping = asyncio.create_task(running.stop())
        await asyncio.sleep(0)  # it waits for the worker's end now
        stopping.cancel()
        with pytest.raises(asyncio.CancelledError):
            await stopping
        await gone(running.pid)
        assert not running.log.parent.exists()

    async def test_calls_under_way_fail_when_it_is_stopped(self):
        running = engine()
        await running.start()
        call = asyncio.create_task(running.post("nothing", {}))
        await running.post("echo", {})
        await running.stop()
        with pytest.raises(EngineError, match="was stopped"):
            await call

    async def test_a_worker_ends_with_its_parent_however_that_ends(self):
        program = (
            "import asyncio, tests.providers.vllm.test_engine as t\n"
            "t.module.WORKER = 'tests.providers.vllm.stand_in'\n"
            "async def main():\n"
            "    running = t.engine(); await running.start()\n"
            "    print(running.pid, t.child_of(running), running.log.parent, flush=True); await asyncio.sleep(60)\n"
            "asyncio.run(main())\n"
        )
        parent = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        pid, child, folder = parent.stdout.readline().split()
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait()
        parent.stdout.close()
        await gone(int(pid))
        await gone(int(child))
        subprocess.run(["rm", "-r", folder], check=True)

    async def test_a_worker_that_is_killed_is_missed_though_a_child_holds_its_connection(self):
        running = engine("forks")
        await running.start()
        call = asyncio.create_task(running.post("nothing", {}))
        await running.post("echo", {})
        os.kill(running.pid, signal.SIGKILL)
        async with asyncio.timeout(30):
            with pytest.raises(EngineError):
                await call
        await gone(child_of(running))
        await running.stop()

    async def test_a_log_that_somebody_removed_hides_no_death(self):
        running = engine()
        await running.start()
        running.log.unlink()
        with pytest.raises(EngineError, match="vllm/m died: EngineDeadError: it died"):
            await running.post("die", {})

    async def test_an_end_that_is_interrupted_ends_everything_at_once(self):
        running = engine("stays")
        await running.start()
        pid, child = running.pid, child_of(running)
        ending = asyncio.create_task(running.stop())
        await asyncio.sleep(0)
        ending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await ending
        await gone(pid)
        await gone(child)
