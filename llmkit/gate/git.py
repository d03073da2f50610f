"""git, asked in a repository that may be a stranger's: it starts no program of theirs, fetches and writes nothing.

Files of the working tree are compared by hashing them here, as https://git-scm.com/book/en/v2/Git-Internals-Git-Objects
says: git itself would first run the filters that the repository's configuration names.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NamedTuple

from llmkit.documents import MAX_BYTES
from llmkit.errors import UsageError
from llmkit.runs.plan import GIT, GIT_ENV
from llmkit.text import one_line

SECONDS = 60
"""Longest that one question to git may take: listing a million files takes a few."""
WITHOUT_GIT = "Without git, give what to compare with by --baseline"
FETCH = (
    "Fetch the history: in GitHub Actions, give actions/checkout `fetch-depth: 0`; in GitLab CI, set `GIT_DEPTH: 0`;"
    " elsewhere, run git fetch --unshallow"
)
CHECKED_OUT_CRLF = 64_000_000
"""Largest file of which the form with LF line ends is hashed too: git may have checked it out with CRLF."""

# A hook is called with these set, and they speak of its repository and of its current folder.
_HOOKS = frozenset({"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR"})
_POINTER = re.compile(
    rb"version https://git-lfs\.github\.com/spec/v1\n(?:ext-[^\n]*\n)*oid sha256:(?P<oid>[0-9a-f]{64})\nsize \d+\n"
)

LINK, SUBMODULE = "120000", "160000"


class GitError(Exception):
    """git said no; its own words are the message."""


class Unreadable(Exception):
    """A file of a commit cannot be had; the message says why."""


class Entry(NamedTuple):
    """One file of a commit."""

    mode: str
    oid: str


@dataclass(frozen=True)
class Repository:
    """A git repository with a working tree.

    Attributes:
        top: Its top folder, symbolic links followed.
        folder: The project's folder, in it.
        hashing: What its object ids are hashes by: ``sha1`` or ``sha256``.
        shallow: Whether its history is cut off.
    """

    top: Path
    folder: Path
    hashing: str
    shallow: bool

    @property
    def prefix(self) -> str:
        """The project's folder from the top on, ending in a slash; empty at the top."""
        inside = self.folder.relative_to(self.top).as_posix()
        return "" if inside == "." else f"{inside}/"

    def commit(self, name: str) -> str | None:
        """Return the id of the commit that a branch, tag or expression names; None where there is none."""
        if name.startswith("-") or not name.isprintable():
            return None
        try:
            return self.ask("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}").decode().strip()
        except GitError:
            return None

    def short(self, commit: str) -> str:
        """Return the id's shortest form that is not ambiguous."""
        return self.ask("rev-parse", "--short", commit).decode().strip()

    def merge_base(self, one: str, two: str) -> str | None:
        """Return the latest commit that both come from; None where the history at hand has none."""
        try:
            return self.ask("merge-base", one, two).decode().split()[0]
        except (GitError, IndexError):
            return None

    def branches_and_tags(self) -> list[str]:
        """Return their names."""
        said = self.ask("for-each-ref", "--format=%(refname:short)", "refs/heads", "refs/tags", "refs/remotes")
        return said.decode("utf-8", "replace").splitlines()

    def tree(self, commit: str) -> dict[str, Entry]:
        """Return path from the top → file, of all of a commit's files, links and submodules."""
        found = {}
        for record in _records(self.ask("ls-tree", "-r", "-z", "--full-tree", commit)):
            about, _, path = record.partition("\t")
            mode, _, oid = about.split(" ")
            found[path] = Entry(mode, oid)
        return found

    def tracked(self) -> list[str]:
        """Return the files of the project's folder that git tracks, from the top on."""
        return list(dict.fromkeys(_records(self.ask("ls-files", "--cached", "-z", "--full-name"))))

    def untracked(self) -> list[str]:
        """Return the files of the project's folder that git neither tracks nor ignores, from the top on."""
        return list(_records(self.ask("ls-files", "--others", "--exclude-standard", "-z", "--full-name")))

    def path_of(self, file: Path) -> str | None:
        """Return a file's path from the top on; None for one outside."""
        for whole in (Path(os.path.abspath(file)), file.resolve()):  # noqa: PTH100 - a link is a file of its own
            if whole.is_relative_to(self.top):
                return whole.relative_to(self.top).as_posix()
        return None

    def holds(self, file: Path, oid: str) -> bool:
        """Whether a file of the working tree has the content of a blob, line ends aside."""
        return oid in _object_ids(file, self.hashing)

    @contextmanager
    def blobs(self) -> Iterator[Blobs]:
        """Read contents by one process of git, which ends with the block."""
        command = [*GIT, "-C", str(self.top), "cat-file", "--batch"]
        process = subprocess.Popen(  # noqa: S603
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=_environment()
        )
        try:
            yield Blobs(process)
        finally:
            process.kill()
            process.communicate()

    def ask(self, *words: str) -> bytes:
        """Run git in the project's folder; raises ``GitError`` where it fails."""
        return _ask(self.folder, *words)


