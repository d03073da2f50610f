"""How many answers are the same on both sides, and whether those that differ part at a near tie."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from llmkit.paired.held import Held
from llmkit.paired.pairing import Pairs
from llmkit.paired.parting import Parting, parting
from llmkit.paired.rows import Source
from llmkit.variants import Sameness

TIE = 0.125
"""Nats. In bfloat16, logits between 16 and 32 are 1/8 apart: rounding two of them, each by up to half of that, reverses
any order that is closer. So what lies within 1/8 may be settled by how a batch was put together."""

EXAMPLES = 3
_AT_ONCE = 256  # pairs whose log-probabilities are in memory together


def sameness(
    a: tuple[Source, Held], b: tuple[Source, Held], pairs: Pairs, *, tolerance: float = TIE
) -> Sameness | None:
    """Count the answers that are equal to the byte, and what those that differ part by; None where none can be paired.

    Texts are compared by a hash of 64 bits. Log-probabilities are read of the answers that differ, and of no others.

    Args:
        a: One side, and its rows.
        b: The other.
        pairs: Their pairs.
        tolerance: In nats: how close two candidates are, at most, that are called a tie.
    """
    one, two = a[1].said[pairs.a], b[1].said[pairs.b]
    ids_a, ids_b = a[1].answers[pairs.a], b[1].answers[pairs.b]
    both = (one != 0) & (two != 0)
    if not both.any():
        return None
    shared = both & (ids_a == ids_b) & (ids_a >= 0)
    asked = both & ~shared
    differing = np.flatnonzero(asked & (one != two))
    found: dict[Parting, list[int]] = {"tie": [], "more": [], "unknown": []}
    logged = 0
    for places in (differing[at : at + _AT_ONCE] for at in range(0, len(differing), _AT_ONCE)):
        said_a, said_b = a[0].chosen(_ids(ids_a[places])), b[0].chosen(_ids(ids_b[places]))
        for place in places.tolist():
            before, after = said_a.get(int(ids_a[place])), said_b.get(int(ids_b[place]))
            how = parting(before, after, tolerance)
            found[how].append(place)
            logged += how == "unknown" and any(one is not None and one.logprobs for one in (before, after))
    shown = [*found["more"], *found["unknown"], *found["tie"]][:EXAMPLES]
    keys = b[1].keys(pairs.b[shown].tolist())
    return Sameness(
        pairs=int(asked.sum()), same=int(asked.sum()) - len(differing), tied=len(found["tie"]),
        beyond=len(found["more"]), unknown=len(found["unknown"]), shared=int(shared.sum()), tolerance=tolerance,
        logged=logged, examples=tuple(dict.fromkeys(keys[int(pairs.b[place])][0] for place in shown)),
    )  # fmt: skip


def _ids(answers: NDArray[np.int64]) -> list[int]:
    return [answer for answer in answers.tolist() if answer >= 0]
