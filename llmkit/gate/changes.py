"""What changed: which gated suites a change reaches, each with both sides loaded."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from llmkit.config import Settings, resolve_params
from llmkit.errors import UsageError
from llmkit.gate.asking import example_changes, form_changes, likelihood_changes, model_changes, prompt_changes
from llmkit.gate.base import find_base
from llmkit.gate.definition import data_changes, data_path, scoring_changes, suite_changes
from llmkit.gate.discover import Matches, gated_suites
from llmkit.gate.git import Repository, is_pointer, open_repository
from llmkit.gate.judge_files import JUDGES, judge_changes
from llmkit.gate.option_files import file_changes, with_base_files
from llmkit.gate.sides import Files, Side
from llmkit.gate.snapshot import BaseError, BaseSuite, prompt_path, snapshot
from llmkit.providers.base import ModelRef
from llmkit.runs.models import choose
from llmkit.runs.plan import git_commit
from llmkit.suites import Suite
from llmkit.text import one_line
from llmkit.verdicts import Change


@dataclass(frozen=True)
class Reached:
    """One gated suite for which something differs.

    Attributes:
        suite: Head's, from the working tree.
        base: The same with base's prompt in it: data, map, scorers, slices and margins are head's, since both sides
            are asked the same rows and scored alike. None: there is nothing to compare with.
        base_model: Who base asked; None where there is no base.
        head_model: Who head asks; None where none is named, which is no error as long as nothing is asked otherwise.
        base_origins: What set base's model and each parameter, for people.
        head_origins: What set head's.
        changes: All that differs.
        reason: Why there is no base.
    """

    suite: Suite
    base: Suite | None
    base_model: ModelRef | None
    head_model: ModelRef | None
    base_origins: Mapping[str, str] = field(default_factory=dict)
    head_origins: Mapping[str, str] = field(default_factory=dict)
    changes: tuple[Change, ...] = ()
    reason: str | None = None

    @property
    def asks(self) -> bool:
        """Whether the model may be asked something else than at base."""
        return any(change.asks for change in self.changes)


@dataclass(frozen=True)
class Diff:
    """Head against base.

    Attributes:
        base: For people: ``origin/main (merge base 3f9c2a1; GITHUB_BASE_REF)``.
        base_commit: The merge base.
        head: For people: ``working tree at 81bd0c2, with uncommitted changes``.
        reached: The suites for which something differs.
        untouched: Names of the other gated suites.
        notes: Further lines for people.
    """

    base: str
    base_commit: str
    head: str
    reached: tuple[Reached, ...]
    untouched: tuple[str, ...]
    notes: tuple[str, ...] = ()


@contextmanager
def changed(
    settings: Settings,
    *,
    base: str | None = None,
    suites: Sequence[str] | None = None,
    model: str | None = None,
    params: Mapping[str, Any] | None = None,
) -> Iterator[Diff]:
    """Compare the working tree with the merge base; copies of base's files are removed at the end of the block.

    Args:
        settings: The project's, as the working tree has them.
        base: The branch, tag or commit that the change shall go into; None: found (``find_base``).
        suites: Names or paths; empty: those of the configuration, else all of the project that have ``gate:``.
        model: Replaces the model on both sides, so that a change of it in files is not seen.
        params: ``-M`` pairs, for both sides.

    Raises:
        UsageError: No repository, no base, or no suite that is gated.
        DocumentError: A suite of the working tree is wrong. What is wrong at base is a suite's ``reason``.
    """
    repository = open_repository(settings.root)
    against = find_base(repository, base, settings, os.environ)
    tracked, untracked = repository.tracked(), repository.untracked()
    found = gated_suites(settings, repository, suites or (), [*tracked, *untracked])
    heads = {_inside(repository, suite): suite for suite in found.suites}
    with snapshot(repository, against.commit, against.short) as there:
        files = Files(repository, there)
        matches = Matches(there, repository)
        matched = matches.match(heads.items())
        judges = _judges(files, [*tracked, *untracked])
        compare = _Comparison(settings, files, model, params or {}, judges)
        each = [compare.reached(suite, path, matched[path]) for path, suite in heads.items()]
        gone = matches.gone(heads) if found.searched else []
        loose = _uncommitted(repository, heads, untracked)
        nothing = [] if loose or judges else against.notes(repository)
        yield Diff(
            base=str(against),
            base_commit=against.commit,
            head=f"working tree at {repository.short('HEAD')}{loose}",
            reached=tuple(one for one in each if one.changes),
            untouched=tuple(one.suite.name for one in each if not one.changes),
            notes=(*nothing, *found.notes, *map(one_line, gone), *compare.notes()),
        )


class _Comparison:
    """Compares suites one by one.

    Args:
        settings: Head's.
        files: Both sides'.
        model: Replaces the model on both sides.
        params: For both sides.
        judges: Judge files that changed.
    """

    def __init__(
        self, settings: Settings, files: Files, model: str | None, params: Mapping[str, Any], judges: Sequence[str]
    ) -> None:
        self._settings, self._files, self._model, self._params = settings, files, model, params
        self._judges, self._named_judges = judges, set[str]()
        self._notes: list[str] = []

    def reached(self, suite: Suite, path: str, base: BaseSuite | BaseError | None) -> Reached:
        """Return one suite with all that differs; nothing differs where it has no changes."""
        head, error = self._head(suite, path)
        if base is None:
            reason = f"new suite: base has none called {suite.name!r}"
            return self._alone(head, error, Change("suite", "added", path, reason), reason)
        if isinstance(base, BaseError):
            return self._alone(head, error, Change("suite", "changed", path, str(base)), str(base))
        try:
            there = self._base(suite, base)
        except BaseError as problem:
            where = head.prompt or path
            return self._alone(head, error, Change("prompt", "changed", where, str(problem)), str(problem))
        try:
            base_model = with_base_files(there, self._files)
        except BaseError as problem:
            return self._alone(head, error, Change("params", "changed", None, str(problem)), str(problem))
        changes = tuple(self._changes(head, there, base.name))
        if error is not None and (there.model is not None or any(change.asks for change in changes)):
            raise error
        asked = {name: getattr(there.suite.spec, name) for name in ("few_shot", "likelihood")}
        spec = suite.spec.model_copy(update=asked)
        over = replace(suite, prompt=there.suite.prompt, form=there.suite.form, spec=spec, shots=there.suite.shots)
        return Reached(suite, over, base_model, head.model, there.origins, head.origins, changes)

    def notes(self) -> list[str]:
        """What people should know beside the changes."""
        unnamed = [path for path in self._judges if path not in self._named_judges]
        said = [f"{path} changed, and no gated suite's scorers name it" for path in unnamed]
        return [one_line(note) for note in dict.fromkeys([*self._notes, *said])]

    def _alone(self, head: Side, error: UsageError | None, change: Change, reason: str) -> Reached:
        if error is not None:
            raise error
        return Reached(head.suite, None, None, head.model, {}, head.origins, (change,), reason)

    def _head(self, suite: Suite, path: str) -> tuple[Side, UsageError | None]:
        prompt = prompt_path(suite.spec, path)
        data = data_path(suite.spec, path)
        if data is not None and is_pointer(self._files.head(data)):
            self._notes.append(f"{data} is a pointer of Git LFS, not the rows: run git lfs pull")
        try:
            model, origins = choose(suite, self._model, self._params, self._settings)
        except UsageError as error:
            return Side(suite, path, prompt, None, self._settings), error
        return Side(suite, path, prompt, model, self._settings, origins), None

    def _base(self, suite: Suite, base: BaseSuite) -> Side:
        there = self._files.snapshot
        prompt = there.prompt(base)
        called = there.called(base.path)
        own = replace(
            suite, name=base.name, path=called, spec=base.spec, prompt=prompt, document=base.document,
            form=there.form(base, prompt), shots=there.shots(base),
        )  # fmt: skip
        settings = self._base_settings_for(own)
        path = prompt_path(base.spec, base.path)
        try:
            model, origins = choose(own, self._model, self._params, settings)
        except UsageError as error:
            if self._nothing_names_a_model(own, settings):
                return Side(own, base.path, path, None, settings)
            raise BaseError(one_line(f"base's model cannot be told: {error}")) from None
        return Side(own, base.path, path, model, settings, origins)

    def _nothing_names_a_model(self, suite: Suite, settings: Settings) -> bool:
        return not (self._model or suite.model or suite.prompt.model or settings.model)

    @cached_property
    def _base_settings(self) -> Settings | BaseError:
        here = self._settings
        repository, cwd = self._files.repository, Path.cwd().resolve()
        start = repository.path_of(cwd if cwd.is_relative_to(here.root.resolve()) else here.root) or ""
        environment = {"LLMKIT_MODEL": here.model} if here.model and here.model_origin == "LLMKIT_MODEL" else {}
        try:
            return self._files.snapshot.settings("" if start == "." else start, environment)
        except BaseError as error:
            return error

    def _base_settings_for(self, suite: Suite) -> Settings:
        """Return base's configuration; where it is broken, an empty one for suites that do without."""
        found = self._base_settings
        if isinstance(found, Settings):
            return found
        here = self._settings
        named = self._model or suite.model or suite.prompt.model
        if here.model_origin == "LLMKIT_MODEL":
            named = named or here.model
        if named is None or "/" not in named or resolve_params({}, {}, {}, here, named)[0]:
            raise found
        self._notes.append(f"{found}; {suite.name!r} needs nothing of it")
        return Settings(root=here.root, model=named if named == here.model else None, model_origin=here.model_origin)

    def _changes(self, head: Side, base: Side, base_name: str) -> Iterator[Change]:
        files = self._files
        yield from prompt_changes(head, base, files)
        yield from example_changes(head, base, files)
        yield from likelihood_changes(head, base, files)
        yield from form_changes(head, base, files)
        yield from model_changes(head, base, files)
        yield from file_changes(head, base, files)
        yield from data_changes(head, base, files)
        yield from scoring_changes(head, base, files)
        for change in judge_changes(head, files):
            self._named_judges.add(change.path or "")
            yield change
        yield from suite_changes(head, base, base_name, files)


