"""One answer, examined: its program in one sandbox, its tests in another, and a verdict that only these can give."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from llmkit.sandbox.base import Execution, Limits, Sandbox
from llmkit.scoring.programs.outputs import Compare, same
from llmkit.scoring.programs.parts import program
from llmkit.scoring.programs.pool import Scope
from llmkit.scoring.programs.tasks import Case
from llmkit.text import shorten

Word = Literal["passed", "failed", "bad_tests", "crash"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of an answer.

    Attributes:
        word: ``passed``; ``failed``, by the answer's fault; ``bad_tests``, by the row's; ``crash``, by ours.
        reason: One line; empty where it passed.
    """

    word: Word
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Court:
    """Where answers are examined.

    Attributes:
        sandbox: Where programs run.
        limits: Of each of them.
        scope: What ends them when nobody waits any more.
        packages: Whether programs and tests may import what is installed; pytest's may in any case.
    """

    sandbox: Sandbox
    limits: Limits
    scope: Scope
    packages: bool = False

    def examine(self, sources: Sequence[str], start: Literal["examine", "pytest"], task: Mapping[str, Any]) -> Verdict:
        """Run tests in one sandbox against a program in another.

        Args:
            sources: Readings of the answer, of which the first that is Python counts.
            start: Which tests.
            task: What they need; ``module`` names the answer's program.

        Raises:
            SandboxError: A program could not be started.
        """
        nonce = secrets.token_hex(16)
        ours, theirs = socket.socketpair()
        with ours, theirs:
            given = {"sources": [_encodable(source) for source in sources], "module": task["module"]}
            served = program("serve", given, packages=self.packages, channel=theirs)
            answer = self.scope.start(self.sandbox, served, self.limits)
            try:
                testing = program(
                    start, {**task, "nonce": nonce}, packages=self.packages or start == "pytest", channel=ours
                )
                tests = self.scope.start(self.sandbox, testing, self.limits)
            except BaseException:
                answer.kill()
                answer.wait()
                raise
        # Both ends are closed here, so that each side sees the other's end.
        examined = tests.wait()
        answer.kill()
        ended = answer.wait()
        self.scope.done(tests)
        self.scope.done(answer)
        return self._verdict(nonce, examined, ended)

    def run(self, sources: Sequence[str], cases: Sequence[Case], compare: Compare, tolerance: float) -> Verdict:
        """Run a script on each case, until one fails.

        Raises:
            SandboxError: A program could not be started.
        """
        given = {"sources": [_encodable(source) for source in sources]}
        for number, case in enumerate(cases, 1):
            script = program("script", given, packages=self.packages, stdin=case.given.encode("utf-8", "replace"))
            running = self.scope.start(self.sandbox, script, self.limits)
            ended = running.wait()
            self.scope.done(running)
            trouble = self._trouble(ended) or _exit(ended)
            printed = ended.stdout.decode("utf-8", "replace")
            if not trouble and not same(printed, case.expected, compare, tolerance):
                trouble = f"printed {_shown(printed)} where {_shown(case.expected)} was expected"
            if trouble:
                return Verdict("failed", f"case {number} of {len(cases)}: {trouble}")
        return Verdict("passed")

    def _verdict(self, nonce: str, tests: Execution, answer: Execution) -> Verdict:
        word, reason = _said(nonce, tests.stdout)
        if word == "passed":
            return Verdict("passed")
        if word == "failed":
            return Verdict("failed", _limited(reason, self._trouble(answer)))
        if word == "unloadable":
            return Verdict("failed", _loading(reason))
        if word == "bad_tests":
            return Verdict("bad_tests", reason)
        if word == "broken":
            if reason != "ended":
                return Verdict("failed", f"the program broke the protocol: {reason}")
            code = "" if answer.exit_code is None else f" (exit code {answer.exit_code})"
            return Verdict("failed", self._trouble(answer) or f"the program ended before its tests did{code}")
        trouble = self._trouble(answer) or self._trouble(tests)
        if trouble:
            return Verdict("failed", trouble)
        return Verdict("crash", f"the tests' process gave no verdict: it {_exit(tests) or 'ended'}")

    def _trouble(self, ended: Execution) -> str:
        if ended.stopped == "wall":
            return f"timeout after {self.limits.wall_s:g} s"
        if ended.stopped == "cpu":
            return f"timeout: {self.limits.cpu_s:g} s of processor time"
        if ended.stopped == "memory":
            return f"memory: more than {self.limits.memory_mb} MiB"
        if ended.stopped == "output":
            return f"output: more than {self.limits.output_kb} KiB"
        return ""


def _said(nonce: str, stdout: bytes) -> tuple[str, str]:
    for line in stdout.splitlines():
        words = line.decode("utf-8", "replace").split(" ", 2)
        if words[0] == nonce and len(words) == 3:
            return words[1], words[2].strip()
    return "", ""


def _limited(reason: str, trouble: str) -> str:
    return f"{trouble}; {reason}" if trouble else reason


def _loading(reason: str) -> str:
    what, _, message = reason.partition(": ")
    return f"syntax error: {message}" if what == "syntax" else f"the program does not load: {message}"


def _exit(ended: Execution) -> str:
    if ended.exit_code == 0:
        return ""
    lines = ended.stderr.decode("utf-8", "replace").strip().splitlines()
    how = "was killed" if ended.exit_code is None else f"ended with exit code {ended.exit_code}"
    return f"{how}: {shorten(lines[-1], 200)}" if lines else how


def _shown(text: str) -> str:
    return repr(shorten(text.strip(), 60)) if text.strip() else "nothing"


def _encodable(source: str) -> str:
    # A lone surrogate is no Python, wherever it stands; marshal would carry it, and compile refuse it unclearly.
    return source.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
