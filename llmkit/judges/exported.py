"""Labelled items as plain rows: for other tools, and for people's own eyes."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from llmkit.judges.judge import Judge
from llmkit.judges.labels import LabelSet
from llmkit.judges.people import consensus

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for a formula at the start of a cell; an apostrophe before it makes it a text (OWASP)."""


def rows(labels: LabelSet, judge: Judge) -> Iterator[dict[str, Any]]:
    """Yield each labelled item with what people say of it.

    ``label`` is the gold label where there is one, else the majority's; null for a tie. ``said`` is annotator → label.
    """
    gold = {label.id: label.label for label in labels.labels if label.gold}
    agreed = consensus(labels, judge)
    for item in labels.items:
        subject = item.subject
        found = agreed.get(subject.id)
        answers = {"a": subject.a, "b": subject.b} if subject.pair else {"answer": subject.answer}
        yield {
            "id": subject.id,
            "label": item.label,
            "majority": found.majority if found else None,
            "gold": gold.get(subject.id),
            "dawid_skene": found.dawid_skene if found else None,
            "probability": found.probability if found else None,
            "said": dict(item.said),
            "input": subject.input,
            **answers,
            "reference": subject.reference,
            "group": subject.group,
            "weight": subject.weight,
        }


def as_jsonl(found: Sequence[Mapping[str, Any]]) -> str:
    """Write rows as JSON Lines."""
    return "".join(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n" for row in found)


def as_csv(found: Sequence[Mapping[str, Any]]) -> str:
    """Write rows as CSV (RFC 4180), a column for each annotator, ``said:NAME``; no cell is taken for a formula."""
    names = list(dict.fromkeys(name for row in found for name in row["said"]))
    fields = [name for name in (found[0] if found else {}) if name != "said"]
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([*fields, *(_cell(f"said:{name}") for name in names)])
    for row in found:
        writer.writerow([*(_cell(row[name]) for name in fields), *(_cell(row["said"].get(name)) for name in names)])
    return out.getvalue() if found else ""


def _cell(value: object) -> object:
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return "" if value is None else value
