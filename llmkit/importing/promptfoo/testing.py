"""Tests of a configuration: those that it lists, those of tables and files, scenarios, and what holds for all."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from llmkit.documents import Tagged, read_text
from llmkit.errors import DocumentError, LlmkitError
from llmkit.importing.data import rows_of
from llmkit.importing.items import Items
from llmkit.importing.promptfoo.asserting import from_text
from llmkit.importing.promptfoo.files import IS_CODE, is_code, named_files
from llmkit.importing.source import Source, named_file, read_source

MOST_ROWS = 100_000
"""That lists of values may be multiplied to."""
_KNOWN = frozenset({"vars", "assert", "description", "options", "metadata", "threshold", "provider"})


@dataclass(frozen=True)
class Test:
    """One test.

    Attributes:
        where: ``path:line``.
        values: Its variables.
        assertions: What is asserted of its answer, each with the place that says so.
        description: For people.
        options: How its prompt is made and its answer read.
    """

    where: str
    values: Mapping[str, Any] = field(default_factory=dict)
    assertions: tuple[tuple[str, Any], ...] = ()
    description: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    def over(self, base: Test) -> Test:
        """Return the test with what holds for all below it."""
        values, options = {**base.values, **self.values}, {**base.options, **self.options}
        return Test(self.where, values, (*base.assertions, *self.assertions), self.description, options)


class Testing:
    """Reads tests.

    Args:
        source: The configuration.
        items: Takes what is not carried over.
    """

    __test__ = False  # for pytest, which would take it for a test

    def __init__(self, source: Source, items: Items) -> None:
        self._source, self._items = source, items

    def all(self) -> list[Test]:
        """Return all tests, each with one value a variable.

        Raises:
            DocumentError: There are too many.
        """
        data, source = self._source.data, self._source
        base = self._default()
        tests = [test.over(base) for test in self._listed(data.get("tests"), "tests")]
        for number, scenario in enumerate(data.get("scenarios") or []):
            where = source.where("scenarios", number)
            if not isinstance(scenario, dict):
                self._items.lost(
                    where, "scenario", "scenarios in files are not read", "Write them in the configuration"
                )
                continue
            configs = list(self._these(scenario.get("config"), where))
            inner = list(self._these(scenario.get("tests") or [{}], where))
            tests += [test.over(config).over(base) for config in configs for test in inner]
        if not tests and "tests" not in data and "scenarios" not in data:
            tests = [Test(source.where()).over(base)]
        found = list(itertools.islice((each for test in tests for each in self._expanded(test)), MOST_ROWS + 1))
        if len(found) > MOST_ROWS:
            raise DocumentError(f"more than {MOST_ROWS:,} tests", where=source.where("tests"))
        return found

    def _default(self) -> Test:
        said, where = self._source.data.get("defaultTest"), self._source.where("defaultTest")
        if isinstance(said, str):
            said = self._file(said, where)
        return self._test(said, where) if isinstance(said, dict) else Test(where)

    def _listed(self, tests: Any, key: str) -> Iterator[Test]:
        if isinstance(tests, str):
            yield from self._named(tests, self._source.where(key))
            return
        for number, test in enumerate(tests or []):
            where = self._source.where(key, number)
            if isinstance(test, str):
                yield from self._named(test, where)
            elif isinstance(test, dict) and isinstance(test.get("path"), str):
                yield from self._named(test["path"], where)
            else:
                yield from self._these([test], where)

    def _these(self, tests: Any, where: str) -> Iterator[Test]:
        for test in tests if isinstance(tests, list) else [tests]:
            if isinstance(test, dict):
                yield self._test(test, where)
            else:
                self._items.lost(where, "test", "it is no mapping")

    def _test(self, said: Mapping[str, Any], where: str) -> Test:
        for key in said:
            if key == "metadata":
                self._items.note(where, "metadata", "it describes the test")
            elif key == "threshold":
                self._items.changed(where, "test: threshold", "all checks of a row must hold, and not a share of them")
            elif key == "provider":
                self._items.changed(where, "test: provider", "a suite asks one model")
            elif key not in _KNOWN:
                self._items.lost(where, f"test: {key}", "llmkit has nothing of the kind")
        options = said.get("options")
        for key in sorted({"provider", "rubricPrompt"} & set(options if isinstance(options, dict) else ())):
            self._items.note(where, f"options: {key}", "it is of assertions that a model grades, which are none here")
        return Test(
            where, self._values(said.get("vars"), where), tuple((where, each) for each in said.get("assert") or ()),
            None if said.get("description") is None else str(said["description"]),
            options if isinstance(options, dict) else {},
        )  # fmt: skip

    def _values(self, values: Any, where: str) -> dict[str, Any]:
        if isinstance(values, str):
            values = self._file(values, where)
        if not isinstance(values, dict):
            return {}
        return {str(name): self._value(str(name), value, where) for name, value in values.items()}

    def _value(self, name: str, value: Any, where: str) -> Any:
        if isinstance(value, Tagged):
            self._items.lost(where, f"vars: {name}", f"llmkit does not know the tag {value.tag}")
            return value.text
        if isinstance(value, str) and value.startswith("file://"):
            return self._file(value, where)
        return value

    def _file(self, name: str, where: str) -> Any:
        """Return what a file holds; None, and listed, where it cannot be had."""
        plain = name.removeprefix("file://")
        if is_code(plain):
            self._items.lost(where, name, IS_CODE)
            return None
        try:
            path = named_file(plain, self._source, where)
            if path.suffix in (".yaml", ".yml", ".json"):
                return read_source(path).data
            return read_text(path).rstrip("\n")
        except LlmkitError as error:
            self._items.lost(where, name, error.message)
            return None

    def _named(self, name: str, where: str) -> Iterator[Test]:
        """Yield the tests of a file: a table, or a list of tests."""
        plain = name.removeprefix("file://")
        if plain.startswith(("http:", "https:", "huggingface:")) or is_code(plain):
            why = "tests are made by code or fetched, and nothing is run or fetched here"
            self._items.lost(where, f"tests: {name}", why, "Save them as a table, and name that")
            return
        try:
            for path in named_files(plain, self._source, where):
                if path.suffix in (".yaml", ".yml", ".json"):
                    yield from self._these(read_source(path).data, str(path))
                else:
                    yield from self._table(path)
        except LlmkitError as error:
            self._items.lost(where, f"tests: {name}", error.message)

    def _table(self, path: Path) -> Iterator[Test]:
        """Yield a table's tests; columns of two underscores are no variables (``src/csv.ts``)."""
        for number, row in enumerate(rows_of(path, self._items, "tests"), 1):
            where = f"{path}:{number + (path.suffix == '.csv')}"
            if path.suffix == ".jsonl":
                yield self._test(row, where)
                continue
            own = {name: value for name, value in row.items() if not name.startswith("__")}
            asserted = [
                (where, from_text(str(value)))
                for name, value in row.items()
                if name.startswith("__expected") and value is not None and str(value).strip()
            ]
            for name, value in row.items():
                if name.startswith("__") and not name.startswith(("__expected", "__description")) and value:
                    self._items.lost(where, f"column {name}", "llmkit has nothing of the kind")
            about = row.get("__description")
            yield Test(where, own, tuple(asserted), None if about is None else str(about))

    def _expanded(self, test: Test) -> Iterator[Test]:
        """Yield a test for each combination of values, where variables hold lists."""
        several = {name: value for name, value in test.values.items() if isinstance(value, list)}
        if not several or test.options.get("disableVarExpansion"):
            yield test
            return
        for values in itertools.product(*several.values()):
            chosen = {**test.values, **dict(zip(several, values, strict=True))}
            yield Test(test.where, chosen, test.assertions, test.description, test.options)
