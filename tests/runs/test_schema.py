"""The store's file: made once, told apart from others, and every trouble one clear line.

Root writes through permissions, so the read-only folder is a real read-only mount of its own, and the full disk a real
tmpfs of 256 KiB, where the test may mount; elsewhere a file in the folder's way, and a page limit of SQLite's own,
bring about the same errors of the kernel's and of SQLite's.
"""

import contextlib
import ctypes
import os
import shutil
import sqlite3
import subprocess
import sys

import pytest

from llmkit.errors import StoreError
from llmkit.runs import schema
from llmkit.runs.schema import connect, connect_to_read

MS_RDONLY, MS_REMOUNT = 1, 32


@contextlib.contextmanager
def mounted(folder, size):
    """A tmpfs of ``size`` bytes on ``folder``; skips where the test may not mount."""
    folder.mkdir()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"none", os.fsencode(folder), b"tmpfs", 0, b"size=%d" % size) != 0:
        pytest.skip(f"needs the right to mount a tmpfs: {os.strerror(ctypes.get_errno())}")
    try:
        yield lambda: libc.mount(b"none", os.fsencode(folder), b"tmpfs", MS_REMOUNT | MS_RDONLY, b"")
    finally:
        libc.umount2(os.fsencode(folder), 2)


def tables(path):
    with contextlib.closing(sqlite3.connect(path)) as db:
        return {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type='table'")}


def refused(path, **how):
    with pytest.raises(StoreError) as caught:
        connect(path, **how)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)
    assert caught.value.exit_code == 4
    return str(caught.value)


@pytest.fixture
def path(tmp_path):
    return tmp_path / ".llmkit" / "store.sqlite3"


