"""Runs a program in a container, as its first process; the one way out is standard input and output.

What the program prints and sends over its channel leaves in pieces (``frames``), and the channel's other direction
comes in the same way. When standard input ends, the container does.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import sys
import threading

from llmkit.sandbox.inside.frames import CHANNEL, CHANNEL_END, ERR, EXIT, LONGEST, OUT, STATUS, Pieces, send
from llmkit.sandbox.inside.steps import begin, libc, prctl

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

PR_SET_DUMPABLE = 4
SIGNALS, SIGKILL = 65, 9
LOOK_MS = 10


def main(order: dict[str, Any]) -> NoReturn:
    """Begin the program, and pass on what goes in and out of it."""
    for number in range(1, SIGNALS):  # no signal from within reaches it, unless it handles one, as Python does
        libc.signal(number, None)
    order["argv"][0] = sys.executable
    order["seccomp"] = order["seccomp"].get(os.uname().machine)
    pipes = {kind: os.pipe() for kind in (OUT, ERR, STATUS)}
    ours, theirs = socket.socketpair()
    program = os.fork()
    if program == 0:
        stdin, writing = os.memfd_create("stdin"), memoryview(order["stdin"])
        while writing:
            writing = writing[os.write(stdin, writing) :]
        os.lseek(stdin, 0, os.SEEK_SET)
        for number, descriptor in enumerate((stdin, pipes[OUT][1], pipes[ERR][1])):
            os.dup2(descriptor, number)
        begin(order, theirs.fileno() if order["channel"] else -1, pipes[STATUS][1])
    prctl(PR_SET_DUMPABLE, 0)  # the program runs as the same user, and may not look into this process
    theirs.close()
    sources = {ours.fileno(): CHANNEL}
    for kind, (reading, writing_end) in pipes.items():
        sources[reading] = kind
        os.close(writing_end)
    threading.Thread(target=_inwards, args=(ours,), daemon=True).start()
    _outwards(sources, program)
    os._exit(0)


def _inwards(channel: socket.socket) -> None:
    """Pass on what comes for the channel."""
    pieces = Pieces()
    while True:
        data = os.read(0, LONGEST)
        if not data:
            os._exit(1)
        for kind, piece in pieces.take(data):
            try:
                if kind == CHANNEL:
                    channel.sendall(piece)
                elif kind == CHANNEL_END:
                    channel.shutdown(socket.SHUT_WR)
            except OSError:  # the program closed it
                continue


def _outwards(sources: dict[int, bytes], program: int) -> None:
    """Pass on what the program says until it ended, and how it did."""
    poll = select.poll()
    for number in sources:
        poll.register(number, select.POLLIN)
    how = None
    while True:
        ready = [number for number, _ in poll.poll(LOOK_MS if how is None else 0)]
        for number in ready:
            data = _read(number)
            if not data:
                poll.unregister(number)
            if data or sources[number] in (CHANNEL, STATUS):
                send(1, sources[number] if data else ENDS[sources[number]], data)
        if how is None:
            how = _ended(program)
        elif not ready:
            break
    code = 128 + os.WTERMSIG(how) if os.WIFSIGNALED(how) else os.WEXITSTATUS(how)
    send(1, EXIT, str(code).encode())


ENDS = {CHANNEL: CHANNEL_END, STATUS: STATUS}


def _ended(program: int) -> int | None:
    """Return how the program ended, and end all that it left; None while it runs."""
    ended, how = os.waitpid(-1, os.WNOHANG)  # orphans are this process's children too
    if ended != program:
        return None
    if os.getpid() == 1:  # elsewhere this would end far more than a program
        with contextlib.suppress(ProcessLookupError):
            os.kill(-1, SIGKILL)  # all but this process
    return how


def _read(number: int) -> bytes:
    try:
        return os.read(number, LONGEST)
    except ConnectionResetError:
        return b""
