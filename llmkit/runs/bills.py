"""What a run and its judges cost, and what was lost on the way: sums that the store makes of its rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from llmkit.types import Totals

Read = Callable[[str, Sequence[Any]], Iterator[tuple[Any, ...]]]

JUDGES = "judge "
"""What the reason of a judge's charge begins with: ``judge relevance: timeout``."""

_USED = """
SELECT j.judge, a.run_id=j.run_id, count(*), sum(a.http_attempts), sum(coalesce(a.cached_tokens,0)),
  sum(coalesce(a.reasoning_tokens,0)), count(a.input_tokens), sum(a.input_tokens), count(a.output_tokens),
  sum(a.output_tokens), count(a.cost_usd), sum(a.cost_usd)
FROM judging j JOIN answers a ON a.answer_id=j.answer_id WHERE j.run_id=? GROUP BY 1, 2 ORDER BY 1, 2
"""


def reason_of(judge: str, why: str) -> str:
    """Return the reason of a charge for an attempt of a judge that brought no answer."""
    return f"{JUDGES}{judge}: {why}"


def lost(read: Read, run_id: str, judge: str | None) -> tuple[int, float | None]:
    """Count attempts that may have been paid for and brought no answer: of a judge, or of the model under test (None).

    Returns:
        How many, and their dollars; None where that is not known of all.
    """
    start = JUDGES if judge is None else reason_of(judge, "")
    sql = (
        "SELECT count(*), count(cost_usd), coalesce(sum(cost_usd),0) FROM charges"
        " WHERE run_id=? AND (substr(reason, 1, length(?)) = ?) = ?"
    )
    count, known, usd = next(read(sql, (run_id, start, start, judge is not None)))
    return int(count), float(usd) if known == count else None


def spent(read: Read, run_id: str, *, certain: bool) -> float:
    """Return the dollars that a run, its judges included, has paid or may have paid; unknown prices left out."""
    sql = (
        "SELECT coalesce(sum(cost_usd),0) FROM answers WHERE run_id=?"
        " AND answer_id NOT IN (SELECT answer_id FROM generations)"  # sums of answers that are counted themselves
    )
    (paid,) = next(read(sql, (run_id,)))
    sql = "SELECT coalesce(sum(cost_usd),0), coalesce(sum(charged_usd),0) FROM charges WHERE run_id=?"
    known, charged = next(read(sql, (run_id,)))
    return float(paid) + float(known if certain else charged)


def of_judges(read: Read, run_id: str) -> dict[str, Totals]:
    """Return the sums over the calls of a run's judges, by name."""
    found: dict[str, Totals] = {}
    for judge, mine, calls, http, cached, reasoning, ins, input_, outs, output, priced, usd in read(_USED, (run_id,)):
        before, cost = found.get(judge, Totals()), usd if priced == calls else None
        if not mine:
            found[judge] = replace(before, cached_cost_usd=cost)
            continue
        found[judge] = replace(
            before,
            input=input_ if ins == calls else None,
            output=output if outs == calls else None,
            cached=cached,
            reasoning=reasoning,
            calls=calls,
            http_attempts=http,
            cost_usd=cost,
        )
    for judge in sorted({*found, *_charged(read, run_id)}):
        attempts, usd = lost(read, run_id, judge)
        found[judge] = replace(found.get(judge, Totals()), lost_attempts=attempts, lost_usd=usd)
    return found


def served(read: Read, run_id: str) -> dict[str, list[str]]:
    """Return judge → the models that answered it, in the server's words, sorted; none where they do not say."""
    sql = (
        "SELECT DISTINCT j.judge, a.served_model FROM judging j JOIN answers a ON a.answer_id=j.answer_id"
        " WHERE j.run_id=? AND a.served_model IS NOT NULL ORDER BY 1, 2"
    )
    found: dict[str, list[str]] = {}
    for judge, model in read(sql, (run_id,)):
        found.setdefault(judge, []).append(model)
    return found


def _charged(read: Read, run_id: str) -> Iterator[str]:
    sql = "SELECT DISTINCT reason FROM charges WHERE run_id=? AND substr(reason, 1, length(?)) = ?"
    for (reason,) in read(sql, (run_id, JUDGES, JUDGES)):
        yield reason.removeprefix(JUDGES).rpartition(": ")[0]
