"""A project with a judge, and a server that plays both: the model that answers, and the judge of its answers."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from tests.judges.project import project as write_judge
from tests.judges.seats import says
from tests.providers.server import Behaviour, Exchange, Tokens, ok
from tests.runs.project import Project, add

JUDGE = "openai/judge"
PRICES = """\
[prices."openai/adder"]
input = 0.0
output = 100_000.0
[prices."openai/judge"]
input = 0.0
output = 10_000.0
"""
"""With TOKENS, an answer of the model costs a dollar, and one of the judge ten cents."""
TOKENS = Tokens(4, 10)


def with_judge(project: Project, **fields: Any) -> str:
    """Write the judge ``relevance``; returns the entry that names it."""
    write_judge(project.folder, **{"model": JUDGE, "params": {"max_tokens": 10}, **fields})
    return "[exact_match, {judge: relevance}]"


def answer_in(text: str) -> str:
    """Return the answer that a judge is shown."""
    found = re.search(r"<answer-[0-9a-f]+>\n(.*?)\n</answer-", text, re.S)
    return found[1] if found else ""


def odd_passes(answer: str) -> str:
    return says("pass" if int(answer) % 2 else "fail")


def both(
    judge: Callable[[str], str | Behaviour] = odd_passes,
    model: Callable[[str], str | Behaviour] = add,
    tokens: Tokens | None = TOKENS,
) -> Behaviour:
    """Answer as the model that is asked: the judge by the answer that it is shown."""

    async def behave(exchange: Exchange) -> None:
        body = exchange.seen.body
        text = "\n".join(str(message["content"]) for message in body["messages"])
        said = judge(answer_in(text)) if body["model"] == "judge" else model(text)
        await (said if callable(said) else ok(said, tokens))(exchange)

    return behave


def asked_of(server: Any, model: str) -> list[str]:
    """Return what a model was asked."""
    return [
        "\n".join(str(m["content"]) for m in seen.body["messages"])
        for seen in server.log
        if seen.body["model"] == model
    ]
