r"""The program that compares formulas, in a process of its own: JSON lines in, JSON lines out. Imports no llmkit.

What untrusted text can reach here (read in math-verify 0.9, latex2sympy2-extended 1.11, SymPy 1.14):

- SymPy reads a number by ``eval``, and so does Math-Verify a plain expression. Both hand over what a pattern matched:
  digits, blanks, and marks such as ``+-*/^().``. ``_read_words`` refuses whatever is more than that or a lone name.
- The sum of a series is computed by generated code (``lambdify``), into which the name of an unknown function goes as
  the answer wrote it (``f_{…}(2)``). Nothing that compiles and does harm was found; ``_no_functions`` refuses them all.
- Beyond these, ``_forbid`` refuses, once everything is loaded, to start programs, to open sockets and to write files.
  That is a net below a net (PEP 578 hooks are no sandbox): limits of the system hold this process besides.

What is refused, nests too deep or runs out of memory is reported as that: the packages catch ``Exception`` and would go
on to "unequal" (``_reported``). Time is the system's to watch: a signal that nothing handles ends the copy of this
process that works, and the next copy is made in milliseconds.
"""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, BinaryIO

Task = Mapping[str, Any]
Reply = dict[str, Any]

ANSWER_CHARS = 400  # of what was extracted, as it goes back
_REPLY_BYTES = 16 * 1024
_MIB = 2**20
_DEPTH = 10_000  # of recursion: some 400 nested fractions, or a sum of thousands of terms
_LOADED = 512 * _MIB  # addresses of this process before it is asked anything, with room
_HEADROOM = 4  # where memory is refused, errors are swallowed; so more is there than an answer may take
_STACK = 128 * _MIB  # that such a depth never needs
_READ_BY_EVAL = re.compile(r"[\d\s.,+\-*/^()×÷eE]*|[A-Za-z][A-Za-z0-9]*")
_FORBIDDEN = re.compile(
    r"os\.(?:system|exec|fork|forkpty|posix_spawn|spawn|startfile|kill|remove|rename|rmdir|mkdir|link|symlink|"
    r"truncate|chmod|chown|chdir)|pty\.spawn|subprocess\.Popen|socket\.|ctypes\.|shutil\.|urllib\.|ftplib\.|smtplib\."
)


class Stopped(BaseException):
    """Why a comparison ended without a verdict. No ``Exception``: nobody on the way may swallow it."""

    def __init__(self, why: str, what: str = "") -> None:
        super().__init__(why)
        self.why, self.what = why, what


def main() -> None:
    """Be asked: arguments are the mebibytes that one line may take, and the descriptors to read and to write.

    Load what takes a second once; answer lines until there are no more, in copies of this process that may die.
    """
    memory, reads, writes = (int(argument) for argument in sys.argv[1:])
    memory *= _MIB
    source, sink = _channel((reads, writes))
    compare, versions = _load()
    _say(sink, versions)
    if not hasattr(os, "fork"):
        _serve(source, sink, compare, memory)
        return
    child: _Child | None = None
    for line in source:
        child = child or _Child(compare, memory)
        reply = child.ask(line)
        if not reply.endswith(b"\n"):
            reply = child.epitaph()
        if child.dead:
            child = None
        sink.write(reply)
        sink.flush()


class _Child:
    """A copy of this process that works on one line after another."""

    def __init__(self, compare: Callable[[Task], Reply], memory: int) -> None:
        (there, self._to), (self._from, back) = os.pipe(), os.pipe()
        self._process = os.fork()
        if not self._process:
            os.close(self._to)
            os.close(self._from)
            _work(there, back, compare, memory)
        os.close(there)
        os.close(back)
        self._sink, self._source = os.fdopen(self._to, "wb"), os.fdopen(self._from, "rb")
        self.dead = False

    def ask(self, line: bytes) -> bytes:
        """Return its reply, a whole line; less where it died."""
        try:
            self._sink.write(line)
            self._sink.flush()
        except OSError:
            return b""
        reply = self._source.readline(_REPLY_BYTES)
        if json.loads(reply or b"{}").get("last"):
            self._bury()
        return reply

    def epitaph(self) -> bytes:
        """Say why it died: a signal that it had asked for when its time would be up, or something else."""
        code = os.waitstatus_to_exitcode(self._bury())
        late = code in (-signal.SIGPROF, -signal.SIGXCPU)
        said: Reply = {"stopped": "timeout"} if late else {"stopped": "crash", "what": f"exit {code}"}
        return json.dumps(said).encode() + b"\n"

    def _bury(self) -> int:
        with suppress(OSError):
            self._sink.close()
        self._source.close()
        self.dead = True
        return os.waitpid(self._process, 0)[1]


