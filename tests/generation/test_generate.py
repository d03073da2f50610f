"""The entry points against a server that keeps its own account: every attempt that it bills stands in the ledger."""

from __future__ import annotations

import asyncio
import inspect
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmkit.errors import UsageError
from llmkit.generation.generate import agenerate, generate, prompt_of
from llmkit.generation.options import GenerateOptions
from llmkit.generations import GenerationFailed, GenerationOverBudget, Ledger, Result
from llmkit.providers.retry import RetryPolicy
from llmkit.types import Message
from tests.providers.server import Server, Tokens, hang, ok, status
from tests.structured.billing import LOST, ROADS, Digits, Scripts, dollars, elsewhere, model_at, project

ONCE = RetryPolicy(max_attempts=1, limited_attempts=1)
AT_ONCE = RetryPolicy(base_s=0.0, limited_base_s=0.0)


def awaited(prompt: Any, **wanted: Any) -> Result[Any]:
    return asyncio.run(agenerate(prompt, **wanted))


ENTRIES: list[Callable[..., Result[Any]]] = [generate, awaited]
both = pytest.mark.parametrize("entry", ENTRIES, ids=["sync", "async"])
roads = pytest.mark.parametrize("road", ROADS)


@pytest.fixture(autouse=True)
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project(tmp_path, monkeypatch)


def ended(
    entry: Callable[..., Result[Any]], scripts: Scripts, road: str = "chat", *, most: int = 64, **wanted: Any
) -> tuple[Ledger, Result[Any] | GenerationFailed]:
    """Generate by the script of number 0, and return the ledger with what it hangs on."""
    options: dict[str, Any] = {"retry": AT_ONCE, **wanted.pop("options", {})}
    with elsewhere(scripts) as server:
        try:
            end: Result[Any] | GenerationFailed = entry(
                "Script 0: how much is 6 * 7?", model=model_at(road, server), format=Digits(),
                options=GenerateOptions(params={"max_tokens": most}, **options), **wanted,
            )  # fmt: skip
        except GenerationFailed as failed:
            end = failed
    return end.ledger, end


def billed_alike(ledger: Ledger, scripts: Scripts) -> None:
    """Hold every attempt, and the sums, against the server's bill."""
    bill = [charge for charge in scripts.bill[0] if charge.usd]
    paid = [attempt for attempt in ledger.attempts if attempt.cost_usd != 0.0]
    said = [(a.usage.input, a.usage.output, a.usage.cached or 0) for a in paid]
    assert said == [(c.tokens.input, c.tokens.output, c.tokens.cached) for c in bill]
    assert [a.cost_usd for a in paid] == pytest.approx([c.usd for c in bill], rel=1e-12)
    totals = ledger.totals
    assert totals.input == sum(c.tokens.input for c in bill)
    assert totals.output == sum(c.tokens.output for c in bill)
    assert totals.cached == sum(c.tokens.cached for c in bill)
    assert ledger.cost_usd == pytest.approx(sum(c.usd for c in bill), rel=1e-12)


@both
@roads
def test_two_bad_answers_and_a_good_one_are_three_attempts_each_with_its_bill(entry, road):
    scripts = Scripts({0: ["bad", "bad", "good"]}, bad=lambda number: f"forty-{number}")
    ledger, result = ended(entry, scripts, road)
    assert isinstance(result, Result) and result.value == 42
    assert [a.text for a in ledger.attempts] == ["forty-0", "forty-1", "42"]
    assert [a.valid for a in ledger.attempts] == [False, False, True]
    assert ledger.totals.calls == 3
    billed_alike(ledger, scripts)


def test_dollars_are_those_that_one_works_out_by_hand():
    scripts = Scripts({0: ["bad", "good"]}, fixed=Tokens(input=1000, output=20, cached=600))
    ledger, _ = ended(generate, scripts)
    once = (400 * 2.5 + 600 * 1.25 + 20 * 10.0) / 1_000_000
    assert once == 0.00195
    assert [a.cost_usd for a in ledger.attempts] == pytest.approx([once, once])
    assert ledger.cost_usd == pytest.approx(0.0039)


