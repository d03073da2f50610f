"""A suite from Python: records in, no files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from llmkit.documents import Document, validate
from llmkit.errors import DocumentError
from llmkit.prompts import Prompt, load_prompt, prompt_from_messages
from llmkit.samples import RecordsSource
from llmkit.scoring import Scorer, parse
from llmkit.suites.spec import SuiteSpec
from llmkit.suites.suite import Suite


def make_suite(
    records: Sequence[Mapping[str, Any]],
    *,
    scorers: Sequence[str | Mapping[str, Any] | Scorer],
    prompt: str | Path | Prompt | Sequence[Mapping[str, str]],
    map: Mapping[str, Any] | None = None,
    name: str = "records",
    **fields: Any,
) -> Suite:
    """Make a suite of rows that are in memory.

    Args:
        records: The rows.
        scorers: Names, ``{name: options}``, or scorers.
        prompt: A text that is a template, a prompt file's path, a loaded prompt, or messages ``{role, content}``.
        map: Which fields mean what, as in a suite file: ``{"id": …, "target": …}``.
        name: The suite's name in results.
        **fields: Further fields of a suite file: ``slices``, ``epochs``, ``limit``, ``model``, ``params``.

    Raises:
        DocumentError: For what a suite file could not say either.
    """
    built = [parse(entry) if isinstance(entry, (str, Mapping)) else entry for entry in scorers]
    names = [scorer.name for scorer in built]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise DocumentError(f"two scorers give the metric {twice!r}", where=f"suite {name}")
    content = {"version": 1, "name": name, "data": name, "prompt": name, "scorers": names, "map": dict(map or {})}
    spec = validate(SuiteSpec, Document(None, {**content, **fields}))
    return Suite(name, None, spec, _prompt(prompt, f"suite {name}"), RecordsSource(records, name), tuple(built))


def _prompt(prompt: str | Path | Prompt | Sequence[Mapping[str, str]], where: str) -> Prompt:
    if isinstance(prompt, Prompt):
        return prompt
    if isinstance(prompt, Path):
        return load_prompt(prompt)
    messages = [{"role": "user", "content": prompt}] if isinstance(prompt, str) else prompt
    return prompt_from_messages(messages, where=where)
