"""Scorers as a run's record holds them: what they can be made of again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from llmkit.config import project_root
from llmkit.errors import LlmkitError
from llmkit.judges.scorer import JudgeScorer, is_entry
from llmkit.scoring.base import Learns, Scorer
from llmkit.scoring.files import Files
from llmkit.scoring.registry import parse


def entries_of(
    entries: Sequence[str | Mapping[str, Any] | Scorer], scorers: Sequence[Scorer], suite_path: Path | str | None = None
) -> dict[str, Any]:
    """Return ``scorers``, the entries that make the scorers again, and ``scorer_objects``, names of all others.

    A scorer that was made in Python stands in a suite by its name alone. Whether that makes it, its signature tells.

    Args:
        entries: As the suite writes them, or scorers.
        scorers: What they made.
        suite_path: The suite's file, from whose folder on files are named; None: from the current folder on.
    """
    plain = [entry if isinstance(entry, (str, Mapping)) else entry.name for entry in entries]
    files = _files(suite_path)
    made = [_makes(entry, scorer, files) for entry, scorer in zip(plain, scorers, strict=True)]
    return {
        "scorers": [entry for entry, same in zip(plain, made, strict=True) if same],
        "scorer_objects": [scorer.name for scorer, same in zip(scorers, made, strict=True) if not same],
    }


def _files(suite_path: Path | str | None) -> Files:
    if suite_path is None:
        return Files()
    folder = Path(suite_path).parent
    root = project_root(folder)
    return Files(folder, () if root is None else (root,))


def _makes(entry: str | Mapping[str, Any], scorer: Scorer, files: Files) -> bool:
    if is_entry(entry):  # it has made the judge a moment ago
        return isinstance(scorer, JudgeScorer)
    try:
        again = parse(entry, files=files)
    except LlmkitError:
        return False
    if isinstance(scorer, Learns) and scorer.learns:  # what it has learnt is made again from the run's references
        scorer = scorer.untaught
    return (again.name, again.signature) == (scorer.name, scorer.signature)
