"""What judging may cost at most is no less than what its calls set aside, nor than what any command then pays."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from llmkit.config import load_settings
from llmkit.errors import UsageError
from llmkit.gate.judge_outlay import dearest_of
from llmkit.judges.outlay import checks_at_most, costs_nothing, dearest, most_calls, stand_in, unbounded
from llmkit.judges.panel import judge_one
from llmkit.judges.subject import Subject
from llmkit.judges.validator import JUDGES
from llmkit.plan.outlay import worst_of
from llmkit.providers.pricing import Prices
from llmkit.providers.retry import Caller
from llmkit.providers.scripted import Scripted
from llmkit.runs.evaluate import evaluate_async
from llmkit.runs.forecast import forecast
from llmkit.runs.judge_forecast import longest_answer, to_be_judged
from llmkit.runs.options import Options
from llmkit.runs.pairs import pairs_of
from llmkit.runs.records import Job
from llmkit.runs.render import pieces
from tests.judges.project import judge_of, project
from tests.judges.seats import OneSeat

MODEL = Scripted("judge", function=lambda request: "hm")
PRICES = Prices({"scripted/judge": {"input": 1.0, "output": 2.0}})
ONE, PAIR = Subject("i", "What is it?", "It is so."), Subject("i", "Which is better?", a="This.", b="That one here.")
TWICE = "---\nname: j\n---\nuser:\n{{criterion}}\n{{a}}\n{{a}}\n{{b}}\n"
"""Longer with the longer answer first."""


@pytest.mark.parametrize(
    ("fields", "subject", "prompt"),
    [
        ({}, ONE, None),
        ({"method": {"samples": 3, "max_attempts": 3}}, ONE, None),
        ({"kind": "pairwise", "method": {"swap": True, "max_attempts": 1}}, PAIR, TWICE),
    ],
)
async def test_it_bounds_what_the_calls_of_a_verdict_set_aside(
    tmp_path: Path, fields: dict[str, Any], subject: Subject, prompt: str | None
) -> None:
    judge = judge_of(tmp_path, params={"max_tokens": 50}, prompt=prompt, **fields)
    number = itertools.count()
    seat = OneSeat(Scripted("judge", function=lambda request: f"no verdict, {next(number)}"), prices=PRICES)
    caller = Caller(MODEL, prices=PRICES)
    assert (await judge_one(judge, subject, seat)).state == "unread"
    assert len(seat.requests) == most_calls(judge)
    aside = sum([await caller.worst_case(request) for request in seat.requests])
    most = await dearest(judge, subject, caller)
    assert aside <= most * (1 + 1e-9)
    if judge.method.max_attempts == 1:
        assert most == pytest.approx(aside)


@pytest.mark.parametrize("rates", [{"input": 1.0, "output": 0.0}, {"input": 0.0, "output": 1.0}])
async def test_a_model_that_nobody_bills_costs_what_its_price_says(tmp_path: Path, rates: dict[str, float]) -> None:
    judge = judge_of(tmp_path, params={"max_tokens": 50})
    for prices, free in ((Prices({"scripted/judge": rates}), False), (Prices(), True)):
        caller = Caller(MODEL, prices=prices)
        assert costs_nothing(judge, caller) is free
        assert (await dearest(judge, ONE, caller) == 0.0) is free


async def test_a_priced_judge_without_a_limit_has_no_bound(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="max_tokens"):
        await dearest(judge_of(tmp_path), ONE, Caller(MODEL, prices=PRICES))


def test_an_answer_that_is_not_there_yet_is_as_long_as_its_limit_lets_it_be() -> None:
    assert len(stand_in(7)) == 28
    with pytest.raises(UsageError, match="without max_tokens an answer, which is shown to the judge, has no bound"):
        stand_in(None)


# --- what each command says before, and what a run then pays ---

SUITE = """\
version: 1
name: replies
data: rows.jsonl
messages: [{role: user, content: "Question {{n}}"}]
scorers: [{judge: relevance}]
model: scripted/echo
params: {max_tokens: 8}
"""
CONFIG = "[models.'scripted/judge']\nfile = 'verdicts.jsonl'\n[prices.'scripted/judge']\ninput = 1.0\noutput = 9.0\n"
ROWS = 3


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A suite with a judge that has a price, though nobody bills it, and never gives a verdict."""
    monkeypatch.chdir(tmp_path)
    for name in ("LLMKIT_MODEL", "LLMKIT_STORE"):
        monkeypatch.delenv(name, raising=False)
    project(tmp_path, params={"max_tokens": 50})
    (tmp_path / "llmkit.toml").write_text(CONFIG)
    (tmp_path / "verdicts.jsonl").write_text(json.dumps({"match": "answer", "text": "hm " * 40}) + "\n")
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps({"n": n}) + "\n" for n in range(ROWS)))
    (tmp_path / "replies.yaml").write_text(SUITE)
    return tmp_path


