import pytest

from llmkit.prompts import prompt_from_messages, requests_fingerprint
from llmkit.types import Message
from tests.prompts.conftest import Load

BASE = """---
name: n
description: d
model: {id: m, provider: openai, options: {temperature: 0, seed: 1}}
inputs: {a: {kind: string, default: x}}
---
user:
{{ a }} text
"""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("name: n", "name: other"),
        ("description: d", "description: other # and a comment"),
        ("name: n\ndescription: d", "description: d\nname: n"),
        ("{temperature: 0, seed: 1}", "{seed: 1, temperature: 0.0}"),
        ("id: m, provider: openai", "id: openai/m"),
        ("{{ a }} text", "{{ a }}{# a comment #} text"),
        ("{{ a }} text", "{{a}} text"),
        (" text\n", " text\n\n"),
        ("kind: string,", "kind: string, description: y,"),
        ("---\nname", "---\nmetadata: {tags: [a]}\nname"),
    ],
)
def test_what_cannot_reach_the_model_leaves_the_fingerprint(load: Load, old: str, new: str) -> None:
    assert old in BASE
    assert load(BASE.replace(old, new)).fingerprint == load(BASE).fingerprint


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("text", "texts"),
        ("{{ a }}", "{{ a|upper }}"),
        ("user:", "system:"),
        ("id: m", "id: o"),
        ("provider: openai", "provider: vllm"),
        ("temperature: 0", "temperature: 1"),
        ("default: x", "default: y"),
        ("{a: {", "{b: {"),
        (" text", "  text"),
    ],
)
def test_what_can_reach_the_model_changes_it(load: Load, old: str, new: str) -> None:
    assert old in BASE
    assert load(BASE.replace(old, new)).fingerprint != load(BASE).fingerprint


def test_an_included_file_is_part_of_it(load: Load) -> None:
    body = "user:\n{% include 'i.md' %}"
    one, two, three = load(body, i__md="a"), load(body, i__md="b"), load(body, i__md="a{# c #}")
    assert one.fingerprint != two.fingerprint
    assert one.fingerprint == three.fingerprint


def test_a_file_reference_is_part_of_it(load: Load) -> None:
    text = "---\ninputs: {a: {default: '${file:a.txt}'}}\n---\n{{ a }}"
    assert load(text, a__txt="1").fingerprint != load(text, a__txt="2").fingerprint


def test_a_value_of_the_environment_is_part_of_it(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    def fingerprint(value: str) -> str:
        monkeypatch.setenv("LLMKIT_TEST_STYLE", value)
        return load("---\ninputs: {a: {default: '${env:LLMKIT_TEST_STYLE}'}}\n---\n{{ a }}").fingerprint

    assert fingerprint("one") != fingerprint("two")


def test_inline_messages_have_one_too() -> None:
    def fingerprint(role: str, content: str) -> str:
        return prompt_from_messages([{"role": role, "content": content}], where="x").fingerprint

    assert fingerprint("user", "a") == fingerprint("user", "a{# c #}")
    assert len({fingerprint("user", "a"), fingerprint("system", "a"), fingerprint("user", "b")}) == 3


def test_the_requests_fingerprint_sees_what_is_sent_and_only_that(load: Load) -> None:
    one, two = load("user:\n\n{{ q }}\n"), load("user:\n{{q}}\n\n\n")
    rows = [{"q": "1"}, {"q": "2"}]
    assert requests_fingerprint(map(one.render, rows)) == requests_fingerprint(map(two.render, rows))
    assert requests_fingerprint(map(one.render, rows)) != requests_fingerprint(map(one.render, rows[::-1]))


def test_the_requests_fingerprint_keeps_messages_and_requests_apart() -> None:
    a, b = Message("user", "a"), Message("user", "b")
    prints = [requests_fingerprint(r) for r in ([], [(a, b)], [(a,), (b,)], [(Message("user", "ab"),)], [(b, a)])]
    assert len(set(prints)) == 5


def test_the_requests_fingerprint_is_pinned() -> None:
    import hashlib

    expected = hashlib.sha256('[["user","é"]]\n'.encode()).hexdigest()
    assert requests_fingerprint([(Message("user", "é"),)]) == expected
