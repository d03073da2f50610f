"""The file of scripted answers: what its lines match, and how wrong lines are named."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmkit.canonical import digest
from llmkit.errors import DocumentError
from llmkit.providers.script import Script, request_digest
from llmkit.types import Message, Request


def asked(text, *before):
    return Request((*before, Message("user", text)))


@pytest.fixture
def script(tmp_path):
    def write(*lines):
        path = tmp_path / "answers.jsonl"
        path.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines))
        return Script.read(path)

    return write


def test_a_line_answers_to_the_digest_of_the_messages(script):
    request = asked("2 + 2?", Message("system", "Be short."))
    line = script({"request": request_digest(request), "text": "4"}).answer(request)
    assert line.text == "4"


def test_the_digest_is_over_the_messages_alone():
    messages = [{"role": "user", "content": "2 + 2?"}]
    assert request_digest(Request((Message("user", "2 + 2?"),), {"temperature": 0})) == digest(messages)


def test_a_line_answers_to_its_messages(script):
    played = script({"messages": [{"role": "user", "content": "2 + 2?"}], "text": "4"})
    assert played.answer(asked("2 + 2?")).text == "4"
    assert played.answer(asked("2 + 2?", Message("system", "Be short."))) is None


def test_match_looks_into_the_last_message_only(script):
    played = script({"match": "France", "text": "Paris"})
    assert played.answer(asked("Capital of France?")).text == "Paris"
    assert played.answer(asked("And of Spain?", Message("user", "Capital of France?"))) is None


def test_regex_searches_the_last_message(script):
    assert script({"regex": r"\b2 \+ \d\b", "text": "about 4"}).answer(asked("so, 2 + 2?")).text == "about 4"


def test_exact_lines_go_before_matching_ones(script):
    played = script(
        {"match": "2 + 2", "text": "matched"}, {"messages": [{"role": "user", "content": "2 + 2?"}], "text": "exact"}
    )
    assert played.answer(asked("2 + 2?")).text == "exact"
    assert played.answer(asked("2 + 2 =")).text == "matched"


def test_times_hands_over_to_the_next_line(script):
    played = script({"match": "a", "fault": "server", "times": 2}, {"match": "a", "text": "b"})
    assert [played.answer(asked("a")).fault for _ in range(4)] == ["server", "server", None, None]


def test_a_miss_names_the_nearest_line(script):
    played = script({"match": "capital of Spain", "text": "Madrid"}, "", {"match": "capital of France", "text": "P"})
    message, hint = played.miss(asked("capital of Frence"))
    assert "no scripted answer for 'capital of Frence'" in message
    assert f"{played.path}:3" in hint and "capital of France" in hint


def test_a_miss_on_used_up_lines_says_so(script):
    played = script({"match": "a", "text": "b", "times": 1})
    played.answer(asked("a"))
    assert played.answer(asked("a")) is None
    assert "used up" in played.miss(asked("a"))[0]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "not JSON"),
        ("[]", "one JSON object"),
        ({"match": "a"}, "exactly one of text, fault"),
        ({"text": "a"}, "exactly one of request, messages, match, regex"),
        ({"match": "a", "regex": "a", "text": "b"}, "exactly one of request"),
        ({"match": "a", "txt": "b"}, "unknown key 'txt'. Did you mean 'text'?"),
        ({"match": "a", "fault": "boom"}, "fault: "),
        ({"regex": "(", "text": "b"}, "regex: "),
        ({"request": "beef", "text": "b"}, "request: "),
        ('{"match": "a", "text": "b", "latency_s": NaN}', "latency_s: "),
        ({"match": "a", "text": "b", "logprobs": [{"token": "b", "logprob": 1}]}, "logprobs.0.logprob: "),
    ],
)
def test_a_wrong_line_is_named_by_file_and_line(script, line, said):
    with pytest.raises(DocumentError) as caught:
        script({"match": "fine", "text": "fine"}, line)
    assert caught.value.where.endswith("answers.jsonl:2")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_utf8_is_named(tmp_path):
    path = tmp_path / "answers.jsonl"
    path.write_bytes(b'{"match": "a", "text": "b"}\n{"match": "\xff", "text": "b"}')
    with pytest.raises(DocumentError, match=r"answers\.jsonl:2: not UTF-8"):
        Script.read(path)


def test_a_missing_and_an_empty_file_are_errors(tmp_path):
    with pytest.raises(DocumentError, match="cannot be read: No such file"):
        Script.read(tmp_path / "none.jsonl")
    (tmp_path / "empty.jsonl").write_text("\n \n")
    with pytest.raises(DocumentError, match="empty"):
        Script.read(tmp_path / "empty.jsonl")


@given(st.text(min_size=1), st.text(min_size=1))
def test_any_text_can_be_asked_and_answered(tmp_path_factory, question, answer):
    path = tmp_path_factory.mktemp("script") / "answers.jsonl"
    path.write_text(json.dumps({"messages": [{"role": "user", "content": question}], "text": answer}))
    assert Script.read(path).answer(asked(question)).text == answer
