"""Log-likelihoods of continuations: in process, over HTTP, and by transformers in float32, on the same weights."""

from __future__ import annotations

import asyncio

import pytest

from llmkit.errors import ProviderError
from llmkit.types import Continuation, Continuations, Message, Request
from tests.vllm.models import among, folder
from tests.vllm.reference import Reference

pytestmark = pytest.mark.asyncio(loop_scope="session")
QUESTIONS = [
    ("What is the capital of France?", ("Paris", "London", "Berlin", "a small village in the Alps")),
    ("2 + 2 =", ("4", "5", "22")),
    ("The opposite of hot is", ("cold", "warm", "blue")),
    ("Ein Wort auf Deutsch:", ("Straße", "日本語", "naïve café 🙂")),
]
BETWEEN_WAYS = 1e-3
"""Nats, of a sum over a continuation's tokens; in process and over HTTP only the batches differ."""
FROM_TRANSFORMERS = 0.01
"""Nats; other kernels, all in float32. The likelihoods themselves are between -1 and -80."""


@pytest.fixture(scope="module")
def reference():
    return Reference(folder())


def likelihoods(completion):
    return [entry.logprob for entry in completion.logprobs]


@pytest.mark.parametrize("question, choices", QUESTIONS)
@pytest.mark.parametrize("chat", [True, False], ids=["chat", "plain"])
async def test_they_are_those_of_transformers(model, reference, question, choices, chat):
    space = "" if chat else " "
    completion = await model.loglikelihoods(among(question, *choices, chat=chat, space=space))
    prompt = reference.prompt(question) if chat else question
    wanted = [reference.loglikelihood(prompt, space + choice) for choice in choices]
    assert likelihoods(completion) == pytest.approx([value for value, _ in wanted], abs=FROM_TRANSFORMERS)
    assert [len(entry.top) for entry in completion.logprobs] == [tokens for _, tokens in wanted]
    assert completion.text == max(zip(wanted, choices, strict=True))[1]
    assert completion.finish_reason == "compared"
    assert completion.usage.output in (0, len(choices))  # vLLM's server generates a token after each, unasked


@pytest.mark.parametrize("question, choices", QUESTIONS)
@pytest.mark.parametrize("chat", [True, False], ids=["chat", "plain"])
async def test_they_are_the_same_in_process_and_over_http(engine, server, question, choices, chat):
    request = among(question, *choices, chat=chat, space="" if chat else " ")
    one, two = [await each.loglikelihoods(request) for each in (engine, server)]
    assert likelihoods(one) == pytest.approx(likelihoods(two), abs=BETWEEN_WAYS)
    assert [[token for token, _ in entry.top] for entry in one.logprobs] == [
        [token for token, _ in entry.top] for entry in two.logprobs
    ]
    assert (one.text, one.usage.input) == (two.text, two.usage.input)


async def test_a_continuation_without_the_question_is_measured_beside(model, reference):
    completion = await model.loglikelihoods(among("2 + 2 =", "4", "5", unconditional="Answer:"))
    wanted = [reference.loglikelihood(reference.prompt("Answer:"), choice)[0] for choice in ("4", "5")]
    assert [entry.alone for entry in completion.logprobs] == pytest.approx(wanted, abs=FROM_TRANSFORMERS)


async def test_an_answers_given_beginning_is_not_measured(model, reference):
    texts = (Continuation("Paris", " ", "The city of"), Continuation("Paris", " ", "The ship"))
    request = Request((Message("user", "What is the capital of France?"),), {}, Continuations(texts))
    completion = await model.loglikelihoods(request)
    start = reference.prompt("What is the capital of France?")
    wanted = [reference.loglikelihood(start + given, " Paris")[0] for given in ("The city of", "The ship")]
    assert likelihoods(completion) == pytest.approx(wanted, abs=FROM_TRANSFORMERS)


async def test_many_at_once_are_those_of_each_alone(model):
    requests = [among(f"{n} + 1 =", *map(str, range(n, n + 4))) for n in range(20)]
    together = await asyncio.gather(*(model.loglikelihoods(request) for request in requests))
    for request, completion in list(zip(requests, together, strict=True))[::5]:
        alone = await model.loglikelihoods(request)
        assert likelihoods(alone) == pytest.approx(likelihoods(completion), abs=BETWEEN_WAYS)


async def test_a_prompt_beyond_the_context_is_one_clear_error(model):
    with pytest.raises(ProviderError) as caught:
        await model.loglikelihoods(among("one two three four five six seven " * 300, "a", "b"))
    assert caught.value.fault == "context_overflow"
