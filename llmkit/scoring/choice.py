"""choice: the letter of a multiple-choice answer."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from functools import cached_property
from typing import ClassVar, Literal, NamedTuple

from pydantic import Field, field_validator

from llmkit.scoring.base import Item
from llmkit.scoring.builtin import Builtin, unscorable
from llmkit.scoring.extract import announced, boxed
from llmkit.text import shorten
from llmkit.types import Failure, Score

_AROUND = " \t\n\r\u2581()[]*"  # U+2581 is how SentencePiece's tokens spell a space


class Choice(Builtin):
    r"""1 where the letter that the answer settles on is a reference's, else 0.

    ``extract: auto`` takes the first of these that there is, and the last one where there are several of a kind:

    1. the text is the letter: ``B``, ``(b)``, ``**B**``, ``B.``;
    2. ``\boxed{B}``;
    3. it is announced: ``answer is (B)``, ``Answer: B``, ``option B is correct``, ``#### B``;
    4. a text that begins with ``B.``, ``B)``, ``(B)`` or ``B:``;
    5. a capital letter that stands alone (``A`` before a word in small letters, and ``I``, are words, not letters).

    No letter at all is a failure, ``unparsable``.

    ``by: logprob`` reads no text: it takes the letter with the highest probability among the alternatives of the
    answer's first token, as far as the provider tells them (``params: {logprobs: true, top_logprobs: 20}``). The
    probabilities of one letter's spellings are summed: `` A``, ``A`` and ``(A``, white space, brackets and ``*`` apart,
    in capitals (``a`` is a word). Right only where no wrong letter is as likely. MMLU's authors took answers so (D.
    Hendrycks et al., "Measuring Massive Multitask Language Understanding", 2021, evaluate.py), but for the sum: they
    looked up `` A``. No letter among the alternatives is ``unparsable``.
    """

    metric: ClassVar[str] = "choice"

    choices: str = Field(default="ABCD", description="The letters (or digits) on offer, as one string.")
    extract: Literal["auto", "whole", "announced"] = Field(
        default="auto", description="auto: rules 1 to 5; announced: rules 1 to 3; whole: rule 1."
    )

    by: Literal["text", "logprob"] = Field(
        default="text",
        description="text: the answer is read. logprob: the likeliest letter among the first token's alternatives.",
    )

    @property
    def reads_logprobs(self) -> bool:
        """Whether the answers must carry the probabilities of their tokens."""
        return self.by == "logprob"

    @field_validator("choices")
    @classmethod
    def _distinct(cls, choices: str) -> str:
        if not re.fullmatch(r"[A-Z0-9]{2,36}", choices) or len(set(choices)) < len(choices):
            raise ValueError("give two or more distinct capital letters or digits, like ABCD")
        return choices

    def _parts(self) -> Mapping[str, str]:
        if self.by == "logprob":
            return {"choices": self.choices, "by": "logprob", "ties": "wrong", "refs": "any"}
        return {"choices": self.choices, "extract": self.extract, "take": "last", "refs": "any"}

    def _one(self, item: Item) -> Score | Failure:
        if self.by == "logprob":
            return self._by_logprob(item)
        answer = self._letter(item.text)
        if answer is None:
            return unscorable("unparsable", f"none of the choices {self.choices} found in {shorten(item.text)!r}")
        targets = self._targets(item)
        return targets if isinstance(targets, Failure) else Score(float(answer in targets), answer=answer)

    def _targets(self, item: Item) -> list[str | None] | Failure:
        targets = [self._reference(reference) for reference in item.references]
        if None in targets:
            bad = item.references[targets.index(None)]
            return unscorable("bad_reference", f"the reference {shorten(bad)!r} holds none of {self.choices}")
        return targets

    def _by_logprob(self, item: Item) -> Score | Failure:
        if not item.logprobs or not item.logprobs[0].top:
            return unscorable("no_logprobs", "the answer carries no alternatives to its first token")
        first, shares = item.logprobs[0], dict.fromkeys(self.choices, 0.0)
        for token, logprob in {first.token: first.logprob, **dict(first.top)}.items():
            letter = token.strip(_AROUND)
            if letter in shares:
                shares[letter] += math.exp(logprob)
        best = max(shares.values())
        if best == 0.0:
            seen = ", ".join(repr(token) for token, _ in first.top[:5])
            return unscorable(
                "unparsable", f"none of the choices {self.choices} among {len(first.top)} tokens: {seen} …"
            )
        targets = self._targets(item)
        if isinstance(targets, Failure):
            return targets
        likeliest = [letter for letter, share in shares.items() if share == best]
        return Score(float(all(letter in targets for letter in likeliest)), answer=likeliest[0])

    @cached_property
    def _patterns(self) -> _Patterns:
        return _compile(self.choices)

    def _letter(self, text: str) -> str | None:
        found = self._patterns.whole.fullmatch(text.strip())
        if found or self.extract == "whole":
            return found[1].upper() if found else None
        letter = self._announced(text)
        if letter or self.extract == "announced":
            return letter
        return self._standing(text)

    def _reference(self, text: str) -> str | None:
        found = self._patterns.whole.fullmatch(text.strip())
        return found[1].upper() if found else self._announced(text) or self._standing(text)

    def _announced(self, text: str) -> str | None:
        patterns = self._patterns
        inside = boxed(text)
        if inside is not None and (found := patterns.whole.fullmatch(_unwrap(inside))):
            return found[1].upper()
        best, at = None, -1
        after = announced(text)
        if after is not None and (found := patterns.announced.match(after)):
            best, at = found[found.lastindex or 0], len(text) - len(after)
        for found in patterns.named.finditer(text):
            if found.start() > at:
                best, at = found[found.lastindex or 0], found.start()
        return best.upper() if best else None

    def _standing(self, text: str) -> str | None:
        patterns = self._patterns
        found = patterns.leading.match(text)
        if found:
            return found[found.lastindex or 0]
        last = None
        for found in patterns.alone.finditer(text):
            last = found[1]
        return last


class _Patterns(NamedTuple):
    whole: re.Pattern[str]
    announced: re.Pattern[str]
    named: re.Pattern[str]
    leading: re.Pattern[str]
    alone: re.Pattern[str]


_WORD = "A-Za-z0-9_\u00c0-\u024f"  # Latin only: no space stands between a letter and Chinese text
_QUOTES = "[*_`\"'$]{0,3}"


def _compile(choices: str) -> _Patterns:
    letter, small = f"[{choices}]", f"[{choices}{choices.lower()}]"
    before, after = f"(?<![{_WORD}'’])", f"(?![{_WORD}'’])"
    return _Patterns(
        whole=re.compile(rf"{_QUOTES}[(\[]?({small})[)\]]?[.:]?{_QUOTES}\.?"),
        announced=re.compile(
            rf"(?:(?:option|choice|letter)\s)?{_QUOTES}(?:[(\[]({small})[)\]]|({letter}){after}|({small})(?=\W{{0,3}}$))"
        ),
        named=re.compile(
            rf"\b(?:[Oo]ption|[Cc]hoice|choose|pick|select)\s[*_`\"'(\[]{{0,3}}({letter}){after}"
            rf"|{before}({letter})[)\]*.]{{0,3}}\sis\s(?:the\s)?(?:correct|right|best|answer)\b"
        ),
        leading=re.compile(rf"\s*{_QUOTES}(?:({letter})[*_`]{{0,3}}[.):](?![{_WORD}])|[(\[]({letter})[)\]])"),
        alone=re.compile(rf"(?<![{_WORD}'’\-/])(?!A\s[a-z]|I(?:\s|['’]))({letter})(?![{_WORD}'’/]|-[{_WORD}])"),
    )


def _unwrap(inside: str) -> str:
    r"""Drop LaTeX's text commands, as in ``\text{B}``."""
    found = re.fullmatch(r"\s*\\(?:text|textbf|mathrm|mathbf)\{(.{0,9})\}\s*", inside)
    return (found[1] if found else inside).strip()
