"""What a program may take, and what ends it that takes more."""

from __future__ import annotations

import time

from llmkit.sandbox.base import Limits, Sandbox
from tests.sandbox.conftest import run


def test_time_ends_it(any_sandbox: Sandbox) -> None:
    for limit in (0.3, 3.0, 30.0):  # the first one that lets it begin, on a busy machine
        start = time.monotonic()
        source = "print('here', flush=True)\nimport time\ntime.sleep(600)"
        ended = run(any_sandbox, source, limits=Limits(wall_s=limit))
        assert (ended.exit_code, ended.stopped) == (None, "wall")
        assert limit <= ended.wall_s <= time.monotonic() - start < limit + 60
        if ended.stdout:
            break
    assert ended.stdout == b"here\n"


def test_processor_time_ends_it_that_of_children_included(isolating: Sandbox) -> None:
    source = "import os\nos.fork()\nwhile True:\n  pass"
    ended = run(isolating, source, limits=Limits(cpu_s=0.2))
    assert (ended.exit_code, ended.stopped) == (None, "cpu")
    assert ended.wall_s < 120


def test_processor_time_of_children_that_nobody_waits_for_ends_it_too(isolating: Sandbox) -> None:
    source = """
import os, signal, time
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
end = time.monotonic() + 60
while time.monotonic() < end:
    if os.fork() == 0:
        while time.process_time() < 0.12:
            pass
        os._exit(0)
    try:
        os.wait()
    except ChildProcessError:
        pass
"""
    assert run(isolating, source, limits=Limits(cpu_s=0.4)).stopped == "cpu"


def test_memory_is_refused_to_one_process(isolating: Sandbox) -> None:
    source = "try:\n  bytearray(200 << 20)\nexcept MemoryError:\n  print('refused')"
    assert run(isolating, source, limits=Limits(memory_mb=128)).stdout == b"refused\n"


def test_memory_that_children_share_is_counted_once(isolating: Sandbox) -> None:
    source = """
import os, time
held = b"x" * (40 << 20)
for _ in range(4):
    if os.fork() == 0:
        time.sleep(0.15)
        os._exit(0)
for _ in range(4):
    os.wait()
print(len(held) >> 20)
"""
    ended = run(isolating, source, limits=Limits(memory_mb=128))
    assert (ended.stopped, ended.stdout) == (None, b"40\n")


def test_processes_are_refused_beyond_their_number(any_sandbox: Sandbox) -> None:
    source = """
import os, time
started = 0
try:
    for _ in range(40):
        if os.fork() == 0:
            time.sleep(5)
            os._exit(0)
        started += 1
    time.sleep(5)  # until too many are seen, where they were not refused
except OSError:
    print(started)
"""
    ended = run(any_sandbox, source, limits=Limits(processes=8))
    if ended.stopped is None:
        assert 5 <= int(ended.stdout) <= 10
    else:
        assert ended.stopped == "processes"


def test_a_file_has_a_largest_size(any_sandbox: Sandbox) -> None:
    source = """
try:
    with open("large", "wb", buffering=0) as file:
        for _ in range(64):
            file.write(bytes(65536))
except OSError as error:
    import os
    print(os.path.getsize("large") >> 20, error.strerror)
"""
    assert run(any_sandbox, source, limits=Limits(file_mb=1)).stdout == b"1 File too large\n"


def test_all_files_have_a_largest_size_together(isolating: Sandbox) -> None:
    source = """
import os
try:
    for number in range(20):
        with open(os.path.join(os.environ["TMPDIR"] if number % 2 else "", str(number)), "wb") as file:
            file.write(bytes(1 << 20))
except OSError as error:
    print(number, error.strerror)
"""
    number, _, reason = run(isolating, source, limits=Limits(scratch_mb=5)).stdout.partition(b" ")
    assert int(number) <= 5
    assert reason == b"No space left on device\n"


def test_output_is_kept_up_to_its_limit_and_more_ends_it(any_sandbox: Sandbox) -> None:
    ended = run(any_sandbox, "while True: print('x' * 999)", limits=Limits(output_kb=4))
    assert (ended.exit_code, ended.stopped, len(ended.stdout)) == (None, "output", 4096)


def test_output_that_just_fits_ends_nothing(any_sandbox: Sandbox) -> None:
    ended = run(any_sandbox, "print('x' * 4095)", limits=Limits(output_kb=4))
    assert (ended.exit_code, ended.stopped, len(ended.stdout)) == (0, None, 4096)


def test_too_much_output_by_a_program_that_ended_at_once_is_told_too(any_sandbox: Sandbox) -> None:
    ended = run(any_sandbox, "import os\nos.write(1, b'x' * 5000)", limits=Limits(output_kb=4))
    assert (ended.stopped, len(ended.stdout)) == ("output", 4096)


def test_no_limit_can_be_raised(isolating: Sandbox) -> None:
    source = """
import resource
for name in ("AS", "CPU", "FSIZE", "NOFILE", "CORE"):
    try:
        resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (1 << 40, 1 << 40))
    except (ValueError, OSError):
        print(name, end=" ")
"""
    assert run(isolating, source).stdout == b"AS CPU FSIZE NOFILE CORE "
