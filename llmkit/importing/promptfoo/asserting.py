"""Assertions of a test as checks of a row."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from llmkit.documents import read_text
from llmkit.errors import LlmkitError
from llmkit.importing.items import Items
from llmkit.importing.source import Source, named_file
from llmkit.importing.template import is_template, rendered
from llmkit.scoring.check import Check

JUDGED = frozenset(
    {"llm-rubric", "g-eval", "factuality", "model-graded-factuality", "model-graded-closedqa", "answer-relevance"}
    | {"context-faithfulness", "context-recall", "context-relevance", "select-best", "conversation-relevance", "pi"}
    | {"similar", "classifier", "moderation", "human", "max-score", "search-rubric"}
)
CODE = frozenset({"javascript", "python", "ruby", "webhook"})
SPENT = {"cost": "gate: {cost: {max_rise: …}}", "latency": "gate: {latency_p95: {max_rise: …}}"}
A_JUDGE = "A judge can ask this: `llmkit judge new`, then scorers: [{judge: NAME}]"
Value = Any
Make = Callable[[Value], dict[str, Any]]


def _text(kind: str, *, any_case: bool = False) -> Make:
    return lambda value: {kind: _written(value), **({"ignore_case": True} if any_case else {})}


def _texts(kind: str, *, any_case: bool = False) -> Make:
    return lambda value: {kind: _several(value), **({"ignore_case": True} if any_case else {})}


def _json(kind: str) -> Make:
    return lambda value: {kind: _schema(value) if value not in (None, "") else True}


def _equal(value: Value) -> dict[str, Any]:
    return {"equals_json": value} if isinstance(value, (dict, list)) else {"equals": _written(value)}


_MAKES: Mapping[str, Make] = {
    "equals": _equal,
    "contains": _text("contains"),
    "icontains": _text("contains", any_case=True),
    "contains-any": _texts("contains_any"),
    "contains-all": _texts("contains_all"),
    "icontains-any": _texts("contains_any", any_case=True),
    "icontains-all": _texts("contains_all", any_case=True),
    "starts-with": _text("starts_with"),
    "regex": _text("regex"),
    "is-json": _json("is_json"),
    "contains-json": _json("contains_json"),
}
"""Types of assertions → the check that each is."""
TYPES = frozenset({*_MAKES, *JUDGED, *CODE, *SPENT, "levenshtein", "rouge-n", "bleu", "perplexity", "is-xml", "is-sql"})
_STRING = re.compile(
    rf"(not-)?({'|'.join(map(re.escape, sorted(TYPES, key=len, reverse=True)))})(?:\(([\d.]+)\))?:(.*)", re.S
)


class Asserting:
    """Makes checks of assertions.

    Args:
        source: The configuration, whose folder files are named from.
        items: Takes what is not carried over.
        templates: ``assertionTemplates``, which assertions refer to.
    """

    def __init__(self, source: Source, items: Items, templates: Mapping[str, Any]) -> None:
        self._source, self._items, self._templates = source, items, templates

    def checks(self, assertions: Iterable[tuple[str, Any]], values: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return the checks that a test's assertions are; what is none is listed.

        Args:
            assertions: As the configuration writes them, each with its ``path:line``.
            values: The test's variables, which the assertions' templates see.
        """
        found = [self._check(said, values, where) for where, each in assertions for said in self._flat([each], where)]
        return [check for check in found if check is not None]

    def _flat(self, assertions: Any, where: str) -> Iterator[Mapping[str, Any]]:
        for each in assertions if isinstance(assertions, list) else []:
            if isinstance(each, dict) and (name := str(each.get("$ref", ""))):
                each = self._templates.get(name.rpartition("/")[2])
            if not isinstance(each, dict):
                self._items.lost(where, "assert", "it is no assertion, or refers to none")
            elif each.get("type") != "assert-set":
                yield each
            elif each.get("threshold") is None:
                yield from self._flat(each.get("assert"), where)
            else:
                self._items.lost(where, "assert-set with a threshold", "in llmkit all checks of a row must hold")

    def _check(self, said: Mapping[str, Any], values: Mapping[str, Any], where: str) -> dict[str, Any] | None:
        kind = str(said.get("type"))
        negated, plain = kind.startswith("not-"), kind.removeprefix("not-")
        if plain not in _MAKES:
            self._items.lost(where, f"assert {kind}", *_why(plain))
            return None
        if "transform" in said:
            self._items.lost(where, f"assert {kind}: transform", "it is code that makes another answer of the answer")
            return None
        for key in sorted(set(said) - {"type", "value", "metric", "weight", "description"}):
            self._items.lost(where, f"assert {kind}: {key}", "a check of llmkit has nothing of the kind")
        if said.get("metric"):
            self._items.note(where, f"metric: {said['metric']}", "all checks of a row make one metric, checks")
        if "weight" in said:
            why = "all checks of a row must hold, whatever their weight"
            (self._items.changed if said["weight"] == 0 else self._items.note)(where, f"assert {kind}: weight", why)
        try:
            value = self._value(said.get("value"), values, where)
            check = {**_MAKES[plain](value), **({"not": True} if negated else {})}
            Check.model_validate(check)
        except ValidationError as error:
            reason = error.errors(include_url=False)[0]["msg"].removeprefix("Value error, ")
            self._items.lost(where, f"assert {kind}", reason)
            return None
        except (LlmkitError, ValueError) as error:
            self._items.lost(where, f"assert {kind}", getattr(error, "message", None) or str(error))
            return None
        return check

    def _value(self, value: Any, values: Mapping[str, Any], where: str) -> Any:
        """Return what is wanted, files read and templates rendered.

        Raises:
            ValueError: It is code.
            LlmkitError: The file cannot be had, or the template fails.
        """
        if isinstance(value, list):
            return [self._value(each, values, where) for each in value]
        if not isinstance(value, str):
            return value
        if value.startswith("file://"):
            name = value.removeprefix("file://")
            if name.endswith((".js", ".ts", ".mjs", ".cjs", ".py", ".rb")) or ".py:" in name or ".js:" in name:
                raise ValueError("its value is code, and nothing of an imported file is run")
            value = read_text(named_file(name, self._source, where)).rstrip("\n")
        return rendered(value, values, where) if is_template(value) else value