@both
@roads
@pytest.mark.parametrize("script", [["bad", "truncated"], ["bad", "refusal"], ["refusal", "empty"]], ids="-".join)
@pytest.mark.parametrize("then", ["good", "bad"])
def test_truncated_refused_and_empty_answers_are_counted_whether_it_ends_well_or_not(entry, road, script, then):
    scripts = Scripts({0: [*script, then]}, bad=lambda number: f"forty-{number}")
    ledger, end = ended(entry, scripts, road)
    assert isinstance(end, Result if then == "good" else GenerationFailed)
    assert len(ledger.attempts) == 3
    billed_alike(ledger, scripts)


@both
@roads
def test_an_answer_before_a_broken_server_is_in_the_failures_bill(entry, road):
    scripts = Scripts({0: ["bad", "500"]})
    ledger, failed = ended(entry, scripts, road, options={"retry": ONCE})
    assert isinstance(failed, GenerationFailed)
    assert [a.failure and a.failure.kind for a in ledger.attempts] == [None, "server"]
    assert ledger.attempts[1].cost_usd == 0.0
    assert (ledger.stop, ledger.totals.http_attempts) == ("failed", 2)
    assert failed.cost_usd == ledger.attempts[0].cost_usd
    billed_alike(ledger, scripts)


@both
@roads
def test_a_broken_server_before_an_answer_counts_as_an_http_attempt_that_cost_nothing(entry, road):
    scripts = Scripts({0: ["500", "good"]})
    ledger, result = ended(entry, scripts, road)
    assert isinstance(result, Result)
    assert [(a.http_attempts, a.lost) for a in ledger.attempts] == [(2, ())]
    billed_alike(ledger, scripts)


@both
@roads
@pytest.mark.parametrize("word", sorted(LOST))
def test_what_is_lost_makes_the_cost_unknown_and_never_nothing(entry, road, word):
    ledger, result = ended(entry, Scripts({0: [word, "good"]}), road)
    assert isinstance(result, Result)
    assert ledger.attempts[0].lost == (None,)
    assert ledger.attempts[0].cost_usd is not None  # the answer's own price is known
    assert ledger.cost_usd is None and ledger.totals.lost_attempts == 1


@both
@roads
def test_a_call_that_fails_after_it_may_have_been_billed_costs_nobody_knows_what(entry, road):
    ledger, failed = ended(entry, Scripts({0: ["bad", "504"]}), road, options={"retry": ONCE})
    assert isinstance(failed, GenerationFailed)
    assert [a.cost_usd is None for a in ledger.attempts] == [False, True]
    assert failed.cost_usd is None and ledger.totals.cost_usd is None and ledger.totals.input is None


@roads
async def test_a_time_out_costs_nobody_knows_what(road):
    async with Server(hang) as server:
        with pytest.raises(GenerationFailed) as caught:
            await agenerate(
                "Say 42",
                model=model_at(road, server, timeout_s=0.05),
                format=Digits(),
                options=GenerateOptions(retry=ONCE),
            )
    attempt = caught.value.attempts[0]
    assert attempt.failure is not None and attempt.failure.kind == "timeout"
    assert attempt.cost_usd is None and caught.value.cost_usd is None


async def test_a_deadline_breaks_off_the_call_under_way_and_its_cost_is_unknown():
    async with Server(default=hang) as server:
        with pytest.raises(GenerationFailed) as caught:
            await agenerate(
                "Say 42",
                model=model_at("chat", server),
                format=Digits(),
                options=GenerateOptions(deadline_s=0.2, retry=ONCE),
            )
        assert len(server.log) == 1
    assert caught.value.ledger.stop == "deadline"
    assert [(a.cost_usd, a.failure and a.failure.kind) for a in caught.value.attempts] == [(None, "deadline")]


