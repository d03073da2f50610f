"""Programs that mean harm. Each is a file: what it tries, how it may end, and its text.

``ends`` lists what may end it: ``itself``, or a limit by its name in ``llmkit.sandbox.base.Stopped``. A program that
got what it should not prints a line with ESCAPED. Words between double underscores are filled in by ``text``. A deadly
one must never run where nothing isolates it: it would do what it says, as whoever tests; one that is deadly to root,
whose processes nothing counts, must not as root. None prints what it read.
"""

from __future__ import annotations

import ast
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent
ESCAPED = b"ESCAPED"


@dataclass(frozen=True)
class Hostile:
    """One program.

    Attributes:
        name: Its file's.
        about: What it tries, one line.
        ends: What may end it.
        deadly: Whether it must never run where nothing isolates it, as who runs this.
        source: Its text, with words to fill in.
    """

    name: str
    about: str
    ends: tuple[str, ...]
    deadly: bool
    source: str

    def text(self, **words: object) -> str:
        """Return the text with words filled in: ``text(port=80)`` fills in ``__PORT__``."""
        filled = self.source
        for name, value in words.items():
            filled = filled.replace(f"__{name.upper()}__", str(value))
        return filled


@cache
def programs() -> dict[str, Hostile]:
    """Return all of them, by name."""
    return {path.stem: _read(path) for path in sorted(FOLDER.glob("*.py")) if path.stem != "__init__"}


def _deadly(to: str | None) -> bool:
    return to == "yes" or (to == "to root" and os.geteuid() == 0)


def _read(path: Path) -> Hostile:
    source = path.read_text(encoding="utf-8")
    about, *rest = (ast.get_docstring(ast.parse(source)) or "").splitlines()
    facts = dict(line.split(": ", 1) for line in rest if ": " in line)
    ends = tuple(facts["Ends"].split(" or "))
    return Hostile(path.stem, about, ends, _deadly(facts.get("Deadly")), source)
