"""Gates on suites that compare continuations: what is compared is a part of what is asked."""

import json

import pytest

from llmkit.errors import UsageError
from llmkit.gate.options import GateOptions
from llmkit.gate.run import gate
from tests.gate.repository import Repo, needs_git
from tests.gate.test_run import CONFIG, QUICK
from tests.providers.echoing import Vllm
from tests.providers.server import Server

pytestmark = needs_git

SUITE = """\
version: 1
name: colours
data: colours.jsonl
map: {{target: right}}
messages: [{{role: user, content: "{{{{question}}}}"}}]
likelihood: {{choices: [red, green, blue], template: none{more}}}
scorers: [likelihood]
gate: {{likelihood: {{max_drop: 0.1}}}}
model: {model}
"""
ROWS = "".join(json.dumps({"question": f"q{n}", "right": n % 3}) + "\n" for n in range(12))


@pytest.fixture
async def repo(tmp_path, monkeypatch):
    async with Server(default=Vllm()) as server:
        monkeypatch.setenv("VLLM_BASE_URL", server.url)
        repo = Repo(tmp_path / "repo", monkeypatch)
        repo.server = server
        suite = SUITE.format(more="", model="vllm/bigram")
        yield repo.start({"llmkit.toml": CONFIG, "suites/colours.jsonl": ROWS, "suites/colours.yaml": suite})


async def test_another_comparison_is_a_change_and_each_side_has_its_own(repo):
    repo.write({"suites/colours.yaml": SUITE.format(more=", prefix: 'Answer:'", model="vllm/bigram")})
    report = await gate(GateOptions(retry=QUICK))
    (verdict,) = report.suites
    (change,) = verdict.changes
    assert (change.part, change.detail) == ("prompt", 'likelihood: prefix: "" → "Answer:"')
    asked = [seen.body["prompt"] for seen in repo.server.log if seen.path == "/tokenize"]
    assert any(prompt == "q0 red" for prompt in asked)
    assert any(prompt == "q0 Answer: red" for prompt in asked)


async def test_a_model_that_cannot_compare_is_refused(repo):
    repo.write({"suites/colours.yaml": SUITE.format(more="", model="scripted/echo")})
    with pytest.raises(UsageError, match="does not give the log-likelihood"):
        await gate(GateOptions(retry=QUICK))
    assert repo.server.log == []