def _inside(repository: Repository, suite: Suite) -> str:
    path = repository.path_of(suite.path) if suite.path else None
    if path is None:
        raise UsageError(
            "this suite lies outside of the git repository, so that nothing can be said of what it was",
            where=str(suite.path or suite.name),
            hint="Give what to compare with by --baseline",
        )
    return path


def _judges(files: Files, here: Sequence[str]) -> tuple[str, ...]:
    """Return the judge files that differ."""
    below = f"{files.repository.prefix}{JUDGES}"
    paths = {path for path in (*here, *files.snapshot.entries) if path.startswith(below)}
    return tuple(sorted(path for path in paths if files.differs(path) is not None))


def _uncommitted(repository: Repository, heads: Mapping[str, Suite], untracked: Sequence[str]) -> str:
    """Say whether the working tree is more than its commit; nothing where it is not."""
    said = git_commit(repository.top) or "HEAD"
    loose = set(untracked)
    used = {
        *heads,
        *(prompt_path(suite.spec, path) for path, suite in heads.items()),
        *(data_path(suite.spec, path) for path, suite in heads.items()),
    }
    if said.endswith("+dirty") or not loose.isdisjoint(used):
        return ", with uncommitted changes"
    if said.endswith("+unknown"):
        return "; whether there are uncommitted changes is not asked, as this repository sets filters of its own"
    return ""
