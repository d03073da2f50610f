"""code: the answer is a program, and the row's tests pass on it."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar, Literal

from pydantic import Field, PrivateAttr, ValidationInfo, model_validator

from llmkit.canonical import digest
from llmkit.errors import DocumentError, NoIsolationError, SandboxError, UsageError
from llmkit.sandbox.base import Limits, Sandbox
from llmkit.scoring.base import Item
from llmkit.scoring.builtin import RIGHT, Builtin, unscorable, yes_no
from llmkit.scoring.files import FILES, Files
from llmkit.scoring.programs import pool, tasks
from llmkit.scoring.programs.extraction import Extract, readings
from llmkit.scoring.programs.outputs import Compare
from llmkit.scoring.programs.reasons import sort_of
from llmkit.scoring.programs.tasks import BadRow, Shape, Task
from llmkit.scoring.programs.trial import Court
from llmkit.text import shorten
from llmkit.types import Failure, Score

_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
_MOST_MEMORY = 65536  # MiB of all answers at once: a suite comes from others, and is not to take a whole machine
_RESERVED = frozenset(
    # What runs the tests: an answer must not take its place.
    [
        "pytest",
        "pluggy",
        "iniconfig",
        "packaging",
        "pygments",
        "exceptiongroup",
        "tomli",
        "colorama",
        "py",
        "attr",
        "attrs",
        "conftest",
        "llmkit",
        "numpy",
        "sitecustomize",
        "usercustomize",
        "tests",
        "test_answer",
        "main",
    ]
)
_LONGEST = 300  # characters of a reason that are kept
_FIELDS: Mapping[Shape, str] = {"humaneval": "test", "mbpp": "test_list", "stdin": "cases", "pytest": "tests"}


class Code(Builtin):
    """1 where the answer's program passes the row's tests, else 0; each answer in sandboxes of its own.

    The program and its tests run in two processes that share nothing but a line on which values are passed: the
    program can neither see its tests nor say how they went. An answer without code is a failure, ``unparsable``;
    tests that cannot run are one too, ``bad_reference``. What is wrong otherwise, a syntax error or a time-out among
    it, is a wrong answer, and says so.
    """

    metric: ClassVar[str] = "code"
    heavy: ClassVar[bool] = True
    revision: ClassVar[int] = 2

    shape: Shape = Field(
        description="How the rows write their tests. humaneval: a function check(candidate). mbpp: a list of assert"
        " statements. stdin: cases of input and output. pytest: a test file that imports the answer."
    )
    tests: str | None = Field(
        default=None,
        min_length=1,
        description="The row's field with the tests; test, test_list (or test), cases, tests by shape.",
    )
    file: str | None = Field(
        default=None, min_length=1, description="pytest: a test file, by its path from the suite's; for all rows."
    )
    prompt: str = Field(
        default="prompt", description="humaneval: the row's field with the beginning that the answer goes on from."
    )
    entry_point: str = Field(
        default="entry_point", description="humaneval: the row's field with the name of the function."
    )
    setup: list[str] = Field(
        default=["test_imports", "test_setup_code"],
        description="mbpp: the row's fields with statements that go before the tests.",
    )
    module: str = Field(
        default="solution",
        pattern=r"^[A-Za-z][A-Za-z0-9_]{0,63}$",
        description="pytest: the name under which the tests import the answer.",
    )
    compare: Compare = Field(
        default="lines",
        description="stdin: lines, but for blanks at their ends; exact; tokens: words alone; floats: words, numbers"
        " within the tolerance.",
    )
    tolerance: float = Field(default=1e-6, ge=0, description="stdin, floats: largest difference, absolute or relative.")
    extract: Extract = Field(
        default="auto",
        description="Which code of the answer counts. auto: the last fenced block that defines what the tests name,"
        " else the last one; without a fence, the text. joined: all Python blocks. whole: the text as it is.",
    )
    isolation: Literal["auto", "bubblewrap", "namespaces"] = Field(
        default="auto",
        description="The sandbox; the best that works here where it is auto. Docker is for who runs llmkit to ask for.",
    )
    packages: bool = Field(
        default=False, description="Whether programs and tests may import what is installed beside llmkit."
    )
    timeout: float = Field(default=15.0, gt=0, le=600, description="Seconds that one execution may take.")
    cpu_s: float = Field(default=10.0, gt=0, le=600, description="Seconds of processor time of one execution.")
    memory_mb: int = Field(default=1024, ge=64, le=16384, description="Mebibytes of memory of one execution.")
    processes: int = Field(default=64, ge=1, le=1024, description="Processes and threads at once of one execution.")
    output_kb: int = Field(default=256, ge=1, le=4096, description="Kibibytes that one execution may print.")
    workers: int | None = Field(
        default=None, ge=1, le=64, description="Answers that are examined at once; the processors where not set."
    )

    _file: str | None = PrivateAttr(default=None)

    @model_validator(mode="after")
    def _fits(self, info: ValidationInfo) -> Code:
        if self.module in sys.stdlib_module_names or self.module.lower() in _RESERVED:
            raise ValueError(f"module: {self.module} is the name of another module")
        if (self.workers or 1) * self.memory_mb > _MOST_MEMORY:
            raise ValueError(f"workers times memory_mb is more than {_MOST_MEMORY} MiB: lower one of them")
        if self.file is not None:
            if self.shape != "pytest" or self.tests is not None:
                raise ValueError("file is for the shape pytest, and in place of tests")
            self._file = _read((info.context or {}).get(FILES) or Files(), self.file)
        return self

    @property
    def needs_references(self) -> bool:
        """The tests take a reference's place."""
        return False

    def prepare(self) -> None:
        """Find a sandbox.

        Raises:
            NoIsolationError: There is none here, or not the one that is asked for.
            UsageError: pytest is not installed, and the tests need it.
        """
        if isinstance(self._sandbox, NoIsolationError):
            raise self._sandbox
        if self.shape == "pytest":
            _pytest_path()

    def _parts(self) -> Mapping[str, str]:
        sandbox = self._sandbox
        own = {
            "stdin": {"compare": self.compare}
            | ({"tolerance": repr(self.tolerance)} if self.compare == "floats" else {}),
            "pytest": {"module": self.module},
            "humaneval": self._set("prompt", "entry_point"),
            "mbpp": self._set("setup"),
        }
        limits = f"{self.timeout:g}s,cpu{self.cpu_s:g}s,{self.memory_mb}MiB,{self.processes}p,{self.output_kb}KiB"
        return {
            "shape": self.shape,
            "tests": f"row.{self._tests}" if self._file is None else f"sha256.{digest(self._file)[:12]}",
            **own.get(self.shape, {}),
            "extract": self.extract,
            "sandbox": "none" if isinstance(sandbox, NoIsolationError) else sandbox.name,
            "packages": yes_no(self.packages),
            "limits": limits,
            "python": _PYTHON,
        }

    def _set(self, *options: str) -> dict[str, str]:
        """Return the fields of the row that are not the ones that a shape's data sets have."""
        fields = type(self).model_fields
        named = {name: getattr(self, name) for name in options if getattr(self, name) != fields[name].default}
        return {
            name: ",".join(f"row.{each}" for each in ([value] if isinstance(value, str) else value))
            for name, value in named.items()
        }

    @property
    def _tests(self) -> str:
        return self.tests or _FIELDS[self.shape]

    @cached_property
    def _sandbox(self) -> Sandbox | NoIsolationError:
        # Found where the scorer is made ready, and not in a thread, which would not know what was asked for.
        from llmkit.sandbox import choose

        try:
            if self.isolation == "auto" or choose.wanted() is not None:
                return choose.choose()
            return choose.probe(self.isolation)
        except NoIsolationError as error:
            return error

    @cached_property
    def _limits(self) -> Limits:
        return Limits(
            cpu_s=self.cpu_s,
            wall_s=self.timeout,
            memory_mb=self.memory_mb,
            processes=self.processes,
            output_kb=self.output_kb,
        )

    def score(self, items: Sequence[Item]) -> Sequence[Score | Failure]:
        """Score a batch: one result an item, in order; several at once.

        Raises:
            NoIsolationError: Programs cannot be kept from harm here.
        """
        self.prepare()
        return pool.each(items, self._examined, self.workers or _processors())

    def sort_of(self, reason: str) -> str:
        """Return the sort of a reason: ``timeout``, ``syntax error``, ``wrong result``, …."""
        return sort_of(reason)

    def _one(self, item: Item) -> Score | Failure:
        return self.score([item])[0]

    def _examined(self, item: Item, scope: pool.Scope) -> Score | Failure:
        assert not isinstance(self._sandbox, NoIsolationError)
        try:
            task = self._task(item.row)
        except BadRow as error:
            return unscorable("bad_reference", str(error))
        sources = readings(item.text, self.extract, task.names, task.prompt)
        if not sources:
            return unscorable("unparsable", f"no code found (extract: {self.extract}) in {shorten(item.text)!r}")
        court = Court(self._sandbox, self._limits, scope, self.packages)
        try:
            if task.tests is None:
                verdict = court.run(sources, task.cases, self.compare, self.tolerance)
            else:
                start: Literal["pytest", "examine"] = "pytest" if self.shape == "pytest" else "examine"
                verdict = court.examine(sources, start, {**task.tests, **self._common})
        except SandboxError as error:
            return unscorable("crash", str(error))
        if verdict.word == "passed":
            return RIGHT
        reason = shorten(verdict.reason, _LONGEST)
        if verdict.word == "failed":
            return Score(0.0, reason=reason)
        return unscorable("bad_reference" if verdict.word == "bad_tests" else "crash", reason)

    def _task(self, row: Mapping[str, Any]) -> Task:
        if self.shape == "humaneval":
            return tasks.humaneval(row, tests=self._tests, entry_point=self.entry_point, prompt=self.prompt)
        if self.shape == "mbpp":
            names = [self.tests] if self.tests else ["test_list", "test"]
            return tasks.mbpp(row, tests=names, setup=self.setup)
        if self.shape == "stdin":
            return tasks.stdin(row, tests=self._tests)
        return tasks.pytest_file(tasks.text(row, self._tests) if self._file is None else self._file, self.module)

    @cached_property
    def _common(self) -> Mapping[str, Any]:
        path = _pytest_path() if self.shape == "pytest" else []
        # Only tests of classes have a use for what an object makes of a plain value.
        return {"module": self.module, "strict": self.shape != "pytest", "path": path}


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _read(files: Files, name: str) -> str:
    try:
        return files.find(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "it is not UTF-8"
        raise DocumentError(f"the tests {name!r} cannot be read: {reason}", where=files.where) from None


def _pytest_path() -> list[str]:
    """Return the folders that pytest is imported from.

    Raises:
        UsageError: It is not installed.
    """
    from importlib.util import find_spec

    try:
        found = find_spec("pytest")
    except (ImportError, ValueError):
        found = None
    if found is None or found.origin is None:
        raise UsageError("tests of the shape pytest need pytest", hint="Install it: pip install pytest")
    return [os.path.dirname(os.path.dirname(found.origin))]  # noqa: PTH120
