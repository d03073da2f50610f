"""The form of a verdict, and how an answer is read: what it says, or why it says nothing that may be counted.

An answer is one JSON object, ``{reason, verdict}``. Two kinds of it have the form and contradict themselves: one with
two objects whose verdicts differ, and one whose reason states another verdict than the field does. Neither is believed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from llmkit.canonical import digest
from llmkit.generations import Issue
from llmkit.judges.judge import Judge
from llmkit.judges.kinds import CANNOT_TELL, Scale
from llmkit.structured.extract import extract
from llmkit.structured.format import Context, Format, Grammar, Native, Parsed
from llmkit.structured.formats.json import JsonFormat

VERDICT, REASON = "verdict", "reason"
CONTRADICTORY = "contradictory"
"""The rule that an answer breaks which says two things."""
MOST_BROKEN = 100
"""Openings of objects that turn out to be none, after which no further object is looked for."""

NO_CONTEXT = Context()
_DECODER = json.JSONDecoder()
_QUOTED = re.compile("[\"“'`«][^\"“”'`«»\n]*verdict[^\"“”'`«»\n]*[\"”'`»]", re.IGNORECASE)
_STATED = r"\bverdict\b[\s*_`\"']*(?:is|:|=)[\s*_`\"'“]*({words})(?=[\s*_`\"'”)]*(?:[.,;:!\n]|$|because\b|since\b))"


def schema_of(scale: Scale, reason: str) -> dict[str, Any]:
    """Return the JSON Schema of a verdict. Grades are words, too: all servers hold a model to a choice of words."""
    words = {"type": "string", "enum": [*scale.labels, CANNOT_TELL]}
    why = {"type": "string", "description": "why, by the criteria, in a few sentences"}
    order = {"before": (REASON, VERDICT), "after": (VERDICT, REASON), "none": (VERDICT,)}[reason]
    known = {REASON: why, VERDICT: words}
    return {
        "type": "object",
        "properties": {name: known[name] for name in order},  # models write keys in this order
        "required": list(order),
        "additionalProperties": False,
    }


def schema_digest(judge: Judge) -> str:
    """Hash of the form of the judge's verdicts, the order of its keys with it."""
    return digest(json.dumps(schema_of(judge.scale, judge.method.reason), ensure_ascii=False))


def form_of(judge: Judge) -> Format[Any]:
    """Return the form of the judge's verdicts; its values are ``{"reason": …, "verdict": …}`` in the scale's words."""
    scale = judge.scale
    return _form(scale.kind, tuple(scale.points.items()), scale.ordered, judge.method.reason)


@lru_cache(maxsize=64)
def _form(kind: Any, points: tuple[tuple[str, float], ...], ordered: bool, reason: str) -> VerdictForm:
    return VerdictForm(Scale(kind, dict(points), ordered), reason)


class VerdictForm:
    """JSON of a verdict, read once more for what it says twice.

    A verdict that is written otherwise and can mean one word only, ``PASS`` or the number ``4``, is that word.
    """

    name = "json"

    def __init__(self, scale: Scale, reason: str) -> None:
        self.scale = scale
        self._json: JsonFormat[dict[str, str]] = JsonFormat.of(schema_of(scale, reason))
        self.rules = (*self._json.rules, CONTRADICTORY)
        words = sorted((*scale.labels, CANNOT_TELL), key=len, reverse=True)
        self._stated = re.compile(_STATED.format(words="|".join(map(re.escape, words))), re.IGNORECASE)

    def describe(self) -> str:
        """Return the form in words."""
        return self._json.describe()

    def parse(self, text: str, context: Context = NO_CONTEXT) -> Parsed[dict[str, str]]:
        """Read an answer."""
        found = extract(text, kinds=(dict,), repair=context.repair)
        if found.issues:
            return Parsed(None, found.issues, found.repairs, found.text)
        value = self._plain(found.value)
        issues = self._json.schema.issues(value)
        if not issues:
            issues = self._contradictions(text, found.text, value)
        return Parsed(None if issues else value, issues, found.repairs, found.text)

    def render(self, value: Mapping[str, str]) -> str:
        """Write a verdict in one line."""
        return self._json.render(dict(value))

    def grammar(self) -> Grammar:
        """Return what holds a decoder to the form; that it says one thing no grammar can hold it to."""
        grammar = self._json.grammar()
        return replace(grammar, unenforced=(*grammar.unenforced, CONTRADICTORY))

    def native(self, provider: str) -> Native:
        """Return what asks a provider for the form."""
        native = self._json.native(provider)
        return replace(native, unenforced=(*native.unenforced, CONTRADICTORY))

    def definition(self) -> Mapping[str, Any]:
        """Return what decides which answers are verdicts."""
        return {"verdict": list(self.scale.points), **self._json.definition()}

    def _plain(self, value: Any) -> Any:
        if not isinstance(value, dict) or VERDICT not in value:
            return value
        label = self.scale.label_of(value[VERDICT])
        return value if label is None else {**value, VERDICT: label}

    def _contradictions(self, text: str, part: str, value: Mapping[str, str]) -> tuple[Issue, ...]:
        said = value[VERDICT]
        if text.strip() != part:
            for other in _objects(text):
                label = self.scale.label_of(other.get(VERDICT))
                if label is not None and label != said:
                    return (Issue(f"two verdicts are given, {label} and {said}: give one", rule=CONTRADICTORY),)
        stated = self._stated_in(value.get(REASON, ""))
        if stated is not None and stated != said:
            message = f"the reason states the verdict {stated}, and the verdict is {said}: make them agree"
            return (Issue(message, (REASON,), rule=CONTRADICTORY),)
        return ()

    def _stated_in(self, reason: str) -> str | None:
        """The verdict that a reason names as its own, as in ``Verdict: fail.``, the last one; None without.

        What stands in quotes with the word "verdict" is somebody else's: the judged text may ask for one.
        """
        found = [match[1] for match in self._stated.finditer(_QUOTED.sub("", reason))]
        return self.scale.label_of(found[-1]) if found else None


def _objects(text: str) -> Iterator[dict[str, Any]]:
    """Yield the JSON objects of a text that stand in no other."""
    at, broken = text.find("{"), 0
    while at >= 0 and broken < MOST_BROKEN:
        try:
            value, end = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError):
            broken, end = broken + 1, at + 1
        else:
            yield value
        at = text.find("{", end)
