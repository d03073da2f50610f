"""Stands on this side of a container, as a sandbox's own process does elsewhere. Arguments: ORDER CHANNEL STATUS INFO.

It starts ``docker run``, takes apart what the relay within sends, and kills the container when it is told to end. A
container outlives the command that started it; this process does not let it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading

from llmkit.sandbox.inside.frames import CHANNEL, CHANNEL_END, ERR, EXIT, LONGEST, OUT, STATUS, Pieces, send
from llmkit.sandbox.inside.steps import PR_SET_PDEATHSIG, prctl, shut

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

KILL_S = 20
MOST_SAID = 4096


def main(order: dict[str, Any]) -> NoReturn:
    """Start the container and pass on what goes in and out."""
    channel, status, info = map(int, sys.argv[2:5])
    shut(info)
    if sys.platform == "linux":
        prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM))

    def asked(number: int, frame: object) -> None:
        subprocess.run(  # noqa: S603 - the same docker
            order["kill"], timeout=KILL_S, check=False, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=order["docker_environment"],
        )  # fmt: skip
        os._exit(1)

    signal.signal(signal.SIGTERM, asked)
    docker = subprocess.Popen(  # noqa: S603 - llmkit's own command line
        order["run"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=order["docker_environment"],
    )  # fmt: skip
    inwards, outwards, said = (stream.fileno() for stream in (docker.stdin, docker.stdout, docker.stderr) if stream)
    words = bytearray()
    listening = threading.Thread(target=_listen, args=(said, words), daemon=True)
    listening.start()
    _write(inwards, len(order["inner"]).to_bytes(4, "big") + order["inner"])
    if channel >= 0:
        threading.Thread(target=_inwards, args=(channel, inwards), daemon=True).start()
    code = _outwards(outwards, channel, status)
    ended = docker.wait()  # with the container, and so with all that ran in it
    if code is None:
        code = ended
        listening.join(KILL_S)
        with contextlib.suppress(OSError):  # closed where the program had begun: the container was killed under it
            first, *_ = bytes(words).strip().splitlines() or [f"docker ended with {code}".encode()]
            os.write(status, first)  # what follows is how to get help
    os._exit(code if 0 <= code < 256 else 1)


def _listen(stream: int, words: bytearray) -> None:
    while data := os.read(stream, LONGEST):
        words += data[: MOST_SAID - len(words)] if len(words) < MOST_SAID else b""


def _inwards(channel: int, stream: int) -> None:
    """Pass on what comes for the program over its channel."""
    try:
        while data := os.read(channel, LONGEST):
            send(stream, CHANNEL, data)
        send(stream, CHANNEL_END)
    except OSError:
        return  # the container, or the channel's other end, is gone


def _outwards(stream: int, channel: int, status: int) -> int | None:
    """Pass on what comes from the container; return the program's exit code, None where none came."""
    pieces, targets = Pieces(), {OUT: 1, ERR: 2, CHANNEL: channel, STATUS: status}
    while data := os.read(stream, LONGEST):
        for kind, piece in pieces.take(data):
            if kind == EXIT:
                return int(piece)
            if kind == CHANNEL_END or (kind == STATUS and not piece):
                shut(targets[CHANNEL if kind == CHANNEL_END else STATUS])
            else:
                _write(targets[kind], piece)
    return None


def _write(descriptor: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        try:
            left = left[os.write(descriptor, left) :]
        except BrokenPipeError:  # nobody reads there any more; docker says why on its standard error
            return
