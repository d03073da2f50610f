"""A third party's heavy scorer, installed beside llmkit for the tests of interruptions.

It says when it began, and waits until it is told to go on.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

from llmkit.scoring.base import Item, MetricKind
from llmkit.types import Failure, Score


class Slow:
    """Takes a tenth of a second an answer."""

    name, signature = "slow", "slow|version:1"
    higher_is_better, needs_references, heavy = True, False, True
    kind: MetricKind = "mean"

    def score(self, items: Sequence[Item]) -> Sequence[Score | Failure]:
        """Work for long, in a thread that nothing can stop."""
        Path(os.environ["SLOW_SCORER_BEGAN"]).touch()
        while not Path(os.environ["SLOW_SCORER_GO"]).exists():
            time.sleep(0.01)
        time.sleep(float(os.environ["SLOW_SCORER_S"]) * len(items))
        return [Score(1.0) for _ in items]

    def wrong(self, item: Item) -> Score:
        """Return what a failure counts as."""
        return Score(0.0)
