"""Two engines' speed, in words and figures, whatever they are written in: rows of a name, both sides, and b / a."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from llmkit.reports.numbers import UNKNOWN, count, figure
from llmkit.speculation import Speculation
from llmkit.variants import Pace, Speed

MEASURE = "to measure, ask both anew and as many at once: llmkit eval … --no-cache --fresh"
ABOUT = "of own engines; the interval is over samples, not over repetitions"


class Row(NamedTuple):
    """A line of the table; ``more`` says of what, and how sure it is."""

    name: str
    a: str
    b: str
    more: str = ""


def rows(speed: Speed) -> Iterator[Row]:
    """Yield what is known of either side."""
    yield from _rates(speed)
    drafted = [None if side is None else side.speculation for side in (speed.a, speed.b)]
    if any(drafted):
        yield Row("drafted tokens accepted", *map(_accepted, drafted))
        yield Row("tokens a step", *map(_length, drafted))
        if any(one is not None and one.by_position for one in drafted):
            yield Row("accepted by place", *map(_places, drafted))


def speculation(found: Speculation) -> str:
    """Write one run's counts."""
    return f"{_accepted(found)} drafted tokens accepted · {_length(found)} tokens a step"


def caution(speed: Speed) -> str | None:
    """Say why the figures do not compare, or are of a part of the answers, where that is so."""
    said = [speed.unknown] if speed.unknown is not None else []
    if speed.unknown is None and not speed.alike:
        said.append("not comparable: another number of calls was in flight")
    if speed.ratio is not None and any(speed.cached):
        one, two = map(count, speed.cached)
        said.append(f"of a {one} and of b {two} answers come from the cache, and count for nothing here")
    said += [MEASURE] if said else []
    untold = [which for which, side in (("a", speed.a), ("b", speed.b)) if side is not None and not _told(side)]
    said += [f"{' and '.join(untold)} does not tell of every answer how many tokens it has"] if untold else []
    return "; ".join(said) or None


def _rates(speed: Speed) -> Iterator[Row]:
    reads = speed.reads
    name = "prompt tokens a second" if reads else "tokens a second"
    one, two = (_rate(side, reads) for side in (speed.a, speed.b))
    times = f"{two / one:.2f} times" if one and two else ""
    yield Row(name, _figure(one), _figure(two), times)
    yield Row("calls, and in flight", _calls(speed.a), _calls(speed.b))
    if speed.ratio is not None:
        interval = speed.interval
        sure = f" [{interval.low:.2f}, {interval.high:.2f}]" if interval is not None else " (no interval)"
        more = f"{speed.ratio:.2f}{sure} times, n={count(speed.n)}"
        yield Row("of an answer's own time", _figure(speed.a_each), _figure(speed.b_each), more)


def _rate(side: Pace | None, reads: bool) -> float | None:
    return None if side is None else side.input_rate if reads else side.output_rate


def _figure(value: float | None) -> str:
    return UNKNOWN if value is None else figure(value, 1 if value < 100 else 0)


def _told(side: Pace) -> bool:
    return side.input_tokens is not None and side.output_tokens is not None


def _calls(side: Pace | None) -> str:
    if side is None:
        return "–"
    return f"{count(side.calls)}, {UNKNOWN if side.in_flight is None else figure(side.in_flight, 1)}"


def _accepted(found: Speculation | None) -> str:
    if found is None or found.acceptance_rate is None:
        return "–"
    return f"{found.acceptance_rate:.2f} ({count(found.accepted)} of {count(found.drafted)})"


def _length(found: Speculation | None) -> str:
    return "–" if found is None or found.accepted_length is None else f"{found.accepted_length:.2f}"


def _places(found: Speculation | None) -> str:
    if found is None or not found.by_position or not found.drafts:
        return "–"
    return " ".join(f"{accepted / found.drafts:.2f}" for accepted in found.by_position)