def test_a_fresh_store_has_its_tables_its_version_and_a_write_ahead_log(path):
    with contextlib.closing(connect(path)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (schema.SCHEMA_VERSION,)
        assert db.execute("PRAGMA application_id").fetchone() == (schema.APPLICATION_ID,)
        assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert tables(path) == {
        "runs",
        "inputs",
        "prompts",
        "answers",
        "samples",
        "scores",
        "charges",
        "generations",
        "judging",
        "behind",
        "looks",
    }


def test_opening_again_keeps_what_is_there(path):
    with contextlib.closing(connect(path)) as db:
        db.execute("INSERT INTO prompts VALUES (x'00', 'asked')")
    with contextlib.closing(connect(path)) as db:
        assert db.execute("SELECT messages FROM prompts").fetchall() == [("asked",)]


def test_many_processes_may_create_it_at_the_same_time(path):
    code = (
        "import sys; from pathlib import Path; from llmkit.runs.schema import connect\n"
        "print('ready', flush=True); sys.stdin.readline()\n"
        "db = connect(Path(sys.argv[1])); db.execute(\"INSERT INTO prompts VALUES (randomblob(8), '')\"); db.close()"
    )
    command = [sys.executable, "-c", code, str(path)]
    several = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    for process in several:
        assert process.stdout.readline() == "ready\n"
    for process in several:
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in several:
        _, said = process.communicate(timeout=60)
        assert (process.returncode, said) == (0, "")
    with contextlib.closing(connect(path)) as db:
        assert db.execute("SELECT count(*) FROM prompts").fetchone() == (4,)


def test_a_store_of_a_newer_llmkit_is_refused_and_left_as_it_is(path):
    with contextlib.closing(connect(path)) as db:
        db.execute(f"PRAGMA user_version={schema.SCHEMA_VERSION + 1}")
    before = path.read_bytes()
    said = refused(path)
    assert f"schema {schema.SCHEMA_VERSION + 1}" in said
    assert f"reads {schema.SCHEMA_VERSION}" in said
    assert "Upgrade llmkit" in said
    assert path.read_bytes() == before


def test_another_programs_database_is_refused_and_left_as_it_is(path):
    path.parent.mkdir()
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE photos (name TEXT)")
    before = path.read_bytes()
    assert "not an llmkit store" in refused(path)
    assert path.read_bytes() == before


def test_a_file_that_is_no_database_is_refused_and_left_as_it_is(path):
    path.parent.mkdir()
    path.write_bytes(b"no database, whatever its name says\n" * 100)
    before = path.read_bytes()
    assert "damaged or no SQLite file" in refused(path)
    assert path.read_bytes() == before


def test_an_empty_file_becomes_a_store(path):
    path.parent.mkdir()
    path.touch()
    connect(path).close()
    assert "answers" in tables(path)


def test_reading_makes_no_store_where_there_is_none(path):
    assert "there is no store yet" in refused(path, create=False)
    assert not path.parent.exists()


def test_a_folder_below_a_file_cannot_be_written(tmp_path):
    (tmp_path / "file").touch()
    said = refused(tmp_path / "file" / ".llmkit" / "store.sqlite3")
    assert "cannot be written" in said
    assert "--store PATH" in said


def test_a_folder_in_the_files_place_cannot_be_written(path):
    path.mkdir(parents=True)
    assert "cannot be written" in refused(path)


def test_a_read_only_file_system_cannot_be_written(tmp_path):
    with mounted(tmp_path / "disk", 1 << 20) as make_read_only:
        assert make_read_only() == 0
        assert "cannot be written" in refused(tmp_path / "disk" / ".llmkit" / "store.sqlite3")
        assert "cannot be written" in refused(tmp_path / "disk" / "store.sqlite3")


def test_a_disk_without_room_for_the_tables_is_full(tmp_path):
    with mounted(tmp_path / "disk", 16384):
        said = refused(tmp_path / "disk" / "store.sqlite3")
        assert "the disk is full" in said
        assert "Free space" in said


def test_a_lock_that_another_process_holds_is_said_so(path, monkeypatch):
    connect(path).close()
    monkeypatch.setattr(schema, "BUSY_MS", 0)
    code = (
        "import sqlite3, sys; db = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "db.execute('PRAGMA locking_mode=EXCLUSIVE'); db.execute('BEGIN EXCLUSIVE')\n"
        "print('held', flush=True); sys.stdin.readline(); db.execute('ROLLBACK'); db.close()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout.readline() == "held\n"
        assert "another process holds the store" in refused(path)
        other.communicate("go\n", timeout=60)
    connect(path).close()


def read(path):
    with contextlib.closing(connect_to_read(path)) as db:
        return [run_id for (run_id,) in db.execute("SELECT messages FROM prompts ORDER BY digest")]


def cannot_read(path):
    with pytest.raises(StoreError) as caught:
        connect_to_read(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("leftovers", [False, True], ids=["closed by a writer", "closed by a reader"])
def test_a_store_on_a_read_only_file_system_can_be_read(tmp_path, leftovers):
    path = tmp_path / "disk" / "store 1?.sqlite3"
    with mounted(path.parent, 1 << 20) as make_read_only:
        with contextlib.closing(connect(path)) as db:
            db.execute("INSERT INTO prompts VALUES (x'00', 'asked')")
        if leftovers:
            read(path)
        assert make_read_only() == 0
        assert read(path) == ["asked"]


def test_a_store_that_is_written_meanwhile_can_be_read_and_not_written(path):
    with contextlib.closing(connect(path)) as db:
        db.execute("INSERT INTO prompts VALUES (x'00', 'first')")
        with contextlib.closing(connect_to_read(path)) as reader:
            db.execute("INSERT INTO prompts VALUES (x'01', 'second')")
            assert reader.execute("SELECT count(*) FROM prompts").fetchone() == (2,)
            with pytest.raises(sqlite3.OperationalError, match="readonly"):
                reader.execute("DELETE FROM prompts")


def killed_store(folder, target):
    """Copy a store as a killed process leaves it: the last commits in its write-ahead log alone."""
    with contextlib.closing(connect(folder / "store.sqlite3")) as db:
        db.execute("INSERT INTO prompts VALUES (x'00', 'asked')")
        for name in ("store.sqlite3", "store.sqlite3-wal"):
            shutil.copy(folder / name, target / name)


def test_a_killed_runs_last_commits_are_read(tmp_path):
    (tmp_path / "copy").mkdir()
    killed_store(tmp_path / "live", tmp_path / "copy")
    assert read(tmp_path / "copy" / "store.sqlite3") == ["asked"]


def test_last_commits_that_cannot_be_read_are_not_left_out_silently(tmp_path):
    with mounted(tmp_path / "disk", 1 << 20) as make_read_only:
        killed_store(tmp_path / "live", tmp_path / "disk")
        assert make_read_only() == 0
        said = cannot_read(tmp_path / "disk" / "store.sqlite3")
    assert "its last answers cannot be read here" in said
    assert "--store PATH" in said


def test_reading_says_what_is_no_store_of_ours(path):
    assert "there is no store yet" in cannot_read(path)
    path.parent.mkdir()
    path.touch()
    assert "there is no store yet" in cannot_read(path)
    path.write_bytes(b"no database, whatever its name says\n" * 100)
    assert "damaged or no SQLite file" in cannot_read(path)
    path.unlink()
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE photos (name TEXT)")
    assert "not an llmkit store" in cannot_read(path)
    path.unlink()
    path.mkdir()
    assert "the store cannot be read" in cannot_read(path)
