"""HumanEval's and MBPP's own solutions pass, and what is no solution fails; of each data set a part, or all of it.

``LLMKIT_CODE=all`` takes all of it, two minutes on two cores.
"""

from __future__ import annotations

import ast
import copy
import json
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from llmkit.errors import NoIsolationError
from llmkit.sandbox import choose
from llmkit.scoring import Item, create
from llmkit.types import Failure, Score
from tests.conformance.conftest import ROOT

ALL = os.environ.get("LLMKIT_CODE") == "all"
PART = 4
BROKEN = {"367": "the tests use trees that neither they nor the solution define"}
MUTANTS_A_PROGRAM = 3
LEAST_CAUGHT = 0.85
"""Of programs with one operator, constant or comparison changed: the rest are equal to the solution on its tests."""

Result = Score | Failure


def rows(name: str) -> list[dict[str, Any]]:
    try:
        choose.choose()
    except NoIsolationError as error:
        pytest.skip(str(error))
    path = Path(os.environ.get("LLMKIT_DATA") or ROOT / "../shared/data").resolve() / f"benchmarks/{name}.jsonl"
    if not path.is_file():
        pytest.skip(f"no {path}; set LLMKIT_DATA to the folder that holds benchmarks/")
    found = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return found if ALL else found[:PART]


def scored(shape: str, answers: Sequence[str], rows: Sequence[dict[str, Any]], cpu_s: float = 20) -> dict[str, Result]:
    scorer = create("code", {"shape": shape, "timeout": 60, "cpu_s": cpu_s})
    found = scorer.score([Item(answer, (), row) for answer, row in zip(answers, rows, strict=True)])
    return {f"{row['task_id']}#{at}": each for at, (row, each) in enumerate(zip(rows, found, strict=True))}


def solution(row: dict[str, Any]) -> str:
    return row["prompt"] + row["canonical_solution"] if "entry_point" in row else row["code"]


def failing(found: dict[str, Result]) -> dict[str, Result]:
    return {key: each for key, each in found.items() if not (isinstance(each, Score) and each.value == 1)}


def passing(found: dict[str, Result]) -> list[str]:
    return [key for key, each in found.items() if isinstance(each, Failure) or each.value != 0]


def test_humanevals_solutions_pass_as_completions() -> None:
    data = rows("humaneval")
    assert len(data) == (164 if ALL else PART)
    assert failing(scored("humaneval", [row["canonical_solution"] for row in data], data)) == {}


def test_mbpps_solutions_pass_but_for_the_one_whose_tests_are_broken() -> None:
    data = rows("mbpp_test")
    assert len(data) == (500 if ALL else PART)
    failed = failing(scored("mbpp", [f"```python\n{row['code']}\n```" for row in data], data))
    assert {key.partition("#")[0] for key in failed} == {key for key in BROKEN if ALL}


def parsed(source: str) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "\\w" in a text that is not raw
        return ast.parse(source)


def hollow(source: str) -> str:
    """Replace each function's body by one that does nothing."""
    tree = parsed(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            node.body = [ast.Return(ast.Constant(None))]
    return ast.unparse(ast.fix_missing_locations(tree))


@pytest.mark.parametrize(("shape", "name"), [("humaneval", "humaneval"), ("mbpp", "mbpp_test")])
def test_functions_that_do_nothing_fail(shape: str, name: str) -> None:
    data = rows(name)
    assert passing(scored(shape, [f"```python\n{hollow(solution(row))}\n```" for row in data], data)) == []


@pytest.mark.skipif(not ALL, reason="LLMKIT_CODE=all runs it")
@pytest.mark.parametrize(("shape", "name"), [("humaneval", "humaneval"), ("mbpp", "mbpp_test")])
def test_functions_that_do_what_another_does_fail(shape: str, name: str) -> None:
    data = rows(name)
    others = [f"```python\n{swapped(solution(row), solution(data[at - 1]))}\n```" for at, row in enumerate(data)]
    assert passing(scored(shape, others, data)) == []


def swapped(source: str, other: str) -> str:
    """Give the last function of a source another's last function's body, whatever it is called with."""
    tree = parsed(source)
    mine = [node for node in tree.body if isinstance(node, ast.FunctionDef)][-1]
    theirs = [node for node in parsed(other).body if isinstance(node, ast.FunctionDef)][-1]
    return f"{ast.unparse(parsed(other))}\ndef {mine.name}(*args):\n    return {theirs.name}(*args)\n"


@pytest.mark.skipif(not ALL, reason="LLMKIT_CODE=all runs it")
@pytest.mark.parametrize(("shape", "name"), [("humaneval", "humaneval"), ("mbpp", "mbpp_test")])
def test_of_small_changes_most_are_caught(shape: str, name: str) -> None:
    pairs = [(mutant, row) for row in rows(name) for mutant in mutants(solution(row))]
    found = scored(shape, [f"```python\n{mutant}\n```" for mutant, _ in pairs], [row for _, row in pairs], cpu_s=3)
    survived = passing(found)
    sys.stdout.write(f"{name}: {len(found) - len(survived)} of {len(found)} mutants fail\n")  # -rP shows it
    assert 1 - len(survived) / len(found) >= LEAST_CAUGHT


SWAPS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.Div: ast.Mult, ast.Mod: ast.Mult, ast.Lt: ast.Gt,
    ast.Gt: ast.Lt, ast.LtE: ast.Gt, ast.GtE: ast.Lt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.In: ast.NotIn,
}  # fmt: skip


def mutants(source: str) -> Iterator[str]:
    """Yield sources with one operator swapped, spread over the source."""
    tree = parsed(source)
    places = [at for at, node in enumerate(ast.walk(tree)) if _operators(node)]
    for place in places[:: max(1, len(places) // MUTANTS_A_PROGRAM)][:MUTANTS_A_PROGRAM]:
        changed = copy.deepcopy(tree)
        node: Any = list(ast.walk(changed))[place]
        if isinstance(node, ast.Compare):
            node.ops[0] = SWAPS[type(node.ops[0])]()
        else:
            node.op = SWAPS[type(node.op)]()
        yield ast.unparse(changed)


def _operators(node: ast.AST) -> bool:
    if isinstance(node, ast.Compare):
        return type(node.ops[0]) in SWAPS
    return isinstance(node, (ast.BinOp, ast.AugAssign)) and type(node.op) in SWAPS
