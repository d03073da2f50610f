"""An engine of vLLM in a process of its own: start it, ask it, end it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from llmkit.errors import EngineError, LlmkitError
from llmkit.providers import faults
from llmkit.providers.faults import Peer
from llmkit.providers.gguf import cache_folder
from llmkit.providers.http import Reply
from llmkit.providers.starting import STARTED, tell
from llmkit.providers.vllm.lines import Lines
from llmkit.providers.vllm.stages import stage_of
from llmkit.text import one_line

PREFIX = "llmkit-vllm-"
WORKER = "llmkit.providers.vllm.worker"
TIMEOUT_S = 600.0
"""One call's time where nobody says."""
LAST_WORDS_S = 0.2
"""For what a worker said before its end to be read."""
LOOKS_S = 0.2
"""How often the log is looked into while the engine starts."""
ENDS_S = 30.0
"""For the worker to end what vLLM started; it needs 3 s on a processor."""
HURRY_S = 1.0
"""The same where somebody waits for the prompt: an interrupted run has to be out within two seconds."""

COMPILED_ENV = "TORCHINDUCTOR_CACHE_DIR"
"""vLLM changes it, so it must not be the first variable: by that one its processes find where their names stand."""

DEAD = 503
"""The worker's code for a call that came too late: the engine is dead, and why follows."""

Explain = Callable[[str, str, int | None], LlmkitError]
"""The log, what was said of the failure and the worker's exit status → the error that people see."""


@dataclass(frozen=True, slots=True)
class Start:
    """What an engine is started with.

    Attributes:
        who: As people call it: ``vllm/ORG/MODEL``.
        arguments: Of ``AsyncEngineArgs``.
        name: By which the model is called on the wire.
        lora: Folder of an adapter.
        environment: Variables for the worker, beside this process's own.
        timeout_s: For the start.
    """

    who: str
    arguments: Mapping[str, Any]
    name: str
    lora: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    timeout_s: float = 1800.0


