"""Scorers for tests: what a third party could have written, well or badly."""

from __future__ import annotations

from llmkit.types import Score


class Plain:
    """Its function maps an item to a result; a batch is mapped one by one."""

    name, signature, kind = "plain", "plain|version:1", "mean"
    higher_is_better, needs_references, heavy = True, False, False

    def __init__(self, function=lambda item: Score(float(item.text)), **how):
        self.function, self.batches = function, []
        for key, value in how.items():
            setattr(self, key, value)

    def score(self, items):
        self.batches.append(len(items))
        return [self.function(item) for item in items]

    def wrong(self, item):
        return Score(0.0)


class Ratio(Plain):
    """A corpus metric: the sum of the first statistic over the sum of the second."""

    name, signature, kind = "ratio", "ratio|version:1", "corpus"

    def corpus_value(self, totals):
        return totals[..., 0] / totals[..., 1]

    def wrong(self, item):
        return Score(0.0, (0.0, 1.0))
