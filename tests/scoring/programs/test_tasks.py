"""What rows of the known data sets ask of an answer."""

from __future__ import annotations

import json
from typing import Any

import pytest

from llmkit.scoring.programs.tasks import BadRow, Case, humaneval, mbpp, pytest_file, stdin

HUMANEVAL = {
    "prompt": "def helper(x):\n    return x\n\ndef f(x):\n    pass\n",
    "test": "def check(candidate):\r\n    assert candidate(1) == 1\r\n",
    "entry_point": "f",
}


def read_humaneval(**changes: Any) -> Any:
    return humaneval(HUMANEVAL | changes, tests="test", entry_point="entry_point", prompt="prompt")


def read_mbpp(**row: Any) -> Any:
    return mbpp(row, tests=["test_list", "test"], setup=["test_imports", "test_setup_code"])


class TestHumanEval:
    def test_asks_for_the_entry_point(self) -> None:
        task = read_humaneval()
        assert task.names == ("f",)
        assert task.tests["entry_point"] == "f"
        assert "\r" not in task.tests["tests"]

    def test_keeps_the_prompts_other_functions_for_the_tests(self) -> None:
        assert read_humaneval().tests["prelude"] == HUMANEVAL["prompt"]
        assert read_humaneval(prompt="def f(x):\n").tests["prelude"] == ""

    @pytest.mark.parametrize("name", ["", "f(x)", "class", "a.b", 5])
    def test_refuses_what_names_no_function(self, name: object) -> None:
        with pytest.raises(BadRow, match="entry_point"):
            read_humaneval(entry_point=name)

    def test_says_which_field_is_near(self) -> None:
        row = {"tests": "x", "entry_point": "f"}
        with pytest.raises(BadRow, match=r"no field 'test'.*'tests'"):
            humaneval(row, tests="test", entry_point="entry_point", prompt="prompt")


class TestMbpp:
    def test_runs_imports_and_setup_before_the_tests(self) -> None:
        task = read_mbpp(test_imports=["import math"], test_setup_code="root = Node(1)", test_list=["assert f(root)"])
        assert task.tests["statements"] == ["import math", "root = Node(1)", "assert f(root)"]
        assert task.names == ("f",)

    def test_takes_the_hubs_field_and_the_papers(self) -> None:
        assert read_mbpp(test=["assert f(1)"]).tests["statements"] == ["assert f(1)"]

    def test_takes_a_list_as_json(self) -> None:
        assert read_mbpp(test_list='["assert f(1)"]').tests["statements"] == ["assert f(1)"]

    def test_asks_for_a_builtin_only_where_nothing_else_is_asked_for(self) -> None:
        assert read_mbpp(test_list=["assert set(f(1)) == set()"]).names == ("f",)
        assert read_mbpp(test_list=["assert sum(1, 2) == 3"]).names == ("sum",)

    @pytest.mark.parametrize("value", [[], 5, [1], "[", {"a": 1}])
    def test_refuses_what_is_no_list_of_tests(self, value: object) -> None:
        with pytest.raises(BadRow, match="test_list"):
            read_mbpp(test_list=value)


class TestStdin:
    @pytest.mark.parametrize(
        "cases",
        [
            [{"input": "1\n", "output": "2\n"}],
            {"inputs": ["1\n"], "outputs": ["2\n"]},
            {"input": ["1\n"], "output": ["2\n"]},
        ],
    )
    def test_reads_what_data_sets_write(self, cases: object) -> None:
        assert stdin({"cases": cases}, tests="cases").cases == (Case("1\n", "2\n"),)
        assert stdin({"cases": json.dumps(cases)}, tests="cases").cases == (Case("1\n", "2\n"),)

    def test_reads_lines_and_numbers(self) -> None:
        assert stdin({"c": [{"input": ["1", "2"], "output": 3}]}, tests="c").cases == (Case("1\n2", "3"),)

    def test_reads_a_nested_field(self) -> None:
        assert stdin({"a": {"b": [{"input": "", "output": "x"}]}}, tests="a.b").cases == (Case("", "x"),)

    @pytest.mark.parametrize(
        "cases", [[], "{", 5, {"inputs": ["1"], "outputs": []}, [{"input": "1"}], [{"input": True, "output": "1"}]]
    )
    def test_refuses_what_is_no_case(self, cases: object) -> None:
        with pytest.raises(BadRow, match="'cases'"):
            stdin({"cases": cases}, tests="cases")


def test_a_pytest_file_asks_for_what_it_imports() -> None:
    source = "from solution import (a,\n  b as c)\nfrom solution import d\nimport solution\nsolution.e()\nx.solution2.f"
    assert pytest_file(source, "solution").names == ("a", "b", "d", "e")
