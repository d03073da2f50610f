"""What a judge looks at: an answer with what was asked, or two answers."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from llmkit.canonical import digest
from llmkit.scoring.base import Item
from llmkit.types import Message


@dataclass(frozen=True, slots=True)
class Subject:
    """One item to judge.

    Attributes:
        id: Unique among those judged together.
        input: What was asked, as text.
        answer: What was answered; empty for pairs.
        a: The first answer of a pair; None where there is one answer.
        b: The second.
        reference: A right answer, where there is one.
        row: Further fields, as templates see them.
        group: Items of one group are not independent.
        slices: Name → value of the groups that agreement is reported by.
        weight: Items of the population that it stands for, up to a factor; 1 under random sampling.
    """

    id: str
    input: str = ""
    answer: str = ""
    a: str | None = None
    b: str | None = None
    reference: str | None = None
    row: Mapping[str, Any] = field(default_factory=dict)
    group: str | None = None
    slices: Mapping[str, str] = field(default_factory=dict)
    weight: float = 1.0

    @property
    def pair(self) -> bool:
        """Whether it is two answers."""
        return self.a is not None

    def swapped(self) -> Subject:
        """Return the pair with b first."""
        return replace(self, a=self.b, b=self.a)

    def digest(self) -> str:
        """Hash of what is judged, byte for byte, whatever its id: a population's fingerprint rests on it."""
        return digest([self.input, self.answer, self.a, self.b, self.reference])

    def folded(self) -> str:
        """Hash of what was asked and answered as a reader sees it: equal ones are copies.

        Blanks, case and the way that accents are encoded (Unicode's NFC) do not tell items apart, nor does the
        reference.
        """
        texts = (self.input, self.answer, self.a, self.b)
        return digest([None if text is None else folded(text) for text in texts])


def folded(text: str) -> str:
    """Return a text without what a reader overlooks: runs of blanks are one, case is folded, accents are composed."""
    plain = unicodedata.normalize("NFC", text).casefold()
    return " ".join(unicodedata.normalize("NFC", plain).split())


def conversation(messages: Sequence[Message]) -> str:
    """Write what was asked as text: one message's own, several with who speaks."""
    if len(messages) == 1:
        return messages[0].content
    return "\n\n".join(f"{message.role}: {message.content}" for message in messages)


def subject_of_answer(item: Item, *, pair: bool = False, group: str | None = None) -> Subject:
    """Return what a judge looks at of a scored answer; the same everywhere, for a population's hash hangs on it.

    Args:
        item: The answer, with what was asked and its references.
        pair: Whether the judge compares pairs: the answer is a, the first reference b.
        group: Items of one group are not independent.
    """
    asked, reference = conversation(item.messages), item.references[0] if item.references else None
    if pair:
        return Subject(item.id, asked, a=item.text, b=reference or "", row=item.row, group=group)
    return Subject(item.id, asked, item.text, reference=reference, row=item.row, group=group)


class Population:
    """The fingerprint of a population, whatever the order in which its items come; constant memory.

    The sum of the items' hashes modulo 2**256: the same items, each as often, give the same sum.
    """

    def __init__(self) -> None:
        self._sum, self.size = 0, 0

    def add(self, subject: Subject) -> None:
        """Take an item."""
        said = hashlib.sha256(digest([subject.id, subject.digest()]).encode()).digest()
        self._sum = (self._sum + int.from_bytes(said, "big")) % (1 << 256)
        self.size += 1

    def fingerprint(self) -> str:
        """Return 64 hexadecimal digits."""
        return f"{self._sum:064x}"
