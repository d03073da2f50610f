"""What the shell offers on Tab, as a shell asks for it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import typer.main

from llmkit.cli.main import app
from llmkit.providers.registry import BUILT_IN
from llmkit.suites.builtin import builtin_suites
from tests.cli.conftest import Cli

Tab = Callable[[str], list[str]]


def asked_by(line: str) -> dict[str, str]:
    """What bash sets when Tab is pressed after a line."""
    position = str(len(line.split(" ")) - 1)
    return {"_LLMKIT_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": position}


@pytest.fixture(scope="module")
def command() -> Callable[..., object]:
    return typer.main.get_command(app)


@pytest.fixture
def tab(
    command: Callable[..., object],
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> Tab:
    """Press Tab after a line, in bash; in this process."""

    def press(line: str) -> list[str]:
        capfd.readouterr()
        with monkeypatch.context() as patched, pytest.raises(SystemExit) as left:
            for name, value in asked_by(line).items():
                patched.setenv(name, value)
            command([], prog_name="llmkit", standalone_mode=False)
        printed = capfd.readouterr()
        assert (left.value.code, printed.err) == (0, "")
        return printed.out.split()

    return press


def test_a_shell_is_answered_by_the_program(project: Path) -> None:
    start = "import sys; sys.argv = ['llmkit']; from llmkit.cli.main import run; run()"
    environment = {**os.environ, **asked_by("llmkit eval capit")}
    said = subprocess.run([sys.executable, "-c", start], env=environment, capture_output=True, text=True, check=True)
    assert (said.stdout.split(), said.stderr) == (["capitals.yaml"], "")


def test_suites_are_the_built_in_ones_and_the_yaml_files_here_and_one_folder_below(tab: Tab, project: Path) -> None:
    for name in ("suites/deep/not.yaml", "suites/sums.yml", "suites/rows.csv", ".hidden/no.yaml"):
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).touch()
    assert tab("llmkit eval ") == [*builtin_suites(), "capitals.yaml", "suites/sums.yml"]


def test_suites_in_a_folder_that_is_typed(tab: Tab, project: Path) -> None:
    (project / "suites").mkdir()
    (project / "suites" / "sums.yaml").touch()
    (project / "suites" / "other.yaml").touch()
    assert tab("llmkit eval suites/s") == ["suites/sums.yaml"]
    assert tab(f"llmkit eval {project}/suites/o") == [f"{project}/suites/other.yaml"]
    assert tab("llmkit eval nowhere/") == []


def test_models_are_the_projects_those_of_earlier_runs_and_the_providers(tab: Tab, project: Path, cli: Cli) -> None:
    cli("eval", "capitals.yaml", "-m", "scripted/echo")
    with (project / "llmkit.toml").open("a") as file:
        file.write('[aliases]\nmini = "openai/gpt-4o-mini"\n')
    assert tab("llmkit eval capitals.yaml -m ") == [
        "mini", "scripted/oracle", "scripted/echo", *(f"{name}/" for name in BUILT_IN)
    ]  # fmt: skip
    assert tab("llmkit eval capitals.yaml -m m") == ["mini"]


@pytest.mark.parametrize("option", ["--min", "--max", "--min-point"])
def test_metrics_are_those_of_the_suites_named_before(tab: Tab, option: str) -> None:
    assert tab(f"llmkit eval capitals.yaml {option} ") == ["exact_match="]


def test_metrics_of_no_suite_are_those_of_all_scorers(tab: Tab) -> None:
    assert tab("llmkit eval --min num") == ["numeric="]
    assert tab("llmkit eval nowhere.yaml --min exa") == ["exact_match="]


def test_scorers_are_those_that_are_installed(tab: Tab) -> None:
    assert tab("llmkit rescore --scorer ex") == ["exact_match", "extracted"]
    assert tab("llmkit score x.jsonl --scorer exa") == ["exact_match"]
    assert tab("llmkit score x.jsonl --suite capit") == ["capitals.yaml"]


def test_formats_of_exports_and_imports(tab: Tab) -> None:
    assert tab("llmkit runs export --format i") == ["inspect"]
    assert tab("llmkit import x.yaml --from ") == ["lm-eval", "promptfoo", "github"]


def test_files_of_answers_are_no_models(tab: Tab, project: Path, cli: Cli) -> None:
    (project / "given.jsonl").write_text('{"answer": "a"}\n')
    cli("score", "given.jsonl", "--scorer", "json_valid")
    assert not [name for name in tab("llmkit eval capitals.yaml -m ") if name.startswith("predictions")]


def test_stored_runs_and_their_suites(tab: Tab, cli: Cli) -> None:
    run_id = cli("eval", "capitals.yaml", "--json").json["runs"][0]["run_id"]
    assert tab("llmkit runs show ") == ["latest", run_id]
    assert tab("llmkit compare ") == ["latest", run_id]
    assert tab(f"llmkit compare {run_id} l") == ["latest"]
    assert tab("llmkit runs list --suite ") == ["capitals"]
    assert tab("llmkit runs list --status k") == ["killed"]


def test_where_the_project_is_broken_there_is_less_to_offer_and_no_error(tab: Tab, project: Path) -> None:
    (project / "llmkit.toml").write_text("model = ")
    assert tab("llmkit eval capitals.yaml -m o") == ["openai/"]
    assert tab("llmkit runs show ") == ["latest"]


def test_formats_come_with_their_colon_and_then_the_files_here(tab: Tab, project: Path) -> None:
    (project / "user.json").touch()
    (project / "schemas").mkdir()
    assert tab("llmkit generate x --format ch") == ["choice:"]
    assert tab("llmkit format show --format json:u") == ["json:user.json"]
    assert tab("llmkit validate --format json:s") == ["json:schemas/"]
    assert tab("llmkit generate x --format json:nowhere/") == []


def test_strategies_and_lists_of_them(tab: Tab) -> None:
    assert tab("llmkit generate x --strategy re") == ["reprompt"]
    assert tab("llmkit generate x --compare plain,re") == ["plain,reprompt"]
    assert "native,plain" in tab("llmkit generate x --compare native,")
    assert "native,native" not in tab("llmkit generate x --compare native,")
    assert tab("llmkit generate x --compare au") == []


def test_models_are_offered_to_generate_and_to_escalate_to(tab: Tab) -> None:
    assert "anthropic/" in tab("llmkit generate x -m anth")
    assert "anthropic/" in tab("llmkit generate x --escalate anth")


def test_variants_are_offered_after_the_colon(project: Path, tab: Tab) -> None:
    from llmkit.cli.complete import complete_suite

    suite = project / "varied.yaml"
    suite.write_text("variants: {cot: {epochs: 2}, direct: {epochs: 3}}\n")
    assert complete_suite("varied.yaml:c") == ["varied.yaml:cot"]
    assert complete_suite("mmlu:") == ["mmlu:cot", "mmlu:likelihood"]
    assert complete_suite("nonesuch:") == []
    suite.write_text("variants: [\n")
    assert complete_suite("varied.yaml:") == []
