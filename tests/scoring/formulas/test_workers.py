"""Processes that work on untrusted text: asked, killed, made anew."""

import os
import signal
import threading
from functools import partial
from pathlib import Path

import pytest

from llmkit.errors import ScorerError
from llmkit.scoring.formulas.starting import Started, plain, sandboxed
from llmkit.scoring.formulas.workers import Workers

PROGRAM = """
import json, os, sys, time
memory, reads, writes = map(int, sys.argv[1:])
source, sys.stdout = os.fdopen(reads, "r"), os.fdopen(os.dup(writes), "w")
print("{}", flush=True)
for line in source:
    task = json.loads(line)
    if task["do"] == "hang":
        time.sleep(600)
    if task["do"] == "die":
        os._exit(7)
    if task["do"] == "flood":
        sys.stdout.write("x" * 10_000_000)
    if task["do"] == "list" and not os.path.isdir(task["say"]):
        task["say"] = None
    said = {"echo": task.get("say"), "process": os.getpid(), "environment": dict(os.environ)}
    said["descriptors"] = [int(name) for name in os.listdir("/dev/fd")] if os.path.isdir("/dev/fd") else []
    print(json.dumps(said), flush=True)
"""


@pytest.fixture
def pool(tmp_path: Path):
    made = Workers(partial(plain, program(tmp_path, PROGRAM), 64), 2, grace_s=0)
    yield made
    made.close()


def program(folder: Path, text: str) -> Path:
    path = folder / "program.py"
    path.write_text(text, encoding="utf-8")
    return path


def tasks(*words: str) -> list[dict[str, str]]:
    return [{"do": word, "say": str(number)} for number, word in enumerate(words)]


def test_replies_come_in_the_order_of_the_tasks(pool: Workers) -> None:
    assert [reply["echo"] for reply in pool.run(tasks(*["echo"] * 20), 10)] == [str(number) for number in range(20)]


def test_a_process_is_used_again(pool: Workers) -> None:
    processes = {reply["process"] for _ in range(3) for reply in pool.run(tasks("echo"), 10)}
    assert len(processes) == 1


def test_a_task_that_does_not_end_is_a_timeout_and_the_others_are_answered(pool: Workers) -> None:
    first, second, third = pool.run(tasks("hang", "echo", "echo"), 0.25)
    assert first == {"stopped": "timeout"}
    assert (second["echo"], third["echo"]) == ("1", "2")


def test_a_task_that_ends_its_process_is_a_crash_and_the_next_one_is_answered(pool: Workers) -> None:
    first, second = pool.run(tasks("die", "echo"), 10)
    assert first["stopped"] == "crash"
    assert second["echo"] == "1"


def test_a_reply_without_an_end_is_no_reply(pool: Workers) -> None:
    first, second = pool.run(tasks("flood", "echo"), 10)
    assert first["stopped"] == "crash"
    assert second["echo"] == "1"


def test_a_megabyte_goes_through(pool: Workers) -> None:
    (reply,) = pool.run([{"do": "echo", "say": "x" * 30_000, "more": "y" * 1_000_000}], 10)
    assert len(reply["echo"]) == 30_000


def test_a_process_inherits_no_variables_and_no_descriptors(pool: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMKIT_TEST_SECRET", "sk-123")
    read, write = os.pipe()
    os.set_inheritable(read, True)
    try:
        (reply,) = pool.run(tasks("echo"), 10)
    finally:
        os.close(read)
        os.close(write)
    assert set(reply["environment"]) <= {"PYTHONHASHSEED", "LC_ALL", "LC_CTYPE", "SYSTEMROOT", "LD_LIBRARY_PATH"}
    assert read not in reply["descriptors"]


def test_several_threads_may_ask_at_once(pool: Workers) -> None:
    found: list[list[str]] = []

    def ask() -> None:
        found.append([reply["echo"] for reply in pool.run(tasks(*["echo"] * 5), 10)])

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [["0", "1", "2", "3", "4"]] * 4


def test_closing_ends_the_processes(pool: Workers) -> None:
    (reply,) = pool.run(tasks("echo"), 10)
    pool.close()
    with pytest.raises(ProcessLookupError):
        os.kill(reply["process"], signal.SIG_DFL)


def test_closing_ends_processes_at_work_and_none_is_started_any_more(tmp_path: Path) -> None:
    path, begun, found = program(tmp_path, PROGRAM), threading.Semaphore(0), []

    def launch() -> Started:
        begun.release()
        return plain(path, 64)

    def ask() -> None:
        try:
            pool.run(tasks("hang", "hang", "echo"), 600)
        except ScorerError as error:
            found.append(error)

    pool = Workers(launch, 2)
    thread = threading.Thread(target=ask)
    thread.start()
    begun.acquire()
    begun.acquire()
    pool.close()
    thread.join(30)
    assert not thread.is_alive()
    assert [error.message for error in found] == ["this process is ending"]
    assert pool._all == set()


def test_a_program_that_does_not_start_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ScorerError, match="does not start"):
        Workers(partial(plain, program(tmp_path, "raise SystemExit(3)"), 64), 1).start()


def test_in_a_sandbox_it_sees_nothing_of_this_machine_and_ends_as_well(tmp_path: Path) -> None:
    launch = sandboxed(program(tmp_path, PROGRAM), 64)
    if launch is None:
        pytest.skip("no isolation on this machine")
    pool = Workers(launch, 1, grace_s=0)
    first, second, third = pool.run([{"do": "list", "say": str(tmp_path)}, *tasks("hang", "echo")], 0.2)
    pool.close()
    assert first["echo"] is None
    assert second["stopped"] == "timeout"
    assert (third["echo"], third["environment"].get("PYTHONHASHSEED")) == ("1", "0")
