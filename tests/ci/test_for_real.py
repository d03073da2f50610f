"""The action's gate step in a real repository with the real llmkit, as GitHub's runner starts it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.ci.shells import needs_bash
from tests.ci.test_action import SCRIPTS, STEPS
from tests.gate.repository import Repo, needs_git

pytestmark = [needs_git, needs_bash]

SUITE = """\
version: 1
name: words
data: words.jsonl
map: {id: id, target: word}
prompt: ../prompts/say.prompty
scorers: [exact_match]
gate: {exact_match: {max_drop: 0.1}}
model: scripted/echo
"""
PROMPT = "---\nname: say\n---\nuser:\n{{word}}\n"
FILES = {
    "llmkit.toml": "",
    ".gitignore": ".llmkit\n",
    "suites/words.yaml": SUITE,
    "suites/words.jsonl": "".join(json.dumps({"id": f"w{n}", "word": f"word {n}"}) + "\n" for n in range(60)),
    "prompts/say.prompty": PROMPT,
}


class Step:
    """The step, in a repository whose ``main`` answers every sample rightly."""

    def __init__(self, folder, monkeypatch):
        self.folder = folder
        self.repo = Repo(folder / "repo", monkeypatch).start(FILES)

    def run(self, **inputs):
        env = STEPS["Gate"]["env"].items()
        given = {name: "" if "inputs." in value else value for name, value in env if "github." not in value}
        files = {name: str(self.folder / name.lower()) for name in ("GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT")}
        environment = {
            **os.environ,
            **given,
            **files,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "FOLDER": str(self.folder),
            "NO_SECRETS": "false",
            "OFFLINE": "auto",
            "GITHUB_ACTIONS": "true",
            "BASE": "main",
        }
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", SCRIPTS["Gate"]],
            cwd=self.repo.top,
            env={**environment, **inputs},
            capture_output=True,
            text=True,
            check=False,
        )

    def told(self):
        """Return what the step left for GitHub: its outputs and its summary."""
        pairs = (line.split("=") for line in (self.folder / "github_output").read_text().splitlines())
        return dict(pairs), (self.folder / "github_step_summary").read_text("utf-8")


@pytest.fixture
def step(tmp_path, monkeypatch):
    return Step(tmp_path, monkeypatch)


def harmful(step):
    """Run the step after an edit that changes every answer."""
    step.repo.edit("prompts/say.prompty", "{{word}}", "say {{word}}")
    return step.run()


def test_a_harmful_edit_fails_the_step_and_is_annotated_where_it_stands(step):
    said = harmful(step)
    assert said.returncode == 1, said.stderr
    errors = [line for line in said.stdout.splitlines() if line.startswith("::error")]
    where = "file=prompts/say.prompty,line=5,endLine=5,title=llmkit gate"
    assert errors[0].startswith(f"::error {where}::words: FAIL; exact_match")
    outputs, summary = step.told()
    assert outputs == {"offline": "false", "verdict": "fail", "exit-code": "1"}
    assert "### llmkit gate: FAIL" in summary
    assert "<ins>say </ins>" in summary
    assert (step.folder / "report.md").read_text("utf-8") == summary
    root = ElementTree.parse(step.folder / "junit.xml").getroot()
    assert root.get("failures") == "1"
    assert root.find(".//testcase").get("file") == "suites/words.yaml"


def test_what_answers_say_is_not_heard_as_commands(step):
    step.repo.edit("prompts/say.prompty", "{{word}}", "::error::{{word}}")
    lines = step.run().stdout.splitlines()
    token = next(line for line in lines if line.startswith("::stop-commands::")).removeprefix("::stop-commands::")
    end = lines.index(f"::{token}::")
    assert any("::error::word" in line for line in lines[:end])
    assert all(line.startswith("::error file=prompts/say.prompty") for line in lines[end + 1 :])


def test_an_equal_edit_passes(step):
    step.repo.edit("prompts/say.prompty", "user:", "system:\nSay it.\n\nuser:")
    said = step.run()
    assert said.returncode == 0, said.stdout + said.stderr
    assert step.told()[0] == {"offline": "false", "verdict": "pass", "exit-code": "0"}


def test_a_pull_request_without_secrets_lists_the_answers_that_nobody_has_asked_for(step):
    step.repo.edit("prompts/say.prompty", "{{word}}", "say {{word}}")
    said = step.run(NO_SECRETS="true")
    assert said.returncode == 3, said.stdout + said.stderr
    assert "answers are missing, and --offline makes no calls" in said.stdout
    assert step.told()[0]["verdict"] == "undecided"


def test_a_maintainers_run_fills_the_actions_own_cache_from_which_it_is_then_decided(step):
    step.repo.write({"llmkit.toml": 'store = "answers"\n'})  # a store that the project names is not asked
    assert harmful(step).returncode == 1
    assert (step.repo.top / ".llmkit").is_dir()
    assert not (step.repo.top / "answers").exists()
    said = step.run(NO_SECRETS="true")
    assert said.returncode == 1, said.stdout + said.stderr
