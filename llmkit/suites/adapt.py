"""What a user asks otherwise than a suite says: other examples, fields that are called otherwise in the data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from llmkit.errors import DocumentError, UsageError
from llmkit.samples import NeedleSource, open_source
from llmkit.suites.expression import compile_expression
from llmkit.suites.few_shot import VARIABLE
from llmkit.suites.spec import MOST_EXAMPLES, FewShotSpec
from llmkit.suites.suite import Suite
from llmkit.tokens import MODEL, own_tokenizer

SHOWN = f"A template shows them so: {{% for example in {VARIABLE} %}} … {{% endfor %}}"


def adapted(
    suite: Suite,
    *,
    few_shot: int | None = None,
    few_shot_data: str | None = None,
    fields: Mapping[str, str] | None = None,
    tokenizer: str | None = None,
) -> Suite:
    """Return the suite with other examples, with further fields for its rows, with another counter of tokens.

    Args:
        suite: What the file says.
        few_shot: How many examples its prompt shows.
        few_shot_data: A file that they come from; it may lie anywhere.
        fields: Name → field or ``{{template}}``: what rows get beside what ``map: {fields: …}`` gives them.
        tokenizer: What counts the lengths of rows that are made at run time; a file may lie anywhere.

    Raises:
        UsageError: The prompt shows no examples, or none are asked for and their data are named; no such tokenizer, or
            no lengths to count.
        DocumentError: A template is wrong.
    """
    spec = suite.spec
    if fields:
        for name, text in fields.items():
            compile_expression(text, f"--map {name}")
        own = spec.map.model_copy(update={"fields": {**(spec.map.fields or {}), **fields}})
        spec = spec.model_copy(update={"map": own})
    if tokenizer is not None:
        suite = replace(suite, source=_counted_by(tokenizer, suite))
    shots = suite.shots
    if few_shot is not None:
        spec = spec.model_copy(update={"few_shot": _counted(spec.few_shot, few_shot)})
    if few_shot_data is not None:
        if spec.few_shot is None or not spec.few_shot.count:
            raise UsageError(
                f"the suite {suite.name!r} asks for no examples", where="--few-shot-data", hint="Add --few-shot N"
            )
        shots = open_source("", base=Path(), override=few_shot_data, option="--few-shot-data")
    if spec is suite.spec and shots is suite.shots:
        return suite
    changed = replace(suite, spec=spec, shots=shots)
    check_shown(changed, where="--few-shot" if few_shot is not None else None)
    return changed


def check_shown(suite: Suite, where: str | None = None) -> None:
    """Refuse examples that no prompt shows.

    Raises:
        DocumentError: Naming ``where``, or the suite's line.
    """
    asked = suite.spec.few_shot
    if asked is not None and asked.count and VARIABLE not in suite.prompt.variables:
        message = f"the prompt of {suite.name!r} shows no examples"
        raise DocumentError(message, where=where or suite.where("few_shot"), hint=SHOWN)


def _counted(spec: FewShotSpec | None, count: int) -> FewShotSpec:
    if not 0 <= count <= MOST_EXAMPLES:
        raise UsageError(f"{count} examples", where="--few-shot", hint=f"From 0 to {MOST_EXAMPLES}")
    return FewShotSpec(count=count) if spec is None else spec.model_copy(update={"count": count})


def _counted_by(name: str, suite: Suite) -> NeedleSource:
    """Return a suite's rows that are made at run time, by another tokenizer than it names."""
    source = suite.source
    if not isinstance(source, NeedleSource):
        hint = "It belongs to data: {generate: needle, …}, as of the suite needle"
        raise UsageError(f"the suite {suite.name!r} has no lengths to count", where="--tokenizer", hint=hint)
    if name == MODEL:
        return replace(source, data=source.data.model_copy(update={"tokenizer": MODEL}), tokenizer=None, made=None)
    return replace(source, tokenizer=own_tokenizer(name, "--tokenizer"), made=None)
