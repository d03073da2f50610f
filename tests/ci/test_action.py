"""The GitHub Action: what it declares it uses, and its scripts do what they say, whatever is put into its inputs."""

import re
import subprocess

import pytest
import yaml

from tests.ci.shells import ROOT, Shell, needs_bash
from tests.gate.repository import needs_git

TEXT = (ROOT / "action.yml").read_text("utf-8")
ACTION = yaml.safe_load(TEXT)
STEPS = {step["name"]: step for step in ACTION["runs"]["steps"]}
SCRIPTS = {name: step["run"] for name, step in STEPS.items() if "run" in step}
HOSTILE = "$(touch owned)`touch owned`; touch owned #'\""


def expressions(node):
    """Return every ``${{ … }}`` and ``if:`` in a piece of the file."""
    found = re.findall(r"\$\{\{(.*?)\}\}", yaml.safe_dump(node, width=10**6))
    return found + ([node["if"]] if isinstance(node, dict) and "if" in node else [])


def gate(folder, code=0, **inputs):
    """Run the step that gates, with inputs as the runner would put them into its environment."""
    given = {name: "" for name, value in STEPS["Gate"]["env"].items() if "inputs." in value}
    environment = {"FOLDER": "/out", "NO_SECRETS": "false", "OFFLINE": "auto"}
    return Shell(folder, code).bash(SCRIPTS["Gate"], {**given, **environment, **inputs})


def test_it_is_what_github_says_an_action_is():
    schemas = pytest.importorskip("check_jsonschema.builtin_schemas")
    jsonschema = pytest.importorskip("jsonschema")
    schema = schemas.get_builtin_schema("vendor.github-actions")
    jsonschema.validators.validator_for(schema)(schema).validate(ACTION)


def test_every_input_that_is_used_is_declared_and_every_declared_one_used():
    used = {name for text in expressions(ACTION) for name in re.findall(r"inputs\.([\w-]+)", text)}
    used |= {name for step in STEPS.values() for name in re.findall(r"inputs\.([\w-]+)", step.get("if", ""))}
    assert used == set(ACTION["inputs"])


def test_every_input_says_what_it_is_and_has_a_default():
    assert all(value["description"] and "default" in value for value in ACTION["inputs"].values())


def test_every_output_of_a_step_that_is_used_is_written():
    written = {"prepare": {"folder", "key", "branch", "target"}, "gate": {"verdict", "exit-code", "offline"}}
    used = re.findall(r"steps\.([\w-]+)\.outputs\.([\w-]+)", TEXT)
    assert {step for step, _ in used} == set(written)
    for step, name in used:
        assert name in written[step]


def test_no_script_holds_an_expression():
    assert not [name for name, script in SCRIPTS.items() if "${{" in script]


def test_actions_of_others_are_pinned():
    used = [step["uses"] for step in STEPS.values() if "uses" in step]
    assert used
    assert all(re.fullmatch(r"actions/[\w/-]+@v\d+", name) for name in used)


def test_answers_are_kept_whatever_the_verdict_and_an_offline_run_keeps_none():
    condition = STEPS["Keep answers"]["if"]
    assert condition.startswith("always()")
    assert "steps.gate.outputs.offline == 'false'" in condition
    assert STEPS["Keep answers"]["with"]["key"] == STEPS["Restore answers"]["with"]["key"]
    assert STEPS["Keep answers"]["with"]["path"] == STEPS["Restore answers"]["with"]["path"]


def test_answers_come_from_the_branch_then_from_its_target():
    branch, target, any_ = STEPS["Restore answers"]["with"]["restore-keys"].splitlines()
    assert "outputs.branch" in branch
    assert "outputs.target" in target
    assert target.startswith(any_.strip())


@needs_bash
@pytest.mark.parametrize("name", SCRIPTS)
def test_every_script_is_bash(name):
    assert STEPS[name]["shell"] == "bash"
    said = subprocess.run(["bash", "-n", "-c", SCRIPTS[name]], capture_output=True, text=True, check=False)
    assert (said.returncode, said.stderr) == (0, "")


@needs_bash
class TestGate:
    def test_without_inputs_it_gates_everything(self, tmp_path):
        ran = gate(tmp_path)
        assert ran.calls == [("llmkit", ["gate", "--junit=/out/junit.xml", "--markdown=/out/report.md", "--"])]

    def test_inputs_become_options(self, tmp_path):
        ran = gate(
            tmp_path,
            BASE="origin/dev",
            MAX_COST="2.50",
            ON_INCONCLUSIVE="warn",
            ARGUMENTS="--limit=200\n\n-M\ntemperature=0\n",
            SUITES="suites/a.yaml\nsuites/with space.yaml\n",
        )
        (_, words) = ran.calls[0]
        assert words[3:] == [
            "--base=origin/dev",
            "--max-cost=2.50",
            "--on-inconclusive=warn",
            *("--limit=200", "-M", "temperature=0"),
            *("--", "suites/a.yaml", "suites/with space.yaml"),
        ]

    @pytest.mark.parametrize(
        ("offline", "no_secrets", "asked"),
        [
            ("auto", "true", True),
            ("auto", "false", False),
            ("true", "false", True),
            ("false", "true", False),
        ],
    )
    def test_where_there_are_no_secrets_it_works_offline(self, tmp_path, offline, no_secrets, asked):
        ran = gate(tmp_path, OFFLINE=offline, NO_SECRETS=no_secrets)
        assert ("--offline" in ran.calls[0][1]) is asked
        assert ran.written["offline"] == ("true" if asked else "false")

    def test_a_word_that_it_does_not_know_is_refused(self, tmp_path):
        ran = gate(tmp_path, OFFLINE="yes")
        assert (ran.code, ran.calls) == (2, [])
        assert "true, false or auto" in ran.err

    @pytest.mark.parametrize("code", [0, 1, 3, 4])
    def test_its_exit_code_is_the_gates(self, tmp_path, code):
        assert gate(tmp_path, code).code == code

    @pytest.mark.parametrize("name", ["SUITES", "BASE", "ARGUMENTS", "MAX_COST", "ON_INCONCLUSIVE"])
    def test_nothing_in_an_input_is_run(self, tmp_path, name):
        ran = gate(tmp_path, **{name: HOSTILE})
        assert any(word.endswith(HOSTILE) for word in ran.calls[0][1])
        assert not list(tmp_path.rglob("owned"))


