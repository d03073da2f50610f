"""From a configuration of promptfoo to a suite: one for each prompt, over the same rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from llmkit.errors import DocumentError
from llmkit.importing.bundle import Bundle, slug
from llmkit.importing.data import jsonl
from llmkit.importing.items import Items
from llmkit.importing.models import Named, promptfoo_model
from llmkit.importing.promptfoo.asserting import Asserting
from llmkit.importing.promptfoo.filling import fill
from llmkit.importing.promptfoo.prompting import FIELD, OWN, Messages, Prompting
from llmkit.importing.promptfoo.testing import Test, Testing
from llmkit.importing.source import Source
from llmkit.importing.template import prompt_file

_CODE = frozenset({"transform", "postprocess", "transformVars"})
"""Options of a test that only code can follow."""
_SAID = frozenset({"prefix", "suffix", "disableVarExpansion", "disableConversationVar", "provider", "rubricPrompt"})
"""Those that are carried over, or are said of the assertions that they belong to."""
_READ = frozenset(
    {"prompts", "providers", "targets", "tests", "scenarios", "defaultTest", "description", "assertionTemplates"}
)
_IDLE = frozenset(
    {"tags", "metadata", "sharing", "outputPath", "commandLineOptions", "env", "$schema", "writeLatestResults"}
)
_PARAMS = {
    "temperature": "temperature", "top_p": "top_p", "topP": "top_p", "top_k": "top_k", "max_tokens": "max_tokens",
    "maxTokens": "max_tokens", "max_completion_tokens": "max_tokens", "seed": "seed", "stop": "stop",
    "frequency_penalty": "frequency_penalty", "presence_penalty": "presence_penalty",
    "reasoning_effort": "reasoning_effort",
}  # fmt: skip


def convert(source: Source, items: Items) -> Bundle:
    """Make a suite of a configuration.

    Raises:
        DocumentError: It is none, or neither a prompt nor a check can be carried over.
    """
    data = source.data
    if not isinstance(data, dict):
        raise DocumentError("a configuration is a mapping", where=source.where())
    stem = source.path.name.split(".")[0]
    bundle = Bundle(slug(source.path.resolve().parent.name if stem == "promptfooconfig" else stem))
    tests = Testing(source, items).all()
    rows = _rows(tests, source, items)
    kept = [test for _, test in rows]
    model, params = _provider(source, items)
    bundle.model = model
    prompts = [_around(messages, tests, items) for messages in Prompting(source, items, kept).all()]
    fill(prompts, rows, items)
    bundle.add(f"{bundle.name}.jsonl", jsonl(row for row, _ in rows))
    common = {
        "description": data.get("description"),
        "data": f"{bundle.name}.jsonl",
        "map": {"id": "id"},
        "scorers": [{"checks": {"field": FIELD}}],
        "epochs": _epochs(source, items),
        "model": model,
        "params": params,
    }
    _suites(bundle, prompts, common, source)
    _left(source, items)
    return bundle


def _suites(bundle: Bundle, prompts: Sequence[Messages], common: Mapping[str, Any], source: Source) -> None:
    """Add a suite for each prompt; of several, one more that lists them."""
    names = [bundle.name] if len(prompts) == 1 else [f"{bundle.name}-{n}" for n in range(1, len(prompts) + 1)]
    made: list[str] = []
    for name, messages in zip(names, prompts, strict=True):
        prompt = bundle.add(f"{name}.prompty", prompt_file(name, messages))
        made.append(f"{name}.yaml")
        bundle.add_suite(made[-1], {"name": name, **common, "prompt": prompt}, source.path.name)
    if len(made) > 1:
        bundle.add_suite(bundle.suite, {"name": bundle.name, "suites": made}, source.path.name)
    first = {name: bundle.files.pop(name) for name in dict.fromkeys([bundle.suite, *made])}
    bundle.files = {**first, **bundle.files}


def _rows(tests: Sequence[Test], source: Source, items: Items) -> list[tuple[dict[str, Any], Test]]:
    """Return the rows, each with its test: variables, checks and a number; a test without a check is listed."""
    templates = source.data.get("assertionTemplates")
    asserting = Asserting(source, items, templates if isinstance(templates, dict) else {})
    rows: list[tuple[dict[str, Any], Test]] = []
    for number, test in enumerate(tests, 1):
        if code := sorted(_CODE & set(test.options)):
            why = "it is code that makes another answer of the answer, so that its test cannot be checked"
            items.lost(test.where, f"options: {code[0]}", why)
            continue
        checks = asserting.checks(test.assertions, test.values)
        if taken := OWN & set(test.values):
            where = test.where
            raise DocumentError(f"the variable {min(taken)!r} has the name of a field of llmkit's own", where=where)
        if not checks:
            items.lost(test.where, "test", "nothing of what it asserts can be checked, so that it would pass always")
            continue
        about = {} if test.description is None else {"description": test.description}
        rows.append(({"id": str(number), **about, **test.values, FIELD: checks}, test))
    if not rows:
        raise items.nothing("none of its tests has a check that can be carried over", source.where("tests"))
    return rows


def _provider(source: Source, items: Items) -> tuple[str | None, dict[str, Any]]:
    """Return the first model that llmkit has, and its parameters; the others are listed."""
    key = "providers" if "providers" in source.data else "targets"
    said = source.data.get(key)
    listed = said if isinstance(said, list) else [said] if said is not None else []
    chosen: tuple[str | None, dict[str, Any]] = (None, {})
    for number, provider in enumerate(listed):
        where = source.where(key, number)
        name, config = _named(provider)
        _of_provider(provider, name, where, items)
        found = promptfoo_model(name) if name else Named(why="it is no name of a model")
        if found.model is None:
            todo = f"-m {found.given}" if found.given else "Name a model with -m provider/model"
            items.changed(where, f"provider: {name or 'unnamed'}", found.why, todo)
        elif chosen[0] is None:
            chosen = (found.model, _params(config, where, items))
        else:
            items.note(
                where, f"provider: {name}", "a suite names one model", f"Add -m {found.model}: several are compared"
            )
    return chosen


def _of_provider(provider: Any, name: str, where: str, items: Items) -> None:
    """List what a provider says beside its name and its parameters."""
    said = provider if isinstance(provider, dict) else {}
    if "id" not in said and len(said) == 1:
        (inner,) = said.values()
        said = inner if isinstance(inner, dict) else {}
    for key in sorted(set(said) - {"id", "config"}):
        what = f"provider {name}: {key}"
        if key in ("label", "delay"):
            items.note(where, what, "it names the model for people" if key == "label" else "it says how fast to ask")
        else:
            items.lost(where, what, "a suite asks each of its models the same, and takes what they say")


def _named(provider: Any) -> tuple[str, Mapping[str, Any]]:
    if isinstance(provider, str):
        return provider, {}
    if not isinstance(provider, dict):
        return "", {}
    if "id" not in provider and len(provider) == 1:  # {openai:gpt-4o: {config: …}}
        ((name, inner),) = provider.items()
        return str(name), inner.get("config") or {} if isinstance(inner, dict) else {}
    config = provider.get("config")
    return str(provider.get("id", "")), config if isinstance(config, dict) else {}


def _params(config: Mapping[str, Any], where: str, items: Items) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in config.items():
        if key in _PARAMS:
            found[_PARAMS[key]] = value
        else:
            items.lost(
                where, f"provider config: {key}", "no parameter of llmkit is of this name, or a suite may not set it"
            )
    return found


def _around(messages: Messages, tests: Sequence[Test], items: Items) -> Messages:
    """Put in what the options of the tests put around the prompt, where all say the same."""
    for key in ("prefix", "suffix"):
        said = {str(test.options.get(key) or "") for test in tests}
        if len(said) > 1:
            items.lost(tests[0].where, f"options: {key}", "tests put different texts around the prompt")
        elif text := min(said):
            role, content = messages[-1]
            messages = [*messages[:-1], (role, text + content if key == "prefix" else content + text)]
    for test in tests:
        for key in sorted(set(test.options) - _SAID - _CODE):
            items.lost(test.where, f"options: {key}", "llmkit has nothing of the kind: answers are scored as they are")
    return messages


def _epochs(source: Source, items: Items) -> int | None:
    options = source.data.get("evaluateOptions")
    if not isinstance(options, dict):
        return None
    for key in options:
        if key != "repeat":
            items.note(source.where("evaluateOptions", key), key, "how fast models are asked follows their answers")
    repeat = options.get("repeat")
    return repeat if isinstance(repeat, int) and repeat > 1 else None


def _left(source: Source, items: Items) -> None:
    for key in source.data:
        if key in _READ or key == "evaluateOptions":
            continue
        if key in _IDLE:
            items.note(source.where(key), str(key), "it has no part in what is asked and how answers are scored")
        else:
            items.lost(source.where(key), str(key), "llmkit has nothing of the kind, or does not know the field")
