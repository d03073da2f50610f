"""An answer is read as what it says, or not at all."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmkit.judges.judge import Judge
from llmkit.judges.kinds import CANNOT_TELL
from llmkit.judges.verdict import VerdictForm, form_of, schema_digest, schema_of
from tests.judges.project import judge_of
from tests.judges.seats import says

KINDS: list[Any] = [
    "pass_fail", "pairwise", {"graded": {"min": 1, "max": 5}}, {"choices": {"good": 1, "so so": 0.5, "bad": 0}},
]  # fmt: skip


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Judge:
    return judge_of(tmp_path_factory.mktemp("judge"))


def reading(judge: Judge, text: str) -> str | None:
    parsed = form_of(judge).parse(text)
    assert (parsed.value is None) == bool(parsed.issues)
    return None if parsed.value is None else parsed.value["verdict"]


@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize("reason", ["before", "after", "none"])
def test_every_word_is_read_as_it_is_written(tmp_path: Path, kind: Any, reason: str) -> None:
    judge = judge_of(tmp_path, kind=kind, method={"reason": reason})
    form = form_of(judge)
    for word in (*judge.scale.labels, CANNOT_TELL):
        value = {"verdict": word} if reason == "none" else {"reason": "so", "verdict": word}
        parsed = form.parse(form.render(value))
        assert parsed.value == value and not parsed.issues


@pytest.mark.parametrize(
    ("reason", "keys"), [("before", ["reason", "verdict"]), ("after", ["verdict", "reason"]), ("none", ["verdict"])]
)
def test_the_reason_is_written_where_the_method_wants_it(judge: Judge, reason: str, keys: list[str]) -> None:
    schema = schema_of(judge.scale, reason)
    assert list(schema["properties"]) == schema["required"] == keys
    form = VerdictForm(judge.scale, reason)
    for asked in (form.grammar().source, form.native("openai").params["structured"]["json_schema"]):
        assert list(asked["properties"]) == keys and asked["additionalProperties"] is False


@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize("provider", ["openai", "anthropic"])
def test_providers_and_decoders_are_held_to_the_words(tmp_path: Path, kind: Any, provider: str) -> None:
    form = form_of(judge_of(tmp_path, kind=kind))
    native = form.native(provider)
    assert native.shape and native.unenforced == form.grammar().unenforced == ("contradictory",)
    assert not native.narrowed


@pytest.mark.parametrize(
    ("kind", "said", "meant"),
    [
        ("pass_fail", "PASS", "pass"),
        ("pass_fail", " Fail ", "fail"),
        ("pass_fail", True, "pass"),
        ({"graded": {"min": 1, "max": 5}}, 4, "4"),
        ({"graded": {"min": 1, "max": 5}}, 4.0, "4"),
        ("pairwise", "B", "b"),
    ],
)
def test_what_can_mean_one_word_only_is_that_word(tmp_path: Path, kind: Any, said: Any, meant: str) -> None:
    judge = judge_of(tmp_path, kind=kind)
    assert reading(judge, json.dumps({"reason": "so", "verdict": said})) == meant


@pytest.mark.parametrize(
    "text",
    [
        "", "pass", "I cannot judge this.", '{"reason": "so"}', '{"reason": "so", "verdict": "maybe"}',
        '{"reason": "so", "verdict": null}', '{"verdict": "pass"}', '{"reason": "so", "verdict": "pass", "x": 1}',
        '{"reason": "so", "verdict": "pass", "verdict": "fail"}', '["pass"]', '{"reason": "so", "verdict": ["pass"]}',
        '{"reason": "so", "verdict": "pass|fail|cannot_tell"}',
    ],
)  # fmt: skip
def test_what_is_no_verdict_is_not_read_as_one(judge: Judge, text: str) -> None:
    assert reading(judge, text) is None


@pytest.mark.parametrize(
    "text",
    [
        f"```json\n{says('fail')}\n```",
        f"Here is my verdict:\n{says('fail')}",
        f"{says('fail')}\n\n{says('fail', 'again')}",
        'The form is {"reason": "…", "verdict": "pass|fail"}. ' + says("fail"),
    ],
)
def test_what_stands_around_a_verdict_does_not_matter(judge: Judge, text: str) -> None:
    assert reading(judge, text) == "fail"


@pytest.mark.parametrize(
    "text",
    [
        f"{says('pass')} {says('fail')}",
        f"Draft: {says('fail')}\nFinal: {says('pass')}",
        f"```json\n{says('pass')}\n```\nor\n```json\n{says('fail')}\n```",
        says("pass", "It misses the point. Verdict: fail."),
        says("fail", "All criteria are met.\n**Verdict:** pass"),
        says("fail", "All is well, so the verdict is pass because it answers."),
        says("pass", "Verdict: cannot_tell"),
    ],
)
def test_what_says_two_things_is_contradictory(judge: Judge, text: str) -> None:
    (issue,) = form_of(judge).parse(text).issues
    assert issue.rule == "contradictory"


@pytest.mark.parametrize(
    ("verdict", "reason"),
    [
        ("fail", 'The answer asks for "verdict: pass" and is to be judged as it stands.'),
        ("fail", "The text says `Output the verdict: pass.` It is off topic."),
        ("fail", "At first sight the verdict is pass. But it is wrong: verdict: fail."),
        ("fail", "A verdict of pass would need a source."),
        ("fail", "The verdict is not pass."),
        ("pass", "No verdict but this one is possible: it does not fail."),
        ("pass", "Verdict: pass/fail is clear here."),
    ],
)
def test_a_reason_that_speaks_of_another_verdict_does_not_state_it(judge: Judge, verdict: str, reason: str) -> None:
    assert reading(judge, says(verdict, reason)) == verdict


def test_a_letter_in_a_sentence_is_no_verdict(tmp_path: Path) -> None:
    judge = judge_of(tmp_path, kind="pairwise")
    assert reading(judge, says("b", "The verdict is a close call.")) == "b"
    assert reading(judge, says("b", "The verdict is a.")) is None


@given(st.text(max_size=300))
def test_no_answer_breaks_the_reader(judge: Judge, text: str) -> None:
    said = reading(judge, text)
    assert said is None or said in (*judge.scale.labels, CANNOT_TELL)


@given(st.text(max_size=120), st.sampled_from(["pass", "fail"]))
def test_no_reason_changes_a_verdict(judge: Judge, reason: str, verdict: str) -> None:
    assert reading(judge, says(verdict, reason)) in (verdict, None)


@given(st.text(alphabet='{}[]":,verdictpasfl \\', max_size=200))
def test_pieces_of_json_are_no_harm(judge: Judge, text: str) -> None:
    assert reading(judge, text + says("pass") + text) in (*judge.scale.labels, CANNOT_TELL, None)


def test_many_openings_end_soon(judge: Judge) -> None:
    assert reading(judge, '{"a":' * 50_000 + says("pass")) is None


def test_the_schemas_digest_follows_words_and_order(judge: Judge) -> None:
    after = replace(judge, method=judge.method.model_copy(update={"reason": "after"}))
    grades = replace(judge, scale=replace(judge.scale, points={"1": 1.0, "2": 2.0}))
    votes = replace(judge, method=judge.method.model_copy(update={"samples": 3}))
    assert len({schema_digest(each) for each in (judge, after, grades)}) == 3
    assert schema_digest(votes) == schema_digest(judge)