class Engine:
    """A worker with a loaded model.

    Args:
        start: What to start.
        explain: Makes an error of a log.

    Attributes:
        facts: What the worker said when it was ready: ``max_model_len``, ``cache_tokens``, ``dtype``.
        pid: Of the worker, which leads a process group of its own; None before the start.
    """

    def __init__(self, start: Start, explain: Explain) -> None:
        self.start_with = start
        self.facts: dict[str, Any] = {}
        self.peer = Peer("vllm", start.who, "")
        self._explain = explain
        self._folder: Path | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._lines: Lines | None = None
        self._calls: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._count = 0
        self._reading: asyncio.Task[None] | None = None
        self._broken: LlmkitError | None = None
        self._outliving: asyncio.Task[None] | None = None
        # All who share the engine wait here for a place, and their time is that within it.
        self._places = asyncio.Semaphore(start.arguments["max_num_seqs"])

    @property
    def pid(self) -> int | None:
        """The worker's process id."""
        return self._process.pid if self._process is not None else None

    @property
    def log(self) -> Path:
        """What vLLM writes; it is kept where the engine failed."""
        assert self._folder is not None
        return self._folder / "vllm.log"

    async def start(self) -> None:
        """Start the worker and wait until the model is loaded. Cancelled, it leaves nothing running.

        Raises:
            EngineError: It did not start; or another error of ours that says why.
        """
        who = self.start_with.who
        tell(who, "starting")
        try:
            said = await self._begun()
            if said is None or "ready" not in said:
                raise await self._failed("" if said is None else str(said.get("failed", "")))
            tell(who, STARTED)
        finally:
            tell(who, None)
        self.facts = said["ready"]
        self._reading = asyncio.create_task(self._read())

    async def _begun(self) -> dict[str, Any] | None:
        """Spawn the worker and return its first word; None where it ended without one."""
        try:
            await self._spawn()
            assert self._lines is not None
            async with asyncio.timeout(self.start_with.timeout_s):
                return await self._watched(self._lines.receive())
        except TimeoutError:
            await self._end(0)
            raise self._too_slow() from None
        except BaseException:
            await self._end(0)
            self._forget()
            raise

    async def stop(self, *, hurry: bool = False) -> None:
        """End the worker and all that vLLM started. Calls under way fail.

        Args:
            hurry: Kill what does not end within a second.
        """
        died = self._broken is not None
        self._broken = self._broken or EngineError(f"{self.start_with.who} was stopped")
        if self._lines is not None:
            self._lines.send({"stop": True})
        try:
            await self._end(HURRY_S if hurry else ENDS_S)
            if self._reading is not None:
                self._reading.cancel()
                await asyncio.wait({self._reading})
        finally:  # whoever interrupts it wants nothing left, too
            self._release(self._broken)
            if not died and self._reading is not None:  # otherwise people were told where the log is
                self._forget()

    async def post(self, path: str, body: Mapping[str, Any], *, timeout_s: float = TIMEOUT_S) -> Reply:
        """Ask the worker what one would ask a server. Cancelling it stops the generation.

        Raises:
            ProviderError: The engine refuses the request, or does not answer in time.
            EngineError: The engine is dead.
        """
        if path.startswith("../"):  # a question of the engine itself, which takes none of its places
            return await self._posted(path, body, timeout_s)
        async with self._places:
            return await self._posted(path, body, timeout_s)

    async def _posted(self, path: str, body: Mapping[str, Any], timeout_s: float) -> Reply:
        if self._broken is not None:
            raise self._broken
        assert self._lines is not None
        self._count += 1
        number, began = self._count, time.perf_counter()
        future = self._calls[number] = asyncio.get_running_loop().create_future()
        self._lines.send({"id": number, "path": path, "body": dict(body)})
        try:
            async with asyncio.timeout(timeout_s):
                answer = await future
        except TimeoutError:
            self._lines.send({"abort": number})
            raise faults.timed_out(self.peer, "before the whole answer came", maybe_billed=False) from None
        except asyncio.CancelledError:
            self._lines.send({"abort": number})
            raise
        finally:
            self._calls.pop(number, None)
        if "error" in answer:
            if answer["error"]["code"] == DEAD and self._reading is not None:
                await asyncio.wait({self._reading})
                raise self._broken or EngineError(f"{self.start_with.who} died")
            raise faults.from_error_object(self.peer, answer)
        return Reply(answer["document"], {}, time.perf_counter() - began)

    async def _spawn(self) -> None:
        """Start the worker in a session of its own: a Ctrl-C at the terminal is this process's to deal with."""
        self._folder = _made_folder()
        # vLLM leaves sockets and notes among the temporary files: there they go with the log.
        temporary = {"TMPDIR": str(self._folder)}
        environment = {**os.environ, **_compiled(), **self.start_with.environment, **temporary}
        ours, theirs = socket.socketpair()
        try:
            with theirs, self.log.open("wb") as log:
                self._process = await asyncio.create_subprocess_exec(
                    # -P: a file vllm.py in the current folder is not vLLM
                    sys.executable, "-P", "-m", WORKER, str(theirs.fileno()),
                    stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=[theirs.fileno()],
                    start_new_session=True, env=environment,
                )  # fmt: skip
        except BaseException:
            ours.close()
            raise
        self._lines = await Lines.over(ours)
        self._outliving = asyncio.create_task(self._outlive(self._process, self._lines))
        start = self.start_with
        self._lines.send(
            {
                "start": {
                    "arguments": dict(start.arguments),
                    "name": start.name,
                    "lora": start.lora,
                    "folder": str(self._folder),
                }
            }
        )

    async def _outlive(self, process: asyncio.subprocess.Process, lines: Lines) -> None:
        """Close the connection once the worker is gone: a process that it forked may hold the other end open."""
        await process.wait()
        await asyncio.sleep(LAST_WORDS_S)
        lines.close()

    async def _watched(self, receiving: Coroutine[Any, Any, dict[str, Any] | None]) -> dict[str, Any] | None:
        """Wait for the worker's first word, and tell the stages that its log shows until then."""
        task = asyncio.create_task(receiving)
        try:
            with self.log.open("rb") as log:
                while not task.done():
                    for line in _new_lines(log):
                        if (stage := stage_of(line)) is not None:
                            tell(self.start_with.who, stage)
                    await asyncio.wait({task}, timeout=LOOKS_S)
            return await task
        finally:
            task.cancel()

    async def _read(self) -> None:
        """Hand each answer to who waits for it; at the end of the connection everybody is told why."""
        assert self._lines is not None
        said = ""
        try:
            while (message := await self._lines.receive()) is not None:
                if "failed" in message:
                    said = str(message["failed"])
                    break
                future = self._calls.get(message["id"])
                if future is not None and not future.done():
                    future.set_result(message)
            if self._broken is None:
                self._broken = await self._failed(said)
        finally:
            self._release(self._broken or self._died(said))

    def _release(self, error: LlmkitError) -> None:
        for future in self._calls.values():
            if not future.done():
                future.set_exception(error)

    async def _failed(self, said: str) -> LlmkitError:
        """End what is left, and say what went wrong. The log stays where it is."""
        await self._end(ENDS_S)
        status = self._process.returncode if self._process is not None else None
        try:
            with self.log.open("rb") as log:
                log.seek(max(0, self.log.stat().st_size - LOG_READ))
                text = log.read().decode("utf-8", "replace")
        except OSError:  # somebody cleans up among temporary files
            return self._died(said)
        error = self._explain(text, said, status)
        error.hint = f"{error.hint}. The engine's log: {self.log}" if error.hint else f"The engine's log: {self.log}"
        return error

    def _died(self, said: str) -> EngineError:
        return EngineError(f"{self.start_with.who} died{f': {one_line(said)}' if said else ''}", hint="Its log is gone")

    def _forget(self) -> None:
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _too_slow(self) -> EngineError:
        return EngineError(
            f"{self.start_with.who} did not start within {self.start_with.timeout_s:g} s",
            hint=f"Raise it with -M start_timeout_s=…. The engine's log: {self.log}",
        )

    async def _end(self, within_s: float) -> None:
        """Wait for the worker's end, and kill its whole process group where it does not come."""
        process = self._process
        if process is None:
            return
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(within_s):
                    await process.wait()
        except asyncio.CancelledError:  # whoever waits for the end wants it now
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            raise
        if process.returncode != 0:  # it ended its children itself otherwise
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        if self._lines is not None:
            self._lines.close()
        if self._outliving is not None:
            self._outliving.cancel()


LOG_READ = 256 * 1024
"""Bytes of the log's end that are looked into for a reason."""


SOCKETS = 37
"""Characters of vLLM's sockets after their folder; a socket's whole path has ``PATH`` at most."""
PATH = 107


def _made_folder() -> Path:
    """Make the folder for log and temporary files, where sockets in it have names that the system takes."""
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    if len(os.fsencode(folder)) + SOCKETS <= PATH:
        return folder
    folder.rmdir()
    return Path(tempfile.mkdtemp(prefix=PREFIX, dir="/tmp"))


def _compiled() -> dict[str, str]:
    """Say where PyTorch keeps what it compiled: by itself among the temporary files, which go with the engine.

    Alternatives of tokens are compiled at their first use: 21 s with nothing kept, 13 s else, on two cores.
    """
    if COMPILED_ENV in os.environ:
        return {}
    folder = cache_folder() / "torchinductor"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:  # a read-only home: compiled again each time
        return {}
    return {COMPILED_ENV: str(folder)}


def _new_lines(log: Any) -> Iterator[str]:
    while line := log.readline(65536):
        yield line.decode("utf-8", "replace")
