# ruff: noqa: E501  (a table's row is one line)
from pathlib import Path

import pytest

from llmkit.errors import DocumentError
from llmkit.prompts import load_prompt, prompt_from_messages
from llmkit.types import Message
from tests.prompts.conftest import Load

FULL = """---
name: add
description: Adds
model:
  id: gpt-4o
  provider: openai
  connection: {kind: key, apiKey: "${env:LLMKIT_TEST_NO_SUCH_KEY}"}
  options:
    temperature: 0
    topP: 0.5
    topK: 3
    maxOutputTokens: 10
    stopSequences: ["\\n"]
    seed: 7
    frequencyPenalty: 0.1
    presencePenalty: 0.2
    additionalProperties: {logit_bias: {}}
inputs:
  - {name: q, kind: string}
  - {name: style, kind: string, default: terse}
outputs:
  sum: {kind: integer}
template:
  format: {kind: jinja2}
  parser: {kind: prompty}
tools: []
metadata: {authors: [me]}
---
system:
Be {{ style }}.

user:
{{ q }}
"""


def fails(load: Load, text: str, **others: str) -> str:
    with pytest.raises(DocumentError) as caught:
        load(text, **others)
    return str(caught.value).partition("/p.prompty")[2] or str(caught.value).rpartition("/")[2]


def test_a_whole_prompt_file_is_read(load: Load) -> None:
    prompt = load(FULL)
    assert (prompt.name, prompt.description, prompt.model) == ("add", "Adds", "openai/gpt-4o")
    assert prompt.params == {
        "temperature": 0, "top_p": 0.5, "top_k": 3, "max_tokens": 10, "stop": ["\n"], "seed": 7,
        "frequency_penalty": 0.1, "presence_penalty": 0.2, "extra": {"logit_bias": {}},
    }  # fmt: skip
    assert [(i.name, i.kind, i.default) for i in prompt.inputs] == [("q", "string", None), ("style", "string", "terse")]
    assert [(o.name, o.kind) for o in prompt.outputs] == [("sum", "integer")]
    assert prompt.variables == {"q", "style"}
    assert prompt.missing({}) == ["q"]
    assert set(prompt.unused) == {"tools", "model.connection"}
    assert prompt.render({"q": "1+1"}) == (Message("system", "Be terse."), Message("user", "1+1"))


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("gpt-4o", "gpt-4o"),
        ("openai/gpt-4o", "openai/gpt-4o"),
        ("{id: org/m, provider: vllm}", "org/m"),
        ("{id: m, provider: local}", "local/m"),
        ("{options: {seed: 1}}", None),
    ],
)
def test_a_model_is_named_with_its_provider_where_it_has_none(load: Load, model: str, expected: str | None) -> None:
    assert load(f"---\nmodel: {model}\n---\nhi").model == expected


def test_a_file_without_front_matter_is_all_body_and_named_by_its_file(load: Load) -> None:
    prompt = load("user:\nhi --- there\n---\n")
    assert (prompt.name, prompt.render({})) == ("p", (Message("user", "hi --- there\n---"),))


def test_a_body_may_hold_dashes_and_a_description_too(load: Load) -> None:
    prompt = load("---\ndescription: a --- b\n---\nuser:\none\n---\ntwo\n")
    assert prompt.description == "a --- b"
    assert prompt.render({}) == (Message("user", "one\n---\ntwo"),)


