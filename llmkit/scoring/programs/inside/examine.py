"""The tests' process: run tests against a program that lives in another process, and give the verdict.

The verdict is one line on what was standard output when this process began, after a word that nobody else knows.
"""

from __future__ import annotations

import builtins
import posix
import sys
from typing import Any

from llmkit.scoring.programs.inside.codec import BadMessage
from llmkit.scoring.programs.inside.handles import Handle, origin
from llmkit.scoring.programs.inside.peer import MODULE, Gone, Peer

# Named by tests that leave the import to the answer: the genuine one, for an answer may call anything math.
MODULES = frozenset(
    [
        "bisect",
        "cmath",
        "collections",
        "copy",
        "datetime",
        "decimal",
        "fractions",
        "functools",
        "heapq",
        "itertools",
        "json",
        "math",
        "operator",
        "random",
        "re",
        "statistics",
        "string",
        "sys",
        "time",
    ]
)
OWN_MODULES = frozenset({"tests", "test_answer", "io", "_io"})
"""Where the classes are from whose objects an answer may look into: the tests' own, and files in memory."""
_AST_ONLY = 0x400  # PyCF_ONLY_AST of _ast, where importing ast itself would take 5 ms
_LONGEST = 300


class Verdict(BaseException):
    """Ends the tests with a word and a reason."""

    def __init__(self, word: str, reason: str = "") -> None:
        super().__init__(word, reason)
        self.word, self.reason = word, reason


class Tests:
    """What the tests' process was given.

    Args:
        task: ``nonce``, ``module``, ``strict``, and what the kind of tests needs.
    """

    def __init__(self, task: dict[str, Any]) -> None:
        self.task = task
        self._out = posix.dup(1)
        nothing = posix.open("/dev/null", posix.O_WRONLY)
        posix.dup2(nothing, 1)
        self.peer = Peer(reachable, wary=True, strict=bool(task["strict"]))

    def main(self, examine: Any) -> None:
        """Wait for the program, examine it, give the verdict, and end."""
        try:
            trouble = self.peer.greeted()
            if trouble is not None:
                raise Verdict("unloadable", trouble if type(trouble) is str else "it does not say why")
            self.peer.hear = lambda text: sys.stdout.write(text)
            # The first thing that the other side shows is its module; it is spoken of by its number alone.
            examine(self)
            verdict = Verdict("passed")
        except Verdict as found:
            verdict = found
        except (Gone, BadMessage):
            verdict = Verdict("broken", self.peer.broken or "")
        except BaseException as error:
            verdict = Verdict("failed", told(error))
        if self.peer.broken is not None:
            verdict = Verdict("broken", self.peer.broken)
        self.say(verdict)

    def say(self, verdict: Verdict) -> None:
        """Give the verdict, and end this process."""
        reason = " ".join(verdict.reason.split())[:2000].encode("utf-8", "replace").decode()
        line = f"\n{self.task['nonce']} {verdict.word} {reason}\n".encode()
        while line:
            line = line[posix.write(self._out, line) :]
        posix._exit(0)  # taking an interpreter down takes as long as many a test

    def look_up(self, name: str) -> Any:
        """Return what the answer calls by a name.

        Raises:
            AttributeError: Nothing.
        """
        return self.peer.request("get", MODULE, (name,))


class Names(dict[str, Any]):
    """Where tests run: a name that they do not have themselves is the answer's."""

    def __init__(self, tests: Tests, own: dict[str, Any]) -> None:
        super().__init__(own)
        self.tests = tests
        self.called: set[str] = set()
        self.taken: set[str] = set()

    def __missing__(self, name: str) -> Any:
        if name in MODULES and name not in self.called:
            return __import__(name)
        # An answer may not redefine what tests compare with: len, all, set.
        if (hasattr(builtins, name) and name not in self.taken) or name.startswith("__"):
            raise KeyError(name)
        try:
            value = self.tests.look_up(name)
        except AttributeError:
            raise KeyError(name) from None
        if isinstance(value, Handle):
            self[name] = value
        return value


def namespace(tests: Tests, *sources: str) -> Names:
    """Make the place where tests run."""
    names = Names(tests, {"__name__": "tests", "__builtins__": builtins})
    names.called, free = _names_of("\n".join(sources))
    if not {name for name in free if not hasattr(builtins, name)}:
        # Tests of nothing but built-in names test a function that is named as one (MBPP 126: sum).
        names.taken = names.called
    return names


