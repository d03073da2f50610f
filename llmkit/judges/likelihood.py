"""The probability of each word that a verdict may be, from the log-probabilities of the tokens that spell it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from llmkit.stats.logprobs import choice_probabilities
from llmkit.types import TokenLogprob


def likelihoods(
    tokens: Sequence[TokenLogprob], key: str, words: Sequence[str], said: str
) -> Mapping[str, float] | None:
    """Return the probabilities of ``words`` where an answer in JSON begins the value of ``key``.

    An alternative token counts for the one word that begins with it. Where several do, the token that was chosen is
    followed to the next one, with its own alternatives; of the others nobody knows how they would have gone on, and
    they count for the word that they are, where they are one.

    Args:
        tokens: Those of the answer, with their likeliest alternatives.
        key: Of the answer's object; its last mention holds, and none inside a text can pass for it.
        words: What the value may be.
        said: What it is.

    Returns:
        Word → probability, summing to 1; None where the tokens do not spell ``said`` there.
    """
    text = "".join(token.token for token in tokens)
    places = list(re.finditer(rf'"{re.escape(key)}"\s*:\s*"?', text))
    if not places or not text[places[-1].end() :].casefold().startswith(said.casefold()):
        return None
    at = places[-1].end()
    begin = 0
    for index, token in enumerate(tokens):
        if begin + len(token.token) > at:
            found = list(_paths(tokens, index, token.token[: at - begin], "", 0.0, words))
            said_so = choice_probabilities(found, words)
            return None if said_so is None else said_so.probabilities
        begin += len(token.token)
    return None


def _paths(
    tokens: Sequence[TokenLogprob], index: int, before: str, spelled: str, logprob: float, words: Sequence[str]
) -> Iterator[tuple[str, float]]:
    """Yield (word, log-probability) of the ways on from a token.

    Args:
        tokens: All of them.
        index: The token's.
        before: What of the token stands before the value: a quotation mark, say.
        spelled: What the tokens before have spelled of the value.
        logprob: Of those.
        words: What the value may be.
    """
    token = tokens[index]
    chosen = (token.token, token.logprob)
    for piece, likely in dict([*token.top, chosen]).items():
        if not piece.startswith(before):
            continue
        value, quote, _ = (spelled + piece[len(before) :]).partition('"')
        if not value:
            continue
        open_ = [] if quote else [word for word in words if word.casefold().startswith(value.casefold())]
        exact = [word for word in words if word.casefold() == value.strip().casefold()]
        if len(open_) > 1 and piece == token.token and index + 1 < len(tokens):
            yield from _paths(tokens, index + 1, "", value, logprob + likely, words)
        elif exact:
            yield exact[0], logprob + likely
        elif len(open_) == 1:
            yield open_[0], logprob + likely