def _why(kind: str) -> tuple[str, str]:
    if kind in JUDGED:
        return "a model's verdict is a judge's here, and is measured first", A_JUDGE
    if kind in CODE:
        return "it is code, and nothing of an imported file is run", "Write a scorer of your own, or a check"
    if kind in SPENT:
        return "what an answer takes is no score here", f"Bound its rise: {SPENT[kind]}"
    return "llmkit has no check of this type", "docs/interchange.md lists those that there are"


def _written(value: Any) -> str:
    """Write a value as JavaScript's ``String`` would.

    Raises:
        ValueError: It is none, or holds others.
    """
    if value is None or isinstance(value, (dict, list)):
        raise ValueError("it needs a text")
    return json.dumps(value) if isinstance(value, bool) else str(value)


def _several(value: Any) -> list[str]:
    if isinstance(value, str):
        return [part.strip() for part in value.split(",")]
    if not isinstance(value, list):
        raise ValueError("it needs a list of texts")
    return [_written(each) for each in value]


def _schema(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    from llmkit.documents import parse_yaml_value

    return parse_yaml_value(value)  # JSON is YAML, and either may stand there


def from_text(text: str) -> dict[str, Any]:
    """Read a table's assertion: ``contains:yes``, ``not-icontains:sorry``, else a text that is equal."""
    for old, kind in (("fn:", "javascript"), ("eval:", "javascript"), ("grade:", "llm-rubric")):
        if text.startswith(old):
            return {"type": kind, "value": text.removeprefix(old)}
    if text in ("is-json", "contains-json"):
        return {"type": text}
    found = _STRING.fullmatch(text)
    if found is None:
        return {"type": "equals", "value": text}
    value = found[4].strip() if found[2] != "equals" else found[4]
    return {"type": f"{found[1] or ''}{found[2]}", "value": value}
