"""Which suites are gated, and which of base's suite each of them was."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from llmkit.config import Settings
from llmkit.documents import MAX_BYTES, parse_yaml
from llmkit.errors import DocumentError, UsageError
from llmkit.gate.git import Repository, Unreadable
from llmkit.gate.judging import sound_locks
from llmkit.gate.lines import lines_of
from llmkit.gate.snapshot import BaseError, BaseSuite, Snapshot
from llmkit.suites import Suite, builtin_suites, load_suites
from llmkit.suites.gating import span_of
from llmkit.suites.load import check_suite_names

ENDINGS = (".yaml", ".yml")
SIMILAR = 0.5
"""From here on a file is another one renamed: git's own default (git-diff(1), --find-renames)."""

_BRACES = re.compile(rb"(?:\xef\xbb\xbf)?(?:\s|[#%][^\n]*\n|---)*\{")
_OWN = frozenset({"data", "map", "messages", "prompt", "scorers"})
"""A file with ``gate:`` and none of these is of another tool: a pipeline may have a job called ``gate``."""


@dataclass(frozen=True)
class Found:
    """The suites to gate.

    Attributes:
        suites: Each with ``gate:``; their names differ.
        searched: Whether the project was searched, and none were named.
        notes: For people.
    """

    suites: tuple[Suite, ...]
    searched: bool
    notes: tuple[str, ...] = ()


def gated_suites(settings: Settings, repository: Repository, named: Sequence[str], files: Iterable[str]) -> Found:
    """Load the gated suites: those named, else those of the configuration, else all of the project's.

    Args:
        settings: The project's.
        repository: Whose working tree they lie in.
        named: Suites by name or path, from the current folder on.
        files: The project's files that git tracks or does not ignore, from the top on.

    Raises:
        DocumentError: A suite is wrong, or one that was named has no ``gate:``.
        UnsoundLockError: A judge's lock cannot be relied on.
        UsageError: There is none.
    """
    listed = list(named) or [_from_root(settings, each) for each in settings.gate.suites or ()]
    refs = listed or list(_search(repository, files))
    suites: dict[Path | str, Suite] = {}
    notes = []
    for ref in dict.fromkeys(refs):
        with sound_locks():
            of = load_suites(ref)
        gated = [suite for suite in of if suite.spec.gate]
        if variant := next((suite for suite in gated if suite.variant is not None), None):
            raise UsageError(
                f"the suite {variant.name!r} is a variant, and variants are not compared with a commit",
                where=str(variant.path),
                hint="Give its answers with --baseline, or write it as a suite of its own",
            )
        if not gated:
            raise _ungated(of[0])
        notes += [f"suite {suite.name!r} of {ref} has no gate: and is not gated" for suite in of if not suite.spec.gate]
        suites |= {suite.path.resolve() if suite.path else suite.name: suite for suite in gated}
    if not suites:
        raise UsageError(
            "no suite of this project has a gating metric",
            where=str(settings.path or settings.root),
            hint="Add a line to a suite, such as gate: {exact_match: {max_drop: 0.02}}",
        )
    check_suite_names(suites.values())
    return Found(tuple(suites.values()), not listed, tuple(notes))


def _from_root(settings: Settings, ref: str) -> str:
    return ref if ref in builtin_suites() else str(_shown(settings.root / ref))


def _shown(path: Path) -> Path:
    """Shorten to what a user in the current folder would type."""
    try:
        return path.relative_to(Path.cwd())
    except ValueError:
        return path


def _ungated(suite: Suite) -> DocumentError:
    scorer = suite.scorers[0]
    margin = f"{'max_drop' if scorer.higher_is_better else 'max_rise'}: {0.02 * span_of(scorer):g}"
    return DocumentError(
        f"the suite {suite.name!r} has no gating metric",
        where=str(suite.path) if suite.path else None,
        hint=f"Add a line to it, such as gate: {{{scorer.name}: {{{margin}}}}}",
    )


def _search(repository: Repository, files: Iterable[str]) -> Iterator[str]:
    """Yield the YAML files that are gated suites, or are meant to be."""
    for path in sorted(files):
        file = repository.top / path
        if not is_candidate(path) or file.is_symlink() or not file.is_file() or file.stat().st_size > MAX_BYTES:
            continue
        if is_gated(file.read_bytes()):
            yield str(_shown(file))


def is_candidate(path: str) -> bool:
    """Whether a file may be a suite by its name: hidden ones hold other tools' settings."""
    return path.endswith(ENDINGS) and not any(part.startswith(".") for part in path.split("/"))


