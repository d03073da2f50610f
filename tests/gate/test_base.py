"""Which commit is the base, and what is said where there is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from llmkit.errors import UnknownNameError, UsageError
from tests.gate.repository import Repo, needs_git

pytestmark = needs_git


@pytest.fixture
def clone(repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    """Clone the repository, with options of ``git clone``."""

    def clone(*options: str) -> Repo:
        target = tmp_path / "clone"
        repo.git("clone", "-q", *options, repo.top.resolve().as_uri(), str(target))
        monkeypatch.chdir(target)
        return Repo(target, monkeypatch)

    return clone


def test_a_base_is_the_merge_base_not_the_branchs_tip(repo: Repo) -> None:
    start = repo.git("rev-parse", "HEAD")
    repo.git("checkout", "-q", "main")
    repo.edit("prompts/add.prompty", "Add", "Main went on")
    tip = repo.commit()
    repo.git("checkout", "-q", "change")
    diff = repo.diff("main")
    assert diff.base_commit == start != tip
    assert diff.base == f"main (merge base {start[:7]}; --base)"
    assert diff.untouched == ("sums",)


def test_a_clean_tree_at_the_base_itself_is_compared_with_nothing_and_says_so(repo: Repo) -> None:
    (note,) = repo.diff("main").notes
    assert note.startswith(f"HEAD ({repo.git('rev-parse', 'HEAD')[:7]}) is the base itself")
    repo.edit("prompts/add.prompty", "Add", "Sum")
    assert repo.diff("main").notes == ()
    repo.commit()
    assert repo.diff("main").notes == ()


def test_the_base_of_the_command_line_goes_before_all(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    repo.write({"llmkit.toml": '[gate]\nbase = "nonesuch"\n'})
    monkeypatch.setenv("GITHUB_BASE_REF", "nonesuch")
    assert "--base" in repo.diff("main").base


def test_the_configurations_base_goes_before_what_ci_says(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    repo.write({"llmkit.toml": '[gate]\nbase = "main"\n'})
    monkeypatch.setenv("GITHUB_BASE_REF", "nonesuch")
    assert repo.diff().base.endswith("llmkit.toml:2)")


@pytest.mark.parametrize("variable", ["GITHUB_BASE_REF", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME"])
def test_ci_names_the_branch_of_its_remote(clone, variable: str, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    there = clone("--branch", "change")
    monkeypatch.setenv(variable, "main")
    there.edit("prompts/add.prompty", "Add", "Sum")
    diff = there.diff()
    assert diff.base.startswith("origin/main (merge base ")
    assert diff.base.endswith(f"; {variable})")
    assert len(diff.reached) == 1


def test_a_merge_requests_base_commit_serves_where_its_target_is_not_fetched(
    clone, repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:  # type: ignore[no-untyped-def]
    commit = repo.git("rev-parse", "main")
    there = clone("--branch", "change", "--single-branch")
    monkeypatch.setenv("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "main")
    with pytest.raises(UnknownNameError, match="unknown branch, tag or commit 'origin/main'"):
        there.diff()
    monkeypatch.setenv("CI_MERGE_REQUEST_DIFF_BASE_SHA", commit)
    assert there.diff().base_commit == commit


def test_without_a_word_it_is_the_remotes_default_branch(clone) -> None:  # type: ignore[no-untyped-def]
    there = clone()
    assert there.git("symbolic-ref", "refs/remotes/origin/HEAD") == "refs/remotes/origin/change"
    assert there.diff().base.startswith("origin/HEAD (")


@pytest.mark.parametrize("branch", ["main", "master"])
def test_without_a_remote_it_is_the_usual_branch(repo: Repo, branch: str) -> None:
    repo.git("branch", "-m", "main", branch)
    assert repo.diff().base.startswith(f"{branch} (")


def test_a_branch_that_only_the_remote_has_is_found_there(clone) -> None:  # type: ignore[no-untyped-def]
    there = clone("--branch", "change")
    assert there.diff("main").base.startswith("origin/main (")


def test_a_clean_tree_at_its_base_differs_in_nothing(repo: Repo) -> None:
    repo.git("checkout", "-q", "main")
    diff = repo.diff()
    assert (diff.reached, diff.untouched) == ((), ("sums",))
    assert diff.head == f"working tree at {repo.git('rev-parse', '--short', 'HEAD')}"


def test_uncommitted_changes_at_the_base_itself_count(repo: Repo) -> None:
    repo.git("checkout", "-q", "main")
    repo.edit("prompts/add.prompty", "Add", "Sum")
    diff = repo.diff()
    assert diff.head.endswith(", with uncommitted changes")
    assert len(diff.reached) == 1


def test_an_unknown_base_offers_the_nearest_branch_or_tag(repo: Repo) -> None:
    repo.git("tag", "release-1")
    with pytest.raises(UnknownNameError, match=r"--base: unknown branch, tag or commit 'mian'. Did you mean 'main'\?"):
        repo.diff("mian")
    with pytest.raises(UnknownNameError, match="Did you mean 'release-1'"):
        repo.diff("relase-1")


def test_a_repository_without_a_usual_branch_asks_for_one(repo: Repo) -> None:
    repo.git("branch", "-D", "main")
    with pytest.raises(UsageError, match=r"no branch to compare with.*Name one with --base"):
        repo.diff()


def test_histories_without_a_common_commit_are_no_comparison(repo: Repo) -> None:
    repo.git("checkout", "-q", "--orphan", "alone")
    repo.commit("alone")
    with pytest.raises(UsageError, match="HEAD and main have no history in common"):
        repo.diff("main")


FETCH = r"fetch-depth: 0.*GIT_DEPTH: 0"
SHALLOW = rf"shallow clone.*{FETCH}"


@pytest.mark.parametrize("base", [None, "main", "HEAD~1"])
def test_a_shallow_clone_without_the_branch_says_how_to_fetch_it(clone, repo: Repo, base: str | None) -> None:  # type: ignore[no-untyped-def]
    repo.commit("second")
    repo.git("checkout", "-q", "main")  # the remote's default branch, which the clone then does not have
    there = clone("--depth", "1", "--branch", "change")
    with pytest.raises(UsageError, match=SHALLOW):
        there.diff(base)


def test_a_shallow_clone_in_ci_says_which_branch_it_lacks(clone, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    there = clone("--depth", "1", "--branch", "change")
    monkeypatch.setenv("GITHUB_BASE_REF", "main")
    with pytest.raises(UsageError, match=rf"GITHUB_BASE_REF: .*'origin/main'.*{FETCH}"):
        there.diff()


def test_a_shallow_clone_without_the_merge_base_says_how_to_fetch_it(clone, repo: Repo) -> None:  # type: ignore[no-untyped-def]
    for branch in ("main", "change"):
        repo.git("checkout", "-q", branch)
        repo.write({f"{branch}.txt": branch})
        repo.commit()
    there = clone("--depth", "1", "--no-single-branch")
    with pytest.raises(UsageError, match=rf"without the merge base of HEAD and origin/main.*{FETCH}"):
        there.diff("origin/main")
    there.git("fetch", "-q", "--unshallow")
    assert there.diff("origin/main").base_commit == repo.git("merge-base", "main", "change")
