"""The needles of one row: what is hidden, what is asked, what is right, and what would be wrong."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from llmkit.samples.needle.fit import Needle
from llmkit.samples.needle.spec import NeedleData, Values
from llmkit.samples.needle.words import Words

_NAMED: dict[Values, tuple[str, str, str]] = {
    "words": ("The password of the {key} is {value}.", "password", "the {key}"),
    "numbers": ("The magic number of the {key} is {value}.", "magic number", "the {key}"),
    "uuid": ("The UUID that belongs to {key} is {value}.", "UUID", "{key}"),
}
"""Of each sort of value: the sentence that is hidden, what the value is called, and how its owner is."""


@dataclass(frozen=True, slots=True)
class Task:
    """What one row hides and asks.

    Attributes:
        needles: Those that are asked for, then the others.
        question: What is asked.
        answers: What must be found.
        distractors: Values of the others.
    """

    needles: tuple[Needle, ...]
    question: str
    answers: tuple[str, ...]
    distractors: tuple[str, ...]


def task(data: NeedleData, depth: float, random: Random, folded: str) -> Task:
    """Draw a row's needles.

    Several that are asked for are spread evenly from ``depth`` to the end, as in Kamradt's multi-needle test; others
    stand anywhere.

    Raises:
        ValueError: Too few words are left that the haystack does not hold.
    """
    words = Words(random, folded)
    key_sort: Values = "uuid" if data.sort == "uuid" else "words"
    pairs = [(words.one(key_sort), words.one(data.sort)) for _ in range(data.asked + data.others)]
    asked, others = pairs[: data.asked], pairs[data.asked :]
    depths = [depth + (100 - depth) * number / len(asked) for number in range(len(asked))]
    depths += [random.uniform(0, 100) for _ in others]
    sentence = _NAMED[data.sort][0]
    return Task(
        needles=tuple(
            Needle(sentence.format(key=key, value=value), at) for (key, value), at in zip(pairs, depths, strict=True)
        ),
        question=_question(data.sort, [key for key, _ in asked]),
        answers=tuple(value for _, value in asked),
        distractors=tuple(value for _, value in others),
    )


def _question(sort: Values, keys: list[str]) -> str:
    _, what, owner = _NAMED[sort]
    owners = [owner.format(key=key) for key in keys]
    if len(owners) == 1:
        return f"Which UUID belongs to {owners[0]}?" if sort == "uuid" else f"What is the {what} of {owners[0]}?"
    listed = f"{', '.join(owners[:-1])} and {owners[-1]}"
    asked = f"Which UUIDs belong to {listed}?" if sort == "uuid" else f"What are the {what}s of {listed}?"
    return f"{asked} Name all {len(owners)} of them."
