"""code: an answer's program is right where its tests pass, and nothing that it does can make them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from llmkit.errors import DocumentError, NoIsolationError
from llmkit.sandbox import choose
from llmkit.scoring import Item, Scorer, create
from llmkit.scoring.files import Files
from llmkit.scoring.registry import parse
from llmkit.types import Failure, Score
from tests.sandbox.hostile import programs as hostile_programs
from tests.scoring.programs.attacks import ATTACKS, ENDLESS, RIGHT

ALL = os.environ.get("LLMKIT_CODE") == "all"
TESTS = ["assert add(1, 2) == 3", "assert abs(add(0.5, 1) - 1.5) < 1e-6", "assert add('a', 'b') == 'ab'"]
HUMANEVAL: dict[str, Any] = {
    "prompt": 'from typing import List\n\ndef half(x):\n return x / 2\n\ndef mean(xs: List[float]):\n    """Mean."""\n',
    "entry_point": "mean",
    "test": "def check(candidate):\n assert candidate([1.0, 2.0]) == half(3.0)\n assert candidate([4]) == 4, 'four'\n",
}


@pytest.fixture(scope="module", autouse=True)
def _sandbox() -> None:
    try:
        choose.choose()
    except NoIsolationError as error:
        pytest.skip(str(error))


def scores(texts: Sequence[str], row: dict[str, Any] | None = None, **options: Any) -> list[Score | Failure]:
    scorer = create("code", {"shape": "mbpp"} | options)
    return list(scorer.score([Item(text, (), row or {"test_list": TESTS}) for text in texts]))


def verdict(text: str, row: dict[str, Any] | None = None, **options: Any) -> tuple[float, str]:
    (found,) = scores([text], row, **options)
    assert isinstance(found, Score), found
    return found.value, found.reason or ""


def fault(text: str, row: dict[str, Any] | None = None, **options: Any) -> tuple[str, str]:
    (found,) = scores([text], row, **options)
    assert isinstance(found, Failure), found
    return found.kind, found.message


class TestStatements:
    def test_right_and_wrong_programs(self) -> None:
        right, wrong = scores([RIGHT, RIGHT.replace("+", "-")])
        assert right == Score(1.0)
        assert wrong == Score(0.0, reason="assert add(1, 2) == 3 (-1 was given)")

    def test_an_error_is_told_with_the_statement(self) -> None:
        found = verdict("def add(a, b):\n    return a.x")
        assert found == (0.0, "AttributeError: 'int' object has no attribute 'x' in assert add(1, 2) == 3")

    def test_what_is_not_defined_is_wrong(self) -> None:
        assert verdict("def plus(a, b): return a + b") == (
            0.0, "NameError: name 'add' is not defined in assert add(1, 2) == 3",
        )  # fmt: skip

    def test_a_syntax_error_is_wrong(self) -> None:
        value, reason = verdict("```python\ndef add(a, b)\n    return a\n```")
        assert (value, reason) == (0.0, "syntax error: SyntaxError (line 1): expected ':'")

    @pytest.mark.parametrize("code", ["def add(a, b): return a\0", "def add(a, b): return '\ud800", "(" * 9999])
    def test_so_is_what_no_python_reads(self, code: str) -> None:
        value, reason = verdict(f"```python\n{code}\n```")
        assert value == 0
        assert reason.startswith("syntax error")

    def test_an_answer_without_code_is_unparsable(self) -> None:
        kind, message = fault("I would rather not.")
        assert kind == "unparsable"
        assert "extract: auto" in message

    def test_tests_that_are_no_python_are_the_rows_fault(self) -> None:
        assert fault(RIGHT, {"test_list": ["assert add(1"]})[0] == "bad_reference"
        kind, message = fault(RIGHT, {"test_list": ["import nonexistent_module", "assert add(1, 1) == 2"]})
        assert (kind, "nonexistent_module" in message) == ("bad_reference", True)
        assert fault(RIGHT, {"test": 5})[0] == "bad_reference"

    def test_an_import_that_fails_in_the_answer_is_the_answers(self) -> None:
        assert verdict("def add(a, b):\n    import nonexistent_module")[0] == 0
        assert "nonexistent_module" in verdict("import nonexistent_module\ndef add(a, b): return a + b")[1]

    def test_classes_of_the_answer_are_used_by_the_tests(self) -> None:
        row = {"test_setup_code": "r = Node(1); r.next = Node(2)", "test_list": ["assert total(r) == 3"]}
        node = "class Node:\n  def __init__(self, v): self.v, self.next = v, None\n"
        code = f"{node}def total(n): return n.v + total(n.next) if n else 0"
        assert verdict(code, row) == (1.0, "")

    def test_a_megabyte_is_scored(self) -> None:
        padding = "# " + "x" * (1 << 20) + "\n"
        assert verdict(f"```python\n{padding}{RIGHT}```") == (1.0, "")


class TestHumanEval:
    @pytest.mark.parametrize(
        ("text", "right"),
        [
            ("    return sum(xs) / len(xs)\n\nprint(undefined)\n", True),
            ("```python\ndef mean(xs: List[float]):\n    return half(2 * sum(xs)) / len(xs)\n```", True),
            ("```python\nfrom __future__ import annotations\ndef mean(xs): return sum(xs) / len(xs)\n```", True),
            ("    return 0\n", False),
            ("def half(x): return None\ndef mean(xs): return None", False),
        ],
    )
    def test_completions_and_whole_functions(self, text: str, right: bool) -> None:
        assert verdict(text, HUMANEVAL, shape="humaneval")[0] == right

    def test_the_reason_has_the_assertion_and_its_message(self) -> None:
        reason = verdict("    return 1.5\n", HUMANEVAL, shape="humaneval")[1]
        assert reason == "assert candidate([4]) == 4, 'four': four (1.5 was given)"

    def test_tests_without_check_are_the_rows_fault(self) -> None:
        assert fault("    return 1\n", HUMANEVAL | {"test": "x = 1"}, shape="humaneval")[0] == "bad_reference"


CASES: dict[str, Any] = {"cases": [{"input": "1 2\n", "output": "3\n"}, {"input": "5 5\n", "output": "10"}]}


class TestStdin:
    def test_all_cases_must_hold(self) -> None:
        good = "if __name__ == '__main__':\n    print(sum(map(int, input().split())))"
        right, wrong, broken, leaves = scores(
            [good, "print(3)", "print(3)\nraise ValueError('no')", "import sys\nprint(3)\nsys.exit(2)"],
            CASES,
            shape="stdin",
        )
        assert right == Score(1.0)
        assert wrong == Score(0.0, reason="case 2 of 2: printed '3' where '10' was expected")
        assert broken == Score(0.0, reason="case 1 of 2: ended with exit code 1: ValueError: no")
        assert leaves == Score(0.0, reason="case 1 of 2: ended with exit code 2")

    def test_expected_output_is_not_within_reach(self) -> None:
        spy = "import os, sys\nprint(sorted(os.listdir('.')), [open(f, 'rb').read() for f in os.listdir('.')])"
        assert (
            "10"
            not in verdict(spy, {"cases": [{"input": "", "output": "1010101"}]}, shape="stdin")[1].split("where")[0]
        )

    def test_no_more_than_its_time(self) -> None:
        value, reason = verdict("while True: pass", CASES, shape="stdin", timeout=0.5)
        assert (value, reason) == (0.0, "case 1 of 2: timeout after 0.5 s")


PYTEST = """
import pytest, solution
from solution import add, Total

