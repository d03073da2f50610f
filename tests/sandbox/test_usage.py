"""What processes take, as /proc tells it."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from llmkit.sandbox import usage as module
from llmkit.sandbox.usage import Meter, children, shared_out, usage

TREE = """
import os, threading, time
held = bytearray(30 << 20)
held[::4096] = b"x" * len(held[::4096])
child = os.fork()
if child == 0:
    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
os.write(1, b"ready" + bytes([10]))  # in one piece: two write to one pipe
time.sleep(60)
"""


@pytest.fixture
def tree():
    with subprocess.Popen([sys.executable, "-S", "-c", TREE], stdout=subprocess.PIPE, start_new_session=True) as top:
        assert top.stdout is not None
        assert [top.stdout.readline() for _ in range(2)] == [b"ready\n"] * 2
        yield top
        os.killpg(top.pid, 9)


def test_a_tree_is_measured_whole(tree: subprocess.Popen[bytes]) -> None:
    found = usage(tree.pid)
    assert found.pids == (tree.pid, *children(tree.pid))
    assert (len(found.pids), found.threads) == (2, 3)
    assert found.memory > 2 * (30 << 20)


def test_pages_that_processes_share_can_be_parted_among_them(tree: subprocess.Popen[bytes]) -> None:
    held = shared_out(usage(tree.pid).pids)
    assert held is not None
    assert 30 << 20 < held < 2 * (30 << 20)


def test_children_are_found_also_where_the_kernel_does_not_list_them(
    tree: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = children(tree.pid)
    monkeypatch.setattr(module, "_LISTED", False)
    read = module._read
    monkeypatch.setattr(module, "_read", lambda path: b"" if path.endswith("/children") else read(path))
    assert children(tree.pid) == listed


def test_processor_time_counts_that_of_ended_children() -> None:
    spent = time.process_time() + 0.1
    while time.process_time() < spent:
        pass
    assert usage(os.getpid()).cpu_s >= 0.1


BURN = "import time\nwhile time.process_time() < 0.2: pass\nprint(flush=True)\ninput()"


def test_what_a_child_took_is_counted_once_whether_or_not_it_is_waited_for() -> None:
    meter = Meter(os.getpid())
    before = meter.look().cpu_s
    with subprocess.Popen([sys.executable, "-S", "-c", BURN], stdin=-1, stdout=-1) as child:
        assert child.stdout is not None
        child.stdout.readline()
        during = meter.look().cpu_s
        child.communicate(b"\n")
    after = meter.look().cpu_s
    assert during - before >= 0.15
    assert during <= after < during + 0.15


def test_a_process_that_is_gone_takes_nothing() -> None:
    gone = subprocess.Popen([sys.executable, "-S", "-c", ""])
    gone.wait()
    assert usage(gone.pid).pids == ()
    assert shared_out((gone.pid,)) is None
