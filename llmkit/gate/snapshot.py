"""A commit's suites and prompts: copied into a temporary folder as they are asked for, and loaded from there.

What is there is called ``commit:path``, as git does, in every error, origin and reason.
"""

from __future__ import annotations

import posixpath
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from llmkit.config import FILE, Settings, load_settings, project_root
from llmkit.documents import Document, parse_yaml, read_text, validate
from llmkit.errors import LlmkitError
from llmkit.gate.git import LINK, SUBMODULE, Blobs, Entry, Repository, Unreadable, lfs_oid
from llmkit.prompts import Prompt
from llmkit.samples import Source
from llmkit.suites.form import Form, form_of
from llmkit.suites.load import BUILTIN, prompt_of, shots_of
from llmkit.suites.spec import SuiteSpec
from llmkit.text import one_line

MOST_LINKS = 40
"""Symbolic links followed for one path, as Linux does (path_resolution(7))."""
CONFIGURATION = (FILE, "pyproject.toml")
T = TypeVar("T")


class BaseError(Exception):
    """Something of base's cannot be used; the message is a reason for people, with ``commit:path:line``."""


@dataclass(frozen=True)
class BaseSuite:
    """A suite file of the commit.

    Attributes:
        path: From the top of the repository.
        name: The suite's.
        spec: What it says.
        document: The file as read.
    """

    path: str
    name: str
    spec: SuiteSpec
    document: Document


