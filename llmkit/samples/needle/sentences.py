"""Sentences made here: a haystack with nothing at hand, and nothing in it that a needle could be confused with."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

# The repeated noise of RULER (Hsieh et al. 2024, section 3.1) and of the passkey test before it (Mohtashami and Jaggi
# 2023, arXiv 2305.16300): a few plain sentences, over and over. The sentences are our own.
NOISE = (
    "The kettle stands on the stove.",
    "The window is open.",
    "A cart goes by.",
    "It is neither early nor late.",
    "Someone shuts a gate and opens it again.",
)

_WHO = (
    "the gardener", "a retired sailor", "the younger sister", "our neighbour", "the station master", "a tired clerk",
    "the baker", "an old teacher", "the ferryman", "a visiting painter", "the postwoman", "the miller",
    "a travelling singer", "the night watchman", "the apprentice", "a quiet student", "the shopkeeper", "the shepherd",
)  # fmt: skip
_DID = (
    "carried", "mended", "described", "looked for", "forgot about", "asked about", "painted", "put away", "borrowed",
    "counted", "admired", "brought back", "hid", "washed", "sold", "found", "drew", "measured", "complained about",
)  # fmt: skip
_WHAT = (
    "a wooden chair", "the broken clock", "three baskets of apples", "an unfinished letter", "the spare wheel",
    "a coil of rope", "the blue curtain", "a map of the coast", "two empty barrels", "the copper pan",
    "a book of songs", "the garden shears", "a pair of boots", "the oil lamp", "a sack of flour",
    "the parish register", "a bundle of reeds", "the second ladder",
)  # fmt: skip
_WHERE = (
    "behind the mill", "near the harbour", "in the back room", "on the way to the market", "under the bridge",
    "beside the orchard wall", "at the edge of the wood", "in the old chapel", "by the river", "above the stables",
    "in front of the inn", "across the square",
)  # fmt: skip
_WHEN = (
    "before breakfast", "as the rain began", "when the bells had stopped", "late in the afternoon", "without a word",
    "after the long meeting", "while the others slept", "on a windy day", "as soon as the road was dry", "once more",
    "when nobody was looking", "to everyone's surprise",
)  # fmt: skip
_THEN = (
    "and nobody thought it strange", "but the dog would not follow", "and the day went on as usual",
    "although there was hardly any light", "and then sat down to rest", "but never said why",
    "and the children talked of it for a week", "as people there often do", "so that supper was late",
)  # fmt: skip
_PARAGRAPH = 6
"""Sentences of a paragraph."""


def varied(random: Random) -> Iterator[str]:
    """Yield sentences without end; among the first thousands hardly one stands twice."""
    while True:
        who, did, what = random.choice(_WHO), random.choice(_DID), random.choice(_WHAT)
        match random.randrange(4):
            case 0:
                said = f"{who} {did} {what} {random.choice(_WHERE)} {random.choice(_WHEN)}"
            case 1:
                said = f"{random.choice(_WHEN)}, {who} {did} {what} {random.choice(_WHERE)}"
            case 2:
                said = f"{random.choice(_WHERE)} {who} {did} {what}, {random.choice(_THEN)}"
            case _:
                said = f"{who} {did} {what} {random.choice(_WHEN)}, {random.choice(_THEN)}"
        yield f"{said[0].upper()}{said[1:]}."


def numbered(random: Random) -> Iterator[str]:
    """Yield the same sentences, each with its number in brackets."""
    for number, sentence in enumerate(varied(random), 1):
        yield f"({number}) {sentence}"


def repeated() -> Iterator[str]:
    """Yield the noise over and over."""
    while True:
        yield from NOISE


def prose(sentences: Iterator[str], characters: int) -> str:
    """Return at least so many characters of sentences, in paragraphs."""
    parts: list[str] = []
    size = 0
    for number, sentence in enumerate(sentences, 1):
        parts += [sentence, " " if number % _PARAGRAPH else "\n"]
        size += len(sentence) + 1
        if size >= characters:
            break
    return "".join(parts).rstrip()
