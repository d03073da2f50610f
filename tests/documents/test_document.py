import os
from pathlib import Path

import pytest

from llmkit.documents import Document, read_text
from llmkit.errors import DocumentError


def fails(path: Path, **options: int) -> str:
    with pytest.raises(DocumentError) as caught:
        read_text(path, **options)
    return str(caught.value).replace(str(path.parent) + os.sep, "")


def test_a_byte_order_mark_is_dropped_and_line_ends_become_one_kind(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"\xef\xbb\xbfa\r\nb\rc\n")
    assert read_text(tmp_path / "a") == "a\nb\nc\n"


def test_a_missing_file_is_told_with_its_nearest_neighbour(tmp_path: Path) -> None:
    (tmp_path / "suite.yaml").write_text("")
    assert fails(tmp_path / "suit.yaml") == "suit.yaml: no such file. Did you mean 'suite.yaml'?"


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    assert "does not exist either" in fails(tmp_path / "none" / "a")


def test_a_folder_is_not_a_file(tmp_path: Path) -> None:
    assert "this is a folder" in fails(tmp_path)


def test_a_file_used_as_a_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("")
    assert "a part of its path is a file" in fails(tmp_path / "a" / "b")


def test_a_pipe_is_refused_without_waiting_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert fails(tmp_path / "pipe") == "pipe: this is not an ordinary file"


def test_a_nul_byte_in_the_name_is_one_line(tmp_path: Path) -> None:
    assert "null byte" in fails(tmp_path / "a\0b")


@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"])
def test_the_first_byte_that_is_not_utf8_is_placed(tmp_path: Path, start: bytes) -> None:
    (tmp_path / "a").write_bytes(start + b"one\ntwo\nthr\xffe\n")
    assert fails(tmp_path / "a") == "a:3: byte 0xff is not UTF-8. Save the file as UTF-8"


def test_utf16_is_named(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes("name: x".encode("utf-16"))
    assert fails(tmp_path / "a") == "a:1: this is UTF-16, not UTF-8. Save the file as UTF-8"


def test_a_file_beyond_the_cap_is_refused_and_one_at_the_cap_is_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 10)
    assert read_text(tmp_path / "a", max_bytes=10) == "x" * 10
    assert fails(tmp_path / "a", max_bytes=9) == "a: longer than 9 bytes. Is this the right file?"


def test_where_falls_back_to_the_nearest_ancestor_with_a_line() -> None:
    document = Document(Path("s.yaml"), {}, {(): 1, ("a",): 3, ("a", "b"): 4})
    assert document.where("a", "b") == "s.yaml:4"
    assert document.where("a", "x", 0) == "s.yaml:3"
    assert document.where("z") == "s.yaml:1"
    assert Document(None, {}, {("a",): 2}).where("a") == "line 2"
    assert Document(Path("s.yaml"), {}).where("a") == "s.yaml"
