"""The package prompty is the reference: for files that both accept, the same messages come out."""

import warnings
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llmkit.prompts import load_prompt

prompty: Any
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    prompty = pytest.importorskip("prompty")

FRONT = "---\nname: x\nmodel: {id: m, options: {maxOutputTokens: 5, topP: 0.5}}\n---\n"
ROW = {"q": "What?", "xs": [{"q": "1", "a": "2"}, {"q": "3", "a": "4"}], "flag": True, "n": 3}


def reference(path: Path, row: dict[str, Any]) -> list[tuple[str, str]]:
    messages = prompty.prepare(prompty.load(path), row)
    return [("system" if m.role == "developer" else m.role, m.text) for m in messages]


def ours(path: Path, row: dict[str, Any]) -> list[tuple[str, str]]:
    return [(m.role, m.content) for m in load_prompt(path).render(row)]


@pytest.mark.parametrize(
    "body",
    [
        "hello {{ q }}\n",
        "system:\nBe brief.\n\nuser:\n{{ q }}\n",
        "\n\nsystem:\na\n\n\n\nuser:\n\n  b  \n\n",
        "# System:\na\n# User:\nb\nAssistant:\nc\n",
        "text first\nuser:\nb\n",
        "system:\na\n{% for x in xs %}\nuser:\n{{ x.q }}\nassistant:\n{{ x.a }}\n{% endfor %}\nuser:\n{{ q }}\n",
        "system:\na\n{%- for x in xs %}\nuser:\n{{ x.q }}\nassistant:\n{{ x.a }}\n{%- endfor %}\nuser:\n{{ q }}\n",
        "{% if flag %}\nsystem:\nyes\n{% else %}\nsystem:\nno\n{% endif %}\nuser:\n{{ q }}\n",
        'system[name="A"]:\na\nuser[n=1, b=true]:\nb\n',
        "developer:\na\nuser:\nb\n",
        "user:\na: b\nuser: not a marker\ntool:\nx\n",
        "user:\n{{ '%02d'|format(n) }} {{ q|upper }} {{ xs|length }} {{ xs|map(attribute='q')|join('/') }}\n",
        "user:\n{% set y = q ~ '!' %}{{ y }}\n{% raw %}{{ raw }}{% endraw %}\n",
        "user:\n{# comment #}a\n",
        "user:\n```\n---\ncode\n---\n```\n",
        "system:\nuser:\nb\n",
        "user:\n{{ q }}\nassistant:\n",
        "user:\nünï ☃ 😀\n",
        "{% macro shot(x) %}{{ x.q }} -> {{ x.a }}{% endmacro %}\nuser:\n{{ shot(xs[0]) }}\n",
    ],
)  # fmt: skip
def test_a_file_gives_the_same_messages(tmp_path: Path, body: str) -> None:
    path = tmp_path / "p.prompty"
    path.write_text(FRONT + body, encoding="utf-8")
    expected = [message for message in reference(path, ROW) if message != ("system", "")]
    assert ours(path, ROW) == expected


def test_front_matter_is_read_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMKIT_TEST_MODEL", "gpt-x")
    path = tmp_path / "p.prompty"
    path.write_text(
        "---\nname: x\ndescription: d\nmodel:\n  id: ${env:LLMKIT_TEST_MODEL}\n  provider: openai\n"
        "  options: {temperature: 0.5, topK: 2, stopSequences: [a]}\n"
        "inputs:\n  a: {kind: string, default: one}\noutputs:\n  - {name: c, kind: integer}\n"
        "template: {format: jinja2, parser: prompty}\n---\nuser:\n{{ a }}\n"
    )
    agent, prompt = prompty.load(path), load_prompt(path)
    assert (prompt.name, prompt.description) == (agent.name, agent.description)
    assert prompt.model == f"{agent.model.provider}/{agent.model.id}"
    options = agent.model.options
    assert prompt.params == {
        "temperature": options.temperature, "top_k": options.top_k, "stop": options.stop_sequences
    }  # fmt: skip
    assert [(i.name, i.kind, i.default) for i in prompt.inputs] == [(i.name, i.kind, i.default) for i in agent.inputs]
    assert [(o.name, o.kind) for o in prompt.outputs] == [(o.name, o.kind) for o in agent.outputs]
    assert ours(path, {}) == reference(path, {}) == [("user", "one")]


def test_threads_are_placed_alike(tmp_path: Path) -> None:
    path = tmp_path / "p.prompty"
    thread = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    for body in ("system:\ns\n{{ t }}\nuser:\nq\n", "system:\ns\nuser:\nq\n", "user:\nbefore {{ t }} after\n"):
        path.write_text("---\nname: x\ninputs:\n  t: {kind: thread}\n---\n" + body)
        assert ours(path, {"t": thread}) == reference(path, {"t": thread})


line = st.sampled_from(["system:", "user:", "# assistant:", "text", "  more", "{{ q }}", "", "a: b", "User :", "```"])


@given(st.lists(line, min_size=1, max_size=12))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
def test_any_lines_give_the_same_messages_with_content(tmp_path: Path, lines: list[str]) -> None:
    if not any(each.strip() for each in lines):
        return
    path = tmp_path / "p.prompty"
    path.write_text(FRONT + "\n".join(lines) + "\n")
    expected = [(role, text) for role, text in reference(path, ROW) if text.strip()]
    assert [(role, text) for role, text in ours(path, ROW) if text.strip()] == expected
