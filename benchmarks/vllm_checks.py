"""What cuda_check puts an engine to. Each check says what it found, or raises. Not a benchmark of its own."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import jsonschema

from llmkit.errors import LlmkitError
from llmkit.providers.base import Provider
from llmkit.types import Completion, Continuation, Continuations, Message, Request

TIE = 0.25
"""Nats between the two likeliest tokens up to which either may win. bfloat16 has 8 bits of mantissa: logits from 16 to
32 lie .125 apart, and both may be off by a step when the order of sums changes."""
SAME = 0.1
"""Nats a token by which a log-likelihood may differ between two engines, for the same reason."""
SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string", "maxLength": 20}, "people": {"type": "integer"}},
    "required": ["city", "people"],
    "additionalProperties": False,
}
SHAPES: Mapping[str, tuple[Any, str]] = {
    "json_schema": (SCHEMA, "Name a city and how many people live there, as JSON."),
    "regex": (r"[A-Z]{3}-[0-9]{4}", "Make up a licence plate."),
    "choice": (["red", "green", "blue"], "What colour is the sky? One word."),
    "grammar": ('root ::= ("yes" | "no") ", " [0-9] [0-9] " %"', "Will it rain? Say yes or no, and how sure you are."),
}
TEXT = "The harbour received 42 drums – naïve, 東京, and a tab\there."
QUESTIONS = (
    "Repeat these words three times: alpha beta gamma delta.",
    "Write the numbers from 1 to 30, separated by commas.",
    "Copy this line exactly: the quick brown fox jumps over the lazy dog. the quick brown fox jumps over the lazy dog.",
    "List the days of the week twice.",
    "Explain in two sentences what a lighthouse is for.",
    "Write the letter a ten times, then the letter b ten times.",
    "What is the capital of France? Say it three times.",
    "Write a short poem about rain.",
)


class FailedCheck(Exception):
    """What was found is not what has to be."""


@dataclass
class Seen:
    """What the plain engine answered, for others to be held against.

    Attributes:
        context: Tokens of prompt and answer together.
        greedy: Answers with log-probabilities.
        likely: What it said of continuations.
    """

    context: int
    greedy: list[Completion] = field(default_factory=list)
    likely: list[Completion] = field(default_factory=list)


Check = Callable[[Seen, Any], Awaitable[str]]


def need(holds: bool, why: str) -> None:
    """Fail the check unless something holds."""
    if not holds:
        raise FailedCheck(why)


def request(text: str, **params: Any) -> Request:
    """Return a greedy request."""
    return Request((Message("user", text),), {"temperature": 0, "max_tokens": 48, **params})


# --- one engine, as it is by default ---


async def chat(seen: Seen, provider: Provider) -> str:
    asked = [request(text, logprobs=True, top_logprobs=2) for text in QUESTIONS]
    seen.greedy = list(await asyncio.gather(*map(provider.complete, asked)))
    first = seen.greedy[0]
    need(first.usage.input is not None and first.usage.output is not None, "no usage")
    need(all(answer.usage.output and answer.usage.output <= 48 for answer in seen.greedy), "max_tokens did not hold")
    return f"{len(asked)} at once; the first: {first.text[:40]!r}, {first.usage.input} + {first.usage.output} tokens"


async def stop(seen: Seen, provider: Provider) -> str:
    answer = await provider.complete(request("Write three sentences about the sea.", stop=["e"]))
    need("e" not in answer.text and answer.finish_reason == "stop", f"{answer.text!r}, {answer.finish_reason}")
    return f"{answer.text!r} ends before the first e"


async def seed(seen: Seen, provider: Provider) -> str:
    def ask(number: int) -> Awaitable[Completion]:
        return provider.complete(request("Make up a name for a ship.", temperature=1.0, seed=number, max_tokens=24))

    one, two = (await ask(7)).text, (await ask(7)).text
    others = {(await ask(number)).text for number in (8, 9, 10)}
    need(one == two, f"seed 7 gave {one!r} and then {two!r}")
    need(others != {one}, "all seeds give the same")
    return f"the same twice with seed 7; {len(others - {one})} other texts of three other seeds"


def shaped(shape: str) -> Check:
    value, asked = SHAPES[shape]

    async def check(seen: Seen, provider: Provider) -> str:
        answer = await provider.complete(request(asked, structured={shape: value}, max_tokens=128))
        try:
            VALID[shape](answer.text, value)
        except (ValueError, jsonschema.ValidationError) as error:
            raise FailedCheck(f"{answer.text!r}, {answer.finish_reason}: {str(error).splitlines()[0]}") from None
        return f"{answer.text!r} is valid"

    return check


def _json(text: str, schema: Any) -> None:
    jsonschema.validate(json.loads(text), schema)


def _matching(text: str, pattern: str) -> None:
    if not re.fullmatch(pattern, text):
        raise ValueError(f"does not match {pattern}")


def _one_of(text: str, words: Sequence[str]) -> None:
    if text not in words:
        raise ValueError(f"is none of {words}")


VALID: Mapping[str, Callable[[str, Any], None]] = {
    "json_schema": _json,
    "regex": _matching,
    "choice": _one_of,
    "grammar": lambda text, grammar: _matching(text, r"(yes|no), \d\d %"),
}


async def logprobs(seen: Seen, provider: Provider) -> str:
    need(bool(seen.greedy), "no answers to look at")
    tokens = [token for answer in seen.greedy for token in answer.logprobs or ()]
    need(len(tokens) >= len(seen.greedy), f"{len(tokens)} tokens of {len(seen.greedy)} answers have them")
    need(
        all(token.logprob <= 0 and len(token.top) == 2 for token in tokens), "a probability above 1, or no alternatives"
    )
    first = sum(token.logprob >= token.top[0][1] - TIE for token in tokens)
    need(first == len(tokens), f"greedy took the likeliest only {first} times of {len(tokens)}")
    spelled = "".join(token.token for token in seen.greedy[0].logprobs or ())
    need(seen.greedy[0].text.strip() in spelled or "\ufffd" in spelled, f"the tokens spell {spelled[:60]!r}")
    return f"of {len(tokens)} tokens, each with two alternatives; greedy took the likeliest"


async def tokenizer(seen: Seen, provider: Any) -> str:
    with provider.tokenizer() as opened:
        tokens = opened.count(TEXT)
    asked = request(TEXT)
    counted, used = await provider.count_tokens(asked), (await provider.complete(asked)).usage.input
    need(0 < tokens < counted, f"{tokens} tokens of the text, {counted} within the template")
    need(counted == used, f"{counted} tokens were counted, and usage says {used}")
    return f"{tokens} tokens of {len(TEXT)} characters; with the template {counted}, as in usage"


async def overflow(seen: Seen, provider: Provider) -> str:
    try:
        await provider.complete(request("word " * (seen.context + 10)))
    except LlmkitError as error:
        need(getattr(error, "fault", None) == "context_overflow", f"{error}")
        return one_line(error)
    raise FailedCheck("a prompt beyond the context was answered")


async def measured(provider: Any) -> list[Completion]:
    """Measure continuations, twice: the second time the prompts are in the cache, where there is one."""
    found = []
    for _ in range(2):
        for text, choices in (
            ("What is the capital of France?", ("Paris", "Rome", "Berlin")),
            ("Two and two is", ("four", "five", "twenty-two")),
        ):
            texts = tuple(Continuation(choice) for choice in choices)
            asked = Request((Message("user", text),), {}, Continuations(texts, chat=True))
            found.append(await provider.loglikelihoods(asked))
    return found


async def likelihoods(seen: Seen, provider: Provider) -> str:
    seen.likely = await measured(provider)
    sums = [entry.logprob for entry in seen.likely[0].logprobs or ()]
    need(len(sums) == 3 and all(value < 0 for value in sums), f"{sums}")
    return f"Paris, Rome, Berlin: {', '.join(f'{value:.2f}' for value in sums)}"


async def without_cache(seen: Seen, provider: Provider) -> str:
    need(bool(seen.likely), "nothing to compare with")
    worst = 0.0
    for one, two in zip(seen.likely, await measured(provider), strict=True):
        for a, b in zip(one.logprobs or (), two.logprobs or (), strict=True):
            worst = max(worst, abs(a.logprob - b.logprob) / max(1, len(a.top)))
        need(one.text == two.text, f"{one.text!r} is the likeliest with prefix caching, {two.text!r} without")
    need(worst <= SAME, f"they differ by up to {worst:.3f} nats a token")
    return f"the same choices; log-likelihoods differ by {worst:.4f} nats a token at most"


# --- other engines ---


async def adapter(seen: Seen, provider: Provider) -> str:
    need(bool(seen.greedy), "nothing to compare with")
    answers = await asyncio.gather(*(provider.complete(request(text)) for text in QUESTIONS))
    other = sum(a.text != b.text for a, b in zip(seen.greedy, answers, strict=True))
    return f"{other} of {len(answers)} greedy answers differ from the model's own"


async def speculation(seen: Seen, provider: Any) -> str:
    need(bool(seen.greedy), "nothing to compare with")
    answers = await asyncio.gather(*(provider.complete(request(text)) for text in QUESTIONS))
    found = await provider.speculation()
    need(found is not None and found.drafted > 0, "nothing was drafted")
    equal = sum(a.text == b.text for a, b in zip(seen.greedy, answers, strict=True))
    wrong = [
        f"{plain.text!r} and {drafted.text!r}"
        for plain, drafted in zip(seen.greedy, answers, strict=True)
        if plain.text != drafted.text and not tied(plain, drafted.text)
    ]
    need(not wrong, f"{len(wrong)} answers differ where nothing was tied: {wrong[:1]}")
    return (
        f"acceptance rate {found.acceptance_rate:.2f}, accepted length {found.accepted_length:.2f}, {found.drafted} "
        f"tokens drafted; greedy answers: {equal} of {len(answers)} equal, {len(answers) - equal} apart at a tie"
    )


def tied(plain: Completion, other: str) -> bool:
    """Whether two texts part where the two likeliest tokens were as good as equally likely."""
    spelled = ""
    for token in plain.logprobs or ():
        spelled += token.token
        if not other.startswith(spelled):
            return len(token.top) > 1 and abs(token.top[0][1] - token.top[1][1]) <= TIE
    return False


def one_line(error: LlmkitError) -> str:
    """Return what people would read, without the place of the log; it has to be one line."""
    need("\n" not in str(error), f"more than one line: {error}")
    return f"exit {error.exit_code}: {str(error).partition(' The engine')[0]}"


PLAIN: Mapping[str, Check] = {
    "chat": chat,
    "stop": stop,
    "seed": seed,
    **{f"structured output, {shape}": shaped(shape) for shape in SHAPES},
    "logprobs": logprobs,
    "log-likelihoods": likelihoods,
    "tokenizer": tokenizer,
    "prompt beyond the context": overflow,
}
