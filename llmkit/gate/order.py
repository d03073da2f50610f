"""In which order samples are asked: random, the same on both sides, clusters whole."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from llmkit.types import BadRow, Sample


@dataclass(frozen=True, slots=True)
class Unit:
    """What looks count: a sample, or a cluster of samples that are not independent of each other."""

    name: str
    samples: tuple[Sample, ...]


@dataclass(frozen=True, slots=True)
class Units:
    """A data set's units in the order in which they are asked.

    Attributes:
        units: In order.
        clustered: Whether they are clusters.
        bad: Rows that cannot be asked, on either side.
    """

    units: tuple[Unit, ...]
    clustered: bool
    bad: tuple[BadRow, ...]

    @property
    def noun(self) -> str:
        """What they are, for people."""
        return "clusters" if self.clustered else "samples"


def shuffled(rows: Iterable[Sample | BadRow], seed: int) -> Units:
    """Order by a hash of seed and name: a data set sorted by difficulty would break every sequential rule.

    The hash, and not a shuffle, so that a row added to the data moves no other.
    """
    groups: dict[str, list[Sample]] = {}
    bad: list[BadRow] = []
    clustered = False
    for row in rows:
        if isinstance(row, BadRow):
            bad.append(row)
            continue
        clustered |= row.cluster is not None
        name = f"sample {row.id}" if row.cluster is None else f"cluster {row.cluster}"
        groups.setdefault(name, []).append(row)
    names = sorted(groups, key=lambda name: hashlib.sha256(f"{seed} {name}".encode("utf-8", "replace")).digest())
    return Units(tuple(Unit(name, tuple(groups[name])) for name in names), clustered, tuple(bad))