async def test_a_deadline_that_comes_while_a_call_waits_to_be_tried_again_adds_nothing_to_its_cost():
    async with Server(status(504), status(429, headers={"Retry-After": "30"})) as server:
        with pytest.raises(GenerationFailed) as caught:
            await agenerate(
                "Say 42", model=model_at("chat", server), format=Digits(),
                options=GenerateOptions(deadline_s=1.0, retry=AT_ONCE),
            )  # fmt: skip
        assert len(server.log) == 2
    assert [(a.http_attempts, a.lost, a.cost_usd) for a in caught.value.attempts] == [(2, (None,), 0.0)]


@roads
async def test_an_answer_cut_off_before_its_first_character_is_asked_for_again_with_twice_the_tokens(road):
    cut = ok(None, Tokens(20, 64), finish="length")
    async with Server(cut, cut, ok("42")) as server:
        result = await agenerate(
            "Say 42", model=model_at(road, server), format=Digits(), options=GenerateOptions(params={"max_tokens": 64})
        )
    assert [a.max_tokens for a in result.attempts] == [64, 128, 128]
    assert [a.finish_reason for a in result.attempts] == ["length", "length", "stop"]


@both
def test_a_stronger_model_is_asked_where_the_first_fails_and_the_cost_is_split(entry):
    scripts = Scripts({0: ["bad", "bad", "good"]}, bad=lambda number: f"forty-{number}")
    with elsewhere(scripts) as server:
        result = entry(
            "Script 0: 6 * 7?", model=model_at("chat", server), format=Digits(),
            escalate=[model_at("chat", server, "openai/gpt-y")], options=GenerateOptions(max_attempts=2),
        )  # fmt: skip
    assert [a.model for a in result.attempts] == ["openai/gpt-x", "openai/gpt-x", "openai/gpt-y"]
    assert [a.number for a in result.attempts] == [1, 2, 3]
    split = {name: totals.cost_usd for name, totals in result.ledger.by_model.items()}
    first, second, third = scripts.bill[0]
    assert split == pytest.approx({"openai/gpt-x": first.usd + second.usd, "openai/gpt-y": third.usd})
    assert third.usd == dollars("openai/gpt-y", third.tokens)
    billed_alike(result.ledger, scripts)


@pytest.mark.parametrize("fault", ["500", "refusal"])
def test_a_first_model_that_breaks_hands_over_with_its_bill(fault):
    scripts = Scripts({0: [fault, "good"]})
    with elsewhere(scripts) as server:
        result = generate(
            "Script 0: 6 * 7?", model=model_at("chat", server), format=Digits(),
            escalate=[model_at("chat", server, "openai/gpt-y")], options=GenerateOptions(max_attempts=1, retry=ONCE),
        )  # fmt: skip
    assert [a.model for a in result.attempts] == ["openai/gpt-x", "openai/gpt-y"]
    billed_alike(result.ledger, scripts)


def test_a_stronger_model_that_breaks_leaves_the_first_ones_bill():
    scripts = Scripts({0: ["bad", "500"]})
    with elsewhere(scripts) as server, pytest.raises(GenerationFailed) as caught:
        generate(
            "Script 0: 6 * 7?", model=model_at("chat", server), format=Digits(),
            escalate=[model_at("chat", server, "openai/gpt-y")], options=GenerateOptions(max_attempts=1, retry=ONCE),
        )  # fmt: skip
    assert [a.model for a in caught.value.attempts] == ["openai/gpt-x", "openai/gpt-y"]
    assert caught.value.ledger.stop == "failed"
    billed_alike(caught.value.ledger, scripts)


@both
def test_a_validator_of_too_few_parameters_is_found_out_before_anything_is_asked(entry):
    scripts = Scripts({0: ["good"]})
    with pytest.raises(UsageError, match=r"takes \(value\)"):
        ended(entry, scripts, validators=[lambda value: None])
    assert not scripts.bill


