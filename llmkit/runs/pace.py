"""How fast a run's own calls were answered, from what the store keeps of each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from llmkit.runs.bills import Read
from llmkit.runs.rows import RunRow
from llmkit.speculation import Speculation
from llmkit.variants import Pace

CALLS = "SELECT created_at, latency_s, input_tokens, output_tokens FROM answers WHERE run_id=? AND http_attempts>0"
OTHERS = {
    "generations": " AND answer_id NOT IN (SELECT answer_id FROM generations)",
    "judging": " AND answer_id NOT IN (SELECT answer_id FROM judging)",
}
"""Tables of answers that are none of the model's own calls: sums of several that are stored themselves, and what judges
said. A store of the first release that is open for reading alone lacks them."""


def pace(read: Read, run: RunRow) -> Pace | None:
    """Return the pace of the answers that a run asked for itself; None where it asked for none.

    An answer is stored as it comes, so that its call was under way for ``latency_s`` before; calls of judges, answers
    that were given, and those from the cache are not among them. A run that was gone on with was idle in between, which
    counts for nothing.
    """
    kept = {name for (name,) in read("SELECT name FROM sqlite_master WHERE type='table'", ())}
    without = "".join(clause for table, clause in OTHERS.items() if table in kept)
    rows = list(read(CALLS + without, (run.run_id,)))
    if not rows:
        return None
    seconds = sum(latency for _, latency, _, _ in rows)
    busy = union((at - latency, at) for at, latency, _, _ in rows)
    return Pace(
        calls=len(rows),
        busy_s=busy,
        in_flight=seconds / busy if busy > 0 else None,
        input_tokens=_sum(row[2] for row in rows),
        output_tokens=_sum(row[3] for row in rows),
        speculation=speculation_of(run),
    )


def speculation_of(run: RunRow) -> Speculation | None:
    """Return what speculative decoding came to in a run; None where nothing was told."""
    said = run.about.get("speculation")
    if said is None:
        return None
    return Speculation(said["drafts"], said["drafted"], said["accepted"], tuple(said["by_position"]))


def union(spans: Iterable[tuple[float, float]]) -> float:
    """Return the length of what spans of time cover together."""
    covered, end = 0.0, float("-inf")
    for begin, until in sorted(spans):
        covered += max(0.0, until - max(begin, end))
        end = max(end, until)
    return covered


def _sum(counts: Iterator[Any]) -> int | None:
    total = 0
    for count in counts:
        if count is None:
            return None
        total += count
    return total
