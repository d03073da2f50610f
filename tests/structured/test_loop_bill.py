"""A thousand random scripts: what is spent stays under the cap by the server's own account, and the ledgers agree."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from llmkit.config import load_settings
from llmkit.generation.generate import prompt_of
from llmkit.generation.generator import Generator
from llmkit.generation.models import Models
from llmkit.generation.options import GenerateOptions
from llmkit.generations import GenerationFailed, GenerationOverBudget, Ledger
from llmkit.prompts import Prompt
from llmkit.providers.retry import RetryPolicy
from tests.providers.server import Server
from tests.structured.billing import FREE, LOST, PAID, ROADS, Charge, Digits, Scripts, model_at, project

SCRIPTS = 1000
ALL = "ALL_SCRIPTS" in os.environ  # as a step of CI has it; the default run plays a part of them
WORDS = ("good", "bad", "bad", "truncated", "refusal", "empty", "500", "429", "reset", "cut", "504", "malformed")
AT_ONCE = RetryPolicy(max_attempts=2, limited_attempts=2, base_s=0.0, limited_base_s=0.0)
MOST = 64
FEEDBACK = ("last", "all", "fresh")


@pytest.fixture(autouse=True)
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project(tmp_path, monkeypatch)


def drawn(seed: int, count: int) -> Scripts:
    """Random scripts; some without what may be lost, so that their bills must agree to the token."""
    draw = random.Random(seed)
    words = {}
    for number in range(count):
        known = [word for word in WORDS if word not in LOST] if draw.random() < 0.5 else list(WORDS)
        words[number] = [draw.choice(known) for _ in range(draw.randint(1, 6))]
    return Scripts(words, seed=seed, bad=lambda number: f"forty-{number // 2}")


def prompt(number: int) -> Prompt:
    return prompt_of(f"Script {number}: how much is 6 * 7?")


async def ledger_of(models: Models, number: int, slots: asyncio.Semaphore | None = None) -> Ledger:
    if slots is not None:
        async with slots:
            return await ledger_of(models, number)
    try:
        return (await Generator(prompt(number), Digits(), models).one({})).ledger
    except GenerationFailed as failed:
        return failed.ledger


def agrees(ledger: Ledger, bill: Sequence[Charge]) -> None:
    """Hold one ledger to what the server charged for its script."""
    lost = [charge for charge in bill if charge.word in LOST]
    paid = [charge for charge in bill if charge.word in PAID]
    totals = ledger.totals
    assert totals.http_attempts == len(bill)
    answered = [a for a in ledger.attempts if a.usage.input is not None]
    assert [(a.usage.input, a.usage.output) for a in answered] == [(c.tokens.input, c.tokens.output) for c in paid]
    assert [a.cost_usd for a in answered] == pytest.approx([c.usd for c in paid], rel=1e-12)
    assert sum(a.usage.cached or 0 for a in answered) == sum(c.tokens.cached for c in paid)
    if lost:
        assert ledger.cost_usd is None
    else:
        assert ledger.cost_usd == pytest.approx(sum(c.usd for c in bill), rel=1e-12)
        assert totals.input == sum(c.tokens.input for c in paid)
        assert totals.output == sum(c.tokens.output for c in paid)


def spread_over_all(scripts: Scripts, ledgers: Sequence[Ledger]) -> None:
    """Say that the scripts did what they were drawn for: every word was played, every kind of end was met."""
    assert {charge.word for bill in scripts.bill.values() for charge in bill} == {*PAID, *FREE, *LOST}
    assert {ledger.stop for ledger in ledgers} >= {"valid", "attempts", "failed", "budget"}


@pytest.mark.parametrize("road", ROADS)
async def test_sequentially_every_script_stays_under_its_cap_and_its_ledger_agrees(road):
    count = SCRIPTS if ALL else 120 if road == "chat" else 40  # the SDKs take three times as long, on our same path
    scripts, draw, ledgers = drawn(1, count), random.Random(2), []
    async with Server(default=scripts) as server:
        for number in range(count):
            cap = draw.choice([0.0008, 0.002, 0.004, 1.0])
            options = GenerateOptions(
                max_cost=cap, max_attempts=draw.randint(1, 5), feedback=draw.choice(FEEDBACK), retry=AT_ONCE,
                params={"max_tokens": MOST},
            )  # fmt: skip
            ref = model_at(road, server)
            async with Models(
                [type(ref)(ref.name, {"max_tokens": MOST}, ref.options)], options, load_settings()
            ) as models:
                ledgers.append(await ledger_of(models, number))
                charged = sum(charge.usd for charge in scripts.bill.get(number, []))
                assert charged <= models.budget.spent_usd + 1e-15 and models.budget.spent_usd <= cap
                assert models.budget.reserved_usd == 0
            agrees(ledgers[-1], scripts.bill.get(number, []))
    spread_over_all(scripts, ledgers)


async def at_once(road: str, server: Server, count: int, **options: Any) -> tuple[Models, list[Ledger]]:
    ref = model_at(road, server)
    chosen = GenerateOptions(retry=AT_ONCE, concurrency=64, max_attempts=4, **options)
    async with Models([type(ref)(ref.name, {"max_tokens": MOST}, ref.options)], chosen, load_settings()) as models:
        slots = asyncio.Semaphore(64)
        return models, await asyncio.gather(*(ledger_of(models, number, slots) for number in range(count)))


@pytest.mark.parametrize("road", ROADS)
async def test_64_at_once_stay_under_one_cap_and_their_ledgers_agree(road):
    count = SCRIPTS if ALL else 300 if road == "chat" else 120
    scripts = drawn(3, count)
    scripts.together = 64
    async with Server(default=scripts) as server:
        cap = 1.2 * count / SCRIPTS
        models, ledgers = await at_once(road, server, count, max_cost=cap)
        assert server.max_in_flight == 64
    assert scripts.billed_usd <= models.budget.spent_usd + 1e-9 and models.budget.spent_usd <= cap
    assert models.budget.spent_usd > 0.9 * cap  # the cap was met, and not for want of asking
    assert models.budget.reserved_usd == 0
    for number, ledger in enumerate(ledgers):
        agrees(ledger, scripts.bill.get(number, []))
    spread_over_all(scripts, ledgers)


async def test_64_at_once_stay_under_one_cap_on_tokens():
    count = SCRIPTS if ALL else 300
    scripts = drawn(4, count)
    scripts.together = 64
    async with Server(default=scripts) as server:
        cap = 100 * count
        models, ledgers = await at_once("chat", server, count, max_total_tokens=cap)
    assert models.tokens is not None
    assert scripts.billed_tokens <= models.tokens.spent_usd <= cap
    assert models.tokens.spent_usd > 0.9 * cap and models.tokens.reserved_usd == 0
    for number, ledger in enumerate(ledgers):
        agrees(ledger, scripts.bill.get(number, []))


async def test_both_caps_hold_together():
    scripts = drawn(5, 200)
    async with Server(default=scripts) as server:
        models, _ = await at_once("chat", server, 200, max_total_tokens=30_000, max_cost=0.2)
    assert models.tokens is not None
    assert scripts.billed_usd <= models.budget.spent_usd + 1e-9 <= 0.2 + 1e-9
    assert scripts.billed_tokens <= models.tokens.spent_usd <= 30_000
    assert models.tokens.reserved_usd == 0 and models.budget.reserved_usd == 0


async def test_a_cap_too_small_for_one_call_asks_nothing():
    scripts = drawn(6, 10)
    async with Server(default=scripts) as server:
        ref = model_at("chat", server)
        options = GenerateOptions(max_cost=1e-6)
        async with Models([type(ref)(ref.name, {"max_tokens": MOST}, ref.options)], options, load_settings()) as models:
            with pytest.raises(GenerationOverBudget):
                await Generator(prompt(0), Digits(), models).one({})
        assert server.log == []
