"""Every option that can change a figure stands in the signature, by which scores are stored and compared."""

from __future__ import annotations

from typing import Any, Literal, get_args, get_origin

import pytest

from llmkit.errors import DocumentError
from llmkit.scoring import create
from llmkit.scoring.builtin import Builtin
from llmkit.scoring.registry import BUILTIN, _builtin

NO_FIGURE = {"name", "workers", "threads", "device"}
"""How a figure is called or come by, and not what it is."""
ELSEWHERE = {("attempts", "max_attempts"), ("code", "isolation"), ("code", "file")}
"""bertscore's name files of models, and have tests beside them.
Of code, the sandbox and the file's text stand there, and have tests of their own."""
BASES: dict[str, list[dict[str, Any]]] = {
    "code": [{"shape": "humaneval"}, {"shape": "mbpp"}, {"shape": "pytest"}, {"shape": "stdin", "compare": "floats"}],
    "regex": [{"pattern": "(a)", "extract": 0}],
    "extracted": [{"pattern": "(a)(?P<x>b)"}],
    "bleu": [{}, {"smooth_method": "floor"}],
    "json_schema": [{"schema": {"type": "object"}}, {}],
    "checks": [{"all": [{"contains": "a"}]}, {}],
}
OTHER: dict[tuple[str, str], Any] = {
    ("choice", "choices"): "ABC",
    ("extracted", "take"): "last",
    ("extracted", "group"): "x",
    ("regex", "extract"): 1,
    ("json_schema", "document"): {"type": "array"},
    ("checks", "all"): [{"contains": "b"}],
}


def others(metric: str, field: str, annotation: Any) -> list[Any]:
    if (metric, field) in OTHER:
        return [OTHER[metric, field]]
    kinds = [annotation]
    found: list[Any] = []
    while kinds:
        kind = kinds.pop()
        if get_origin(kind) is Literal:
            found += get_args(kind)
        elif kind is bool:
            found += [True, False]
        elif kind in (int, float):
            found += [7, 300]
        elif kind is str:
            found += ["x", "wxyz"]
        elif get_origin(kind) is list:
            found += [["x"]]
        else:
            kinds += [each for each in get_args(kind) if each is not type(None)]
    return found


OPTIONS = [
    (metric, field)
    for metric in BUILTIN
    for field in _builtin(metric).model_fields
    if metric != "bertscore" and field not in NO_FIGURE and (metric, field) not in ELSEWHERE
]


def signature(metric: str, options: dict[str, Any]) -> str | None:
    try:
        return create(metric, options).signature
    except DocumentError:
        return None


@pytest.mark.parametrize(("metric", "field"), OPTIONS)
def test_every_option_changes_the_signature(metric: str, field: str) -> None:
    kind: type[Builtin] = _builtin(metric)
    values = others(metric, field, kind.model_fields[field].annotation)
    signatures = [
        [
            signature(metric, base),
            *(signature(metric, {**base, kind.model_fields[field].alias or field: value}) for value in values),
        ]
        for base in BASES.get(metric, [{}])
    ]
    assert any(len(set(found) - {None}) > 1 for found in signatures), signatures
