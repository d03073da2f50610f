"""Which runs are alive: a lock that ends with its process, however that ends."""

import subprocess
import sys

import pytest

from llmkit.runs.lock import RunLock

HOLD = (
    "import sys; from pathlib import Path; from llmkit.runs.lock import RunLock\n"
    "lock = RunLock(Path(sys.argv[1]), 'run'); print(lock.acquire(), flush=True); sys.stdin.readline()"
)


def test_a_lock_is_held_once(tmp_path):
    lock, other = RunLock(tmp_path, "run"), RunLock(tmp_path, "run")
    assert lock.acquire()
    assert not other.acquire()
    lock.release()
    assert other.acquire()
    other.release()


def test_runs_have_locks_of_their_own(tmp_path):
    locks = [RunLock(tmp_path, name) for name in ("a", "b")]
    assert [lock.acquire() for lock in locks] == [True, True]
    for lock in locks:
        lock.release()


def test_releasing_leaves_nothing_behind_and_may_be_done_twice(tmp_path):
    lock = RunLock(tmp_path, "run")
    assert lock.acquire()
    lock.release()
    lock.release()
    assert list((tmp_path / "locks").iterdir()) == []


def test_a_killed_process_holds_its_lock_no_longer(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "True\n"
        lock = RunLock(tmp_path, "run")
        assert not lock.acquire()
        process.kill()
        process.wait(30)
        assert (tmp_path / "locks" / "run").exists()
        assert lock.acquire()
        lock.release()


@pytest.mark.parametrize("times", [1, 3])
def test_a_file_that_is_removed_while_it_is_being_locked_is_not_the_lock(tmp_path, monkeypatch, times):
    """Two processes must never hold one lock, the one on the file that is there and the other on one that is gone."""
    fcntl = pytest.importorskip("fcntl")
    real, left = fcntl.flock, iter(range(times))
    lock = RunLock(tmp_path, "run")

    def removed_meanwhile(file, how):
        if next(left, None) is not None:
            lock.path.unlink()  # what the former holder's release does
        real(file, how)

    monkeypatch.setattr(fcntl, "flock", removed_meanwhile)
    assert lock.acquire()
    assert not RunLock(tmp_path, "run").acquire()
    lock.release()


def test_whether_a_lock_is_held_can_be_seen_and_nothing_is_left_behind(tmp_path):
    lock, other = RunLock(tmp_path, "run"), RunLock(tmp_path, "run")
    assert not other.held()
    assert list(tmp_path.iterdir()) == []
    assert lock.acquire()
    assert other.held()
    lock.release()
    assert not other.held()


def test_looking_at_a_lock_keeps_nobody_from_taking_it(tmp_path, monkeypatch):
    """One who looks holds the file for a moment, with others or alone."""
    fcntl = pytest.importorskip("fcntl")
    lock = RunLock(tmp_path, "run")
    lock.path.parent.mkdir()
    lock.path.touch()
    real, looking = fcntl.flock, lock.path.open("rb")
    real(looking, fcntl.LOCK_SH)
    tries = []

    def flock(file, how):
        tries.append(how)
        if len(tries) == 3:
            looking.close()  # it has seen enough
        real(file, how)

    monkeypatch.setattr(fcntl, "flock", flock)
    assert lock.acquire()
    assert len(tries) > 2
    monkeypatch.undo()
    assert not RunLock(tmp_path, "run").acquire()
    lock.release()
