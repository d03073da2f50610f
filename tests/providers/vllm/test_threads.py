"""Work that blocks, and that nobody has to wait for."""

import asyncio
import subprocess
import sys
import threading
from contextvars import ContextVar

import pytest

from llmkit.providers.vllm.threads import aside
from tests.runs.process import ROOT

SAID = ContextVar("said", default="nothing")


async def test_its_result_comes_back_and_it_sees_this_context():
    SAID.set("here")
    assert await aside(SAID.get) == "here"


async def test_its_error_is_raised_here():
    with pytest.raises(ZeroDivisionError):
        await aside(lambda: 1 / 0)


def test_a_loop_that_is_interrupted_does_not_wait_for_it():
    program = (
        "import asyncio, threading\n"
        "from llmkit.providers.vllm.threads import aside\n"
        "async def main():\n"
        "    work = asyncio.create_task(aside(threading.Event().wait))\n"
        "    await asyncio.sleep(0); work.cancel()\n"
        "asyncio.run(main())\n"
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, timeout=60)


async def test_work_that_ends_after_nobody_waits_is_forgotten():
    go, wrong = asyncio.Event(), []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: wrong.append(context))
    done = loop.create_future()

    def work():
        asyncio.run_coroutine_threadsafe(go.wait(), loop).result()
        loop.call_soon_threadsafe(done.set_result, None)

    task = asyncio.create_task(aside(work))
    await asyncio.sleep(0)
    task.cancel()
    go.set()
    await done
    await asyncio.to_thread(lambda: [each.join() for each in threading.enumerate() if each.name == "llmkit-vllm"])
    await asyncio.sleep(0)  # what the thread left to the loop
    assert task.cancelled()
    assert wrong == []
