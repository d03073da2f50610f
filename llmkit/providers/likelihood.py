"""How likely given continuations are: what is common to all providers that can tell.

Which tokens are a continuation's. Prompt and continuation are tokenised together, as they would stand in a text, and
the continuation's tokens are those after the beginning that the tokens have in common with the prompt's own. It is the
rule of lm-evaluation-harness (``lm_eval/api/model.py``, ``TemplateLM._encode_pair``), with two differences. It cuts
where the prompt's tokens end, and so loses a continuation's first letters where they became one token with the
prompt's last; and it moves white space from the prompt's end to the continuation, which a common beginning does by
itself. All continuations of one prompt are cut at the same place, so that what is compared is likelihoods after the
same tokens.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import TypeVar

from llmkit.errors import ProviderError
from llmkit.providers.bounds import token_bound
from llmkit.types import Completion, Continuation, Message, Request, TokenLogprob


@dataclass(frozen=True, slots=True)
class Context:
    """What stands before continuations.

    Attributes:
        messages: What goes through the chat template; None: ``text`` is all there is.
        text: What the answer begins with; or the plain text.
    """

    messages: tuple[Message, ...] | None
    text: str


@dataclass(frozen=True, slots=True)
class Measured:
    """A continuation's tokens, in order, each with its natural-log probability."""

    tokens: tuple[tuple[str, float], ...]

    @property
    def logprob(self) -> float:
        """The continuation's own: the sum over its tokens, by the chain rule."""
        return sum(logprob for _, logprob in self.tokens)


Place = tuple[Context, str]
"""What stands before a continuation, and the continuation."""
T = TypeVar("T")


def plain_text(messages: Sequence[Message]) -> str:
    """Join messages to one plain text, a blank line between them; line breaks at its end are dropped.

    A text block in YAML ends with a line break that nobody means: what stands before a continuation is its ``space``.
    """
    return "\n\n".join(message.content for message in messages if message.content).rstrip("\n")


def opening(messages: Sequence[Message]) -> tuple[tuple[Message, ...], str]:
    """Split off what the answer begins with: the text of a last message that is the assistant's."""
    if messages and messages[-1].role == "assistant":
        return tuple(messages[:-1]), messages[-1].content
    return tuple(messages), ""


def gap(before: str, after: str) -> str:
    """Return the space that belongs between two texts: none where one of them is empty or brings its own."""
    return " " if before and after and not before[-1].isspace() and not after[0].isspace() else ""


def measured_text(continuation: Continuation) -> str:
    """Return the text whose likelihood is asked for."""
    return continuation.space + continuation.text


def places(request: Request, *, alone: bool = False) -> list[Place]:
    """Return, continuation by continuation, what stands before it and the text to be measured after that.

    Args:
        request: With continuations.
        alone: In place of the request's messages, what is said without the question.
    """
    asked = request.continuations
    assert asked is not None
    messages = (Message("user", asked.unconditional or ""),) if alone else request.messages
    turns, start = opening(messages) if asked.chat else (None, plain_text(messages))
    return [(Context(turns, start + gap(start, each.given) + each.given), measured_text(each)) for each in asked.texts]


def by_context(request: Request) -> dict[Context, tuple[str, ...]]:
    """Return what stands before continuations, those without the question last, and the texts to be measured there.

    Each text stands once after each, so that equal choices have equal likelihoods, and cost nothing twice.
    """
    asked = request.continuations
    assert asked is not None
    found: dict[Context, dict[str, None]] = {}
    for alone in (False, True) if asked.unconditional is not None else (False,):
        for context, text in places(request, alone=alone):
            found.setdefault(context, {})[text] = None
    return {context: tuple(texts) for context, texts in found.items()}


def common_start(prompt: Sequence[T], wholes: Sequence[Sequence[T]]) -> int:
    """Return how many tokens a prompt and all of its continuations begin with alike.

    Args:
        prompt: The prompt's own tokens.
        wholes: Those of the prompt with each continuation.
    """
    return sum(
        1 for _ in takewhile(lambda alike: alike, (len({*at}) == 1 for at in zip(prompt, *wholes, strict=False)))
    )


def checked_start(provider: str, prompt: Sequence[T], wholes: Sequence[Sequence[T]]) -> int:
    """Return ``common_start`` where a likelihood can be had after it.

    Raises:
        ProviderError: No token stands before the continuations, or one of them has none.
    """
    start = common_start(prompt, wholes)
    if start == 0:
        raise ProviderError(
            "bad_request",
            f"{provider}: no token stands before the continuations, so that their first has no likelihood",
        )
    if any(len(whole) <= start for whole in wholes):
        raise ProviderError("bad_request", f"{provider}: a continuation has no token of its own after the prompt")
    return start


def compared(request: Request, found: Mapping[Place, Measured], said: Completion) -> Completion:
    """Make the completion that is stored: the likeliest as its text, the first of them where several are.

    Continuations are named by their texts, and where answers begin differently, by their beginnings too.

    Args:
        request: With continuations.
        found: What was measured, of each place of ``by_context``.
        said: Usage, latency and the like.
    """
    asked = request.continuations
    assert asked is not None
    alone: list[float | None] = [None] * len(asked.texts)
    if asked.unconditional is not None:
        alone = [found[place].logprob for place in places(request, alone=True)]
    alike = len({each.given for each in asked.texts}) <= 1
    entries = tuple(
        TokenLogprob(each.text if alike else each.given + measured_text(each), at.logprob, at.tokens, by_itself)
        for each, at, by_itself in zip(asked.texts, map(found.__getitem__, places(request)), alone, strict=True)
    )
    likeliest = max(entries, key=lambda entry: entry.logprob)
    return replace(said, text=likeliest.token, finish_reason="compared", logprobs=entries)


def likelihood_bound(request: Request) -> tuple[int, int]:
    """Bound the tokens that measuring continuations takes, read and written, from above.

    Each prompt is read once, and once with each continuation. A server may write a token after each, asked or not.
    """
    read = written = 0
    for context, texts in by_context(request).items():
        messages = (*(context.messages or ()), Message("assistant", context.text))
        prompt = token_bound(Request(messages, request.params))
        read += prompt + sum(prompt + len(text.encode("utf-8", "surrogatepass")) for text in texts)
        written += 1 + len(texts)
    return read, written
