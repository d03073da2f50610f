"""The command line as a process of its own, against the server in this one."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sqlite3
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmkit.runs.store import FILE
from tests.providers.server import Server

ROOT = Path(__file__).parents[2]


@dataclass
class Ended:
    """How a process ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """The one run of a ``--json`` document."""
        (run,) = json.loads(self.out)["runs"]
        return dict(run)


async def start(folder: Path, server: Server, *arguments: str, ignored: signal.Signals | None = None) -> Process:
    """Start ``llmkit`` in a folder; ``ignored``: a signal that its parent has set to be ignored."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("OPENAI_", "LLMKIT_", "ANTHROPIC_"))}
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("EXTRA_PATH")])])
    environment |= {"OPENAI_BASE_URL": server.url, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}
    trap = f"trap '' {ignored.name.removeprefix('SIG')}; " if ignored else ""
    return await asyncio.create_subprocess_exec(
        "bash", "-c", f'{trap}exec "$@"', "bash", sys.executable, "-m", "llmkit", *arguments,
        cwd=folder, env=environment, stdout=PIPE, stderr=PIPE,
    )  # fmt: skip


async def end(process: Process) -> Ended:
    """Wait for a process."""
    out, err = await process.communicate()
    assert process.returncode is not None
    return Ended(process.returncode, out.decode(), err.decode())


async def run(folder: Path, server: Server, *arguments: str) -> Ended:
    """Run ``llmkit`` to its end."""
    return await end(await start(folder, server, *arguments))


async def until(reached: Callable[[], bool], process: Process) -> None:
    """Look again and again, while the process lives."""
    while process.returncode is None and not reached():
        await asyncio.sleep(0.002)


def count(store: Path, table: str) -> int:
    """How many rows a table of the store in a folder holds, seen from outside; 0 while there is no store."""
    if not (store / FILE).exists():
        return 0
    with contextlib.closing(sqlite3.connect(f"file:{store / FILE}?mode=ro", uri=True, timeout=5)) as db:
        try:
            return int(db.execute(f"SELECT count(*) FROM {table}").fetchone()[0])
        except sqlite3.OperationalError:
            return 0  # its tables are just being made