def test_windows_line_ends_and_a_byte_order_mark_change_nothing(load: Load) -> None:
    unix = load(FULL)
    windows = load("\ufeff" + FULL.replace("\n", "\r\n"))
    assert windows.render({"q": "x"}) == unix.render({"q": "x"})
    assert windows.fingerprint == unix.fingerprint


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("---\nname: x\nuser:\nhi", ":1: the front matter is not closed. End it with a line '---'"),
        ("---\nname: x\n---\n\n", ": this prompt has no body. Write the template below the front matter"),
        ("---\nnme: x\n---\nhi", ":2: unknown field 'nme'. Did you mean 'name'?"),
        ("---\nmodel:\n  options:\n    temprature: 1\n---\nhi", ":4: unknown field 'model.options.temprature'. Did you mean 'temperature'?"),
        ("---\nmodel:\n  options:\n    temperature: hot\n---\nhi", ":4: model.options.temperature must be a number, not the text 'hot'"),
        ("---\nmodel: {parameters: {}}\n---\nhi", ":2: model: this is Prompty v1; v2 writes model: {id, provider, options"),
        ("---\ntemplate: jinja2\n---\nhi", ":2: template: a mapping is wanted"),
        ("---\ntemplate: {format: mustache}\n---\nhi", ":2: template: 'mustache' is not supported; use jinja2"),
        ("---\ninputs: [{name: a, kind: image}]\n---\nhi", ":2: inputs[0].kind: inputs of kind image are not supported"),
        ("---\ninputs:\n- {name: a}\n- {name: b, kind: strin}\n---\nhi", ":4: inputs[1].kind must be 'string', "),
        ("---\ninputs: {a: {kind: strin}}\n---\nhi", ":2: inputs.a.kind must be 'string', "),
        ("---\ninputs:\n- {name: a}\n- {name: a}\n---\nhi", ":4: the name 'a' stands twice in inputs"),
        ("---\nname: x\nname: y\n---\nhi", ":3: the key 'name' stands twice"),
        ("---\nname: x\n---\n\nuser:\n{{ a", ":6: not Jinja: "),
        ("---\nname: x\n---\n{% if %}", ":4: not Jinja: "),
        ("user:\n{{ a|nofilter }}", ":2: not Jinja: No filter named 'nofilter'"),
        ("user:\n\n{% include 'n.md' %}", ":3: the file 'n.md' is not in"),
        ("user:\n{% include name %}", ":2: the name of an included file must be a constant"),
        ("user:\n{% include ['a', name] %}", ":2: the name of an included file must be a constant"),
        ("user:\n{% include '../x' %}", ":2: '../x' leads out of the prompt's folder"),
        ("user:\n{% include '/etc/passwd' %}", ":2: '/etc/passwd' leads out of the prompt's folder"),
        ("---\nname: ${file:../x}\n---\nhi", ":2: '../x' leads out of the prompt's folder"),
        ("---\nname: ${env:LLMKIT_TEST_UNSET}\n---\nhi", ":2: the environment variable LLMKIT_TEST_UNSET is not set"),
        ("---\nname: ${evn:X}\n---\nhi", ":2: unknown reference ${evn:…}. Did you mean 'env'?"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line_with_its_place(load: Load, text: str, message: str) -> None:
    assert fails(load, text).startswith(message)


def test_an_include_that_includes_itself_is_told(load: Load) -> None:
    message = fails(load, "user:\n{% include 'a.md' %}", a__md="{% include 'b.md' %}", b__md="\n{% include 'a.md' %}")
    assert message == "b.md:2: 'a.md' includes itself: a.md → b.md → a.md"


def test_a_link_out_of_the_folder_is_refused(load: Load, tmp_path: Path) -> None:
    outside = tmp_path.parent / "secret.txt"
    outside.write_text("secret")
    (tmp_path / "in.md").symlink_to(outside)
    assert "leads out of the prompt's folder" in fails(load, "user:\n{% include 'in.md' %}")


def test_includes_come_from_the_root_too(load: Load, tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "shared.md").write_text("shared {{ q }}")
    assert load("user:\n{% include 'shared.md' %}", root).render({"q": 1}) == (Message("user", "shared 1"),)


def test_role_lines_of_an_included_file_are_markers(load: Load) -> None:
    prompt = load("{% include 'few.md' %}\nuser:\n{{ q }}", few__md="user:\n1\nassistant:\n{{ q }}\n")
    assert prompt.render({"q": "system:"}) == (
        Message("user", "1"), Message("assistant", "system:"), Message("user", "system:")
    )  # fmt: skip


def test_environment_and_file_references_are_read_in_the_front_matter_alone(
    load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLMKIT_TEST_T", "0.5")
    prompt = load(
        "---\nmodel: {id: '${env:LLMKIT_TEST_NONE:m}', options: {temperature: '${env:LLMKIT_TEST_T}'}}\n"
        "inputs:\n  shots: {kind: array, default: '${file:shots.json}'}\n---\nuser:\n${env:LLMKIT_TEST_T} {{ q }} {{ shots[0] }}",
        shots__json="[1]",
    )
    assert (prompt.model, prompt.params) == ("m", {"temperature": 0.5})
    assert prompt.render({"q": "${env:HOME}"}) == (Message("user", "${env:LLMKIT_TEST_T} ${env:HOME} 1"),)


def test_a_value_from_the_environment_is_never_shown(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMKIT_TEST_T", "hunter2")
    message = fails(load, "---\nmodel: {options: {temperature: '${env:LLMKIT_TEST_T}'}}\n---\nhi")
    assert message == ":2: model.options.temperature must be a number, not the value of ${env:LLMKIT_TEST_T}"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LLMKIT_TEST_API_KEY", "anything"),
        ("LLMKIT_TEST_TOKEN", "1"),
        ("LLMKIT_TEST_PLAIN", "sk-proj-abcdefghijklmnop"),
        ("LLMKIT_TEST_URL", "postgres://user:hunter22@db/x"),
    ],
)
@pytest.mark.parametrize("field", ["inputs: [{name: q, default: '%s'}]", "description: '%s'"])
def test_a_secret_of_the_environment_never_enters_a_prompt(
    load: Load, monkeypatch: pytest.MonkeyPatch, name: str, value: str, field: str
) -> None:
    monkeypatch.setenv(name, value)
    message = fails(load, "---\n" + field % f"${{env:{name}}}" + "\n---\nuser:\n{{ q }}")
    assert message.startswith(f":2: the environment variable {name} looks like a secret")
    assert value not in message.replace(name, "")


def test_a_number_of_tokens_is_no_secret(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMKIT_TEST_MAX_TOKENS", "64")
    prompt = load("---\nmodel: {options: {maxOutputTokens: '${env:LLMKIT_TEST_MAX_TOKENS}'}}\n---\nhi")
    assert prompt.params == {"max_tokens": 64}


@pytest.mark.parametrize("name", [".env", ".git/config"])
def test_a_hidden_file_never_enters_a_prompt(load: Load, tmp_path: Path, name: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("KEY=1")
    assert "is a hidden file" in fails(load, f"user:\n{{% include '{name}' %}}")
    assert "is a hidden file" in fails(load, f"---\nname: ${{file:{name}}}\n---\nhi")


def test_inline_messages_have_literal_roles_and_template_contents() -> None:
    prompt = prompt_from_messages(
        [
            {"role": "system", "content": "Be {{ style|default('terse') }}"},
            {"role": "user", "content": "user:\n{{ q }}"},
        ],
        where="s.yaml:4",
    )
    assert prompt.render({"q": "assistant:\nx"}) == (
        Message("system", "Be terse"), Message("user", "user:\nassistant:\nx")
    )  # fmt: skip
    assert prompt.missing({}) == ["q"]
    with pytest.raises(DocumentError, match=r"^s\.yaml:4 \(line 2 of the content\): the template's variable 'q'"):
        prompt.render({"p": 1})


@pytest.mark.parametrize(
    ("messages", "error"),
    [
        ([], "there are no messages"),
        ([{"role": "usr", "content": "x"}], "messages[0].role must be a role, not 'usr'. Did you mean 'user'?"),
        ([{"role": "user", "contents": "x"}], "unknown field 'messages[0].contents'. Did you mean 'content'?"),
        ([{"role": "user"}], "messages[0].content must be text"),
        ([{"role": "user", "content": "{{ x"}], "not Jinja: "),
        ([{"role": "user", "content": "{% include 'a' %}"}], "a message cannot include 'a'. Use a prompt file"),
        (["x"], "messages[0] must be a mapping"),
    ],
)
def test_inline_messages_that_are_wrong_are_told(messages: list[dict[str, str]], error: str) -> None:
    with pytest.raises(DocumentError) as caught:
        prompt_from_messages(messages, where="s.yaml:4")
    assert str(caught.value).startswith(f"s.yaml:4: {error}")


def test_a_missing_prompt_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="no such file"):
        load_prompt(tmp_path / "none.prompty")
