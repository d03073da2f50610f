"""Tokens drafted ahead change nothing of what is said greedily, near ties apart, and are counted."""

from __future__ import annotations

import asyncio

import pytest

from tests.vllm.models import PROMPTS, among, asked, folder, provider
from tests.vllm.ties import ties

pytestmark = pytest.mark.asyncio(loop_scope="session")
TOKENS = 32
MOST_TIES = 2
NGRAM = {"method": "ngram", "num_speculative_tokens": 4, "prompt_lookup_max": 4, "prompt_lookup_min": 2}
LIKELY = among("What is the capital of France?", "Paris", "London")


def draft_model():
    return {"method": "draft_model", "model": str(folder("draft")), "num_speculative_tokens": 3}


async def answers(model):
    requests = [asked(prompt, max_tokens=TOKENS, top_logprobs=5, extra={"ignore_eos": True}) for prompt in PROMPTS]
    return await asyncio.gather(*(model.complete(request) for request in requests))


@pytest.mark.parametrize("config", [lambda: NGRAM, draft_model], ids=["n-gram", "draft model"])
async def test_greedy_answers_are_those_without(engine, config):
    plain = await answers(engine)
    async with provider(speculative_config=config()) as speculating:
        before = await speculating.speculation()
        drafted = await answers(speculating)
        after = await speculating.speculation()
        likely = await speculating.loglikelihoods(LIKELY)
    assert ties(plain, drafted) <= MOST_TIES
    plainly = await engine.loglikelihoods(LIKELY)
    assert [each.logprob for each in likely.logprobs] == pytest.approx(
        [each.logprob for each in plainly.logprobs], abs=1e-3
    )
    assert [completion.usage.output for completion in drafted] == [TOKENS] * len(PROMPTS)
    assert (before.drafts, before.drafted, before.accepted) == (0, 0, 0)
    assert 0 < after.accepted < after.drafted
    assert sum(after.by_position) == after.accepted
    assert len(after.by_position) == config()["num_speculative_tokens"]
    assert list(after.by_position) == sorted(after.by_position, reverse=True)  # a token counts if those before do
    assert 1 < after.accepted_length <= 1 + config()["num_speculative_tokens"]
    # Every token comes from a step; a step yields one more than it accepts, and some tokens come without a draft.
    assert after.drafts + after.accepted <= TOKENS * len(PROMPTS) + len(PROMPTS) * config()["num_speculative_tokens"]


async def test_an_engine_that_drafts_nothing_counts_nothing(engine):
    assert await engine.speculation() is None
