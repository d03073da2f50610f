"""The GitLab template: it is what GitLab says a pipeline is, and its script does what it says."""

import shutil
import subprocess

import pytest
import yaml

from tests.ci.shells import ROOT, Shell
from tests.gate.repository import needs_git

pytestmark = needs_git

PIPELINE = yaml.safe_load((ROOT / "ci/gitlab/llmkit-gate.yml").read_text("utf-8"))
JOB = PIPELINE["llmkit-gate"]
HOSTILE = "$(touch owned)`touch owned`; touch owned #'\""
SHELLS = [name for name in ("sh", "dash", "bash") if shutil.which(name)]


@pytest.fixture(params=SHELLS)
def gate(request, tmp_path):
    """Run the job's script as the runner does, in each shell that an image may have; the cache is there already."""

    def run(code=0, *, brought=False, **variables):
        given = {name: value for name, value in JOB["variables"].items() if name.startswith("LLMKIT_")}
        script = "set -e\n" + "\n".join(JOB["script"])
        given["LLMKIT_GATE_PACKAGE"] = "llmkit @ git+https://example.org/llmkit@v1"
        shell = Shell(tmp_path, code)
        (shell.home / ".llmkit").mkdir()
        (shell.home / ".llmkit" / "store.sqlite").write_text("answers")
        for words in (["init", "-q"], *([["add", "-f", ".llmkit"]] if brought else [])):
            subprocess.run(["git", "-C", str(shell.home), *words], check=True)
        return shell.run(script, {**given, **variables}, shell=(request.param, "-c"))

    return run


def test_it_is_what_gitlab_says_a_pipeline_is():
    schemas = pytest.importorskip("check_jsonschema.builtin_schemas")
    jsonschema = pytest.importorskip("jsonschema")
    schema = schemas.get_builtin_schema("vendor.gitlab-ci")
    jsonschema.validators.validator_for(schema)(schema).validate(PIPELINE)


def test_the_whole_history_is_fetched_and_answers_and_reports_are_kept_whatever_the_verdict():
    assert JOB["variables"]["GIT_DEPTH"] == "0"
    assert (JOB["cache"]["when"], JOB["cache"]["paths"]) == ("always", [".llmkit"])
    assert JOB["artifacts"]["when"] == "always"
    assert JOB["artifacts"]["reports"]["junit"] in JOB["artifacts"]["paths"]


def test_every_variable_is_used():
    script = "\n".join(JOB["script"])
    assert not [name for name in JOB["variables"] if name.startswith("LLMKIT_GATE_") and f"${name}" not in script]


def test_answers_come_from_the_folder_that_is_kept_whatever_the_project_says():
    assert [JOB["variables"]["LLMKIT_STORE"]] == JOB["cache"]["paths"]


def test_answers_that_the_change_brings_along_are_refused(gate):
    ran = gate(brought=True)
    assert ran.code == 2
    assert "llmkit" not in [name for name, _ in ran.calls]
    assert "holds .llmkit" in ran.err


def test_it_installs_what_it_is_told_and_gates_everything(gate):
    venv, pip, llmkit = gate().calls
    assert venv == ("python", ["-m", "venv", ".llmkit-venv"])
    assert pip[1][-2:] == ["--", "llmkit @ git+https://example.org/llmkit@v1"]
    assert llmkit == ("llmkit", ["gate", "--junit=llmkit-gate.xml", "--markdown=llmkit-gate.md", "--"])


def test_without_a_package_it_says_so_and_installs_nothing(gate):
    ran = gate(LLMKIT_GATE_PACKAGE="")
    assert (ran.code, ran.calls) == (2, [])
    assert "LLMKIT_GATE_PACKAGE" in ran.err


def test_variables_become_options(gate):
    ran = gate(
        LLMKIT_GATE_MAX_COST="2",
        LLMKIT_GATE_ON_INCONCLUSIVE="warn",
        LLMKIT_GATE_OFFLINE="true",
        LLMKIT_GATE_ARGS="--limit=9\n-M\ntop_p=1",
        LLMKIT_GATE_SUITES="a.yaml\nb c.yaml",
    )
    assert ran.calls[-1][1][3:] == [
        *("--max-cost=2", "--on-inconclusive=warn", "--offline"),
        *("--limit=9", "-M", "top_p=1", "--", "a.yaml", "b c.yaml"),
    ]


@pytest.mark.parametrize("code", [0, 1, 3, 4])
def test_its_exit_code_is_the_gates(gate, code):
    assert gate(code).code == code


@pytest.mark.parametrize("name", [name for name in JOB["variables"] if name.startswith("LLMKIT_")])
def test_nothing_in_a_variable_is_run(gate, tmp_path, name):
    gate(**{name: HOSTILE})
    assert not list(tmp_path.rglob("owned"))
