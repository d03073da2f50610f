"""Keeps hold of a program that nothing isolates. Arguments: ORDER CHANNEL STATUS INFO.

What it starts is found and killed. On Linux orphans become children of this process (PR_SET_CHILD_SUBREAPER), so a
daemon is found too. A program that kills this process first can get away: it runs as the same user.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time

from llmkit.sandbox.inside.steps import PR_SET_PDEATHSIG, begin, prctl, shut

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

PR_SET_CHILD_SUBREAPER = 36
LONGEST_S = 5.0
LINUX = sys.platform == "linux"


def main(order: dict[str, Any]) -> NoReturn:
    """Begin the program, and end with it."""
    channel, status, info = map(int, sys.argv[2:5])
    if LINUX:
        prctl(PR_SET_CHILD_SUBREAPER, 1)
    program = os.fork()
    if program == 0:
        os.setsid()
        begin(order, channel, status)

    def asked(number: int, frame: object) -> None:
        _end_all(program)
        shutil.rmtree(os.path.dirname(order["work"]), ignore_errors=True)  # noqa: PTH120 - whoever made it may be gone
        os._exit(1)

    signal.signal(signal.SIGTERM, asked)
    if LINUX:
        prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM))
    os.write(info, b'{"child-pid": %d}\n' % program)
    for number in (channel, status, info):
        shut(number)
    while True:
        ended, how = os.wait()
        if ended == program:
            _end_all(program)
            os._exit(128 + os.WTERMSIG(how) if os.WIFSIGNALED(how) else os.WEXITSTATUS(how))


def _end_all(program: int) -> None:
    """Stop all that descends from here, so that none escapes by forking; then kill it."""
    deadline = time.monotonic() + LONGEST_S
    _send(-program, signal.SIGKILL)  # its process group, where nothing tells what descends from what
    while time.monotonic() < deadline:
        found = _below(os.getpid())
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for pid in found:
                _send(pid, number)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                continue
        except ChildProcessError:
            return


def _below(top: int) -> list[int]:
    found: list[int] = []
    waiting = [top]
    while waiting:
        pid = waiting.pop()
        try:
            for thread in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208
                with open(f"/proc/{pid}/task/{thread}/children") as file:  # noqa: PTH123
                    waiting += map(int, file.read().split())
        except OSError:
            pass  # it ended, or there is no /proc
        if pid != top:
            found.append(pid)
    return found


def _send(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        return
