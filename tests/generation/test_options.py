"""The options of a generation: each wrong one is one clear line, before anything is asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from llmkit.errors import UsageError
from llmkit.generation.options import GenerateOptions

NAN, INFINITE = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("concurrency", [0, -1, 0.5, NAN, INFINITE, True, "3"]),
        ("max_cost", ["3", True, [1]]),
        ("max_total_tokens", [0.5, 100.0, NAN, INFINITE, True, "3"]),
        ("store", [3, b"here"]),
        ("params", ["max_tokens=3", None]),
        ("retry", [3, None]),
        ("repair", ["no", 1, None]),
        ("cache", ["no", 0]),
    ],
)
def test_an_option_of_another_kind_is_named_with_what_is_wanted(name, values):
    for value in values:
        with pytest.raises(UsageError, match=f"{name} must be "):
            GenerateOptions(**{name: value})


def test_a_deadline_is_no_truth_value():
    with pytest.raises(UsageError, match="deadline"):
        GenerateOptions(deadline_s=True)


def test_what_is_right_is_taken():
    said = GenerateOptions(
        concurrency=1, max_cost=0, max_total_tokens=0, store=Path("here"), params={"max_tokens": 8}, repair=True
    )
    assert (said.concurrency, said.max_cost, said.max_total_tokens, said.store) == (1, 0, 0, Path("here"))
    assert (said.params, said.repair) == ({"max_tokens": 8}, True)
    assert GenerateOptions(max_cost=2.5, store="here").max_cost == 2.5
