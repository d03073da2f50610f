"""One person labelling: which item is next, what was said, and what was taken back. No terminal here."""

from __future__ import annotations

import datetime
import re
from collections import deque
from pathlib import Path

from llmkit.errors import UsageError
from llmkit.judges.judge import Judge
from llmkit.judges.kinds import CANNOT_TELL, Scale
from llmkit.judges.label_file import labels_path
from llmkit.judges.labels import Label, LabelSet, append_label, append_undo
from llmkit.judges.split import position
from llmkit.judges.subject import Subject

COMMANDS = "g?uzsnq"
"""Keys that are no label: guideline, help, cannot tell, undo, skip, note, quit."""
_KEYS = "1234567890abcdefhijklmoprtvwxy"
LONGEST_NAME = 100


def keys_of(scale: Scale) -> dict[str, str]:
    """Return what is typed → the label: the first letter where it is free, else a digit or the next free letter.

    Grades are typed as they are. ``cannot_tell`` has keys of its own (``COMMANDS``).
    """
    if scale.kind == "graded":
        return {label: label for label in scale.labels}
    found: dict[str, str] = {}
    for label in scale.labels:
        first = label[0].casefold()
        if first in _KEYS and first not in found:
            found[first] = label
            continue
        free = next(key for key in _KEYS if key not in found and not _wanted(key, scale, found))
        found[free] = label
    return found


def _wanted(key: str, scale: Scale, found: dict[str, str]) -> bool:
    """Whether a label that has no key yet begins with this one."""
    return any(label[0].casefold() == key for label in scale.labels if label not in found.values())


def checked_name(name: str) -> str:
    """Return an annotator's name as files hold it.

    Raises:
        UsageError: It is empty, too long, or holds control characters.
    """
    plain = " ".join(name.split())
    if not plain or len(plain) > LONGEST_NAME or re.search(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e]", plain):
        hint = "Name who labels: --annotator NAME; agreement between people rests on it"
        raise UsageError("this is no annotator's name", where="--annotator", hint=hint)
    return plain


class Session:
    """One person's way through a judge's items. Each answer is on disk when :meth:`say` returns.

    The order is drawn anew for each person, so that no item is always labelled by tired people; it stays the same when
    they come back.

    Args:
        judge: Whose items.
        labels: As read now.
        annotator: Who labels.
        seed: Of the order.

    Attributes:
        current: The item to label; None where none is left.
        note: What the person remarked of it so far.
    """

    def __init__(self, judge: Judge, labels: LabelSet, annotator: str, *, seed: int = 0) -> None:
        self.judge, self.annotator = judge, annotator
        self._path: Path = labels_path(judge)
        every = [item.subject for item in labels.items] + list(labels.unlabelled)
        every.sort(key=lambda subject: (position(seed, ("label", annotator, subject.id)), subject.id))
        self._items = {subject.id: subject for subject in every}
        self._others = {
            name: [label for label in labels.labels if label.id == name and label.annotator != annotator]
            for name in ({label.id for label in labels.labels})
        }
        self._done = [
            label.id for label in labels.labels if label.annotator == annotator and not label.gold
        ]  # the last one last
        done = set(self._done)
        self._queue = deque(subject.id for subject in every if subject.id not in done)
        self.note = ""

    @property
    def current(self) -> Subject | None:
        """The item to label next."""
        return self._items[self._queue[0]] if self._queue else None

    @property
    def done(self) -> int:
        """How many items this person has labelled."""
        return len(self._done)

    @property
    def total(self) -> int:
        """How many items there are."""
        return len(self._items)

    def others(self) -> list[Label]:
        """Return what others said of the current item: nothing that a blind session shows."""
        return self._others.get(self._queue[0], []) if self._queue else []

    def say(self, label: str, seconds: float | None = None) -> None:
        """Answer the current item, and go on to the next; the answer is on disk before.

        Args:
            label: A word of the judge's scale, or ``cannot_tell``.
            seconds: That it took.

        Raises:
            UsageError: It cannot be written.
            ValueError: There is no item left, or no such word.
        """
        if not self._queue or (label != CANNOT_TELL and label not in self.judge.scale.points):
            raise ValueError(f"no item is left, or {label!r} is no label")
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        found = Label(self._queue[0], label, self.annotator, seconds=seconds, at=now, note=self.note)
        append_label(self._path, found)
        self._done.append(self._queue.popleft())
        self.note = ""

    def undo(self) -> bool:
        """Take the last answer back, of an earlier session too; that item is the current one again.

        Returns:
            Whether there was one.

        Raises:
            UsageError: It cannot be written.
        """
        if not self._done:
            return False
        last = self._done[-1]
        append_undo(self._path, last, self.annotator)
        self._done.pop()
        self._queue.appendleft(last)
        self.note = ""
        return True

    def skip(self) -> None:
        """Put the current item off until all others are done."""
        self._queue.rotate(-1)
        self.note = ""