def compiled(source: str, name: str) -> Any:
    """Compile tests.

    Raises:
        Verdict: They are not Python: the data set's fault.
    """
    try:
        return compile(source, name, "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise Verdict("bad_tests", f"{name}: {type(error).__name__}: {error}") from None


def execute(tests: Tests, source: str, names: Names, name: str) -> None:
    """Run tests.

    Raises:
        Verdict: They cannot run, or do not pass.
    """
    code = compiled(source, name)
    try:
        exec(code, names)  # noqa: S102 - this is what the sandbox is for
    except (Verdict, Gone, BadMessage):
        raise
    except BaseException as error:
        raise failed(tests, error, source, name) from None


def failed(tests: Tests, error: BaseException, source: str, name: str) -> Verdict:
    """Say which statement failed, and what the answer gave."""
    if isinstance(error, ImportError) and id(error) not in tests.peer.raised:
        return Verdict("bad_tests", f"the tests cannot import what they need: {error}")
    statement = " ".join(_statement(error, source, name).split())[:_LONGEST]
    if isinstance(error, AssertionError) and id(error) not in tests.peer.raised:
        text = str(error)[:_LONGEST]
        gave = f" ({_brief(tests.peer.last[0])} was given)" if tests.peer.last is not None else ""
        return Verdict("failed", f"{statement}{f': {text}' if text else ''}{gave}")
    return Verdict("failed", f"{told(error)}{f' in {statement}' if statement else ''}")


def told(error: BaseException) -> str:
    """Name an exception and what it says."""
    try:
        text = str(error)[:_LONGEST]
    except BaseException:
        text = ""
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _brief(value: Any) -> str:
    if origin(value) is not None:
        return f"an object of the answer's, {type(value).__name__}," if not isinstance(value, Handle) else "an object"
    try:
        text = repr(value)
    except BaseException:
        return f"a value of type {type(value).__name__}"
    return text if len(text) <= 80 else text[:60] + "…" + text[-15:]


def _statement(error: BaseException, source: str, name: str) -> str:
    trace, found = error.__traceback__, None
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == name:
            found = trace
        trace = trace.tb_next
    if found is None:
        return ""
    lines = source.splitlines()
    first = last = found.tb_lineno
    for index, place in enumerate(found.tb_frame.f_code.co_positions()):
        if index == found.tb_lasti // 2:
            first, last = place[0] or first, place[1] or last
    return "\n".join(lines[first - 1 : min(last, first + 9)])


def _names_of(source: str) -> tuple[set[str], set[str]]:
    """Return the names that a source calls, and those that it reads."""
    try:
        tree = compile(source, "tests", "exec", _AST_ONLY, dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set(), set()
    called, read, todo = set(), set(), [tree]
    while todo:
        node = todo.pop()
        kind = type(node).__name__
        if kind == "Name":
            read.add(node.id)
        elif kind == "Call" and type(node.func).__name__ == "Name":
            called.add(node.func.id)
        for field in node._fields:
            value = getattr(node, field, None)
            todo += [each for each in (value if isinstance(value, list) else [value]) if hasattr(each, "_fields")]
    return called, read


def reachable(operation: str, value: Any, args: tuple[Any, ...]) -> bool:
    """Whether an answer may do this to an object that the tests gave it: call it, or use it as the data that it is."""
    if operation in ("get", "set", "del"):
        name = args[0] if args and type(args[0]) is str else "_"
        if operation == "get" and name in ("__name__", "__qualname__", "__doc__"):
            return callable(value)
        if name.startswith("_") or isinstance(value, type):
            return False
        # Frames, functions and modules lead to the tests themselves; objects of their classes are their data.
        return type(value).__module__ in OWN_MODULES and not callable(value)
    if operation == "call":
        return callable(value)
    return operation not in ("plain", "await", "copy", "names")


def examine_humaneval(tests: Tests) -> None:
    """Call ``check`` with the function under test (Chen et al., 2021)."""
    task = tests.task
    names = namespace(tests, task["prelude"], task["tests"])
    if task["prelude"]:
        execute(tests, task["prelude"], names, "prompt.py")
        names.pop(task["entry_point"], None)
    execute(tests, task["tests"], names, "tests.py")
    if not callable(dict.get(names, "check")):
        raise Verdict("bad_tests", "the tests define no function check(candidate)")
    try:
        candidate = tests.look_up(task["entry_point"])
    except AttributeError:
        raise Verdict("failed", f"no function {task['entry_point']} is defined") from None
    try:
        names["check"](candidate)
    except (Gone, BadMessage):
        raise
    except BaseException as error:
        raise failed(tests, error, task["tests"], "tests.py") from None


def examine_statements(tests: Tests) -> None:
    """Run statements one by one, each of which must hold (Austin et al., 2021)."""
    statements = tests.task["statements"]
    names = namespace(tests, *statements)
    for statement in statements:
        tests.peer.last = None
        execute(tests, statement, names, "tests.py")