@pytest.mark.parametrize("a, b, c", [(1, 2, 3), ([1], [2], [1, 2])])
def test_add(a, b, c):
    assert add(a, b) == c

def test_refuses():
    with pytest.raises(solution.Refused, match="no"):
        add(None, 1)

class TestTotal:
    def test_it(self, capsys):
        total = Total()
        total.take([1, 2]).take([3])
        assert total.value == 6 and isinstance(total, Total)
        assert capsys.readouterr().out == "took 2\\ntook 1\\n"
"""
SOLUTION = """
class Refused(Exception): pass
def add(a, b):
    if a is None: raise Refused("no")
    return a + b
class Total:
    value = 0
    def take(self, xs):
        print("took", len(xs))
        self.value += sum(xs)
        return self
"""


class TestPytest:
    def test_a_file_of_tests(self) -> None:
        right, wrong, lacking = scores(
            [SOLUTION, SOLUTION.replace("a + b", "a"), RIGHT], {"tests": PYTEST}, shape="pytest", timeout=60
        )
        assert right == Score(1.0)
        assert isinstance(wrong, Score)
        assert wrong.value == 0
        assert (wrong.reason or "").startswith("test_add[1-2-3] failed: assert 1 == 3")
        assert isinstance(lacking, Score)
        assert "cannot import name 'Total'" in (lacking.reason or "")

    def test_a_file_of_the_project(self, tmp_path: Path) -> None:
        (tmp_path / "test_add.py").write_text("from answer import add\ndef test(): assert add(1, 1) == 2\n")
        entry = {"code": {"shape": "pytest", "file": "test_add.py", "module": "answer", "timeout": 60}}
        scorer = parse(entry, None, Files(tmp_path))
        assert scorer.score([Item(RIGHT)]) == [Score(1.0)]
        before = scorer.signature
        (tmp_path / "test_add.py").write_text("def test(): pass\n")
        assert parse(entry, None, Files(tmp_path)).signature != before

    @pytest.mark.parametrize(
        ("source", "kind"), [("def helper(): pass", "bad_reference"), ("def test(: pass", "bad_reference")]
    )
    def test_a_file_that_tests_nothing_is_the_rows_fault(self, source: str, kind: str) -> None:
        assert fault(RIGHT, {"tests": source}, shape="pytest", timeout=60)[0] == kind


class TestAttacks:
    def test_none_changes_its_verdict_nor_anothers(self) -> None:
        names = list(ATTACKS) if ALL else list(ATTACKS)[::3]
        texts = [text for name in names for text in (f"```python\n{ATTACKS[name]}```", f"```python\n{RIGHT}```")]
        found = scores(texts, timeout=60, cpu_s=10)
        attacked = dict(zip(names, found[::2], strict=True))
        assert {name: each for name, each in attacked.items() if not isinstance(each, Score) or each.value} == {}
        assert found[1::2] == [Score(1.0)] * len(names)

    @pytest.mark.parametrize(
        ("name", "reason"),
        [
            ("loops", "timeout"), ("loops while it loads", "timeout"), ("never answers", "timeout after 1 s"),
            ("takes all memory", "Memory"), ("prints without end", "output: more than 256 KiB"),
            ("patches the builtins", "timeout"),
        ],
    )  # fmt: skip
    def test_a_limit_is_a_wrong_answer_that_says_so(self, name: str, reason: str) -> None:
        if not ALL and name not in ("never answers", "takes all memory"):
            pytest.skip("LLMKIT_CODE=all runs it")
        seconds = 1 if name in ("never answers", "patches the builtins") else 30
        value, said = verdict(f"```python\n{ENDLESS[name]}```", timeout=seconds, cpu_s=1)
        assert value == 0
        assert reason in said

    @pytest.mark.skipif(not ALL, reason="LLMKIT_CODE=all runs it")
    @pytest.mark.parametrize("name", hostile_programs())
    def test_a_program_that_means_harm_is_wrong_and_a_right_one_beside_it_right(self, name: str) -> None:
        source = hostile_programs()[name].text(port=9, pid=1)
        texts = [f"```python\n{source}\ndef add(a, b): return None\n```", f"```python\n{RIGHT}```"]
        wrong, right = scores(texts, timeout=10, cpu_s=3)
        assert isinstance(wrong, Score)
        assert wrong.value == 0
        assert right == Score(1.0)


class TestIsolation:
    def test_without_it_nothing_is_scored(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(choose, "choose", _none)
        scorer: Any = create("code", {"shape": "mbpp"})
        assert "sandbox:none" in scorer.signature
        with pytest.raises(NoIsolationError):
            scorer.prepare()
        with pytest.raises(NoIsolationError):
            scorer.score([Item(RIGHT, (), {"test_list": TESTS})])

    def test_what_cannot_start_is_a_failure(self) -> None:
        scorer: Any = create("code", {"shape": "mbpp"})
        scorer.__dict__["_sandbox"] = _Broken()
        (found,) = scorer.score([Item(RIGHT, (), {"test_list": TESTS})])
        assert found == Failure("scorer", "crash", "no more processes")


def _none() -> Any:
    raise NoIsolationError("nothing here")


class _Broken:
    name, isolated = "broken", True

    def start(self, program: object, limits: object) -> Any:
        from llmkit.errors import SandboxError

        raise SandboxError("no more processes")


class TestEnds:
    @pytest.mark.parametrize("end", ["exit()", "quit()", "sys.exit()"])
    def test_a_script_may_end_itself(self, end: str) -> None:
        assert verdict(f"import sys\nprint(1)\n{end}", {"cases": [{"input": "", "output": "1"}]}, shape="stdin")[0] == 1

    def test_an_answer_that_ends_pytest_is_wrong(self) -> None:
        tests = {"tests": "from solution import f\nVALUE = f(1)\ndef test_f(): assert VALUE == 1"}
        assert verdict("def f(x): raise KeyboardInterrupt", tests, shape="pytest", timeout=60) == (0, "no test ran")


class TestOptions:
    def test_the_signature_has_all_that_decides(self) -> None:
        scorer: Scorer = create("code", {"shape": "stdin", "compare": "floats", "timeout": 3})
        parts = dict(part.split(":", 1) for part in scorer.signature.split("|"))
        assert parts["shape"] == "stdin"
        assert parts["tests"] == "row.cases"
        assert parts["compare"] == "floats"
        assert parts["sandbox"] == choose.choose().name
        assert parts["limits"].startswith("3s,")
        assert parts["python"].count(".") == 1

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({}, "needs the option 'shape'"),
            ({"shape": "java"}, "shape"),
            ({"shape": "pytest", "module": "json"}, "another module"),
            ({"shape": "pytest", "module": "pluggy"}, "another module"),
            ({"shape": "mbpp", "memory_mb": 1 << 20}, "memory_mb"),
            ({"shape": "mbpp", "memory_mb": 16384, "workers": 64}, "lower one of them"),
            ({"shape": "mbpp", "file": "x.py"}, "shape pytest"),
            ({"shape": "pytest", "file": "missing.py"}, "cannot be read"),
            ({"shape": "mbpp", "isolation": "none"}, "isolation"),
            ({"shape": "mbpp", "isolation": "docker"}, "isolation"),
            ({"shape": "mbpp", "unsafe": True}, "no option 'unsafe'"),
        ],
    )
    def test_wrong_ones_are_refused(self, options: dict[str, Any], message: str) -> None:
        with pytest.raises(DocumentError, match=message):
            create("code", options)
