"""GitHub's ``.prompt.yml`` files.

Source of what they mean: ``github/gh-models``, ``pkg/prompt/prompt.go`` and ``cmd/eval/eval.go``. Variables are
``{{name}}``, and nothing else is rendered; ``contains``, ``startsWith`` and ``endsWith`` compare in any case; the
answer's blanks at both ends go before it is looked at.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from llmkit.errors import DocumentError
from llmkit.importing.bundle import Bundle, slug
from llmkit.importing.data import jsonl
from llmkit.importing.items import Items
from llmkit.importing.models import github_model
from llmkit.importing.source import Source
from llmkit.importing.template import literal, prompt_file

_VARIABLE = re.compile(r"\{\{\s*([A-Za-z_]\w*)\s*\}\}")
_STRING = {"equals": "equals", "contains": "contains", "startsWith": "starts_with", "endsWith": "ends_with"}
"""Kinds of string evaluators, in the order in which the first that is set counts → kinds of checks."""
_PARAMS = {
    "temperature": "temperature",
    "topP": "top_p",
    "maxTokens": "max_tokens",
    "maxCompletionTokens": "max_tokens",
}
_ALSO = {
    "stop": "stop", "seed": "seed", "frequencyPenalty": "frequency_penalty", "presencePenalty": "presence_penalty",
}  # fmt: skip
"""Parameters of llmkit that files name, and that GitHub's own eval does not read."""
_KNOWN = frozenset(
    {"name", "description", "model", "modelParameters", "responseFormat", "jsonSchema", "messages", "testData"}
    | {"evaluators"}
)
JUDGE = "A judge can ask this: `llmkit judge new`, then scorers: [{judge: NAME}]"


def convert(source: Source, items: Items) -> Bundle:
    """Make a suite of a prompt file.

    Raises:
        DocumentError: It has no messages, or nothing of its evaluators can be carried over.
    """
    data = source.data
    if not isinstance(data, dict):
        raise DocumentError("a prompt file is a mapping", where=source.where())
    name = slug(str(data.get("name") or source.path.name.removesuffix(".prompt.yml").removesuffix(".prompt.yaml")))
    bundle = Bundle(name)
    bundle.model = _model(source, items)
    spec: dict[str, Any] = {"name": name, "description": data.get("description")}
    rows = _rows(source, items)
    messages, rows = _filled(source, _messages(source), rows, items)
    spec["prompt"] = bundle.add(f"{name}.prompty", prompt_file(name, messages))
    spec["data"] = f"{name}.jsonl"
    bundle.data = bool(rows)
    if rows:
        bundle.add(f"{name}.jsonl", jsonl(rows))
    spec |= {"map": _map(rows), **_form(source, items, bundle)}
    spec |= {"scorers": _scorers(source, items), "model": bundle.model, "params": _params(source, items)}
    for key in data:
        if key not in _KNOWN:
            items.lost(source.where(key), str(key), "llmkit does not know the field")
    bundle.add_suite(bundle.suite, spec, source.path.name)
    bundle.files = {bundle.suite: bundle.files.pop(bundle.suite), **bundle.files}
    return bundle


def _model(source: Source, items: Items) -> str | None:
    name = source.data.get("model")
    if name is None:
        return None
    found = github_model(str(name))
    if found.model is None:
        items.changed(source.where("model"), f"model: {name}", found.why, "Name a model with -m provider/model")
    return found.model


def _params(source: Source, items: Items) -> dict[str, Any]:
    said = source.data.get("modelParameters") or {}
    found: dict[str, Any] = {}
    for key, value in said.items():
        if key in _PARAMS:
            found[_PARAMS[key]] = value
            continue
        where, name = source.where("modelParameters", key), _ALSO.get(key)
        why = "no parameter of llmkit is of this name" if name is None else "GitHub's own eval leaves it out"
        todo = "" if name is None else f"To have it here, write params: {{{name}: {json.dumps(value)}}} in the suite"
        items.lost(where, f"modelParameters: {key}", why, todo)
    return found


def template_of(text: str, unset: frozenset[str] = frozenset()) -> str:
    """Return a text as a Jinja template: variables stay, whatever else Jinja would read is text, as are the unset."""
    parts, at = [], 0
    for found in _VARIABLE.finditer(text):
        if found[1] in unset:
            continue
        parts += [literal(text[at : found.start()]), f"{{{{ {found[1]} }}}}"]
        at = found.end()
    return "".join([*parts, literal(text[at:])])


def _messages(source: Source) -> list[tuple[str, str]]:
    messages = source.data.get("messages")
    if not isinstance(messages, list) or not messages:
        raise DocumentError("messages are missing: there is nothing to ask", where=source.where("messages"))
    found = []
    for position, message in enumerate(messages):
        role = str(message.get("role", "")).lower() if isinstance(message, dict) else ""
        content = message.get("content") if isinstance(message, dict) else None
        if role not in ("system", "user", "assistant") or not isinstance(content, str):
            where = source.where("messages", position)
            raise DocumentError("a message is {role: system|user|assistant, content: text}", where=where)
        found.append((role, content))
    return found