class Blobs:
    """Contents of a repository's objects."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def read(self, oid: str, most: int = MAX_BYTES) -> bytes:
        """Return a file's content.

        Raises:
            Unreadable: It is not in this clone, or longer than ``most`` bytes.
        """
        if self._process.stdin is None or self._process.stdout is None:
            raise Unreadable("git cannot be asked")
        try:
            self._process.stdin.write(f"{oid}\n".encode())
            self._process.stdin.flush()
        except OSError:
            raise Unreadable("git ended early; is this a partial clone?") from None
        head = self._process.stdout.readline().split()
        if len(head) != 3 or head[1] != b"blob":
            raise Unreadable("its content is not in this clone, which is a partial or damaged one; run git fetch")
        size = int(head[2])
        content = _exactly(self._process.stdout, size, most)
        _exactly(self._process.stdout, 1, 0)
        if size > most:
            raise Unreadable(f"longer than {most:,} bytes")
        return content


def open_repository(folder: Path) -> Repository:
    """Find the repository that a project lies in.

    Raises:
        UsageError: There is none, it has no commit, or git is not installed.
    """
    folder = folder.resolve()
    try:
        said = _ask(folder, "rev-parse", "--show-toplevel").decode("utf-8", "surrogateescape").removesuffix("\n")
        top = Path(said).resolve()
        shallow = _ask(folder, "rev-parse", "--is-shallow-repository").strip() == b"true"
        hashing = _ask(folder, "rev-parse", "--show-object-format").decode().strip()
    except GitError as error:
        raise _no_repository(folder, str(error)) from None
    repository = Repository(top, folder, hashing, shallow)
    if repository.commit("HEAD") is None:
        hint = f"Commit what a change shall be compared with. {WITHOUT_GIT}"
        raise UsageError("this git repository has no commit yet", where=str(folder), hint=hint)
    return repository


def lfs_oid(content: bytes) -> str | None:
    """Return the SHA-256 of the content that a pointer of Git LFS stands for; None for what is no pointer.

    Source: https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md
    """
    match = _POINTER.match(content)
    return match["oid"].decode() if match else None


def is_pointer(file: Path) -> bool:
    """Whether a file of the working tree is a pointer of Git LFS in place of its content."""
    try:
        with file.open("rb") as stream:
            return lfs_oid(stream.read(1024)) is not None
    except OSError:
        return False


def sha256_of(file: Path) -> str | None:
    """Return a file's SHA-256, in hex; None where it cannot be read."""
    try:
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return None


def _no_repository(folder: Path, said: str) -> UsageError:
    if "dubious ownership" in said:
        hint = f"Where you trust it: git config --global --add safe.directory {folder}"
        return UsageError("git refuses this repository: its owner is another user", where=str(folder), hint=hint)
    if "not a git repository" in said or "must be run in a work tree" in said:
        return UsageError("this is no working tree of a git repository", where=str(folder), hint=WITHOUT_GIT)
    return UsageError(f"git fails: {one_line(said)}", where=str(folder), hint=WITHOUT_GIT)


def _ask(folder: Path, *words: str) -> bytes:
    command = [*GIT, "-C", str(folder), *words]
    try:
        said = subprocess.run(command, capture_output=True, timeout=SECONDS, check=False, env=_environment())  # noqa: S603
    except FileNotFoundError:
        raise UsageError("git is not installed", hint=WITHOUT_GIT) from None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UsageError(f"git cannot be asked: {one_line(str(error))}", hint=WITHOUT_GIT) from None
    if said.returncode != 0:
        raise GitError(said.stderr.decode("utf-8", "replace"))
    return said.stdout


def _environment() -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if name not in _HOOKS}
    return {**own, **GIT_ENV, "LC_ALL": "C"}


def _records(said: bytes) -> Iterator[str]:
    """What ``-z`` ends by NUL: names stand as they are, line ends and all."""
    return (record.decode("utf-8", "surrogateescape") for record in said.split(b"\0") if record)


def _object_ids(file: Path, hashing: str) -> Iterator[str]:
    """Yield the id that git would give the file, and that of its form with LF where it has CRLF."""
    try:
        with file.open("rb") as stream:
            size = os.fstat(stream.fileno()).st_size
            hasher = hashlib.new(hashing, b"blob %d\0" % size, usedforsecurity=False)
            while piece := stream.read(1 << 20):
                hasher.update(piece)
        yield hasher.hexdigest()
        if size > CHECKED_OUT_CRLF:
            return
        content = file.read_bytes()
    except OSError:
        return
    if b"\r\n" in content:
        content = content.replace(b"\r\n", b"\n")
        yield hashlib.new(hashing, b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def _exactly(stream: IO[bytes], size: int, most: int) -> bytes:
    """Read ``size`` bytes; more than ``most`` are not kept."""
    kept = bytearray()
    while size:
        piece = stream.read(min(size, 1 << 20))
        if not piece:
            raise Unreadable("git ended early")
        size -= len(piece)
        if len(kept) + len(piece) <= most:
            kept += piece
    return bytes(kept)
