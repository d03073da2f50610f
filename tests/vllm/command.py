"""The command line as a process of its own, in a group of its own as a terminal gives it, and what it started."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path

from tests.runs.process import ROOT, Ended, end

LOOKS_S = 0.05


@contextlib.asynccontextmanager
async def running(folder: Path, *arguments: str) -> AsyncIterator[Process]:
    """``llmkit`` in a folder; a test that fails leaves none behind."""
    process = await _start(folder, *arguments)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await end(process)


async def _start(folder: Path, *arguments: str) -> Process:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("OPENAI_", "LLMKIT_", "ANTHROPIC_"))}
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "llmkit", *arguments, cwd=folder, stdin=asyncio.subprocess.DEVNULL, stdout=PIPE,
        stderr=PIPE, start_new_session=True, env={**environment, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip


async def run(folder: Path, *arguments: str) -> Ended:
    """Run ``llmkit`` to its end."""
    async with running(folder, *arguments) as process:
        return await end(process)


async def until(reached: Callable[[], bool], *, within_s: float = 400) -> None:
    """Look again and again; what is looked at lies outside this process."""
    async with asyncio.timeout(within_s):
        while not reached():
            await asyncio.sleep(LOOKS_S)


def descendants(pid: int) -> dict[int, str]:
    """The processes below one, by id, and what each calls itself."""
    parents, names = {}, {}
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has just ended
            parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            names[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    found: dict[int, str] = {}
    ring = {pid}
    while ring:
        ring = {child for child, parent in parents.items() if parent in ring and child not in found}
        found |= {child: names[child] for child in ring}
    return found


def engine_cores(pid: int) -> list[int]:
    """Those of vLLM's own that hold the model, below a process."""
    return [child for child, name in descendants(pid).items() if "EngineCore" in name]


def alive(pids: Iterable[int]) -> list[int]:
    """Which of these processes still run."""
    return [pid for pid in pids if _runs(pid)]


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def stored(folder: Path) -> int:
    """Answers in a project's store; 0 while there is none."""
    path = folder / ".llmkit" / "store.sqlite3"
    if not path.exists():
        return 0
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5)) as db:
        try:
            return int(db.execute("SELECT count(*) FROM answers").fetchone()[0])
        except sqlite3.OperationalError:
            return 0  # its tables are just being made
