"""What the program that compares formulas refuses, beside what it answers."""

import os
import subprocess
import sys

import pytest

from llmkit.scoring.formulas import checker


@pytest.mark.parametrize("text", ["12", "1/2+3*(4-5)", "2^10", "1.5e3", "1,000", "x", "pi", " 3 ", ""])
def test_numbers_and_single_names_may_be_evaluated(text: str) -> None:
    assert checker._read_words(lambda text: f"read {text}")(text) == f"read {text}"


@pytest.mark.parametrize("text", ["f(2)", "__import__('os')", "x.y", "[1]", "lambda: 1", "a b", "'1'", "_x", "x;y"])
def test_nothing_else_may_be_evaluated(text: str) -> None:
    with pytest.raises(checker.Stopped) as refused:
        checker._read_words(lambda text: text)(text)
    assert refused.value.why == "refused"


@pytest.mark.parametrize(
    ("event", "arguments"),
    [
        ("os.system", (b"id",)),
        ("subprocess.Popen", ("id", ["id"], None, None)),
        ("os.posix_spawn", ("id", ["id"], {})),
        ("os.fork", ()),
        ("socket.connect", (None, ("127.0.0.1", 80))),
        ("ctypes.dlopen", ("libc",)),
        ("os.remove", ("x", -1)),
        ("open", ("x", "w", 0)),
        ("open", ("x", None, os.O_WRONLY | os.O_CREAT)),
    ],
)
def test_programs_sockets_and_written_files_are_refused(event: str, arguments: tuple[object, ...]) -> None:
    with pytest.raises(checker.Stopped):
        checker._forbid(event, arguments)


@pytest.mark.parametrize(
    ("event", "arguments"),
    [("open", ("x.py", "r", os.O_RDONLY | os.O_CLOEXEC)), ("open", (3, "w", 0)), ("import", ("sympy",)), ("exec", ())],
)
def test_reading_and_importing_are_not(event: str, arguments: tuple[object, ...]) -> None:
    checker._forbid(event, arguments)


@pytest.mark.parametrize(("error", "why"), [(MemoryError, "memory"), (RecursionError, "nested")])
def test_what_packages_would_swallow_gets_past_them(error: type[Exception], why: str) -> None:
    def exhausted() -> None:
        raise error

    with pytest.raises(checker.Stopped) as stopped:
        try:
            checker._reported(exhausted)()
        except Exception:
            pytest.fail("swallowed")
    assert stopped.value.why == why


def test_other_errors_stay_what_they_are() -> None:
    def wrong() -> None:
        raise ValueError("x")

    with pytest.raises(ValueError, match="x"):
        checker._reported(wrong)()


def test_what_cannot_be_evaluated_stays_and_what_breaks_is_told() -> None:
    pytest.importorskip("math_verify", reason="needs the extra [math]")

    class Expression:
        def __init__(self, error: Exception) -> None:
            self.error = error

        def doit(self) -> None:
            raise self.error

    divided = Expression(ZeroDivisionError())
    assert checker._done(divided) is divided
    with pytest.raises(checker.Stopped) as stopped:
        checker._done(Expression(KeyError("x")))
    assert (stopped.value.why, stopped.value.what) == ("incomparable", "KeyError")


def test_the_names_of_functions_in_an_answer_are_never_compiled() -> None:
    pytest.importorskip("math_verify", reason="needs the extra [math]")
    program = """
import sys
from llmkit.scoring.formulas import checker
compare, _ = checker._load()
compiled = []
sys.addaudithook(lambda event, given: compiled.append(str(given[0])) if event == "compile" else None)
series = r"\\sum_{n=0}^{\\infty} \\frac{hostile_{x}(2)^n}{n!}"
task = {"answer": [series, "formula"], "references": [["2.71", "formula"]], **checker._DEFAULTS}
print(compare(task)["equal"], sum("hostile" in source for source in compiled))
"""
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert said.stdout.split() == ["False", "0"]
