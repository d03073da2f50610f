"""Files that are written whole or not at all."""

import os
import threading

import pytest

from llmkit.documents.writing import check_writable, write_text, written
from llmkit.errors import UsageError


def test_a_file_is_written_whole(tmp_path):
    write_text(tmp_path / "a.txt", "ä\n")
    assert (tmp_path / "a.txt").read_bytes() == "ä\n".encode()
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_what_breaks_on_the_way_leaves_the_old_file_and_nothing_else(tmp_path):
    (tmp_path / "a.txt").write_text("old")
    with pytest.raises(RuntimeError), written(tmp_path / "a.txt") as out:
        out.write(b"new")
        raise RuntimeError
    assert (tmp_path / "a.txt").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "target").write_text("old")
    (tmp_path / "link").symlink_to("target")
    write_text(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_text() == "new"


def test_a_pipe_is_written_to_as_it_is(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    heard = []
    reader = threading.Thread(target=lambda: heard.append((tmp_path / "pipe").read_text()))
    reader.start()
    write_text(tmp_path / "pipe", "said")
    reader.join()
    assert heard == ["said"]


def test_a_file_that_is_there_is_kept_unless_forced(tmp_path):
    (tmp_path / "a.txt").write_text("old")
    with pytest.raises(UsageError, match="there already"), written(tmp_path / "a.txt", force=False) as out:
        out.write(b"new")
    assert (tmp_path / "a.txt").read_text() == "old"


@pytest.mark.parametrize("name", ["", "missing/a.txt"])
def test_where_nothing_can_be_written_is_one_line(tmp_path, name):
    with pytest.raises(UsageError) as caught:
        write_text(tmp_path / name, "x")
    assert str(tmp_path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_can_be_written_is_told_without_a_trace(tmp_path):
    file = tmp_path / "a.txt"
    check_writable(file)
    assert not list(tmp_path.iterdir())
    file.write_text("old")
    check_writable(file)
    assert file.read_text() == "old"


def test_to_tell_whether_a_pipe_can_be_written_waits_for_no_reader(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    check_writable(pipe)


@pytest.mark.parametrize("name", ["none/a.txt", "."])
def test_what_cannot_be_written_is_told_beforehand(tmp_path, name):
    with pytest.raises(UsageError):
        check_writable(tmp_path / name)
