"""What a run is, which keys of it changed, and what it is called."""

import shutil
import subprocess

import pytest

from llmkit.providers.base import ModelRef
from llmkit.providers.registry import create
from llmkit.runs import plan as plans
from llmkit.runs.plan import Plan, about, changed_keys, git_commit, new_run_id
from llmkit.suites.load import load_suites
from tests.providers.server import Server
from tests.runs.project import answering

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")


@pytest.mark.parametrize(
    ("before", "after", "keys"),
    [
        ({}, {}, []),
        ({"a": 1}, {"a": 2}, ["a"]),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 3}}, ["a.c"]),
        ({"a": 1}, {}, ["a"]),
        ({}, {"b": {"c": 1}}, ["b"]),
        ({"a": [1, 2]}, {"a": [2, 1]}, ["a"]),
        ({"b": 1, "a": 1}, {"a": 2, "b": 2}, ["a", "b"]),
        ({"a": {"b": 1}}, {"a": 1}, ["a"]),
        ({"a": (1, 2)}, {"a": [1, 2]}, []),
        ({"a": 1}, {"a": True}, ["a"]),
    ],
)
def test_changed_keys_are_named_in_dotted_form(before, after, keys):
    assert list(changed_keys(before, after)) == keys


def test_run_ids_sort_by_time_and_name_it_in_utc():
    assert new_run_id(0.0).startswith("19700101-000000-")
    assert new_run_id(10.0) < new_run_id(11.0)


async def test_two_runs_of_one_second_never_share_an_id(project, monkeypatch):
    drawn = iter(["aaaa", "aaaa", "bbbb", "aaaa", "bbbb", "cccc"])
    monkeypatch.setattr(plans.secrets, "token_hex", lambda size: next(drawn))
    monkeypatch.setattr(plans.time, "strftime", lambda *_: "20261122-000000")
    async with Server(default=answering()) as server:
        endings = await project.run(server, [project.suite(2), project.suite(3, name="more")])
        endings += await project.run(server, project.suite(2))
    assert [e.result.run_id[-4:] for e in endings] == ["aaaa", "bbbb", "cccc"]


def plan_of(project, path=None, **how):
    (suite,) = load_suites(path or project.suite(3))
    return Plan(suite, ModelRef("openai/m", {"temperature": 0}, {"base_url": "http://127.0.0.1:9/v1"}), **how)


@pytest.mark.parametrize("change", [{"epochs": 2}, {"limit": 1}, {"seed": 1}])
def test_what_decides_the_result_is_in_the_configuration(project, change):
    identity = {"provider": "openai"}
    assert plan_of(project).config(identity) != plan_of(project, **change).config(identity)


@pytest.mark.parametrize("change", [{"origins": {"model": "-m"}}, {"rows": 3}])
def test_what_does_not_decide_the_result_is_not(project, change):
    assert plan_of(project).config({}) == plan_of(project, **change).config({})


def test_descriptions_and_comments_do_not_decide_the_result(project):
    before = plan_of(project).config({})
    path = project.suite(3, more="description: sums\n# a comment\n")
    assert plan_of(project, path).config({}) == before


@needs_git
def test_the_commit_is_named_and_changes_are_marked(project):
    def git(*words):
        who = ["-c", "user.name=n", "-c", "user.email=e@example.org"]
        subprocess.run(["git", *who, *words], cwd=project.folder, check=True, capture_output=True)

    assert git_commit(project.folder) is None
    git("init", "-q")
    project.suite(3)
    git("add", ".")
    git("commit", "-q", "-m", "first")
    commit = git_commit(project.folder)
    assert len(commit) == 40
    (project.folder / "llmkit.toml").write_text("# changed\n")
    assert git_commit(project.folder) == f"{commit}+dirty"


@needs_git
@pytest.mark.parametrize(
    "setting", ["core.fsmonitor", "core.hooksPath", "filter.x.clean", "filter.x.process", "core.pager"]
)
def test_a_repositorys_own_settings_start_no_program(project, setting):
    def git(*words):
        who = ["-c", "user.name=n", "-c", "user.email=e@example.org"]
        subprocess.run(["git", *who, *words], cwd=project.folder, check=True, capture_output=True)

    ran = project.folder / "ran"
    program = project.folder / "hooks" / "post-index-change"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\ntouch {ran}\n")
    program.chmod(0o755)
    git("init", "-q")
    (project.folder / ".gitattributes").write_text("*.toml filter=x\n")
    (project.folder / "llmkit.toml").write_text("# first\n")
    git("add", "llmkit.toml")
    git("commit", "-q", "-m", "first")
    git("config", setting, str(program.parent if setting.endswith("Path") else program))
    (project.folder / "llmkit.toml").write_text("# secnd\n")
    commit = git_commit(project.folder)
    assert not ran.exists()
    assert commit[40:] == ("+unknown" if setting.startswith("filter") else "+dirty")


def test_what_was_true_of_a_run_holds_no_secret(project):
    options = {"base_url": "http://user:hunter22@127.0.0.1:9/v1?api_key=hunter22", "api_key": "hunter22"}
    (suite,) = load_suites(project.suite(3))
    plan = Plan(suite, ModelRef("openai/m", {}, options))
    said = str(about(plan, create(ModelRef(plan.model.name, {}, {"base_url": options["base_url"]}))))
    assert "hunter22" not in said
    assert "127.0.0.1:9" in said
