"""Gates on suites whose prompts show examples: what is shown is what is asked, and each side shows its own."""

import json

import pytest

from llmkit.errors import UsageError
from llmkit.gate.options import GateOptions
from llmkit.gate.run import gate
from tests.gate.repository import Repo, needs_git
from tests.gate.test_run import CONFIG, QUICK, rows
from tests.providers.server import Server, Tokens
from tests.runs.project import add, answering

pytestmark = needs_git

SUITE = """\
version: 1
name: sums
data: sums.jsonl
map: {{id: id, target: answer}}
messages:
  - {{role: user, content: "{{% for e in examples %}}[{{{{ e.question }}}}] {{% endfor %}}{{{{ question }}}}"}}
few_shot: {{{few_shot}}}
scorers: [exact_match]
gate: {{exact_match: {{max_drop: 0.1}}}}
model: openai/adder
params: {{max_tokens: 8}}
"""


def dev(word):
    return json.dumps({"id": "d", "question": f"dev {word}", "answer": "x"}) + "\n"


@pytest.fixture
async def repo(tmp_path, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "test")
    async with Server(default=answering(lambda text: add(text.rpartition("] ")[2]), Tokens(40, 8))) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        repo = Repo(tmp_path / "repo", monkeypatch)
        repo.server = server
        yield repo.start(
            {
                "llmkit.toml": CONFIG,
                "suites/sums.jsonl": rows(40),
                "suites/sums.yaml": SUITE.format(few_shot="count: 1, data: dev.jsonl"),
                "suites/dev.jsonl": dev("old"),
            }
        )


def openings(repo):
    """What the asked prompts begin with."""
    return {message["content"].partition("]")[0] for seen in repo.server.log for message in seen.body["messages"]}


async def test_other_examples_are_a_change_and_each_side_shows_its_own(repo):
    repo.write({"suites/dev.jsonl": dev("new")})
    (verdict,) = (await gate(GateOptions(retry=QUICK))).suites
    (change,) = verdict.changes
    assert (change.part, change.asks, change.detail) == ("prompt", True, "few_shot: data")
    assert openings(repo) == {"[dev old", "[dev new"}


async def test_another_number_of_them_is_a_change(repo):
    repo.write({"suites/sums.yaml": SUITE.format(few_shot="count: 2")})
    (verdict,) = (await gate(GateOptions(retry=QUICK))).suites
    (change,) = [change for change in verdict.changes if change.part == "prompt"]
    assert change.asks
    assert change.detail == "few_shot: count: 1 → 2, data"


async def test_the_command_line_gives_both_sides_the_same_number(repo):
    text = SUITE.format(few_shot="count: 1, data: dev.jsonl")
    repo.write({"suites/sums.yaml": text.replace("{{ question }}", " {{ question }}")})
    await gate(GateOptions(retry=QUICK, few_shot=0))
    assert {opening[:1] == " " for opening in openings(repo)} == {True, False}  # both sides were asked
    assert not any("[" in opening for opening in openings(repo))


async def test_a_variant_is_not_compared_with_a_commit(repo):
    text = SUITE.format(few_shot="count: 0") + "variants: {one: {few_shot: {count: 1}}}\n"
    repo.write({"suites/sums.yaml": text})
    with pytest.raises(UsageError, match=r"'sums:one' is a variant, .*--baseline"):
        await gate(GateOptions(retry=QUICK, suites=("suites/sums.yaml:one",)))
