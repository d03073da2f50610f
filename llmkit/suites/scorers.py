"""From a suite's scorer entries to scorers: those that compute, and judges, which ask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from llmkit.judges.scorer import is_entry, scorer_of
from llmkit.scoring import Scorer, parse
from llmkit.scoring.files import Files


def build(entry: object, where: str | None = None, *, folder: Path | None = None, roots: Sequence[Path] = ()) -> Scorer:
    """Build a scorer: ``exact_match``, ``{numeric: {tolerance: 1e-6}}``, ``{judge: relevance}``.

    Args:
        entry: As a suite writes it.
        where: ``path:line`` for errors; files that a judge names are then confined to ``folder`` and ``roots``.
        folder: Of the suite: judges are looked for from there upwards, and files that options name lie there; the
            current one where None.
        roots: Further folders that they may lie in.

    Raises:
        DocumentError: The entry is none of these; and whatever ``scoring.registry.create`` and ``load_judge`` raise.
    """
    if isinstance(entry, Mapping) and is_entry(entry):
        return scorer_of(entry, folder=folder, roots=roots, where=where)
    return parse(entry, where, Files(folder, roots, where))
