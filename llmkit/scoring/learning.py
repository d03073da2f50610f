"""Scorers that must see all right answers of a run before they score the first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from llmkit.scoring.base import Learns, Scorer


def taught(scorers: Sequence[Scorer], references: Callable[[], Iterable[Sequence[str]]]) -> tuple[Scorer, ...]:
    """Return the scorers, each that learns having seen the references.

    Args:
        scorers: Those of one run.
        references: Reads them: of each sample that can be asked, once, whatever the epochs.

    Raises:
        LlmkitError: One of them cannot learn.
    """
    return tuple(s.learn(references()) if isinstance(s, Learns) and s.learns else s for s in scorers)