@both
def test_the_attempt_that_does_not_fit_under_the_cap_is_not_sent(entry):
    scripts = Scripts({0: ["bad", "good"]}, fixed=Tokens(input=200, output=64))
    ledger, failed = ended(entry, scripts, options={"max_cost": 0.0025, "feedback": "fresh"})
    assert isinstance(failed, GenerationOverBudget) and failed.exit_code == 3
    assert (ledger.stop, len(scripts.bill[0])) == ("budget", 1)
    billed_alike(ledger, scripts)


def test_a_retry_that_does_not_fit_under_the_cap_leaves_what_came_before_it():
    """The first HTTP attempt may have been paid for; the ledger of the second's refusal must say so."""
    ledger, failed = ended(generate, Scripts({0: ["504", "good"]}), options={"max_cost": 0.0025})
    assert isinstance(failed, GenerationOverBudget)
    assert [(a.lost, a.http_attempts, a.failure and a.failure.kind) for a in ledger.attempts] == [
        ((None,), 1, "budget")
    ]
    assert failed.cost_usd is None


@both
@pytest.mark.parametrize("wrong", [-1, 0, 0.5, float("inf"), float("nan"), True, "3", None])
def test_a_number_of_attempts_that_is_none_is_refused_before_any_call(entry, wrong):
    scripts = Scripts({0: ["good"]})
    with pytest.raises(UsageError, match="max_attempts"):
        ended(entry, scripts, options={"max_attempts": wrong})
    assert scripts.bill == {}


@both
def test_a_dollar_cap_on_a_model_of_unknown_price_is_refused_before_any_call(entry, tmp_path, monkeypatch):
    project(tmp_path, monkeypatch, prices=False)
    scripts = Scripts({0: ["good"]})
    with pytest.raises(UsageError, match="price of openai/gpt-x is not known"):
        ended(entry, scripts, options={"max_cost": 1.0})
    assert scripts.bill == {}


@both
def test_a_stronger_model_of_unknown_price_is_refused_before_the_first_is_asked(entry):
    scripts = Scripts({0: ["good"]})
    with elsewhere(scripts) as server, pytest.raises(UsageError, match="price of openai/gpt-z is not known"):
        entry(
            "Script 0: 6 * 7?", model=model_at("chat", server), format=Digits(),
            escalate=[model_at("chat", server, "openai/gpt-z")],
            options=GenerateOptions(max_cost=1.0, params={"max_tokens": 9}),
        )  # fmt: skip
    assert scripts.bill == {}


@pytest.mark.parametrize("cap", [{"max_cost": 1.0}, {"max_total_tokens": 10_000}])
def test_a_cap_without_max_tokens_is_refused_before_any_call(cap):
    scripts = Scripts({0: ["good"]})
    with elsewhere(scripts) as server, pytest.raises(UsageError, match="max_tokens"):
        generate("Script 0: 6 * 7?", model=model_at("chat", server), format=Digits(), options=GenerateOptions(**cap))
    assert scripts.bill == {}


async def test_the_sync_entry_says_what_to_write_where_a_loop_runs():
    with pytest.raises(UsageError, match=r"await llmkit\.agenerate"):
        generate("Say 42", model="scripted/echo", format=Digits())


def test_answers_come_from_the_store_at_no_cost_on_a_second_call(tmp_path):
    scripts = Scripts({0: ["bad", "good"]})
    with elsewhere(scripts) as server:
        wanted: dict[str, Any] = {
            "model": model_at("chat", server), "format": Digits(), "options": GenerateOptions(store=tmp_path / "store")
        }  # fmt: skip
        first = generate("Script 0: 6 * 7?", **wanted)
        again = generate("Script 0: 6 * 7?", **wanted)
    assert len(scripts.bill[0]) == 2
    assert [a.cached for a in again.attempts] == [True, True]
    assert again.cost_usd == 0.0 and again.ledger.totals.calls == 0
    assert again.ledger.totals.cached_cost_usd == pytest.approx(first.cost_usd)


