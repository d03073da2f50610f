"""The records of judges, where they say something."""

import pytest

from llmkit.judgements import standing


@pytest.mark.parametrize(
    ("status", "lock", "said"),
    [
        ("calibrated", "3f9c12ab44d0", "calibrated, lock 3f9c12ab44d0"),
        ("stale", "3f9c12ab44d0", "stale, lock 3f9c12ab44d0"),
        ("uncalibrated", None, "uncalibrated judge"),
    ],
)
def test_what_a_judge_was_measured_to_be_is_said_in_one_way(status, lock, said):
    assert standing(status, lock) == said