class Snapshot:
    """One commit's files.

    Args:
        repository: Theirs.
        commit: The commit.
        short: What people know it as.
        blobs: Reads contents.
        folder: Where copies go; symbolic links followed.
    """

    def __init__(self, repository: Repository, commit: str, short: str, blobs: Blobs, folder: Path) -> None:
        self.short = short
        self._folder, self._blobs = folder, blobs
        self.entries = repository.tree(commit)
        self._texts: dict[str, bytes] = {}

    def find(self, path: str) -> tuple[str, Entry] | None:
        """Find a regular file, following the commit's symbolic links where they stay inside; None: there is none.

        Raises:
            Unreadable: It lies in a submodule, or a link leads out or in a circle.
        """
        todo, done, links = path.split("/")[::-1], list[str](), 0
        while todo:
            part = todo.pop()
            if part in ("", "."):
                continue
            if part == "..":
                if not done:
                    raise Unreadable("a symbolic link leads out of the repository")
                done.pop()
                continue
            here = "/".join([*done, part])
            entry = self.entries.get(here)
            if entry is None or entry.mode not in (LINK, SUBMODULE):
                done.append(part)
                continue
            links += 1
            todo += self._target(entry, links).split("/")[::-1]
        real = "/".join(done)
        return (real, self.entries[real]) if real in self.entries else None

    def _target(self, entry: Entry, links: int) -> str:
        if entry.mode == SUBMODULE:
            raise Unreadable("it lies in a submodule, whose files are not compared")
        target = self._blobs.read(entry.oid, 4096).decode("utf-8", "surrogateescape")
        if target.startswith("/"):
            raise Unreadable("a symbolic link leads out of the repository")
        if links > MOST_LINKS:
            raise Unreadable("symbolic links lead in a circle")
        return target

    def read(self, path: str) -> bytes | None:
        """Return a file's content; None where there is no such file.

        Raises:
            Unreadable: It cannot be had.
        """
        found = self.find(path)
        if found is None:
            return None
        real, entry = found
        if real not in self._texts:
            self._texts[real] = self._blobs.read(entry.oid)
        return self._texts[real]

    def called(self, path: str | Path) -> Path:
        """``commit:path``; of a file that is no copy, the file."""
        if isinstance(path, Path):
            if not path.is_relative_to(self._folder):
                return path
            path = path.relative_to(self._folder).as_posix()
        return Path(f"{self.short}:{posixpath.normpath(path)}")

    def settings(self, start: str, environment: Mapping[str, str]) -> Settings:
        """Return what held for a folder of the commit.

        Raises:
            BaseError: Its configuration is wrong.
        """

        def load() -> Settings:
            self._copy_configuration(start)
            found = load_settings(self._folder / start, environment)
            if found.document is None or found.document.path is None:
                return found
            document = replace(found.document, path=self.called(found.document.path))
            origin = document.where("model") if found.model_origin not in (None, "LLMKIT_MODEL") else found.model_origin
            return replace(found, document=document, path=document.path, model_origin=origin)

        return self._attempt("configuration", start + "/" if start else "", load)

    def suite(self, path: str) -> BaseSuite | None:
        """Load a suite file without what it names; None where there is none, or one that only lists others.

        Raises:
            BaseError: It is wrong.
        """

        def load() -> BaseSuite | None:
            if not self._copy(path):
                return None
            document = parse_yaml(read_text(self._folder / path), path=self.called(path))
            spec = validate(SuiteSpec, document)
            if spec.suites is not None:
                return None
            return BaseSuite(path, spec.name or Path(path).stem, spec, document)

        return self._attempt("suite", path, load)

    def prompt(self, suite: BaseSuite) -> Prompt:
        """Load what a suite asked.

        Raises:
            BaseError: It is wrong, or not there.
        """

        def load() -> Prompt:
            folder = posixpath.dirname(suite.path)
            self._copy_configuration(folder)
            named = prompt_path(suite.spec, suite.path)
            if named is not None:
                self._copy_with_what_it_names(named)
            (self._folder / folder).mkdir(parents=True, exist_ok=True)
            root = project_root(self._folder / folder)
            file = self._folder / suite.path
            return prompt_of(suite.document, suite.spec, file, [root] if root else [], named=self.called)

        return self._attempt("prompt", prompt_path(suite.spec, suite.path) or suite.path, load)

    def form(self, suite: BaseSuite, prompt: Prompt) -> Form | None:
        """Load the form that a suite's answers had to have.

        Raises:
            BaseError: It is wrong, or a file of it is not there.
        """

        def load() -> Form | None:
            folder = posixpath.dirname(suite.path)
            self._copy_configuration(folder)
            for path in form_paths(suite.spec, suite.path):
                self._copy_with_what_it_names(path)
            (self._folder / folder).mkdir(parents=True, exist_ok=True)
            root = project_root(self._folder / folder)
            roots = (root,) if root else ()
            return form_of(suite.spec, prompt, folder=self._folder / folder, roots=roots, document=suite.document)

        return self._attempt("form", suite.path, load)

    def shots(self, suite: BaseSuite) -> Source | None:
        """Open the file or data set that a suite's examples came from; None: its own rows.

        Raises:
            BaseError: It is not there.
        """

        def load() -> Source | None:
            folder = posixpath.dirname(suite.path)
            self._copy_configuration(folder)
            (self._folder / folder).mkdir(parents=True, exist_ok=True)
            named = None if suite.spec.few_shot is None else suite.spec.few_shot.data
            if isinstance(named, str):
                self._copy(posixpath.normpath(posixpath.join(folder, named)))
            root = project_root(self._folder / folder)
            return shots_of(suite.document, suite.spec, self._folder / suite.path, [root] if root else [])

        return self._attempt("examples", suite.path, load)

    def _copy_with_what_it_names(self, path: str) -> None:
        """Copy a prompt and, of the files below its folder, those whose names stand in it, and so on."""
        if not self._copy(path):
            return
        folder = posixpath.dirname(path)
        below = f"{folder}/" if folder else ""
        near = [each for each in self.entries if each.startswith(below) and each != path]
        todo = [path]
        while todo:
            text = self.read(todo.pop()) or b""
            named = [each for each in near if posixpath.basename(each).encode("utf-8", "surrogateescape") in text]
            near = [each for each in near if each not in set(named)]
            for each in named:
                try:
                    todo += [each] if self._copy(each) else []
                except (Unreadable, OSError):  # it may stand there as a word only; where not, loading will miss it
                    continue

    def _copy_configuration(self, folder: str) -> None:
        parts = folder.split("/") if folder else []
        for depth in range(len(parts) + 1):
            for name in CONFIGURATION:
                self._copy("/".join([*parts[:depth], name]))

    def _copy(self, path: str) -> bool:
        """Copy a file; False where there is none, or its name would lead out of the folder."""
        parts = path.split("/")
        if any(part in ("", ".", "..") or part.lower() == ".git" or "\\" in part for part in parts):
            return False
        content = self.read(path)
        if content is None:
            return False
        if lfs_oid(content) is not None:
            raise Unreadable("its content is in Git LFS, and the commit holds a pointer alone")
        copy = self._folder.joinpath(*parts)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(content)
        return True

    def _attempt(self, what: str, path: str, load: Callable[[], T]) -> T:
        try:
            return load()
        except Unreadable as error:
            raise BaseError(f"base's {what} cannot be read: {one_line(f'{self.called(path)}: {error}')}") from None
        except LlmkitError as error:
            raise BaseError(f"base's {what} cannot be read: {self._told(str(error))}") from None
        except (OSError, ValueError) as error:  # a name that this system cannot hold
            reason = getattr(error, "strerror", None) or type(error).__name__
            raise BaseError(f"base's {what} cannot be read: {one_line(f'{self.called(path)}: {reason}')}") from None

    def _told(self, text: str) -> str:
        """Call copies in an error's text what people know them as."""
        copy = re.compile(re.escape(str(self._folder)) + r"/?([^:'\"\s]*)")
        return one_line(copy.sub(lambda match: str(self.called(match[1])), text))


@contextmanager
def snapshot(repository: Repository, commit: str, short: str) -> Iterator[Snapshot]:
    """Look into a commit; its copies are removed at the end."""
    with tempfile.TemporaryDirectory(prefix="llmkit-base-") as temporary, repository.blobs() as blobs:
        folder = Path(temporary).resolve()
        (folder / ".git").mkdir()  # where looking for a configuration upwards ends
        yield Snapshot(repository, commit, short, blobs, folder)


def form_paths(spec: SuiteSpec, path: str) -> list[str]:
    """Return the paths from the top that a suite's format may mean: ``json:schema.json``, ``{xml: spec.yaml}``."""
    said = [spec.format.partition(":")[2]] if isinstance(spec.format, str) else (spec.format or {}).values()
    folder = posixpath.dirname(path)
    return [posixpath.normpath(posixpath.join(folder, text)) for text in said if isinstance(text, str) and text]


def prompt_path(spec: SuiteSpec, path: str) -> str | None:
    """Return the prompt file's path from the top; None for messages, and for prompts that come with llmkit."""
    if spec.prompt is None or spec.prompt.startswith(BUILTIN):
        return None
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), spec.prompt))
