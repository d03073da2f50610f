"""A suite's scorers that must see all right answers first, as weights by rarity do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from llmkit.errors import LlmkitError
from llmkit.scoring.base import Learns
from llmkit.scoring.learning import taught
from llmkit.suites.suite import Suite
from llmkit.types import BadRow


def taught_suite(suite: Suite, limit: int | None = None) -> Suite:
    """Return the suite whose scorers have seen the right answers of every sample that can be asked.

    What they learnt stands in their signatures, so that is done before a run's digest is taken. A run that is scored
    anew finds the same answers in the store.

    Args:
        suite: It; the same is returned where no scorer learns.
        limit: Only the first rows will be asked; the suite's own limit where None.

    Raises:
        LlmkitError: The rows cannot be read, or a scorer lacks what it learns with.
    """
    if not any(isinstance(scorer, Learns) and scorer.learns for scorer in suite.scorers):
        return suite

    def references() -> Iterator[Sequence[str]]:
        for sample in suite.samples(limit):
            if isinstance(sample, BadRow):
                continue
            try:
                messages = suite.render(sample.row)
                if suite.form is not None:
                    suite.form.described(messages, sample.row)
            except (LlmkitError, ValueError):  # it will fail, and be stored without its references
                continue
            yield sample.references

    return replace(suite, scorers=taught(suite.scorers, references))


def taught_as(suite: Suite, other: Suite) -> Suite:
    """Return a suite whose scorers that learn are those of another one: both sides of a comparison are scored alike."""
    learnt = {scorer.name: scorer for scorer in other.scorers if isinstance(scorer, Learns) and scorer.learns}
    return replace(suite, scorers=tuple(learnt.get(scorer.name, scorer) for scorer in suite.scorers))
