"""likelihood: the right one among given continuations is the likeliest."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field

from llmkit.scoring.base import Item
from llmkit.scoring.builtin import Builtin, unscorable
from llmkit.text import shorten
from llmkit.types import Failure, Score, TokenLogprob

Normalise = Literal["none", "bytes", "characters", "tokens", "unconditional"]
Target = Literal["auto", "index0", "index1", "letter", "text"]


class Likelihood(Builtin):
    """1 where the likeliest of the continuations that a suite compares is a right one, else 0.

    ``normalise`` says which is likeliest, of continuations with log-likelihood L. ``none`` compares L, which is the
    ``acc`` of lm-evaluation-harness. ``characters`` and ``bytes`` compare L over the length of the text, without the
    space before it: its ``acc_norm`` divides by Python's ``len``, so by characters, where the article that it goes back
    to (L. Gao, "Multiple Choice Normalization in LM Evaluation", 2021) says bytes, and its ``acc_bytes`` by bytes; for
    ASCII they are one. ``tokens`` compares L over the number of tokens, and ``unconditional`` L less the log-likelihood
    without the question (T. Brown et al., "Language Models are Few-Shot Learners", 2020, section 2.4; upstream
    ``acc_mutual_info``). Upstream: ``lm_eval/api/task.py``, ``ConfigurableTask.process_results``.

    ``target`` says how a reference names a choice: by its index from 0 or from 1, by its letter, or as its text.
    ``auto`` takes a single capital letter for a letter, digits for an index from 0, all else for a text. With
    ``labels``, a field of the row that holds the choices' names in order, a reference is one of these.

    Where several continuations are likeliest alike, the answer is right only if all of them are right, or read the
    same as one that is: taking the first, as others do, favours data sets that put the right one there.
    """

    metric: ClassVar[str] = "likelihood"
    compares: ClassVar[bool] = True

    normalise: Normalise = Field(
        default="none",
        description="What a log-likelihood is made comparable by: nothing, the continuation's length in characters,"
        " bytes or tokens, or its log-likelihood without the question (the suite's `unconditional`).",
    )
    target: Target = Field(
        default="auto", description="How a reference names a choice: its index from 0 or 1, its letter, or its text."
    )
    labels: str | None = Field(
        default=None,
        min_length=1,
        description="A field of the row (a dotted path reaches nested ones) that holds the names of the choices, in"
        " order; references are then such names.",
    )
    top: int = Field(
        default=1, ge=1, description="How many of the likeliest count: right where one of them is (recall at k)."
    )

    def _parts(self) -> Mapping[str, str]:
        target = {"target": self.target} if self.labels is None else {"labels": self.labels}
        return {"norm": self.normalise, **target, "top": str(self.top), "ties": "wrong", "refs": "any"}

    def _one(self, item: Item) -> Score | Failure:
        entries = item.logprobs
        if not entries:
            return unscorable("no_likelihoods", "the answer carries no log-likelihoods of continuations")
        values = [self._value(entry) for entry in entries]
        if None in values:
            return unscorable("not_normalisable", f"continuations have no {_LACKING[self.normalise]}")
        named = self._named(item, entries)
        if isinstance(named, Failure):
            return named
        right = {entry.token for entry in (entries[i] for i in named)}
        ranked = [value for value in values if value is not None]
        chosen = entries[ranked.index(max(ranked))]
        return Score(
            float(self._wins(ranked, [entry.token in right for entry in entries])), answer=shorten(chosen.token)
        )

    def _value(self, entry: TokenLogprob) -> float | None:
        if self.normalise == "unconditional":
            return None if entry.alone is None else entry.logprob - entry.alone
        size = _SIZES[self.normalise](entry)
        return entry.logprob / size if size else None

    def _wins(self, values: Sequence[float], right: Sequence[bool]) -> bool:
        """Say whether a right one is among the ``top`` likeliest, wrong ones that are as likely put before it."""
        best = max((value for value, good in zip(values, right, strict=True) if good))
        return sum(value >= best for value, good in zip(values, right, strict=True) if not good) < self.top

    def _named(self, item: Item, entries: Sequence[TokenLogprob]) -> list[int] | Failure:
        names = [] if self.labels is None else _labels(item.row, self.labels)
        if self.labels is not None and len(names) != len(entries):
            message = f"the field {self.labels!r} does not hold the names of the {len(entries)} choices"
            return unscorable("bad_reference", message)
        found = []
        for reference in (text.strip() for text in item.references):
            index = _find(reference, names) if names else self._index(reference, entries)
            if index is None or not 0 <= index < len(entries):
                how = f"labels: {self.labels}" if names else f"target: {self.target}"
                message = f"the reference {shorten(reference)!r} names none of the {len(entries)} choices ({how})"
                return unscorable("bad_reference", message)
            found.append(index)
        return found

    def _index(self, reference: str, entries: Sequence[TokenLogprob]) -> int | None:
        letter = len(reference) == 1 and "A" <= reference <= "Z"
        number = int(reference) if reference.isascii() and reference.isdecimal() and len(reference) < 10 else None
        kind = self.target
        if kind == "auto":
            kind = "letter" if letter else "text" if number is None else "index0"
        if kind == "letter":
            return ord(reference) - ord("A") if letter else None
        if kind == "text":
            return _find(reference, [entry.token.strip() for entry in entries])
        return None if number is None else number - (kind == "index1")


_SIZES: Mapping[str, Callable[[TokenLogprob], int]] = {
    "none": lambda entry: 1,
    "bytes": lambda entry: len(entry.token.encode("utf-8", "surrogatepass")),
    "characters": lambda entry: len(entry.token),
    "tokens": lambda entry: len(entry.top),
}
_LACKING = {
    "none": "log-likelihood",
    "bytes": "length",
    "characters": "length",
    "tokens": "tokens: the provider did not say which they are",
    "unconditional": "log-likelihood without the question: write likelihood: {unconditional: TEXT} in the suite",
}


def _find(name: str, names: Sequence[str]) -> int | None:
    return names.index(name) if name in names else None


def _labels(row: Mapping[str, Any], path: str) -> list[str]:
    """Return the texts of a list that a dotted path reaches; none where there is no list."""
    found: Any = row
    for part in [path] if path in row else path.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return [str(name).strip() for name in found] if isinstance(found, list) else []
