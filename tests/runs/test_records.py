"""What a store keeps of a score."""

import pytest

from llmkit.runs.records import score_of, score_row
from llmkit.types import Failure, Score


@pytest.mark.parametrize(
    "score",
    [
        Score(0.0),
        Score(1.0, answer="4"),
        Score(0.5, (1.0, 2.0), "x", "why"),
        Score(0.0, reason="timeout after 15 s"),
        Failure("scorer", "crash", "why"),
    ],
)
def test_a_score_is_read_as_it_was_written(score):
    assert score_of(score_row(score)) == score
