"""Which commit a change is compared with: the merge base of HEAD and the branch that it shall go into."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from llmkit.config import Settings
from llmkit.errors import UnknownNameError, UsageError
from llmkit.gate.git import FETCH, WITHOUT_GIT, Repository

USUAL = ("main", "master")
REMOTE = "origin"


@dataclass(frozen=True, slots=True)
class Base:
    """A commit to compare with.

    Attributes:
        name: The branch, tag or commit that was named or found.
        why: What named it: ``--base``, ``llmkit.toml:3``, a variable of CI, ….
        commit: The merge base of it and HEAD.
        short: The shortest form of that.
    """

    name: str
    why: str
    commit: str
    short: str

    def __str__(self) -> str:
        """For people."""
        return f"{self.name} (merge base {self.short}; {self.why})"

    def notes(self, repository: Repository) -> list[str]:
        """What to say of a working tree that is its commit: a push to the base's own branch is compared with itself."""
        if repository.commit("HEAD") != self.commit:
            return []
        return [f"HEAD ({self.short}) is the base itself, and nothing is uncommitted: nothing is there to compare"]


def find_base(repository: Repository, asked: str | None, settings: Settings, environment: Mapping[str, str]) -> Base:
    """Find what to compare with.

    ``--base`` goes before ``[gate] base`` of the configuration, that before what CI says (``GITHUB_BASE_REF``,
    ``CI_MERGE_REQUEST_TARGET_BRANCH_NAME``), and that before the remote's default branch, ``main`` and ``master``.

    Raises:
        UnknownNameError: No such branch, tag or commit.
        UsageError: None can be found, it has no history in common with HEAD, or a shallow clone lacks that.
    """
    for names, why, must in _candidates(asked, settings, environment):
        for name in names:
            if (commit := repository.commit(name)) is not None:
                return _merged(repository, name, why, commit)
        if must:
            raise _absent(repository, names[0], why)
    if repository.shallow:
        raise UsageError("this is a shallow clone, without the branch to compare with", hint=FETCH)
    raise UsageError(
        "there is no branch to compare with: neither origin's default branch nor main or master",
        hint="Name one with --base, or in llmkit.toml as [gate] base",
    )


def _candidates(
    asked: str | None, settings: Settings, environment: Mapping[str, str]
) -> Iterator[tuple[list[str], str, bool]]:
    """Yield names that mean one commit, what says so, and whether it must be there."""
    if asked is not None:
        yield [asked, f"{REMOTE}/{asked}"], "--base", True
    if settings.gate.base is not None:
        yield [settings.gate.base, f"{REMOTE}/{settings.gate.base}"], settings.where("gate", "base"), True
    if branch := environment.get("GITHUB_BASE_REF"):
        yield [f"{REMOTE}/{branch}"], "GITHUB_BASE_REF", True
    if branch := environment.get("CI_MERGE_REQUEST_TARGET_BRANCH_NAME"):
        # A merge request's pipeline fetches its own branch alone; where the target is not there, its commit may be.
        known = [commit] if (commit := environment.get("CI_MERGE_REQUEST_DIFF_BASE_SHA")) else []
        yield [f"{REMOTE}/{branch}", *known], "CI_MERGE_REQUEST_TARGET_BRANCH_NAME", True
    yield [f"{REMOTE}/HEAD"], "the remote's default branch", False
    for branch in USUAL:
        yield [f"{REMOTE}/{branch}"], "the remote's usual branch", False
    for branch in USUAL:
        yield [branch], "the usual branch", False


def _merged(repository: Repository, name: str, why: str, commit: str) -> Base:
    merged = repository.merge_base(commit, "HEAD")
    if merged is not None:
        return Base(name, why, merged, repository.short(merged))
    if repository.shallow:
        raise UsageError(f"this is a shallow clone, without the merge base of HEAD and {name}", where=why, hint=FETCH)
    raise UsageError(f"HEAD and {name} have no history in common", where=why, hint=WITHOUT_GIT)


def _absent(repository: Repository, name: str, why: str) -> UsageError:
    if repository.shallow:
        return UsageError(f"this shallow clone has no {name!r} to compare with", where=why, hint=FETCH)
    return UnknownNameError("branch, tag or commit", name, repository.branches_and_tags(), where=why)
