"""What stands behind judges' scores: the stored answers that each was read from, and so the models that gave it.

A score outlives the run that asked for it. Whoever takes it again must know who judged.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from llmkit.runs.bills import Read
from llmkit.runs.records import UNASKED, Outcome
from llmkit.types import Failure

Key = tuple[int, bytes, str]
"""Answer, input and scorer's signature: what a score is kept under."""

FORGET = "DELETE FROM behind WHERE answer_id=? AND input=? AND signature=?"
NOTE = "INSERT OR IGNORE INTO behind VALUES (?,?,?,?)"

_SERVED = """
SELECT DISTINCT a.served_model FROM samples s
JOIN behind b ON b.answer_id=s.answer_id AND b.input=s.input AND b.signature=?
JOIN answers a ON a.answer_id=b.used
WHERE s.run_id=? AND a.served_model IS NOT NULL
"""


def keys_of(outcomes: Iterable[Outcome], signatures: Mapping[str, str]) -> Iterator[tuple[Key, frozenset[int]]]:
    """Yield the keys of scores that a judge was asked for just now, each with the answers that it was read from."""
    for o in outcomes:
        if o.answer is None or o.job is None:
            continue
        for name, used in o.behind.items():
            score = o.scores.get(name)
            if score is not None and not (isinstance(score, Failure) and score.kind in UNASKED):
                yield (o.answer.answer_id, o.job.input, signatures[name]), used


def known(read: Read, some: Sequence[int]) -> set[Key]:
    """Return the keys of some answers' scores of which it is known who gave them."""
    marks = ",".join("?" * len(some))
    sql = f"SELECT DISTINCT answer_id, input, signature FROM behind WHERE answer_id IN ({marks})"  # noqa: S608
    return {(answer_id, input_, signature) for answer_id, input_, signature in read(sql, some)}


def said(read: Read, some: Sequence[int]) -> dict[Key, str]:
    """Return what judges said for some answers' scores, word for word; several votes with a blank line between them."""
    marks = ",".join("?" * len(some))
    sql = (
        "SELECT b.answer_id, b.input, b.signature, a.text FROM behind b JOIN answers a ON a.answer_id=b.used"  # noqa: S608
        f" WHERE b.answer_id IN ({marks}) ORDER BY b.used"
    )
    found: dict[Key, str] = {}
    for answer_id, input_, signature, text in read(sql, some):
        key = (answer_id, input_, signature)
        found[key] = f"{found[key]}\n\n{text}" if key in found else text
    return found


def served(read: Read, run_id: str, signatures: Mapping[str, str]) -> dict[str, set[str]]:
    """Return metric → the models behind the scores of a run's samples, in the server's words, whoever asked them.

    Args:
        read: Of the store.
        run_id: The run.
        signatures: Metric → signature of its judge.
    """
    return {name: {model for (model,) in read(_SERVED, (signature, run_id))} for name, signature in signatures.items()}
