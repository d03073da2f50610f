"""The benchmarks of sandboxes say so where programs are slow, wrong, or not isolated: nothing unknown passes."""

import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from llmkit.errors import NoIsolationError
from llmkit.sandbox import choose
from llmkit.sandbox.base import Sandbox
from llmkit.sandbox.unsafe import UnsafeLocal

ROOT = Path(__file__).parents[2]


def load(name: str) -> ModuleType:
    path = ROOT / "benchmarks" / f"{name}.py"
    if not path.is_file():
        pytest.skip("they lie in a checkout's benchmarks/")
    spec = importlib.util.spec_from_file_location(f"benchmark_{name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(autouse=True)
def processors() -> Iterator[None]:
    """The benchmark of the scorer keeps to some processors."""
    if not hasattr(os, "sched_getaffinity"):
        pytest.skip("they are measured on Linux")
    before = os.sched_getaffinity(0)
    yield
    os.sched_setaffinity(0, before)


def test_a_sandbox_below_the_floor_is_named_and_the_bare_processes_are_not_held_to_it() -> None:
    troubles = load("sandbox").troubles
    assert troubles({"bare": 1.0, "bubblewrap": 30.0, "namespaces": 31.0, "docker": 2.0}, 30) == []
    assert troubles({"bare": 99.0, "bubblewrap": 29.94}, 30) == ["bubblewrap: 29.9 programs a second are fewer than 30"]


def test_where_nothing_isolates_the_sandboxes_benchmark_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    module = load("sandbox")
    monkeypatch.setattr(module, "probe", lambda name: NoIsolationError("not here"))
    assert module.main(["--programs", "2", "--turns", "1"]) == 1
    assert module.troubles({"bare": 99.0, "unsafe-local": 99.0, "docker": 99.0}, 30) != []


def test_the_scorers_median_is_held_and_not_its_best_turn() -> None:
    troubles = load("code_scorer").troubles
    assert troubles("MBPP", [31.0, 10.0, 50.0], [0, 0, 0], 30) == []
    assert troubles("MBPP", [29.0, 10.0, 50.0], [0, 0, 0], 30) == ["MBPP: 29.0 executions a second are fewer than 30"]


def test_one_answer_that_did_not_pass_in_one_turn_is_told() -> None:
    troubles = load("code_scorer").troubles
    assert troubles("MBPP", [40.0, 40.0], [0, 1], 30) == ["MBPP: 1 answers did not pass, and each is a right one"]


def nothing() -> Sandbox:
    raise NoIsolationError("programs cannot be isolated")


@pytest.mark.parametrize("found", [nothing, UnsafeLocal])
def test_where_nothing_isolates_the_scorers_benchmark_fails(monkeypatch: pytest.MonkeyPatch, found: object) -> None:
    monkeypatch.setattr(choose, "choose", found)
    assert load("code_scorer").main(["--rows", "1"]) == 1


def test_an_answer_is_two_executions(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    module = load("code_scorer")
    if isinstance(choose.probe("bubblewrap"), NoIsolationError) and isinstance(
        choose.probe("namespaces"), NoIsolationError
    ):
        pytest.skip("nothing isolates programs here")
    monkeypatch.setattr(module, "DATA", Path("none"))
    started: list[object] = []
    sandbox = choose.choose()

    class Counting:
        name, isolated = sandbox.name, True

        def start(self, program: object, limits: object) -> object:
            started.append(program)
            return sandbox.start(program, limits)  # type: ignore[arg-type]

    monkeypatch.setattr(choose, "choose", Counting)
    assert module.main(["--rows", "1", "--turns", "2", "--floor", "0"]) == 0
    assert len(started) == module.EXECUTIONS * 3  # one answer beforehand
    assert "1/1 pass" in capsys.readouterr().out