def is_gated(content: bytes) -> bool:
    """Whether a YAML file is a gated suite, or is meant to be one."""
    if not _may_have("gate", content):
        return False
    try:
        data = parse_yaml(content.decode("utf-8-sig").replace("\r\n", "\n")).data
    except (DocumentError, UnicodeDecodeError):  # loading it will say what is wrong, if it is meant to be a suite
        return (
            re.search(rb"(?m)^gate[ \t]*:", content) is not None
            and re.search(rb"(?m)^scorers[ \t]*:", content) is not None
        )
    return "gate" in data and not _OWN.isdisjoint(data)


def _may_have(field: str, content: bytes) -> bool:
    """A cheap look before parsing: a repository may hold thousands of YAML files that are no suites."""
    line = rb"""(?m)^[ \t]*["']?%s["']?[ \t]*:""" % field.encode()
    in_braces = field.encode() in content and _BRACES.match(content) is not None
    return in_braces or re.search(line, content) is not None


@dataclass
class Matches:
    """Tells which of base's suites a head's suite was.

    Attributes:
        snapshot: Base.
        repository: Whose working tree head is.
    """

    snapshot: Snapshot
    repository: Repository
    _claimed: dict[str, Suite] = field(default_factory=dict)

    def match(self, suites: Iterable[tuple[str, Suite]]) -> dict[str, BaseSuite | BaseError | None]:
        """Return head's path → base's suite, why it cannot be read, or None where the suite is new.

        A suite is the one of its name, rather in the same file than in another; else the one in its file; else one
        whose file is gone and is similar.
        """
        todo = dict(suites)
        found: dict[str, BaseSuite | BaseError | None] = {}
        for way in (self._same, self._by_name, self._by_path, self._similar):
            for path, suite in list(todo.items()):
                one = way(path, suite)
                if one is None or (isinstance(one, BaseSuite) and one.path in self._claimed):
                    continue
                if isinstance(one, BaseSuite):
                    self._claimed[one.path] = suite
                found[path] = one
                del todo[path]
        return {**found, **dict.fromkeys(todo)}

    def gone(self, gated: Iterable[str]) -> list[str]:
        """Say which suites base gates and head, of which ``gated`` are the files, does not any more."""
        known, notes = {*gated, *self._claimed}, []
        for path in self._candidates("gate"):
            file = self.repository.top / path
            if path in known or self.repository.holds(file, self.snapshot.entries[path].oid):
                continue
            suite = self._at(path)
            if isinstance(suite, BaseSuite) and suite.spec.gate:
                what = "has no gate: any more" if file.is_file() else "is deleted"
                notes.append(f"suite {suite.name!r} ({path}) {what}, so that nothing holds a change to it")
        return notes

    def _same(self, path: str, suite: Suite) -> BaseSuite | BaseError | None:
        at = self._at(path)
        return at if isinstance(at, BaseError) or (at is not None and at.name == suite.name) else None

    def _by_name(self, _: str, suite: Suite) -> BaseSuite | None:
        return next((one for one in self._suites if one.name == suite.name and one.path not in self._claimed), None)

    def _by_path(self, path: str, _: Suite) -> BaseSuite | BaseError | None:
        return self._at(path)

    def _similar(self, path: str, _: Suite) -> BaseSuite | None:
        text = lines_of((self.repository.top / path).read_bytes())
        best: tuple[float, BaseSuite | None] = (SIMILAR, None)
        for one in self._suites:
            if one.path in self._claimed or (self.repository.top / one.path).exists():
                continue
            old = lines_of(self.snapshot.read(one.path) or b"")
            ratio = difflib.SequenceMatcher(None, old, text, autojunk=False).ratio()
            best = max(best, (ratio, one), key=lambda each: each[0])
        return best[1]

    def _at(self, path: str) -> BaseSuite | BaseError | None:
        try:
            return self.snapshot.suite(path)
        except BaseError as error:
            return error

    @cached_property
    def _suites(self) -> list[BaseSuite]:
        """Base's suites in the project's folder; broken ones are told where they are asked for by path."""
        return [one for path in self._candidates("scorers") if isinstance(one := self._at(path), BaseSuite)]

    def _candidates(self, field: str) -> Iterator[str]:
        """Yield base's files in the project's folder that may be suites with this field."""
        for path in sorted(self.snapshot.entries):
            if not path.startswith(self.repository.prefix) or not is_candidate(path):
                continue
            try:
                content = self.snapshot.read(path)
            except Unreadable:
                continue
            if content is not None and _may_have(field, content):
                yield path
