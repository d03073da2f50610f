"""docs/interchange.md shows what its commands print."""

import re
from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tests.test_readme import plain

TEXT = (Path(__file__).parents[2] / "docs" / "interchange.md").read_text(encoding="utf-8")
SHOWN = dict(re.findall(r"^```console\n\$ (llmkit .*)\n((?:.*\n)*?)```", TEXT, flags=re.MULTILINE))
ANSWERS = """\
{"answer": "Paris", "gold": "Paris"}
{"answer": "Rome", "gold": "Rome"}
{"answer": "Bern", "gold": "Zurich"}
{"answer": null, "gold": "Oslo"}
"""
PROMPTFOO = """\
prompts: ["What is the capital of {{country}}?"]
providers: [openai:gpt-4o-mini, anthropic:messages:claude-sonnet-4-5]
tests:
  - vars: {country: France}
    assert:
      - {type: contains, value: Paris}
  - vars: {country: Italy}
    assert: [{type: contains, value: Rome}, {type: llm-rubric, value: is polite}]
"""


@pytest.mark.parametrize("command", SHOWN)
def test_a_command_prints_what_the_page_shows(
    cli: Cli, project: Path, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = project / "d"  # which the imported suite is called after
    folder.mkdir()
    monkeypatch.chdir(folder)
    (folder / "answers.jsonl").write_text(ANSWERS)
    (folder / "promptfooconfig.yaml").write_text(PROMPTFOO)
    said = cli(*command.split()[1:])
    shown = plain(SHOWN[command]).splitlines()
    lines = plain(said.err).splitlines() + plain(said.out).splitlines()  # a terminal mixes the two
    assert sorted(line for line in lines if line) == sorted(line for line in shown if line)


def test_both_commands_are_run() -> None:
    assert [command.split()[1] for command in SHOWN] == ["score", "import"]
