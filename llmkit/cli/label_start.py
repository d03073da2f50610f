"""``llmkit label start``: one item at a time, single keys, every answer on disk before the next item shows."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from llmkit.cli.options import JudgeName

if TYPE_CHECKING:
    from rich.console import Console

    from llmkit.cli.label_keys import Reader
    from llmkit.judges.judge import Judge
    from llmkit.judges.labelling import Session

LONGEST_PAUSE_S = 600.0
"""Nobody reads one item for ten minutes: such a time is of a break, and unknown."""


def start(
    name: JudgeName,
    annotator: Annotated[
        str | None,
        typer.Option(help="Who labels. Default: git's user.name, else the user's; asked for.", metavar="NAME"),
    ] = None,
    blind: Annotated[
        bool,
        typer.Option("--blind/--no-blind", help="Hide other people's labels, and the item's further fields."),
    ] = True,
    seed: Annotated[int, typer.Option(min=0, help="Of the order of the items, drawn for each person.")] = 0,
) -> None:
    """Label a judge's items, from where you stopped.

    Keys: the label's, u cannot tell, z undo, s skip, n note, g guideline, q quit, ? guideline and keys.

    Where standard input is no terminal, it is read line by line.
    """
    from llmkit.calibration.skeleton import unfilled
    from llmkit.cli.console import out, say
    from llmkit.cli.label_keys import reader
    from llmkit.judges.label_file import labels_path, touch
    from llmkit.judges.labelling import Session
    from llmkit.judges.labels import read_labels
    from llmkit.judges.load import load_judge

    judge = load_judge(name, locked=False)
    path = labels_path(judge)
    if judge.spec.labels is not None and judge.spec.labels.items is not None:
        touch(path)
    labels = read_labels(judge)
    for note in labels.notes:
        say(note)
    if unfilled(judge):
        say(f"nobody has filled in the guideline yet: {judge.criterion_path}. People label alike by what it says")
    source = reader()
    session = Session(judge, labels, _who(annotator, source), seed=seed)
    before = session.done
    try:
        ended = Sitting(session, source, out(), blind=blind).run()
    except KeyboardInterrupt:
        say(f"{session.done - before} labels written to {path}; go on with: llmkit label start {name}")
        raise
    say(f"{session.done} of {session.total} items labelled by {session.annotator}, in {path}")
    say(_next(name, judge, done=ended))


def _who(annotator: str | None, source: Reader) -> str:
    """Return who labels: as named, else as git or the system say, confirmed where somebody can be asked."""
    from llmkit.cli.label_keys import terminal
    from llmkit.judges.labelling import checked_name

    if annotator is not None:
        return checked_name(annotator)
    known = _from_git() or _from_system()
    if terminal():
        known = source.line(f"Who labels? [{known}] " if known else "Who labels? ") or known
    return checked_name(known)


def _from_git() -> str:
    import os
    import subprocess

    from llmkit.runs.plan import GIT, GIT_ENV

    try:
        said = subprocess.run(  # noqa: S603
            [*GIT, "config", "user.name"],
            capture_output=True, text=True, errors="replace", timeout=10, check=False, env={**os.environ, **GIT_ENV},
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return said.stdout.strip()


def _from_system() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # no such user in this container
        return ""


def _next(name: str, judge: Judge, *, done: bool) -> str:
    if not done:
        return f"Go on with: llmkit label start {name}"
    return f"Next: llmkit label agreement {name}, then llmkit judge calibrate {judge.name}"


class Sitting:
    """The conversation with one person.

    Args:
        session: Which items, and where answers go.
        source: What is typed.
        console: Where items show.
        blind: Whether nothing shows that could sway: others' labels, and fields that may name a model or a score.
    """

    def __init__(self, session: Session, source: Reader, console: Console, *, blind: bool) -> None:
        from llmkit.judges.labelling import keys_of

        self.session, self.source, self.console, self.blind = session, source, console, blind
        self.keys = keys_of(session.judge.scale)
        self._words = {label.casefold(): label for label in session.judge.scale.labels}
        longer = [key for key in self.keys if len(key) > 1]
        self._whole = frozenset(longer)

    def run(self) -> bool:
        """Label until no item is left, or the person has had enough.

        Returns:
            Whether no item is left.
        """
        with self.source.opened():
            while self.session.current is not None:
                self._show()
                if not self._answered():
                    return False
        return True

    def _answered(self) -> bool:
        """Take what is typed until the item is another one; False to stop."""
        began = time.monotonic()
        while True:
            typed = self.source.command(self._whole)
            if typed is None or typed == "q":
                return False
            label = self._label(typed)
            if label is not None:
                seconds = time.monotonic() - began
                self.session.say(label, seconds if self.source.typed and seconds < LONGEST_PAUSE_S else None)
                return True
            if typed in ("z", "s"):
                if typed == "s":
                    self.session.skip()
                elif not self.session.undo():
                    self._tell("there is nothing to undo")
                    continue
                return True
            self._aside(typed)

    def _label(self, typed: str) -> str | None:
        from llmkit.judges.kinds import CANNOT_TELL

        if typed == "u" or typed.casefold() == CANNOT_TELL:
            return CANNOT_TELL
        return self.keys.get(typed) or self.keys.get(typed.casefold()) or self._words.get(typed.casefold())

    def _aside(self, typed: str) -> None:
        """Do what leaves the item where it is."""
        from llmkit.reports.text import one_line

        if typed in ("g", "?"):
            self._guideline()  # and the page again, which ends with the keys
        elif typed == "n":
            self.session.note = self.source.line("note: ")
            self._show()
        else:
            self._tell(f"{one_line(typed)!r} means nothing here")

    def _guideline(self) -> None:
        from rich.text import Text

        from llmkit.reports.text import visible

        self.console.print()
        self.console.print(Text(visible(self.session.judge.criterion), style="green"))
        self._page()

    def _tell(self, message: str) -> None:
        from rich.text import Text

        self.console.print(Text(message, style="yellow"))

    def _show(self) -> None:
        if self.console.is_terminal:
            self.console.clear()
        self._page()

    def _page(self) -> None:
        from llmkit.reports.labels import Page

        session = self.session
        head = f"{session.done + 1} of {session.total} · {session.judge.name} · {session.annotator}"
        self.console.print(Page(head, self._texts(), self._meanings(), session.note))

    def _texts(self) -> list[tuple[str, str]]:
        subject = self.session.current
        assert subject is not None
        found = [("What was asked", subject.input)] if subject.input else []
        if subject.reference:
            found.append(("A right answer", subject.reference))
        if subject.pair:
            found += [("Answer a", subject.a or ""), ("Answer b", subject.b or "")]
        else:
            found.append(("The answer to judge", subject.answer))
        if not self.blind:
            found += [(f"Field {name}", str(value)) for name, value in subject.row.items()]
            found += [(f"Said by {label.annotator or 'somebody'}", label.label) for label in self.session.others()]
        return found

    def _meanings(self) -> Sequence[tuple[str, str]]:
        from llmkit.judges.kinds import CANNOT_TELL

        graded = self.session.judge.scale.kind == "graded"
        labels = list(self.keys.items())
        if graded:
            labels = [(f"{labels[0][0]}–{labels[-1][0]}", "grade")]
        return [
            *labels, ("u", CANNOT_TELL), ("z", "undo"), ("s", "skip"), ("n", "note"), ("g", "guideline"), ("q", "quit"),
            ("?", "help"),
        ]  # fmt: skip