def test_a_fresh_attempt_is_never_answered_by_the_one_before_it(tmp_path):
    """Its request is the same to the byte, and the bad answer to it lies in the store."""
    scripts = Scripts({0: ["bad", "bad", "good"]}, bad=lambda number: f"forty-{number}")
    ledger, _ = ended(generate, scripts, options={"feedback": "fresh", "store": tmp_path / "store"})
    assert [a.text for a in ledger.attempts] == ["forty-0", "forty-1", "42"]
    assert len(set(scripts.bodies[0])) == 1 and len(scripts.bodies[0]) == 3
    assert [a.cached for a in ledger.attempts] == [False, False, False]


def test_a_fresh_attempt_shifts_the_seed():
    scripts = Scripts({0: ["bad", "bad", "good"]})
    with elsewhere(scripts) as server:
        generate(
            "Script 0: 6 * 7?", model=model_at("chat", server), format=Digits(),
            options=GenerateOptions(feedback="fresh", params={"seed": 7}),
        )  # fmt: skip
    assert [json.loads(body)["seed"] for body in scripts.bodies[0]] == [7, 8, 9]


HOSTILE = [
    "{{ ''.__class__.__mro__ }}", "{% for x in range(10**9) %}{% endfor %}", "${7*7} #{7*7} <%= 7*7 %>",
    "$(touch owned) `touch owned` ; touch owned | touch owned", "__import__('os').system('touch owned')",
    "../../../../etc/passwd", "file:///etc/passwd", "%s%n {0.__class__} \\u0041", "prompt.prompty",
]  # fmt: skip


@roads
def test_what_an_answer_says_is_data_and_goes_back_to_the_model_letter_by_letter(road, tmp_path):
    hostile = "\n".join(HOSTILE)
    scripts = Scripts({0: ["bad", "good"]}, bad=lambda number: hostile)
    before = sorted(path.name for path in tmp_path.rglob("*"))
    ledger, _ = ended(generate, scripts, road)
    assert ledger.attempts[0].text == hostile
    body = json.loads(scripts.bodies[0][1])
    said = "\n".join(message["content"] for message in body.get("messages", body.get("input")))
    assert f"```\n{hostile}\n```" in said
    assert sorted(path.name for path in tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    "text", [*HOSTILE[:-1], "a { b", "}} {", "{{ '{' }}", "ends in a line\n", "two\n\n", "a\r\nb\r", "{#", "\t{ "]
)
def test_a_text_prompt_is_sent_as_it_stands(text):
    assert prompt_of(text).render({"''": 1}) == (Message("user", text),)


@given(st.text(alphabet=st.sampled_from("{}%#'\\\"\r\n \tab\u2028é"), min_size=1).filter(str.strip))
def test_any_text_prompt_is_sent_as_it_stands(text):
    assert prompt_of(text).render({}) == (Message("user", text),)


@pytest.mark.parametrize("nothing", ["", "  \n", []])
def test_an_empty_prompt_is_refused(nothing):
    with pytest.raises(UsageError, match="the prompt is empty"):
        prompt_of(nothing)


def test_messages_may_be_mappings_as_the_wire_has_them():
    system = Message("system", "Be {brief}.")
    assert prompt_of([system, {"role": "user", "content": "6 * 7?"}]).render({}) == (system, Message("user", "6 * 7?"))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"prompt": 7}, "prompt must be a list, not 7"),
        ({"prompt": ["Hi"]}, "prompt must be a text or messages, not 'Hi'"),
        ({"prompt": [{"role": "user"}]}, "prompt must be a text or messages"),
        ({"prompt": [{"role": "boss", "content": "Hi"}]}, "boss"),
        ({"options": {"max_attempts": 2}}, "options must be GenerateOptions"),
        ({"row": [1]}, "row must be a mapping"),
        ({"model": 7}, "model must be provider/model, not 7"),
        ({"escalate": 7}, "escalate must be a list, not 7"),
        ({"escalate": [None]}, "escalate must be provider/model, not None"),
        ({"validators": 7}, "validators must be a list, not 7"),
        ({"validators": [7]}, "validators must be functions and names, not 7"),
    ],
)
def test_an_argument_of_another_kind_is_one_clear_line(wrong, said):
    with pytest.raises(UsageError, match=said):
        generate(**{"prompt": "Hi", "model": "openai/gpt-x", "format": "text", **wrong})