def _work(there: int, back: int, compare: Callable[[Task], Reply], memory: int) -> None:
    """Be the copy: without others' descriptors, in a thread, for only its stack can be chosen. Does not return."""
    try:
        low, high = sorted((there, back))
        for first, last in ((3, low), (low + 1, high), (high + 1, high + 64)):
            os.closerange(first, last)
        threading.stack_size(_STACK)
        sys.setrecursionlimit(_DEPTH)
        work = threading.Thread(target=_serve, args=(os.fdopen(there, "rb"), os.fdopen(back, "wb"), compare, memory))
        work.start()
        work.join()
    finally:
        os._exit(0)


def _serve(source: BinaryIO, sink: BinaryIO, compare: Callable[[Task], Reply], memory: int) -> None:
    """Answer lines; one that took more than its memory is not answered, though the system gave (``_HEADROOM``)."""
    _bound(memory)
    sys.addaudithook(_forbid)
    at_first = _peak()
    for line in source:
        task = json.loads(line)
        _alarm(task["seconds"])
        reply = _answer(compare, task)
        _alarm(0)
        taken = _peak() - at_first
        last = taken > memory // 2
        _say(sink, {**({"stopped": "memory"} if taken > memory else reply), "last": last})
        if last:
            return


def _answer(compare: Callable[[Task], Reply], task: Task) -> Reply:
    try:
        reply: Reply = _reported(compare)(task)
        return reply
    except Stopped as error:
        return {"stopped": error.why, "what": error.what}


def _channel(descriptors: tuple[int, int]) -> tuple[BinaryIO, BinaryIO]:
    """Keep what the lines come and go by apart from what is printed, which goes nowhere."""
    source, sink = os.fdopen(os.dup(descriptors[0]), "rb"), os.fdopen(os.dup(descriptors[1]), "wb")
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    return source, sink


def _say(sink: BinaryIO, what: Mapping[str, Any]) -> None:
    sink.write(json.dumps(what).encode() + b"\n")
    sink.flush()


def _bound(memory: int) -> None:
    try:
        import resource
    except ImportError:  # not a Unix; the caller's clock still ends this process
        return
    limits = {
        "RLIMIT_AS": _LOADED + _HEADROOM * memory,
        "RLIMIT_FSIZE": 0,
        "RLIMIT_CORE": 0,
        "RLIMIT_NPROC": 0,
    }
    for name, limit in limits.items():
        with suppress(ValueError, OSError, AttributeError):  # lower already, or none of this system's
            resource.setrlimit(getattr(resource, name), (limit, limit))


def _alarm(seconds: float) -> None:
    """End this process after so much of its processor time: the signal's default action, whatever runs. 0: never."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_PROF, seconds)


def _peak() -> int:
    """Return the most memory that this process has held, in bytes; 0 where the system does not say."""
    try:
        import resource
    except ImportError:
        return 0
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _load() -> tuple[Callable[[Task], Reply], Reply]:
    logging.disable(logging.CRITICAL)
    from importlib.metadata import version

    import sympy.physics.units.systems  # these read words by eval, which is refused from here on
    import sympy.physics.units.util  # noqa: F401
    from math_verify import grader, parser
    from sympy.core import evalf
    from sympy.parsing import sympy_parser
    from sympy.solvers import solvers

    compare = _comparison()
    compare({"answer": [r"\frac{1}{2}", "formula"], "references": [["0.5+x", "formula"]], **_DEFAULTS})
    sympy_parser.stringify_expr = _read_words(sympy_parser.stringify_expr)
    evalf.lambdify = solvers.lambdify = _no_functions(evalf.lambdify)
    for module, names in ((parser, _PARSING), (grader, _COMPARING)):
        for name in names:
            setattr(module, name, _reported(getattr(module, name)))
    grader.safe_sympy_doit = _done
    return compare, {"math-verify": version("math-verify"), "sympy": version("sympy")}


_PARSING = ("parse_latex_cached", "parse_expr_cached")
_COMPARING = ("simplify", "solve")
_DEFAULTS = {"notation": "any", "rounding": 6, "precision": 15, "strict": True, "sets": False}


def _reported(work: Callable[..., Any]) -> Callable[..., Any]:
    def reported(*given: Any, **options: Any) -> Any:
        try:
            return work(*given, **options)
        except MemoryError:
            raise Stopped("memory") from None
        except RecursionError:
            raise Stopped("nested") from None

    return reported


def _done(expression: Any) -> Any:
    """Evaluate what is written as not evaluated, as Math-Verify's own function does; what cannot be stays as it is."""
    try:
        return _reported(expression.doit)()
    except _undecided():
        return expression
    except Exception as error:
        raise Stopped("incomparable", type(error).__name__) from None


