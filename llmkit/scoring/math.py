"""math: the answer's final formula equals the reference's, as mathematics or as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field

from llmkit.errors import MissingExtraError
from llmkit.scoring.base import Item
from llmkit.scoring.builtin import NO_REFERENCE, Builtin, unscorable, yes_no
from llmkit.scoring.formulas import checker, hendrycks
from llmkit.scoring.formulas.piece import SEARCHED, Where, piece, reference_piece
from llmkit.scoring.formulas.workers import Reply, Workers, workers
from llmkit.text import one_line, shorten
from llmkit.types import Failure, Score

_PROGRAM = Path(checker.__file__)
_PACKAGES = {"math_verify": "math-verify", "latex2sympy2_extended": "latex2sympy2-extended", "sympy": "sympy"}
_TEXT_LIMIT = 200_000  # characters of a piece that is compared; no final answer is a tenth of it
_WHY = {
    "memory": "comparing this answer took more than {memory_mb} MiB (memory_mb)",
    "timeout": "comparing this answer took longer than {timeout_s:g} s (timeout_s)",
    "crash": "comparing this answer ended the process that worked on it",
    "nested": "this answer nests deeper than it can be read",
    "refused": "comparing this answer would have done what no comparison needs",
    "incomparable": "Math-Verify or SymPy broke at comparing this answer",
}


class Math(Builtin):
    r"""1 where the answer's final formula equals any reference's, else 0; needs the extra [math].

    ``extract`` says which formula of the answer counts:

    - ``whole``: the text is one formula, ``$…$`` around it or not;
    - ``boxed``: what the last ``\boxed{}`` holds;
    - ``announced``: the line after the last ``####``, ``answer is`` or ``answer:``;
    - ``last``: the last formula between ``$…$``, ``\(…\)`` or ``\[…\]``, or a number that stands behind it;
    - ``auto``: the whole text if it is one formula; else what stands after the last ``####``; else what Math-Verify's
      patterns find first: ``final answer is … I hope``; a box, or ``final answer is``; what follows ``answer:``, then
      ``answer``; the last formula or number.

    An answer without one is a failure, ``unparsable``. A reference is a formula, bare or not; else what it boxes or
    announces, or the last formula in it; with nothing to compare it is ``bad_reference``.

    ``compare: symbolic`` is Math-Verify's: numbers, formulas, sets, intervals, equations and matrices are equal where
    SymPy finds them so; what it cannot read is compared as text. ``string`` normalises spelling as the MATH paper did
    (Hendrycks et al., 2021) and computes nothing. Answers are compared in processes of their own: one that takes longer
    than ``timeout_s`` is not proved wrong, but a failure, ``timeout``; one that takes too much memory, ``memory``.
    """

    metric: ClassVar[str] = "math"
    heavy: ClassVar[bool] = True

    extract: Where = Field(default="auto", description="Which formula of the answer counts.")
    compare: Literal["symbolic", "string"] = Field(
        default="symbolic", description="symbolic: equal as mathematics; string: equal once spelling is normalised."
    )
    notation: Literal["any", "latex", "plain"] = Field(
        default="any", description="What is read: latex, plain (numbers and arithmetic outside of LaTeX), or both."
    )
    rounding: int = Field(default=6, ge=0, le=50, description="Decimals in which a number with decimals must agree.")
    precision: int = Field(
        default=15, ge=1, le=100, description="Digits to which formulas are evaluated where they are compared by value."
    )
    strict: bool = Field(
        default=True, description="Names of variables count, and a set is no tuple; false: neither matters."
    )
    relations_as_sets: bool = Field(
        default=False, description="An answer 1 < x < 2 equals a reference (1, 2); the other way round it always does."
    )
    timeout_s: float = Field(default=5.0, gt=0, le=600, description="Seconds of processor time for one answer.")
    memory_mb: int = Field(default=256, ge=16, le=65536, description="Mebibytes that comparing one answer may take.")
    workers: int | None = Field(
        default=None, ge=1, le=64, description="Processes that compare; as many as processors (up to 8) if not set."
    )

    def _parts(self) -> Mapping[str, str]:
        if self.compare == "string":
            return {"extract": self.extract, "compare": "string", "norm": "hendrycks", "refs": "any"}
        return {
            "extract": self.extract,
            "compare": "symbolic",
            "notation": self.notation,
            "round": str(self.rounding),
            "digits": str(self.precision),
            "strict": yes_no(self.strict),
            "relations": "sets" if self.relations_as_sets else "relations",
            "tail": str(SEARCHED),
            "limit": f"{self.timeout_s:g}s,{self.memory_mb}MiB",
            "refs": "any",
            **{name: _version(name) for name in _PACKAGES.values()},
        }

    def prepare(self) -> None:
        """Start one process.

        Raises:
            MissingExtraError: The extra is not installed.
            ScorerError: The process does not start.
        """
        if self.compare == "symbolic":
            self._workers  # noqa: B018 - the first process starts with the pool

    @property
    def _workers(self) -> Workers:
        if any(find_spec(name) is None for name in (*_PACKAGES, "antlr4")):
            raise MissingExtraError("the scorer math", "math")
        return workers(_PROGRAM, self.memory_mb, self.workers)

    def _one(self, item: Item) -> Score | Failure:
        return self.score([item])[0]

    def score(self, items: Sequence[Item]) -> Sequence[Score | Failure]:
        """Score a batch: one result an item, in order.

        Raises:
            MissingExtraError: The extra is not installed.
        """
        if self.compare == "string":
            return [self._as_text(item) if item.references else NO_REFERENCE for item in items]
        plans = [self._plan(item) for item in items]
        tasks = [plan for plan in plans if not isinstance(plan, Failure)]
        replies = iter(self._workers.run(tasks, self.timeout_s) if tasks else ())
        return [
            plan if isinstance(plan, Failure) else self._result(item, next(replies))
            for item, plan in zip(items, plans, strict=True)
        ]

    def _plan(self, item: Item) -> Mapping[str, Any] | Failure:
        """Return what a process is asked about an answer, or why there is nothing to ask."""
        if not item.references:
            return NO_REFERENCE
        answer = piece(item.text, self.extract)
        if answer is None:
            return self._unparsable(item)
        references = []
        for reference in item.references:
            found = reference_piece(reference)
            if found is None:
                return _bad_reference(reference)
            references.append(found)
        if max(len(each.text) for each in (answer, *references)) > _TEXT_LIMIT:
            return unscorable("too_long", f"a formula of more than {_TEXT_LIMIT} characters is not compared")
        return {
            "answer": answer,
            "references": references,
            "notation": self.notation,
            "rounding": self.rounding,
            "precision": self.precision,
            "strict": self.strict,
            "sets": self.relations_as_sets,
        }

    def _result(self, item: Item, reply: Reply) -> Score | Failure:
        if "stopped" in reply:
            why = str(reply["stopped"])
            more = f" ({reply['what']})" if reply.get("what") else ""
            said = _WHY[why].format(memory_mb=self.memory_mb, timeout_s=self.timeout_s)
            return unscorable(why, one_line(f"{said}{more}: {shorten(item.text)!r}"))
        if reply.get("missing") == "reference":
            return _bad_reference(item.references[reply["at"]])
        if "missing" in reply:
            return self._unparsable(item)
        undecided = reply.get("undecided")
        reason = f"SymPy cannot decide whether they are equal ({undecided})" if undecided else None
        return Score(float(reply["equal"]), answer=shorten(reply["answer"]), reason=reason)

    def _as_text(self, item: Item) -> Score | Failure:
        answer = _text(item.text, self.extract)
        if not answer:
            return self._unparsable(item)
        right = False
        for reference in item.references:
            target = _text(reference, "auto")
            if not target:
                return _bad_reference(reference)
            right = right or hendrycks.equal(answer, target)
        return Score(float(right), answer=shorten(answer))

    def _unparsable(self, item: Item) -> Failure:
        return unscorable("unparsable", f"no formula found (extract: {self.extract}) in {shorten(item.text)!r}")


def _bad_reference(reference: str) -> Failure:
    return unscorable("bad_reference", f"the reference {shorten(reference)!r} holds no formula")


def _text(text: str, where: Where) -> str | None:
    """Return the piece that is compared as text; ``auto``: what is boxed, else announced, else the whole text."""
    orders: dict[Where, tuple[Where, ...]] = {"auto": ("boxed", "announced", "whole")}
    for place in orders.get(where, (where,)):
        found = piece(text, place)
        if found is not None:
            return found.text
    return text.strip() if where == "auto" else None


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"