def test_a_secret_in_a_wrong_argument_is_not_shown():
    with pytest.raises(UsageError) as caught:
        generate("Hi", format="text", options={"key": "sk-proj-verysecretverysecretverysecret"})
    assert "verysecret" not in str(caught.value)


@both
def test_one_stronger_model_and_one_validator_need_no_list(entry):
    def forty_two(value: int, context: Any) -> str | None:
        return None if value == 42 else "42 is wanted"

    scripts = Scripts({0: ["bad", "good"]}, bad=lambda number: "41")
    with elsewhere(scripts) as server:
        result = entry(
            "Script 0: 6 * 7?", model=model_at("chat", server), format=Digits(), validators=forty_two,
            escalate=model_at("chat", server, "openai/gpt-y"), options=GenerateOptions(max_attempts=1),
        )  # fmt: skip
    assert [a.model for a in result.attempts] == ["openai/gpt-x", "openai/gpt-y"]
    assert [i.message for i in result.attempts[0].issues] == ["42 is wanted"]


def test_the_name_of_one_model_or_validator_is_no_list_of_letters():
    with pytest.raises(UsageError, match="unknown model 'gpt'"):
        generate("Hi", model="openai/gpt-x", format="text", escalate="gpt")
    with pytest.raises(UsageError, match="unknown validator 'up'"):
        generate("Hi", model="openai/gpt-x", format="text", validators="up")


def test_a_store_may_be_a_text(tmp_path):
    options = GenerateOptions(store=str(tmp_path / "kept"))
    with elsewhere(Scripts({0: ["good"]})) as server:
        asked = [
            generate("Script 0: 6 * 7?", model=model_at("chat", server), format=Digits(), options=options) for _ in "ab"
        ]
    assert [a.cached for result in asked for a in result.attempts] == [False, True]


@pytest.mark.parametrize("name", ["generate", "agenerate"])
def test_help_shows_the_arguments(name):
    entry = {"generate": generate, "agenerate": agenerate}[name]
    names = ["prompt", "model", "format", "validators", "row", "context", "escalate", "options"]
    assert list(inspect.signature(entry).parameters) == names
    with pytest.raises(TypeError, match=rf"^{name}\(\) missing 1 required keyword-only argument: 'format'"):
        entry("Hi")  # type: ignore[call-overload]


TYPED = """\
from typing import Any, Literal, Optional, assert_type

from pydantic import BaseModel

from llmkit import Result, agenerate, generate


class User(BaseModel):
    name: str


class Cat(BaseModel):
    age: int


def brief(value: User, context: object) -> str | None:
    return None


assert_type(generate("Hi", format=User, validators=brief, escalate="openai/gpt-4o"), Result[User])
assert_type(generate([{"role": "user", "content": "Hi"}], format=list[User]).value, list[User])
assert_type(generate("Hi", format="choice:a,b"), Result[Any])
assert_type(generate("Hi", format={"type": "object"}), Result[Any])
assert_type(generate("Hi", format=Optional[User]), Result[Any])
assert_type(generate("Hi", format=User | Cat), Result[Any])
assert_type(generate("Hi", format=Literal["a", "b"]), Result[Any])


async def main() -> None:
    assert_type(await agenerate("Hi", format=User), Result[User])
    assert_type(await agenerate("Hi", format=User | Cat), Result[Any])
"""


@pytest.mark.skipif(not os.environ.get("TYPE_CHECK"), reason="takes six seconds: set TYPE_CHECK=1")
def test_a_type_checker_knows_what_comes(tmp_path):
    pytest.importorskip("mypy")
    (tmp_path / "typed.py").write_text(TYPED)
    # In a process of its own: mypy raises the recursion limit of the one that it runs in.
    command = [sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", str(tmp_path / "typed.py")]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stdout + said.stderr
