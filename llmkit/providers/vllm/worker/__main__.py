"""The worker's life: told what to start, it starts it, answers until it is told to stop, and outlives nobody."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import sys
import threading
import time
import traceback
from functools import partial
from pathlib import Path
from typing import Any

from llmkit.providers.vllm.lines import Lines

LAST_WORDS_S = 20.0
"""For the engine to end by itself; some of its processes wait for each other."""
ASKED_S = 2.0
"""For those that are left to end on SIGTERM."""


async def main(descriptor: int) -> None:
    """Serve the connection until its other side stops or is gone."""
    os.set_inheritable(descriptor, False)
    lines = await Lines.over(socket.socket(fileno=descriptor))
    told = await lines.receive()
    if told is None:
        return
    folder = Path(told["start"]["folder"])
    starting = asyncio.create_task(_started(told["start"]))
    listening = asyncio.create_task(lines.receive())
    await asyncio.wait({starting, listening}, return_when=asyncio.FIRST_COMPLETED)
    if not starting.done():  # told to stop, or left alone, while vLLM loads: nothing there can be interrupted
        end_all(unwanted=None if listening.result() else folder)
    try:
        served = starting.result()
    except BaseException as error:  # whatever it is, the other side has to hear of it
        traceback.print_exc()
        lines.send({"failed": f"{type(error).__name__}: {error}"})
        await lines.drain()
        end_all(1)
    lines.send({"ready": served.facts()})
    unwanted = None if await _serve(served, lines, listening) else folder
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # for the timer's thread, where it cannot be set
    threading.Timer(LAST_WORDS_S, end_all, kwargs={"unwanted": unwanted}).start()
    served.stop()
    end_all(unwanted=unwanted)


async def _started(start: dict[str, Any]) -> Any:
    """Load vLLM and the model, in a thread: this one notices when the other side is gone."""

    def load() -> Any:
        from llmkit.providers.vllm.worker.served import Served

        return Served(start)

    return await asyncio.to_thread(load)


async def _serve(served: Any, lines: Lines, listening: asyncio.Task[dict[str, Any] | None]) -> bool:
    """Answer until told to stop, or the engine is dead; False where nobody is there any more."""
    calls: dict[int, asyncio.Task[None]] = {}
    dead = asyncio.create_task(served.died())
    while True:
        await asyncio.wait({listening, dead}, return_when=asyncio.FIRST_COMPLETED)
        if dead.done():
            lines.send({"failed": dead.result()})
            await lines.drain()
            return True
        message = listening.result()
        if message is None or "stop" in message or "failed" in message:
            break
        if "abort" in message:
            if (call := calls.get(message["abort"])) is not None:
                call.cancel()
        else:
            number = message["id"]
            calls[number] = asyncio.create_task(_answer(served, lines, message))
            calls[number].add_done_callback(partial(_forget, calls, number))
        listening = asyncio.create_task(lines.receive())
    dead.cancel()
    for call in calls.values():
        call.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.gather(*calls.values(), dead, return_exceptions=True)
    return message is not None


def _forget(calls: dict[int, asyncio.Task[None]], number: int, _: asyncio.Task[None]) -> None:
    calls.pop(number, None)


async def _answer(served: Any, lines: Lines, message: dict[str, Any]) -> None:
    lines.send({"id": message["id"], **await served.answer(message["path"], message["body"])})


def end_all(code: int = 0, unwanted: Path | None = None) -> Any:
    """End this process and all that vLLM started: they are one process group, for the worker leads a session.

    Log and temporary files go with them, ``unwanted``, where whoever would look into them is gone.

    They are asked first, so that they take their shared memory with them; Python's resource trackers, which clean up
    behind the others, end by themselves once nobody is left.
    """
    if os.getpgrp() == os.getpid():
        if threading.current_thread() is threading.main_thread():  # only there it may be set; ``main`` has it set else
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        os.killpg(0, signal.SIGTERM)
        latest = time.monotonic() + ASKED_S
        while left := _others():
            if time.monotonic() > latest:
                for pid in left:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                break
            time.sleep(0.02)
    if unwanted is not None:
        shutil.rmtree(unwanted, ignore_errors=True)
    os._exit(code)


def _others() -> list[int]:
    """Return who else is alive in this process group."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            state, _, group = (folder / "stat").read_text().rpartition(")")[2].split()[:3]
            mine = int(group) == os.getpgrp() and folder.name != str(os.getpid()) and state != "Z"
            if mine and b"resource_tracker" not in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
    return found


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