async def by_eval() -> float | None:
    (found,) = await forecast(["replies.yaml"], None, options=Options())
    (judge,) = found.judges
    assert (judge.calls, judge.unknown) == (ROWS * 2, None)
    return judge.worst_case_usd


async def by_plan() -> float | None:
    settings = load_settings()
    ((plan, provider),) = pairs_of(["replies.yaml"], None, Options(), settings, display=True)
    return (await worst_of(plan, provider, Prices(settings.prices))).usd


async def by_gate() -> float | None:
    settings = load_settings()
    ((plan, provider),) = pairs_of(["replies.yaml"], None, Options(), settings, display=True)
    (scorer,) = plan.suite.scorers
    jobs = [piece for piece in pieces(plan, provider) if isinstance(piece, Job)]
    subjects = [to_be_judged(scorer, job, longest_answer(plan)) for job in jobs]  # type: ignore[arg-type]
    return await dearest_of(scorer.judge, subjects, Prices(settings.prices))  # type: ignore[attr-defined]


@pytest.mark.parametrize("said", [by_eval, by_plan, by_gate])
async def test_what_is_said_before_is_no_less_than_what_a_run_then_pays(
    here: Path, said: Callable[[], Coroutine[Any, Any, float | None]]
) -> None:
    most = await said()
    (ending,) = await evaluate_async("replies.yaml")
    assert ending.result is not None
    paid = ending.result.judging["relevance"]
    assert paid.calls == ROWS * 2
    assert paid.cost_usd is not None and most is not None and 0 < paid.cost_usd <= most


def test_who_checks_answers_for_money_leaves_the_bound_of_a_generation_unknown(here: Path) -> None:
    checks = [JUDGES.of("relevance")]
    assert checks_at_most(checks) == 2
    said = unbounded(checks, Prices(load_settings().prices))
    assert said == "judge:relevance makes up to 2 calls an answer, whose price depends on what that says"
    assert unbounded(checks, Prices()) is None


async def test_so_it_does_of_a_suite_whose_answers_are_checked(here: Path) -> None:
    form = 'format: text\ngenerate: {validators: ["judge:relevance"]}\nscorers: [valid]'
    (here / "replies.yaml").write_text(SUITE.replace("scorers: [{judge: relevance}]", form))
    (found,) = await forecast(["replies.yaml"], None, options=Options())
    assert found.calls == ROWS * 3 * (1 + 2)
    assert found.worst_case_usd is None and "judge:relevance makes up to 2 calls" in str(found.unknown)


async def test_the_answer_of_a_further_attempt_may_be_longer(here: Path) -> None:
    settings = load_settings()
    ((plan, _),) = pairs_of(["replies.yaml"], None, Options(), settings, display=True)
    assert longest_answer(plan) == 8
    (here / "replies.yaml").write_text(SUITE + "format: text\n")
    ((formed, _),) = pairs_of(["replies.yaml"], None, Options(), settings, display=True)
    assert longest_answer(formed) == 16
    assert longest_answer(replace(formed, model=replace(formed.model, params={}))) is None
