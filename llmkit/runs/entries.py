"""Scorers as a run's record holds them: what they can be made of again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from llmkit.errors import LlmkitError
from llmkit.judges.scorer import JudgeScorer, is_entry
from llmkit.scoring.base import Scorer
from llmkit.scoring.registry import parse


def entries_of(entries: Sequence[str | Mapping[str, Any] | Scorer], scorers: Sequence[Scorer]) -> dict[str, Any]:
    """Return ``scorers``, the entries that make the scorers again, and ``scorer_objects``, names of all others.

    A scorer that was made in Python stands in a suite by its name alone. Whether that makes it, its signature tells.

    Args:
        entries: As the suite writes them, or scorers.
        scorers: What they made.
    """
    plain = [entry if isinstance(entry, (str, Mapping)) else entry.name for entry in entries]
    made = [_makes(entry, scorer) for entry, scorer in zip(plain, scorers, strict=True)]
    return {
        "scorers": [entry for entry, same in zip(plain, made, strict=True) if same],
        "scorer_objects": [scorer.name for scorer, same in zip(scorers, made, strict=True) if not same],
    }


def _makes(entry: str | Mapping[str, Any], scorer: Scorer) -> bool:
    if is_entry(entry):  # it has made the judge a moment ago
        return isinstance(scorer, JudgeScorer)
    try:
        again = parse(entry)
    except LlmkitError:
        return False
    return (again.name, again.signature) == (scorer.name, scorer.signature)
