"""Which part of an answer is its program."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmkit.scoring.programs.extraction import Extract, blocks, defines, readings
from tests.timing import processor_time_below

F = "def f(x):\n    return x\n"
G = "def g(x):\n    return f(x)\n"
USE = "print(f(1))\n"


def fenced(code: str, language: str = "python") -> str:
    return f"```{language}\n{code}```\n"


def code(text: str, extract: Extract = "auto", *names: str) -> str | None:
    found = readings(text, extract, names or ("f",))
    return found[0] if found else None


class TestBlocks:
    @pytest.mark.parametrize("language", ["python", "py", "Python3", "", "PY"])
    def test_one_with_prose_around_it(self, language: str) -> None:
        assert code(f"Sure!\n\n{fenced(F, language)}\nIt gives x.") == F

    def test_one_of_another_language_is_no_program(self) -> None:
        assert code(f"Run it:\n{fenced('pip install it', 'bash')}") is None

    def test_one_that_is_not_closed_reaches_to_the_end(self) -> None:
        assert code(f"```python\n{F}") == F

    def test_tildes_long_fences_and_lists(self) -> None:
        assert code(f"~~~py\n{F}~~~") == F
        assert code(f"````python\n{F}```\n````") == F + "```\n"
        assert code("1. so:\n   ```python\n   def f(x):\n       return x\n   ```") == F

    def test_a_fence_within_a_line_is_none(self) -> None:
        assert blocks("Use ```x``` here") == []

    def test_line_ends_of_windows(self) -> None:
        assert code(fenced(F).replace("\n", "\r\n")) == F


class TestTwoBlocks:
    def test_the_last_that_defines_what_is_tested_counts(self) -> None:
        better = "def f(x):\n    return x + 1\n"
        assert code(fenced(F) + fenced(better) + fenced(USE)) == better

    def test_where_each_defines_a_part_they_are_joined(self) -> None:
        assert code(fenced(F) + fenced(USE) + fenced(G), "auto", "f", "g") == f"{F}\n{G}"

    def test_one_that_defines_all_is_enough(self) -> None:
        assert code(fenced(F) + fenced(F + G) + fenced(F), "auto", "f", "g") == F + G

    def test_where_none_does_the_last_of_python_counts(self) -> None:
        assert code(fenced(F) + fenced(G) + fenced("1 2 3", ""), "auto", "h") == G

    @pytest.mark.parametrize(
        ("extract", "expected"),
        [("first", F), ("last", USE), ("longest", G), ("joined", f"{F}\n{G}\n{USE}")],
    )
    def test_else_it_is_said(self, extract: Extract, expected: str) -> None:
        assert code(fenced(F) + fenced(G) + fenced(USE), extract) == expected

    def test_whole_is_the_text_as_it_is(self) -> None:
        assert code(fenced(F), "whole") == fenced(F)


class TestNoFence:
    @pytest.mark.parametrize("text", [F, "import sys\nprint(sys.stdin.read())", "x = 3", "f = lambda x: x", "print(1)"])
    def test_the_text_is_the_program_where_it_looks_like_one(self, text: str) -> None:
        assert code(text) == text

    @pytest.mark.parametrize("text", ["", " \n", "I cannot do that.", "The answer is 5.", "yes", "```python\n```"])
    def test_prose_is_none(self, text: str) -> None:
        assert code(text) is None


class TestPrompt:
    PROMPT = 'import math\n\ndef f(x):\n    """Double x."""\n'

    def test_a_completion_goes_on_from_it(self) -> None:
        first = readings("    return 2 * x\n", "auto", ("f",), self.PROMPT)[0]
        assert first == self.PROMPT + "    return 2 * x\n"

    @pytest.mark.parametrize("rest", ["def g(): 1/0", "class A: pass", "# the end", "if 1:\n    f()", "print(f(1))"])
    def test_and_ends_where_the_next_statement_stands(self, rest: str) -> None:
        first = readings(f"    return 2 * x\n\n{rest}\n", "auto", ("f",), self.PROMPT)[0]
        assert first.rstrip() == self.PROMPT + "    return 2 * x"

    def test_a_body_that_lost_its_first_blanks(self) -> None:
        found = readings("y = 2 * x\n    return y", "auto", ("f",), self.PROMPT)
        assert self.PROMPT + "    y = 2 * x\n    return y\n" in found

    def test_a_whole_function_takes_its_place_and_keeps_the_rest(self) -> None:
        first, second = readings(fenced(F), "auto", ("f",), self.PROMPT)
        assert first == f"{self.PROMPT}\n{F}"
        assert second == F


def test_definitions_are_seen_at_the_margin() -> None:
    text = "def a(): pass\nclass B: pass\nc = 1\nd: int = 2\nasync def e(): pass\n    def f(): pass\ng == 1\n"
    assert defines(text, "aBcdefg") == set("aBcde")


@pytest.mark.parametrize(
    "text",
    [
        "```" * 100_000, "```python\n" * 30_000, "for " + "in " * 100_000, "a." * 150_000, "`" * 300_000,
        "```" + "a" * 300_000 + "`", " " * 300_000 + "x", "x," * 150_000, "if " + ": " * 150_000 + "x",
        "\n" * 300_000, "while" * 60_000, "f" * 300_000, ("f" * 100 + " ") * 3_000, "~~~\n```\n" * 30_000,
    ],
    ids=lambda text: text[:8].encode("unicode_escape").decode(),
)  # fmt: skip
def test_a_long_text_takes_no_long_time(text: str) -> None:
    with processor_time_below(2):
        for prompt in (None, TestPrompt.PROMPT):
            readings(text, "auto", ("f", "g"), prompt)


@given(st.text(st.sampled_from("`~ \nadef(x):py=#\"'\0"), max_size=80), st.sampled_from(["auto", "joined", "longest"]))
def test_any_text_has_readings_or_none(text: str, extract: Extract) -> None:
    for prompt in (None, TestPrompt.PROMPT):
        assert all(reading.strip() for reading in readings(text, extract, ("f",), prompt))
