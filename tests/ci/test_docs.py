"""What docs/ci.md tells people to copy is valid, and names nothing that is not there."""

import re

import pytest
import yaml

from llmkit.cli.main import main
from tests.ci.shells import ROOT

TEXT = (ROOT / "docs/ci.md").read_text("utf-8")
BLOCKS = re.findall(r"<!-- check: ([\w-]+) -->\n```yaml\n(.*?)```", TEXT, flags=re.S)
ACTION = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
WORKFLOWS = [text for kind, text in BLOCKS if kind == "workflow"]


def of(kind):
    return [text for found, text in BLOCKS if found == kind]


def valid(document, schema):
    schemas = pytest.importorskip("check_jsonschema.builtin_schemas")
    jsonschema = pytest.importorskip("jsonschema")
    found = schemas.get_builtin_schema(schema)
    jsonschema.validators.validator_for(found)(found).validate(document)


def workflow(text):
    """Read a workflow as GitHub does, for whom ``on`` is a word."""
    return {"on" if key is True else key: value for key, value in yaml.safe_load(text).items()}


def test_every_block_of_yaml_is_checked():
    assert len(BLOCKS) == TEXT.count("```yaml\n")
    assert {kind for kind, _ in BLOCKS} == {"steps", "workflow", "gitlab", "pre-commit"}


@pytest.mark.parametrize("text", WORKFLOWS)
def test_workflows_are_what_github_says_they_are(text):
    valid(workflow(text), "vendor.github-workflows")


def test_the_steps_have_five_lines_and_are_steps():
    (text,) = of("steps")
    assert len(text.splitlines()) == 5
    valid(
        {"on": "pull_request", "jobs": {"gate": {"runs-on": "x", "steps": yaml.safe_load(text)}}},
        "vendor.github-workflows",
    )


def test_the_inputs_and_outputs_that_they_use_are_there():
    steps = [step for text in WORKFLOWS for job in workflow(text)["jobs"].values() for step in job["steps"]]
    steps += yaml.safe_load(of("steps")[0])
    ours = [step for step in steps if step.get("uses", "").startswith("OWNER/llmkit@")]
    assert len(ours) == 3
    assert all(set(step["with"]) <= set(ACTION["inputs"]) for step in ours)
    assert set(re.findall(r"steps\.gate\.outputs\.([\w-]+)", TEXT)) <= set(ACTION["outputs"])


def test_every_input_is_in_the_table():
    table = TEXT[TEXT.index("| input |") : TEXT.index("Outputs:")]
    assert set(re.findall(r"`([a-z-]+)`(?=[^|]*\| )", table.replace("\n|", "\n"))) >= set(ACTION["inputs"])


def test_the_whole_history_is_fetched_wherever_the_gate_runs():
    for text in (*WORKFLOWS, *of("steps")):
        assert "OWNER/llmkit@v0\n" not in text or "fetch-depth: 0" in text


def test_what_is_filled_on_the_target_has_the_name_that_the_action_looks_for():
    (restore,) = [step for step in ACTION["runs"]["steps"] if step["name"] == "Restore answers"]
    key = "llmkit-gate-main-"
    assert f'"{key}$' in TEXT
    wanted = restore["with"]["restore-keys"].splitlines()[1]
    wanted = wanted.replace("${{ steps.prepare.outputs.key }}", ACTION["inputs"]["cache-key"]["default"])
    assert wanted.replace("${{ steps.prepare.outputs.target }}", "main") == key


def test_no_workflow_gives_secrets_to_changes_that_nobody_has_read():
    assert not [text for text in WORKFLOWS if "pull_request_target" in text]


def test_the_gitlab_pipeline_sets_variables_that_the_template_has():
    (text,) = of("gitlab")
    pipeline = yaml.safe_load(text)
    valid(pipeline, "vendor.gitlab-ci")
    template = yaml.safe_load((ROOT / "ci/gitlab/llmkit-gate.yml").read_text("utf-8"))
    assert set(pipeline["variables"]) <= set(template["llmkit-gate"]["variables"])
    assert pipeline["include"][0]["remote"].endswith("/ci/gitlab/llmkit-gate.yml")


def test_the_pre_commit_hooks_are_there(tmp_path):
    clientlib = pytest.importorskip("pre_commit.clientlib")
    (text,) = of("pre-commit")
    path = tmp_path / ".pre-commit-config.yaml"
    path.write_text(text)
    (repo,) = clientlib.load_config(str(path))["repos"]
    hooks = {hook["id"] for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))}
    assert {hook["id"] for hook in repo["hooks"]} == hooks


def test_the_options_that_it_names_are_there(capfd):
    main(["gate", "--help"])
    known = capfd.readouterr().out + (ROOT / "llmkit/pytest_plugin.py").read_text("utf-8")
    others = {"--hook-type", "--llmkit-", "--force"}
    named = {option for option in re.findall(r"(?<![\w-])--[a-z][a-z-]+", TEXT)} - others
    assert named > {"--list", "--offline", "--junit", "--llmkit-base"}
    assert {option for option in named if option not in known} == set()
