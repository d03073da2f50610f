"""Ctrl-C and kill -9 during an A/A run: what was answered is kept, and the same command goes on with the pair."""

import json
import shlex
import signal

import pytest

from tests.providers.server import Server
from tests.runs.process import end, run, start
from tests.runs.project import MODEL, answering
from tests.runs.test_interrupt import hanging_from

COMMAND = ("plan", "sums.yaml", "-m", MODEL, "--aa", "--concurrency", "4", "--json")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
async def test_what_was_answered_is_kept_and_the_same_command_goes_on(project, number):
    project.suite(20)
    async with Server(default=hanging_from(10)) as server:
        process = await start(project.folder, server, *COMMAND)
        await server.wait_for(24)  # ten answers in each arm, and four calls that hang
        process.send_signal(number)
        ended = await end(process)
        command = list(COMMAND)
        if number == signal.SIGINT:
            assert (ended.code, ended.out) == (130, "")
            line = next(line for line in ended.err.splitlines() if "go on with:" in line)
            assert "20 answers are kept" in line
            command = shlex.split(line.partition("go on with: ")[2])[1:]
        server.log.clear()
        server.default = answering()
        again = await run(project.folder, server, *command)
        asked_again = len(server.log)
    assert again.code == 0, again.err
    assert asked_again == 20
    noise = json.loads(again.out)["plans"][0]["noise"]
    assert (noise["pairs"], noise["complete"]) == (20, True)
