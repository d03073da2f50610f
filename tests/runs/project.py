"""A small project on disk, a model on loopback that can add, and the way to run one on the other."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from llmkit.providers.retry import RetryPolicy
from llmkit.runs.evaluate import Ending, Hooks, evaluate_async
from llmkit.runs.options import Options
from llmkit.types import RunResult
from tests.providers.server import Behaviour, Exchange, Seen, Server, Tokens, ok

MODEL = "openai/adder"
QUICK = RetryPolicy(max_attempts=3, base_s=0.0, limited_base_s=0.0, cap_s=0.0)
SUITE = """\
version: 1
name: {name}
data: {name}.jsonl
map: {{id: id, target: answer{mapped}}}
messages: [{{role: user, content: "{prompt}"}}]
scorers: {scorers}
{more}"""


def rows(count: int) -> list[dict[str, Any]]:
    """Sums, none twice; the topic tells odd rows from even ones."""
    return [
        {"id": f"s{n}", "question": f"{n}+1", "answer": str(n + 1), "topic": "odd" if n % 2 else "even"}
        for n in range(count)
    ]


class Project:
    """A folder with an ``llmkit.toml``, which is the current one."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.monkeypatch = folder, monkeypatch
        self.configure("")

    def configure(self, toml: str) -> None:
        (self.folder / "llmkit.toml").write_text(toml)

    def suite(
        self,
        data: Sequence[dict[str, Any]] | int = 10,
        *,
        name: str = "sums",
        prompt: str = "{{question}}",
        scorers: str = "[exact_match]",
        mapped: str = "",
        more: str = "",
    ) -> str:
        records = rows(data) if isinstance(data, int) else data
        text = "".join(json.dumps(row) + "\n" for row in records)
        (self.folder / f"{name}.jsonl").write_text(text)
        path = self.folder / f"{name}.yaml"
        path.write_text(SUITE.format(name=name, prompt=prompt, scorers=scorers, mapped=mapped, more=more))
        return str(path)

    @property
    def store(self) -> Path:
        return self.folder / ".llmkit"

    async def run(
        self,
        server: Server,
        suites: str | Sequence[str],
        models: Any = MODEL,
        *,
        hooks: Hooks | None = None,
        **how: Any,
    ) -> list[Ending]:
        self.at(server)
        return await evaluate_async(suites, models, options=Options(**{"retry": QUICK, **how}), hooks=hooks)

    async def one(self, server: Server, suite: str, model: Any = MODEL, **how: Any) -> RunResult:
        """Run one suite on one model to its end."""
        (ending,) = await self.run(server, suite, model, **how)
        assert ending.error is None, ending.error
        return ending.result

    def at(self, server: Server) -> None:
        self.monkeypatch.setenv("OPENAI_BASE_URL", server.url)


def question(seen: Seen) -> str:
    """What a request asks: the last message's text."""
    return str(seen.body["messages"][-1]["content"])


def add(text: str) -> str:
    """Answer ``a+b`` wherever it stands in the text."""
    found = re.search(r"(\d+)\+(\d+)", text)
    return str(int(found[1]) + int(found[2])) if found else "?"


def answering(answer: Callable[[str], str | Behaviour | None] = add, tokens: Tokens | None = None) -> Behaviour:
    """Answer each request by its own text; what ``answer`` returns may be a behaviour of its own."""

    async def behave(exchange: Exchange) -> None:
        said = answer(question(exchange.seen))
        await (said if callable(said) else ok(said, tokens))(exchange)

    return behave


def asked(server: Server) -> list[str]:
    return [question(seen) for seen in server.log]
