"""One line of an items file: what is labelled."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from llmkit.errors import DocumentError, nearest
from llmkit.judges.judge import Judge
from llmkit.judges.label_file import Line
from llmkit.judges.subject import Subject, conversation
from llmkit.text import quoted
from llmkit.types import Message

OWN = ("id", "input", "answer", "a", "b", "reference", "weight", "group")
"""Fields with a meaning; all others are the row's."""


def id_of(line: Line) -> str:
    """Return a line's id; whole numbers are ids too.

    Raises:
        DocumentError: There is none.
    """
    value = line.values.get("id")
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str) or not value:
        said = "no id" if value is None else f"the id is {quoted(value)}, not a string"
        raise DocumentError(said, where=line.where, hint='Give each line the id of its item: {"id": "…", …}')
    return value


def subject_of(line: Line, judge: Judge) -> Subject:
    """Read an item.

    Raises:
        DocumentError: A field is missing or is not what it must be, with its place.
    """
    assert judge.spec.labels is not None
    spec = judge.spec.labels
    pair = judge.scale.kind == "pairwise"
    return replace(
        subject_of_values(line.values, line.where, pair=pair),
        group=_group(line, spec.cluster_id),
        slices={name: str(_plain(line, name)) for name in spec.slices if line.values.get(name) is not None},
    )


def subject_of_values(values: Mapping[str, Any], where: str, *, pair: bool) -> Subject:
    """Read an item whose fields have the names of :data:`OWN`.

    Args:
        values: Field → value.
        where: ``path:line``.
        pair: Whether it is two answers.

    Raises:
        DocumentError: As of :func:`subject_of`.
    """
    line = Line(values, where)
    wanted, other = (("a", "b"), ("answer",)) if pair else (("answer",), ("a", "b"))
    for name in other:
        if name in values:
            hint = f"An item {'of a pairwise judge' if pair else 'that is no pair'} has {' and '.join(wanted)}"
            raise DocumentError(f"the field {name!r} has no place here", where=where, hint=hint)
    texts = {name: _text(line, name) for name in wanted}
    return Subject(
        id=id_of(line),
        input=_input(line),
        answer=texts.get("answer", ""),
        a=texts.get("a"),
        b=texts.get("b"),
        reference=None if values.get("reference") is None else _text(line, "reference"),
        row={name: value for name, value in values.items() if name not in OWN},
        group=_group(line, None),
        weight=_weight(line),
    )


def item_line(subject: Subject) -> Mapping[str, Any]:
    """Return a subject as a line of an items file."""
    answers = {"a": subject.a, "b": subject.b} if subject.pair else {"answer": subject.answer}
    own: dict[str, Any] = {"id": subject.id, "input": subject.input, **answers}
    if subject.reference is not None:
        own["reference"] = subject.reference
    if subject.group is not None:
        own["group"] = subject.group
    own["weight"] = subject.weight
    return own | {name: value for name, value in subject.row.items() if name not in OWN}


def _text(line: Line, name: str) -> str:
    value = line.values.get(name)
    if isinstance(value, str):
        return value
    if value is None:
        near = nearest(name, [field for field in line.values if field not in OWN])
        hint = near if near.startswith("Did you mean") else "It is a text"
        raise DocumentError(f"the item has no field {name!r}", where=line.where, hint=hint)
    raise DocumentError(f"the field {name!r} is {quoted(value)}, not a text", where=line.where)


def _input(line: Line) -> str:
    """Return what was asked: a text, or a conversation of {role, content}."""
    value = line.values.get("input")
    if not isinstance(value, list):
        return _text(line, "input")
    messages = []
    for said in value:
        if not (isinstance(said, Mapping) and all(isinstance(said.get(key), str) for key in ("role", "content"))):
            hint = 'Write it as a text, or as [{"role": "user", "content": "…"}, …]'
            raise DocumentError("the field 'input' is no conversation", where=line.where, hint=hint)
        messages.append(Message(said["role"], said["content"]))
    return conversation(messages)


def _plain(line: Line, name: str) -> str | int | float | bool:
    value = line.values[name]
    if isinstance(value, (str, int, float, bool)):
        return value
    raise DocumentError(f"the field {name!r} is {quoted(value)}, which names no group", where=line.where)


def _group(line: Line, field: str | None) -> str | None:
    name = field or "group"
    if line.values.get(name) is not None:
        return str(_plain(line, name))
    if field is None:
        return None
    hint = nearest(field, line.values)
    raise DocumentError(f"the item has no field {field!r}, which labels.cluster_id names", where=line.where, hint=hint)


def _weight(line: Line) -> float:
    value = line.values.get("weight", 1.0)
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or value <= 0:
        hint = "It is the number of items of the population that this one stands for"
        raise DocumentError(f"the weight is {quoted(value)}, not a number above 0", where=line.where, hint=hint)
    return float(value)
