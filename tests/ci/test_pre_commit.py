"""The pre-commit hooks: they are what pre-commit says hooks are, and run as such."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.ci.shells import ROOT
from tests.gate.repository import Repo, needs_git

MANIFEST = ROOT / ".pre-commit-hooks.yaml"
HOOKS = {hook["id"]: hook for hook in yaml.safe_load(MANIFEST.read_text("utf-8"))}


def test_it_is_what_pre_commit_says_hooks_are():
    clientlib = pytest.importorskip("pre_commit.clientlib")
    assert {hook["id"] for hook in clientlib.load_manifest(str(MANIFEST))} == set(HOOKS)


GATES = {name: hook for name, hook in HOOKS.items() if name.startswith("llmkit-gate")}


@pytest.mark.parametrize("hook", GATES.values(), ids=GATES)
@pytest.mark.parametrize(
    ("path", "watched"),
    [
        ("prompts/add.prompty", True),
        ("suites/sums.yaml", True),
        ("suites/data/sums.jsonl", True),
        ("judges/tone.lock", True),
        ("judges/guidelines/tone.md", True),
        ("llmkit.toml", True),
        ("sub/llmkit.toml", True),
        ("pyproject.toml", False),
        ("src/app.py", False),
    ],
)
def test_what_a_gate_reads_starts_it_and_nothing_else(hook, path, watched):
    assert bool(re.search(hook["files"], path)) is watched


@pytest.mark.parametrize(
    ("path", "watched"),
    [
        ("judges/tone.yaml", True),
        ("judges/tone.lock", True),
        ("prompts/tone.prompty", True),
        ("suites/sums.yaml", False),
    ],
)
def test_what_a_lock_binds_starts_the_check_of_judges(path, watched):
    assert bool(re.search(HOOKS["llmkit-judge-check"]["files"], path)) is watched


def test_the_project_is_gated_as_a_whole_once():
    assert all(hook["pass_filenames"] is False and hook["require_serial"] is True for hook in HOOKS.values())


def test_a_commit_makes_no_call():
    for hook in HOOKS.values():
        free = "--offline" in hook["entry"] or hook["entry"] == "llmkit judge check"
        assert "pre-commit" not in hook["stages"] or free


@needs_git
@pytest.mark.parametrize(("hook", "stage"), [("llmkit-gate", "pre-push"), ("llmkit-gate-offline", "pre-commit")])
def test_pre_commit_runs_them(hook, stage, tmp_path, monkeypatch):
    """With the llmkit that is installed here, so that no network is needed."""
    pytest.importorskip("pre_commit")
    hooks = Repo(tmp_path / "hooks", monkeypatch)
    hooks.start({".pre-commit-hooks.yaml": MANIFEST.read_text("utf-8").replace("language: python", "language: system")})
    project = Repo(tmp_path / "project", monkeypatch).start()
    project.write({"other.yaml": "a: 1\n"})
    project.commit()
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PRE_COMMIT_HOME": str(tmp_path / "home"),
    }
    command = [
        sys.executable,
        "-m",
        "pre_commit",
        "try-repo",
        str(hooks.top),
        hook,
        "--all-files",
        "--hook-stage",
        stage,
    ]
    said = subprocess.run(command, cwd=project.top, env=environment, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stdout + said.stderr
    assert "Passed" in said.stdout
    assert "PASS: nothing that differs reaches a gated suite (sums); no call was made (exit 0)" in said.stdout


def test_pip_can_install_what_the_hooks_start():
    assert shutil.which("llmkit", path=str(Path(sys.executable).parent)), "llmkit's entry point is not installed"
