"""``llmkit import``: what it says, what it exits with, and that the next command runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tests.importing.test_github import FILE as GITHUB
from tests.importing.test_lm_eval import ROWS, SUMS
from tests.importing.test_promptfoo import FRANCE

PROMPTFOO = FRANCE.replace("ASSERT", "{type: contains, value: Paris}, {type: llm-rubric, value: polite}")


def test_what_is_whole_ends_with_0_and_the_next_command(cli: Cli, project: Path) -> None:
    (project / "s.prompt.yml").write_text(GITHUB)
    said = cli("import", "s.prompt.yml", "--out", "there")
    assert (said.code, said.err) == (0, "")
    assert "wrote 3 files of a github file, s.prompt.yml" in said.out
    assert said.out.rstrip().endswith("next: llmkit eval there/Summarise.yaml")


def test_what_is_not_carried_over_is_listed_and_ends_with_3(cli: Cli, project: Path) -> None:
    (project / "c.yaml").write_text(PROMPTFOO)
    said = cli("import", "c.yaml", "--dry-run")
    assert said.code == 3
    assert "would write 3 files of a promptfoo file, c.yaml" in said.out
    assert "Not carried over: 1\n  c.yaml:3: assert llm-rubric: a model's verdict" in said.out
    assert not (project / "c").exists()


def test_json_holds_the_same(cli: Cli, project: Path) -> None:
    (project / "c.yaml").write_text(PROMPTFOO)
    found = cli("import", "c.yaml", "--json").json
    assert (found["format"], found["suite"], found["written"], found["whole"]) == ("promptfoo", "c/c.yaml", True, False)
    (item,) = found["not_carried"]
    assert (item["where"], item["what"], item["kind"]) == ("c.yaml:3", "assert llm-rubric", "lost")


@pytest.mark.parametrize(("name", "text"), [("c.yaml", PROMPTFOO), ("sums.yaml", SUMS), ("s.prompt.yml", GITHUB)])
def test_the_suite_runs(cli: Cli, project: Path, name: str, text: str) -> None:
    (project / name).write_text(text)
    (project / "rows.jsonl").write_text("".join(f"{row}\n".replace("'", '"') for row in ROWS).replace("\\n", "\\n"))
    suite = cli("import", name, "--json").json["suite"]
    said = cli("eval", suite, "-m", "scripted/constant", "-M", "text=Summary - Paris, 2 cats", "--json")
    (run,) = said.json["runs"]
    assert said.code == 0
    assert run["samples"]["failed"] == 0
    assert all(metric["n"] == run["samples"]["total"] for metric in run["metrics"].values())


def test_a_misuse_is_one_line(cli: Cli, project: Path) -> None:
    said = cli("import", "rows.yaml")
    assert (said.code, said.out, said.err.count("\n")) == (2, "", 1)
    said = cli("import", "capitals.yaml", "--from", "promptfo")
    assert (said.code, said.err.count("\n")) == (2, 1)
