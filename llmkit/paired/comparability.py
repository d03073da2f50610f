"""What must be equal on both sides for figures to be comparable: data, right answers, scorers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from llmkit.errors import UsageError
from llmkit.paired.held import Held
from llmkit.paired.pairing import Pairs
from llmkit.paired.rows import Setup
from llmkit.text import cut, shorten

FORCE = "--force compares them all the same, and says so in its output"
_SHOWN = 12  # characters of a fingerprint: enough to tell two apart


def check(a: Held, b: Held, pairs: Pairs, *, force: bool) -> tuple[str, ...]:
    """Return what differs though it should not.

    Raises:
        UsageError: Something does, and ``force`` is not given; or nothing can be compared at all.
    """
    names = f"runs {shorten(a.setup.name)} and {shorten(b.setup.name)}"
    mine, theirs = metrics_of(a), metrics_of(b)
    if not set(mine) & set(theirs):
        raise UsageError(
            f"{names} share no metric: one has {_listed(mine)}, the other {_listed(theirs)}",
            hint="`llmkit rescore RUN --scorer NAME` scores stored answers by others",
        )
    if not len(pairs):
        raise UsageError(
            f"{names} share no sample: {len(a.places):,} and {len(b.places):,} samples, none of the same id and epoch"
        )
    shared = [name for name in theirs if name in mine]
    found = (*_unlike(a.setup, b.setup, shared), *_references(a, b, pairs))
    if found and not force:
        raise UsageError(f"{names} are not comparable: {'; '.join(found)}", hint=FORCE)
    return found


def metrics_of(side: Held) -> list[str]:
    """Return a side's metrics, in the order of its suite."""
    setup = side.setup
    return list(dict.fromkeys([*setup.higher_is_better, *(setup.signatures or {}), *side.columns]))


def _listed(names: list[str]) -> str:
    return shorten(", ".join(names)) or "none"


def _unlike(a: Setup, b: Setup, metrics: list[str]) -> Iterator[str]:
    if a.data is None or b.data is None:
        yield f"data: unknown in {_silent(a, b, 'data')}"
    elif a.data != b.data:
        named = a.source and b.source and a.source != b.source
        yield f"data: {a.data[:_SHOWN]} ≠ {b.data[:_SHOWN]}{f' ({a.source} ≠ {b.source})' if named else ''}"
    yield from _targets(a, b)
    if a.signatures is None or b.signatures is None:
        yield f"signatures: unknown in {_silent(a, b, 'signatures')}"
        return
    for name in metrics:
        one, two = a.signatures.get(name), b.signatures.get(name)
        if one is None or two is None:
            yield f"{name}: signature: unknown in {(a if one is None else b).name}"
        elif one != two:
            yield f"{name}: signature: {_unshared(one, two)}"


def _targets(a: Setup, b: Setup) -> Iterator[str]:
    """Compare what maps ids and right answers; slices and clusters may differ, for side b's are used."""
    if a.map is None or b.map is None:
        return  # of a file that does not say; its data set is unknown, too, and the right answers are compared
    one, two = _mapped(a.map), _mapped(b.map)
    for key in dict.fromkeys([*one, *two]):
        if one.get(key) != two.get(key):
            yield f"{key}: {shorten(one.get(key, 'none'))} ≠ {shorten(two.get(key, 'none'))}"


def _mapped(expressions: Mapping[str, str]) -> dict[str, str]:
    return {
        key.removeprefix("map."): text
        for key, text in expressions.items()
        if key.removeprefix("map.").partition(".")[0] in ("id", "target", "references")
    }


def _references(a: Held, b: Held, pairs: Pairs) -> Iterator[str]:
    one, two = a.references[pairs.a], b.references[pairs.b]
    others = int(np.count_nonzero((one != two) & (one != 0) & (two != 0)))
    if others:
        yield f"target: {others:,} of {len(pairs):,} pairs have other right answers"


def _silent(a: Setup, b: Setup, field: str) -> str:
    """Name the sides that do not say; an older llmkit exported them."""
    return " and ".join(shorten(side.name) for side in (a, b) if getattr(side, field) is None)


def _unshared(one: str, two: str) -> str:
    """Return the parts in which two signatures differ: ``case:mixed ≠ case:lower``."""
    first, second = one.split("|"), two.split("|")
    alone = [[p for p in first if p not in second], [p for p in second if p not in first]]
    return " ≠ ".join(cut("|".join(parts) or "nothing") for parts in alone)