def _undecided() -> tuple[type[Exception], ...]:
    """What SymPy raises, as it documents, where mathematics has no answer or it knows none: a division by zero, ….

    Anything else is a mistake in a package, of which a wrong answer must not bear the cost.
    """
    from sympy.polys.polyerrors import BasePolynomialError

    return (ValueError, TypeError, NotImplementedError, ArithmeticError, BasePolynomialError)


def _read_words(stringify: Callable[..., str]) -> Callable[..., str]:
    def guarded(text: str, *rest: Any) -> str:
        if not _READ_BY_EVAL.fullmatch(text.strip()):
            raise Stopped("refused", "an expression that would be evaluated as Python")
        return stringify(text, *rest)

    return guarded


def _no_functions(lambdify: Callable[..., Any]) -> Callable[..., Any]:
    from sympy.core.function import AppliedUndef

    def guarded(arguments: Any, expression: Any, *rest: Any, **options: Any) -> Any:
        if not hasattr(expression, "atoms") or expression.atoms(AppliedUndef):
            raise NotImplementedError("no code is generated for functions that are not known")
        return lambdify(arguments, expression, *rest, **options)

    return guarded


def _forbid(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open" and not isinstance(arguments[0], int):
        writes = isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        if writes or set(str(arguments[1] or "")) & set("wax+"):
            raise Stopped("refused", "writing a file")
    elif _FORBIDDEN.match(event):
        raise Stopped("refused", event)


def _same(reference: Any, answer: Any, rules: Mapping[str, Any]) -> bool | Stopped:
    from math_verify import verify

    try:
        return bool(_reported(verify)(reference, answer, timeout_seconds=None, raise_on_error=True, **rules))
    except _undecided() as error:  # its words may hold what was compared, at any length
        return Stopped("undecided", type(error).__name__)
    except Exception as error:
        return Stopped("incomparable", type(error).__name__)
    except Stopped as stopped:
        if stopped.why != "incomparable":
            raise
        return stopped


def _equal(references: Sequence[Sequence[Any]], answer: Sequence[Any], rules: Mapping[str, Any]) -> Reply:
    """Compare all forms of each: one pair that is equal decides; else one that could not be compared does."""
    doubts: list[Stopped] = []
    for one, other in ((one, other) for reference in references for one in reference for other in answer):
        found = _same(one, other, rules)
        if isinstance(found, Stopped):
            doubts.append(found)
        elif found:
            return {"equal": True}
    for doubt in doubts:
        if doubt.why == "incomparable":
            raise doubt
    return {"equal": False, **({"undecided": doubts[0].what} if doubts else {})}


def _comparison() -> Callable[[Task], Reply]:
    from math_verify import ExprExtractionConfig, LatexExtractionConfig, parse
    from sympy import Basic, MatrixBase

    latex, plain = LatexExtractionConfig(), ExprExtractionConfig()
    targets = {"any": [latex, plain], "latex": [latex], "plain": [plain]}

    def read(piece: Sequence[str], notation: str) -> list[Any]:
        text, form = piece
        found: list[Any] = []
        if form == "formula" and notation != "plain":
            found = parse(f"\\boxed{{{text}}}", [latex], parsing_timeout=None)
            if notation == "latex" or any(isinstance(one, (Basic, MatrixBase)) for one in found):
                return found
            found = parse(text, [plain], parsing_timeout=None) or found
            return found
        found = parse(text, targets[notation], parsing_timeout=None)
        return found

    def compare(task: Task) -> Reply:
        answer = read(task["answer"], task["notation"])
        if not answer:
            return {"missing": "answer"}
        references = [read(reference, task["notation"]) for reference in task["references"]]
        if not all(references):
            return {"missing": "reference", "at": references.index([])}
        rules = {
            "float_rounding": task["rounding"],
            "numeric_precision": task["precision"],
            "strict": task["strict"],
            "allow_set_relation_comp": task["sets"],
        }
        verdict = _equal(references, answer, rules)
        shown = next((one for one in answer if isinstance(one, str)), None)
        return {**verdict, "answer": (str(answer[0]) if shown is None else shown)[:ANSWER_CHARS]}

    return compare


if __name__ == "__main__":
    main()
