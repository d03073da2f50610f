"""What a suite says otherwise beside what it asks: it holds for both sides, so that no call is needed for it."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from typing import Any

from llmkit.canonical import canonical
from llmkit.errors import LlmkitError
from llmkit.gate.asking import suite_lines
from llmkit.gate.sides import Files, Side
from llmkit.judges.scorer import ENTRY, is_entry
from llmkit.samples.needle.spec import OWN_HAYSTACKS, NeedleData
from llmkit.suites.load import scorers_of
from llmkit.suites.mapping import Mapper
from llmkit.suites.spec import HubData, SuiteSpec
from llmkit.text import one_line, shorten
from llmkit.verdicts import Change, Part


def suite_changes(head: Side, base: Side, base_name: str, files: Files) -> Iterator[Change]:
    """Say how the suite's file, name, epochs and limit differ."""
    if head.path != base.path:
        detail = f"{base.path} → {head.path}"
        yield Change("suite", "renamed", head.path, detail, old_path=base.path, asks=False)
    if head.suite.name != base_name:
        lines = suite_lines(head, base, files, "name")
        detail = one_line(f"name: {base_name} → {head.suite.name}")
        yield Change("suite", "renamed", head.path, detail, lines=lines, asks=False)
    for name in ("epochs", "limit"):
        new, old = getattr(head.suite.spec, name), getattr(base.suite.spec, name)
        if new != old:
            yield _scoring("suite", f"{name}: {_value(old)} → {_value(new)}", head, base, files, name)


def data_changes(head: Side, base: Side, files: Files) -> Iterator[Change]:
    """Say how the rows differ. Both sides are asked head's, so rows alone ask nothing of one side more."""
    new, old = head.suite.spec.data, base.suite.spec.data
    path, old_path = data_path(head.suite.spec, head.path), data_path(base.suite.spec, base.path)
    made = isinstance(new, NeedleData) or isinstance(old, NeedleData)
    if (made or path is None or old_path is None) and new != old:
        yield _scoring("data", f"{_data(old)} → {_data(new)}", head, base, files, "data")
    if path is None or old_path is None:
        return
    same = files.same(path, old_path)
    if same is None:
        yield Change("data", "added", path, f"{old_path} is not in base: git does not have it there", asks=False)
    elif not same:
        moved = old_path if path != old_path else None
        detail = f"{old_path} → {path}, with other content" if moved else "changed; both sides are asked these rows"
        yield Change("data", "changed", path, detail, old_path=moved, asks=False)
    elif path != old_path:
        yield Change("data", "renamed", path, f"{old_path} → {path}", old_path=old_path, asks=False)


def scoring_changes(head: Side, base: Side, files: Files) -> Iterator[Change]:
    """Say how the map, the scorers and the gate differ."""
    yield from _fields("map", _map(head), _map(base), head, base, files)
    yield from _fields("scorers", _scorers(head), _scorers(base), head, base, files)
    yield from _fields("gate", _gate(head), _gate(base), head, base, files)


def data_path(spec: SuiteSpec, path: str) -> str | None:
    """Return the data file, or that of the haystack, from the top; None for a data set of the hub."""
    name = spec.data.haystack if isinstance(spec.data, NeedleData) else spec.data
    if not isinstance(name, str) or name in OWN_HAYSTACKS:
        return None
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), name))


def _fields(
    part: Part, new: Mapping[str, Any] | str, old: Mapping[str, Any] | str, head: Side, base: Side, files: Files
) -> Iterator[Change]:
    """Compare two mappings; a text in place of base's says why it cannot be read."""
    if isinstance(old, str) or isinstance(new, str):
        yield _scoring(part, f"base's cannot be read: {old}", head, base, files, part)
        return
    changed = [name for name in sorted({*new, *old}) if canonical([new.get(name)]) != canonical([old.get(name)])]
    if changed:
        said = ", ".join(f"{name}: {_value(old.get(name))} → {_value(new.get(name))}" for name in changed)
        yield _scoring(part, said, head, base, files, part)


def _scoring(part: Part, detail: str, head: Side, base: Side, files: Files, field: str) -> Change:
    lines = suite_lines(head, base, files, field)
    return Change(part, "changed", head.path, one_line(detail), lines=lines, asks=False)


def _map(side: Side) -> Mapping[str, Any] | str:
    """What is mapped; slices under one name, wherever they are written."""
    try:
        expressions = Mapper(side.suite.spec, side.suite.document).expressions
    except LlmkitError as error:
        return str(error)
    names = (".".join(map(str, keys)).removeprefix("map.") for keys in expressions)
    named = dict(zip(names, (each.text for each in expressions.values()), strict=True))
    if isinstance(slices := side.suite.spec.slices or side.suite.spec.map.slices, list):
        named = {name: text for name, text in named.items() if not name.startswith("slices.")}
        named |= {f"slices.{name}": name for name in slices}
    return named


def _scorers(side: Side) -> Mapping[str, Any] | str:
    """Return what scores: a judge by its entry, for its files are compared one by one."""
    spec, document = side.suite.spec, side.suite.document
    if document is None:
        return {}
    entries = spec.scorers or []
    judged = [entry for entry in entries if isinstance(entry, Mapping) and is_entry(entry)]
    plain = spec.model_copy(update={"scorers": [entry for entry in entries if entry not in judged]})
    try:
        others = {scorer.name: scorer.signature for scorer in scorers_of(document, plain, side.suite.form)}
    except LlmkitError as error:
        return str(error)
    return others | {f"judge {entry[ENTRY]}": canonical(entry).decode() for entry in judged}


def _gate(side: Side) -> Mapping[str, Any]:
    found: dict[str, Any] = {}
    for metric, spec in (side.suite.spec.gate or {}).items():
        for name, margin in spec.model_dump(exclude_none=True).items():
            if isinstance(margin, Mapping):
                found |= {f"{metric}.{name}.{each}": value for each, value in margin.items()}
            else:
                found[f"{metric}.{name}"] = margin
    return found


def _data(data: str | HubData | NeedleData | None) -> str:
    if isinstance(data, NeedleData):
        return _value(data.model_dump(exclude_unset=True))
    if not isinstance(data, HubData):
        return str(data)
    config = "+".join(data.config) if isinstance(data.config, list) else data.config
    parts = (data.hf, config, data.split, data.revision)
    return f"hf:{'/'.join(part for part in parts if part is not None)}"


def _value(value: Any) -> str:
    return "not set" if value is None else shorten(value if isinstance(value, str) else canonical(value).decode())