def _filled(
    source: Source, messages: list[tuple[str, str]], rows: list[Mapping[str, Any]], items: Items
) -> tuple[list[tuple[str, str]], list[Mapping[str, Any]]]:
    """Return the messages as templates, and rows that hold what is asked of them.

    A variable that a row does not have stays in the text as it is written (``TemplateString`` of ``prompt.go``).
    """
    asked: dict[str, tuple[str, str]] = {}
    for position, (_, content) in enumerate(messages):
        for found in _VARIABLE.finditer(content):
            asked.setdefault(found[1], (found[0], source.where("messages", position)))
    unset: set[str] = set()
    for name, (written, where) in asked.items():
        count = sum(name not in row for row in rows)
        if not count:
            continue
        which = "no row has it" if count == len(rows) else f"{count} of {len(rows)} rows do not have it"
        todo = "Add it to testData, and import anew"
        items.changed(where, f"variable {name}", f"{which}: the text {written} is asked as it stands, as there", todo)
        if count == len(rows):
            unset.add(name)
        else:
            rows = [row if name in row else {**row, name: written} for row in rows]
    return [(role, template_of(content, frozenset(unset))) for role, content in messages], rows


def _rows(source: Source, items: Items) -> list[Mapping[str, Any]]:
    rows = source.data.get("testData")
    if isinstance(rows, list) and rows and all(isinstance(row, dict) for row in rows):
        return rows
    items.lost(source.where("testData"), "testData", "there are no rows", "Give them with --data FILE")
    return []


def _map(rows: list[Mapping[str, Any]]) -> dict[str, str]:
    """Return the suite's map: ``expected`` is what GitHub's own evaluators take for the right answer."""
    return {"target": "expected"} if rows and all("expected" in row for row in rows) else {}


def _form(source: Source, items: Items, bundle: Bundle) -> dict[str, Any]:
    """Return the suite's form: as there, the provider is to keep to it, and is asked once."""
    kind, schema = source.data.get("responseFormat"), source.data.get("jsonSchema")
    if kind in (None, "text"):
        return {}
    if kind == "json_object":
        why = "that the answer is JSON is not asked of the provider; the scorer json_valid says whether it is"
        items.changed(source.where("responseFormat"), "responseFormat: json_object", why)
        return {}
    where = source.where("jsonSchema")
    if isinstance(schema, str):
        try:
            schema = json.loads(schema)
        except (ValueError, RecursionError):
            raise DocumentError("jsonSchema is not JSON", where=where) from None
    if not isinstance(schema, dict):
        items.lost(where, "jsonSchema", "there is no schema")
        return {}
    inner = schema.get("schema") if isinstance(schema.get("schema"), dict) else schema
    name = bundle.add(f"{bundle.name}.schema.json", json.dumps(inner, ensure_ascii=False, indent=2) + "\n")
    return {"format": f"json:{name}", "generate": {"strategy": "native", "max_attempts": 1}}


def _scorers(source: Source, items: Items) -> list[Any]:
    found: list[Any] = []
    before = len(items)
    for position, evaluator in enumerate(source.data.get("evaluators") or []):
        where = source.where("evaluators", position)
        if isinstance(evaluator, dict):
            found += _scorer(evaluator, where, items, {entry["checks"]["name"] for entry in found})
        else:
            items.lost(where, "evaluator", "it is no mapping")
    if source.data.get("responseFormat") == "json_object":
        found.append("json_valid")
    if not found:
        hint = "llmkit prompt files are .prompty; a suite names scorers or judges"
        raise items.nothing(
            "none of its evaluators can be carried over", source.where("evaluators"), hint, since=before
        )
    return found


def _scorer(evaluator: Mapping[str, Any], where: str, items: Items, taken: set[str]) -> Iterator[dict[str, Any]]:
    name = str(evaluator.get("name") or "evaluator")
    if isinstance(string := evaluator.get("string"), dict):
        kinds = [kind for kind in _STRING if string.get(kind) not in (None, "")]
        if not kinds:
            items.lost(where, f"evaluator {name}", "it says nothing of the answer")
            return
        check = _check(kinds[0], str(string[kinds[0]]))
        if _VARIABLE.search(str(string[kinds[0]])):
            items.note(
                where, f"evaluator {name}", "its text is compared as it stands, as there: variables stay what they are"
            )
        for other in kinds[1:]:
            items.note(where, f"evaluator {name}: {other}", f"there, {kinds[0]} alone is looked at")
        yield {"checks": {"name": _unique(name, taken), "all": [check]}}
    elif isinstance(evaluator.get("llm"), dict):
        items.lost(where, f"evaluator {name}: llm", "a model's verdict is a judge's here, and is measured first", JUDGE)
    else:
        uses = evaluator.get("uses", "nothing")
        items.lost(
            where, f"evaluator {name}: {uses}", "a model's verdict is a judge's here, and is measured first", JUDGE
        )


def _check(kind: str, wanted: str) -> dict[str, Any]:
    """Return a check of the answer without blanks at its ends."""
    return {_STRING[kind]: wanted, "strip": True, **({} if kind == "equals" else {"ignore_case": True})}


def _unique(name: str, taken: set[str]) -> str:
    """Return a metric's name that no other has."""
    plain = re.sub(r"[^A-Za-z0-9_.@-]+", "-", name).strip("-")[:50] or "evaluator"
    plain = plain if plain[0].isalpha() else f"e-{plain}"
    return next(each for each in (plain, *(f"{plain}-{n}" for n in range(2, 10_000))) if each not in taken)
