"""git is asked safely: nothing of the repository's own is run, and every file has the id that git gives it."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmkit.errors import UsageError
from llmkit.gate.git import LINK, SUBMODULE, Unreadable, lfs_oid, open_repository
from tests.gate.repository import Repo, needs_git

pytestmark = needs_git


def test_a_folder_outside_of_any_repository_names_the_way_without_git(empty: Repo, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no working tree of a git repository\. .*--baseline"):
        open_repository(tmp_path)


def test_a_bare_repository_has_no_working_tree(empty: Repo) -> None:
    empty.top.mkdir()
    empty.git("init", "-q", "--bare")
    with pytest.raises(UsageError, match="no working tree of a git repository"):
        open_repository(empty.top)


def test_git_that_is_not_installed_names_the_way_without_it(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(UsageError, match=r"git is not installed\. .*--baseline"):
        open_repository(repo.top)


def test_a_repository_without_a_commit_says_so(empty: Repo) -> None:
    empty.top.mkdir()
    empty.git("init", "-q")
    with pytest.raises(UsageError, match="has no commit yet"):
        open_repository(empty.top)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="only root can give a folder to another user")
def test_a_repository_of_another_user_is_refused_with_the_line_that_trusts_it(repo: Repo) -> None:
    for each in (repo.top, repo.top / ".git"):
        os.chown(each, 12345, 12345)
    with pytest.raises(UsageError, match=r"its owner is another user.*safe\.directory"):
        open_repository(repo.top)


def test_a_hooks_variables_do_not_lead_elsewhere(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_DIR", ".git")
    monkeypatch.setenv("GIT_INDEX_FILE", "/nonexistent/index")
    found = open_repository(repo.top / "suites")
    assert (found.top, found.prefix) == (repo.top.resolve(), "suites/")
    assert "suites/sums.yaml" in found.tracked()


def test_names_with_blanks_umlauts_quotes_and_newlines_stand_as_they_are(repo: Repo) -> None:
    names = ["a b.yaml", "grün/ä.yaml", 'q"uote.md', "new\nline.md", "tab\t.md"]
    repo.write({name: "x" for name in names[:3]})
    repo.commit()
    repo.write({name: "x" for name in names[3:]})
    found = open_repository(repo.top)
    assert set(names[:3]) <= set(found.tracked())
    assert found.untracked() == sorted(names[3:])
    assert set(names[:3]) <= set(found.tree("HEAD"))


def test_what_git_ignores_is_not_listed(repo: Repo) -> None:
    repo.write({".gitignore": "hidden.yaml\n", "hidden.yaml": "x", "seen.yaml": "x"})
    assert open_repository(repo.top).untracked() == [".gitignore", "seen.yaml"]


@pytest.mark.parametrize("name", ["nonesuch", "--all", "-h", "a\nb", "HEAD:suites", ""])
def test_what_is_no_commit_is_none(repo: Repo, name: str) -> None:
    assert open_repository(repo.top).commit(name) is None


@pytest.mark.parametrize("name", ["HEAD", "main", "change", "v1", "@", "main~0"])
def test_branches_tags_and_expressions_are_commits(repo: Repo, name: str) -> None:
    repo.git("tag", "-a", "v1", "-m", "x")
    assert open_repository(repo.top).commit(name) == repo.git("rev-parse", "HEAD")


def test_a_tree_shows_links_and_submodules_as_what_they_are(repo: Repo, tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    inner = Repo(tmp_path / "inner", monkeypatch).start()
    repo.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(inner.top), "sub")
    (repo.top / "link").symlink_to("prompts")
    repo.commit()
    tree = open_repository(repo.top).tree("HEAD")
    assert (tree["sub"].mode, tree["link"].mode) == (SUBMODULE, LINK)
    assert not any(path.startswith("sub/") for path in tree)


def test_contents_are_read_whole_and_in_any_order(repo: Repo) -> None:
    contents = {"a": b"", "b": bytes(range(256)) * 9000, "c": b"no line end", "d": b"\n\n"}
    repo.write(contents)
    repo.commit()
    found = open_repository(repo.top)
    tree = found.tree("HEAD")
    with found.blobs() as blobs:
        for name in ("c", "b", "a", "d", "b"):
            assert blobs.read(tree[name].oid) == contents[name]


def test_a_file_that_is_too_long_is_not_kept_and_the_next_one_can_be_read(repo: Repo) -> None:
    repo.write({"long": b"x" * 3_000_000, "short": b"y"})
    repo.commit()
    found = open_repository(repo.top)
    tree = found.tree("HEAD")
    with found.blobs() as blobs:
        with pytest.raises(Unreadable, match=r"longer than 1,000 bytes"):
            blobs.read(tree["long"].oid, most=1000)
        assert blobs.read(tree["short"].oid) == b"y"


def test_an_object_that_is_not_there_is_said(repo: Repo) -> None:
    found = open_repository(repo.top)
    with found.blobs() as blobs:
        with pytest.raises(Unreadable, match="not in this clone"):
            blobs.read("0" * 40)
        with pytest.raises(Unreadable, match="not in this clone"):
            blobs.read(found.commit("HEAD") or "")


@pytest.mark.parametrize("format", ["sha1", "sha256"])
def test_a_file_has_the_id_that_git_gives_it(empty: Repo, format: str) -> None:
    empty.top.mkdir()
    empty.git("init", "-q", "-b", "main", f"--object-format={format}")
    empty.write({"a": b"", "b": b"x\ny\n", "c": bytes(range(256))})
    empty.commit()
    found = open_repository(empty.top)
    for name, entry in found.tree("HEAD").items():
        assert found.holds(empty.top / name, entry.oid)
        assert not found.holds(empty.top / ("a" if name != "a" else "b"), entry.oid)


@settings(max_examples=25)
@given(st.binary(max_size=200))
def test_whatever_a_file_holds_its_id_is_gits(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    import hashlib

    from llmkit.gate.git import _object_ids

    file = tmp_path_factory.mktemp("x") / "f"
    file.write_bytes(content)
    assert hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest() in list(_object_ids(file, "sha1"))


def test_line_ends_that_a_checkout_wrote_are_no_difference(repo: Repo) -> None:
    found = open_repository(repo.top)
    entry = found.tree("HEAD")["suites/sums.jsonl"]
    file = repo.top / "suites/sums.jsonl"
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    assert found.holds(file, entry.oid)
    file.write_bytes(file.read_bytes() + b"{}\r\n")
    assert not found.holds(file, entry.oid)


def test_a_file_that_is_gone_has_no_id(repo: Repo) -> None:
    found = open_repository(repo.top)
    assert not found.holds(repo.top / "nonesuch", found.tree("HEAD")["llmkit.toml"].oid)


def test_a_path_is_told_from_the_top_whatever_it_is_named_from(repo: Repo, tmp_path: Path) -> None:
    found = open_repository(repo.top / "suites")
    assert found.path_of(Path("suites/../prompts/add.prompty")) == "prompts/add.prompty"
    assert found.path_of(repo.top / "suites/sums.yaml") == "suites/sums.yaml"
    (tmp_path / "way").symlink_to(repo.top)
    assert found.path_of(tmp_path / "way/suites/sums.yaml") == "suites/sums.yaml"
    assert found.path_of(tmp_path / "elsewhere") is None


def test_a_pointer_of_lfs_is_told_from_text_that_speaks_of_it() -> None:
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize 12\n" % (b"a" * 64)
    assert lfs_oid(pointer) == "a" * 64
    assert lfs_oid(pointer.replace(b"oid", b"ext-0-x sha256:%s\noid" % (b"b" * 64))) == "a" * 64
    assert lfs_oid(b"see " + pointer) is None
    assert lfs_oid(b"") is None


PROGRAMS = """\
[core]
    fsmonitor = {program}
    hooksPath = {folder}
    pager = {program}
[filter "evil"]
    clean = {program}
    smudge = {program}
    process = {program}
    required = true
[diff "evil"]
    textconv = {program}
    command = {program}
[diff]
    external = {program}
[alias]
    ls-files = !{program}
"""


@pytest.mark.skipif(os.name == "nt", reason="the program is a shell script")
def test_no_program_that_a_repository_names_is_started(repo: Repo, tmp_path: Path) -> None:
    ran, program = tmp_path / "ran", tmp_path / "hooks" / "post-checkout"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\necho $0 >> {ran}\ncat\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    config = repo.top / ".git" / "config"
    config.write_text(config.read_text() + PROGRAMS.format(program=program, folder=program.parent))
    repo.write({".gitattributes": "* filter=evil diff=evil\n"})
    os.utime(repo.top / "prompts" / "add.prompty", (1, 1))  # git would have to look at its content
    repo.edit("prompts/add.prompty", "Add", "Sum")
    diff = repo.diff()
    assert [one.suite.name for one in diff.reached] == ["sums"]
    assert "whether there are uncommitted changes is not asked" in diff.head
    assert not ran.exists(), ran.read_text()
    subprocess.run(["git", "-C", str(repo.top), "status"], capture_output=True, check=False)  # as a user would
    assert ran.exists()
