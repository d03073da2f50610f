"""The tests' process for a pytest file: the answer's module is a stand-in that they import by name."""

from __future__ import annotations

import builtins
import os
import sys
from types import ModuleType
from typing import Any

from llmkit.scoring.programs.inside.examine import Tests, Verdict, compiled
from llmkit.scoring.programs.inside.peer import MODULE

_LONGEST = 300


class Answer(ModuleType):
    """The answer's module, as the tests import it."""

    def __init__(self, name: str, tests: Tests) -> None:
        super().__init__(name)
        self.__dict__["_llmkit_tests"] = tests
        self.__dict__["__all__"] = _public(tests.peer.request("names", MODULE))

    def __getattr__(self, name: str) -> Any:
        tests: Tests = self.__dict__["_llmkit_tests"]
        if name.startswith("__") and name != "__version__":
            raise AttributeError(name)
        try:
            return tests.look_up(name)
        except AttributeError:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}") from None

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("__"):
            super().__setattr__(name, value)
        else:
            self.__dict__["_llmkit_tests"].peer.request("set", MODULE, (name, value))

    def __delattr__(self, name: str) -> None:
        self.__dict__["_llmkit_tests"].peer.request("del", MODULE, (name,))


def _public(names: Any) -> list[str]:
    """Return what ``import *`` brings: nothing that tests compare with, or that runs them."""
    reserved = {*vars(builtins), *sys.stdlib_module_names, "pytest"}
    return [name for name in names if type(name) is str and name not in reserved] if type(names) is list else []


class Count:
    """A plugin of pytest's that counts what became of each test."""

    def __init__(self) -> None:
        self.collected = self.passed = self.skipped = 0
        self.trouble: str | None = None

    def pytest_collection_finish(self, session: Any) -> None:
        """Note how many tests there are."""
        self.collected = len(session.items)

    def pytest_collectreport(self, report: Any) -> None:
        """Note what could not be collected."""
        if report.failed:
            self._note(report, "cannot be collected")

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Note what became of a test."""
        if report.failed:
            self._note(report, "failed" if report.when == "call" else f"failed in {report.when}")
        elif report.skipped:
            self.skipped += 1
        elif report.when == "call":
            self.passed += 1

    def _note(self, report: Any, what: str) -> None:
        if self.trouble is None:
            crash = getattr(report.longrepr, "reprcrash", None)
            text = str(getattr(crash, "message", report.longrepr)).strip()
            if crash is None:  # of a collection there is the whole trace alone, whose lines of errors begin with E
                text = "\n".join(line[1:] for line in text.splitlines() if line.startswith("E ")) or text
            name = report.nodeid.partition("::")[2] or "the file of tests"
            self.trouble = f"{name} {what}: {' '.join(text.split())[:_LONGEST]}"


def examine_pytest(tests: Tests) -> None:
    """Run the file; it passes where one test at least ran, and none failed."""
    task = tests.task
    compiled(task["tests"], "test_answer.py")
    sys.path += [path for path in task["path"] if path not in sys.path]
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    try:
        import pytest
    except ImportError as error:
        raise Verdict("bad_tests", f"pytest cannot be imported in this sandbox: {error}") from None
    sys.modules[task["module"]] = Answer(task["module"], tests)
    with open("test_answer.py", "w", encoding="utf-8", newline="") as file:  # noqa: PTH123
        file.write(task["tests"])
    count = Count()
    code = pytest.main(
        ["-q", "-c", os.devnull, "--rootdir", os.curdir, "-p", "no:cacheprovider", "test_answer.py"], plugins=[count]
    )
    if count.trouble is not None:
        raise Verdict("failed", count.trouble)
    if not count.passed:
        # Nothing is wrong with the tests where the answer raised what ended them, an interrupt say.
        theirs = not count.collected and not tests.peer.raised
        raise Verdict("bad_tests" if theirs else "failed", "no test ran")
    if code != 0 or count.passed + count.skipped < count.collected:
        raise Verdict("failed", f"pytest ended with {int(code)}, {count.passed} of {count.collected} tests passed")
