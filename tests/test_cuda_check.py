"""benchmarks/cuda_check, as far as it needs no engine: it goes on whatever fails, and says each failure on one line."""

import importlib.machinery
import importlib.util
import sys
from pathlib import Path

import pytest

from llmkit.errors import EngineError
from llmkit.types import Completion, TokenLogprob

FOLDER = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture
def script(monkeypatch):
    path = FOLDER / "cuda_check"
    if not path.is_file():
        pytest.skip("it lies in a checkout's benchmarks/")
    monkeypatch.syspath_prepend(str(FOLDER))
    loader = importlib.machinery.SourceFileLoader("cuda_check", str(path))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("cuda_check", loader))
    monkeypatch.setitem(sys.modules, "cuda_check", module)
    loader.exec_module(module)
    return module


@pytest.fixture
def checks(script):
    return sys.modules["vllm_checks"]


async def test_a_check_that_holds_is_a_line_with_its_figures(script):
    async def made():
        return "3 of 3"

    report = script.Report()
    await report.check("chat", made)
    assert report.failed == 0
    assert report.lines[0].startswith("PASS chat: 3 of 3 (")


@pytest.mark.parametrize(
    "error", [EngineError("it died", hint="Look at\nthe log"), ValueError("two\nlines"), KeyError(7)]
)
async def test_whatever_a_check_raises_is_one_line_and_the_next_is_made(script, error):
    async def broken():
        raise error

    async def sound():
        return "fine"

    report = script.Report()
    await report.check("one", broken)
    await report.check("two", sound)
    assert report.failed == 1
    assert [line.split(":")[0] for line in report.lines] == ["FAIL one", "PASS two"]
    assert not any("\n" in line for line in report.lines)


async def test_an_engine_that_does_not_start_fails_its_checks_alone(script):
    async def never(seen, provider):
        raise AssertionError

    report = script.Report()
    bench = script.Bench("./no-such-folder", {}, report, script.Seen(2048))
    await script.engine(bench, "plain", {"chat": never, "stop": never})
    assert [line.split(":")[0] for line in report.lines] == ["FAIL engine, plain", "FAIL chat", "FAIL stop"]
    assert report.failed == 3


def answer(*tokens):
    """Each token with the log-probability of the likeliest and of the next."""
    logprobs = tuple(TokenLogprob(text, one, ((text, one), ("?", two))) for text, one, two in tokens)
    return Completion("".join(token.token for token in logprobs), logprobs=logprobs)


@pytest.mark.parametrize(("gap", "tied"), [(0.0, True), (0.2, True), (0.3, False)])
def test_texts_that_part_at_a_tie_are_told_from_those_that_part_elsewhere(checks, gap, tied):
    plain = answer(("It", -0.1, -3.0), (" is", -0.5, -0.5 - gap), (" so", -0.1, -4.0))
    assert checks.tied(plain, "It was so") is tied


def test_a_text_that_ends_sooner_is_no_tie(checks):
    assert not checks.tied(answer(("It", -0.1, -3.0), (" is", -0.1, -3.0)), "It is so")


@pytest.mark.parametrize("shape", ["json_schema", "regex", "choice", "grammar"])
def test_an_answer_of_another_shape_fails_its_check(checks, shape):
    with pytest.raises((ValueError, checks.jsonschema.ValidationError)):
        checks.VALID[shape]("not that", checks.SHAPES[shape][0])
