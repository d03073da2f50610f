"""An answer's program: the first reading of its text that is Python; run as a script where that is what it is for."""

from __future__ import annotations

import builtins
import sys
from typing import Any


def first_that_compiles(sources: list[str], name: str) -> Any:
    """Return the first of several programs that is one, compiled.

    Raises:
        SyntaxError: None of them is; what is wrong with the first.
        ValueError: Likewise, where it holds a NUL.
    """
    problem: Exception | None = None
    for source in sources:
        try:
            return compile(source, name, "exec", dont_inherit=True)
        except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError) as error:
            problem = problem or error
    raise problem or SyntaxError("there is no program")


def as_in_scripts() -> None:
    """Define what Python's site adds to the builtins, and scripts end by."""
    if not hasattr(builtins, "exit"):
        import _sitebuiltins

        for name in ("exit", "quit"):
            setattr(builtins, name, _sitebuiltins.Quitter(name, "Ctrl-D (i.e. EOF)"))
        builtins.help = _sitebuiltins._Helper()


def run(sources: list[str]) -> None:
    """Run the first program that compiles as a script."""
    code = first_that_compiles(sources, "answer.py")
    as_in_scripts()
    module = sys.modules["__main__"]
    module.__dict__.clear()
    module.__dict__.update({"__name__": "__main__", "__builtins__": __builtins__})
    sys.argv[:] = ["answer.py"]
    exec(code, module.__dict__)  # noqa: S102 - this is what the sandbox is for