@needs_bash
class TestPrepare:
    def prepare(self, folder, **more):
        given = {"KEY": "gate", "BRANCH": "main", "TARGET": "main"}
        return Shell(folder).bash(SCRIPTS["Prepare"], {**given, **more})

    def test_it_names_a_folder_of_its_own_and_the_parts_of_the_key(self, tmp_path):
        ran = self.prepare(tmp_path, BRANCH="feature/x_1.2")
        assert ran.written["folder"].startswith(str(tmp_path / "runner" / "llmkit-gate."))
        assert (ran.written["key"], ran.written["branch"]) == ("gate", "feature-x_1.2")

    @pytest.mark.parametrize("name", ["KEY", "BRANCH", "TARGET"])
    def test_nothing_in_a_name_is_run_or_becomes_an_output_or_breaks_a_key(self, tmp_path, name):
        ran = self.prepare(tmp_path, **{name: f"a,b\nfolder=/etc{HOSTILE}{'x' * 900}"})
        assert set(ran.written) == {"folder", "key", "branch", "target"}
        assert ran.written["folder"].startswith(str(tmp_path))
        assert re.fullmatch(r"[A-Za-z0-9._-]{1,100}", ran.written[name.lower()])
        assert not list(tmp_path.rglob("owned"))

    @needs_git
    def test_answers_that_the_change_brings_along_are_refused(self, tmp_path):
        shell = Shell(tmp_path)
        (shell.home / ".llmkit").mkdir()
        (shell.home / ".llmkit" / "store.sqlite").write_text("forged")
        given = {"KEY": "gate", "BRANCH": "main", "TARGET": "main"}
        subprocess.run(["git", "-C", str(shell.home), "init", "-q"], check=True)
        assert shell.bash(SCRIPTS["Prepare"], given).code == 0
        subprocess.run(["git", "-C", str(shell.home), "add", "-f", ".llmkit"], check=True)
        ran = shell.bash(SCRIPTS["Prepare"], given)
        assert (ran.code, ran.written) == (2, {})
        assert "holds .llmkit" in ran.err

    def test_outside_of_git_whatever_lies_there_is_refused(self, tmp_path):
        shell = Shell(tmp_path)
        (shell.home / ".llmkit").mkdir()
        ran = shell.bash(SCRIPTS["Prepare"], {"KEY": "gate", "BRANCH": "main", "TARGET": "main"})
        assert (ran.code, ran.written) == (2, {})

    @needs_git
    def test_a_name_that_some_disks_take_for_it_is_refused_too(self, tmp_path):
        shell = Shell(tmp_path)
        (shell.home / ".LLMkit").write_text("forged")
        for words in (["init", "-q"], ["add", "-f", ".LLMkit"]):
            subprocess.run(["git", "-C", str(shell.home), *words], check=True)
        ran = shell.bash(SCRIPTS["Prepare"], {"KEY": "gate", "BRANCH": "main", "TARGET": "main"})
        assert (ran.code, ran.written) == (2, {})


def test_answers_come_from_the_folder_that_is_looked_through_and_kept_whatever_the_project_says():
    assert STEPS["Gate"]["env"]["LLMKIT_STORE"] == ".llmkit"
    for name in ("Restore answers", "Keep answers"):
        assert STEPS[name]["with"]["path"] == "${{ inputs.working-directory }}/.llmkit"


@needs_bash
class TestInstall:
    def install(self, folder, **more):
        given = {"SOURCE": "/action", "VERSION": "", "EXTRAS": "", "FOLDER": str(folder)}
        ran = Shell(folder).bash(SCRIPTS["Install llmkit"], {**given, **more})
        assert ran.code == 0, ran.err
        return ran

    def test_by_default_its_own_code_is_installed_and_no_index_is_trusted_with_a_name(self, tmp_path):
        _, (_, words) = self.install(tmp_path).calls
        assert words[-2:] == ["--", "/action"]

    def test_extras_are_added(self, tmp_path):
        assert self.install(tmp_path, EXTRAS="local,bertscore").calls[1][1][-1] == "/action[local,bertscore]"

    def test_a_version_replaces_it_and_is_no_option(self, tmp_path):
        assert self.install(tmp_path, VERSION="--index-url=x").calls[1][1][-2:] == ["--", "--index-url=x"]

    def test_later_steps_find_llmkit(self, tmp_path):
        self.install(tmp_path)
        assert (tmp_path / "path").read_text() == f"{tmp_path}/venv/bin\n"

    def test_nothing_in_an_input_is_run(self, tmp_path):
        self.install(tmp_path, VERSION=HOSTILE, EXTRAS=HOSTILE)
        assert not list(tmp_path.rglob("owned"))
