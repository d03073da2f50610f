"""When the failures so far say that the rest would fail, too."""

import pytest

from llmkit.runs.streak import FATAL, SERVERS_FAULT, STREAK, Streak


def failing(fault, times, streak=None):
    """How many failures it takes until there is no hope; None where there still is."""
    streak = streak or Streak()
    for count in range(1, times + 1):
        streak.failed(fault)
        if streak.hopeless(fault):
            return count
    return None


@pytest.mark.parametrize("fault", sorted(FATAL))
def test_a_first_call_that_is_refused_at_the_door_is_enough(fault):
    assert failing(fault, 1) == 1


@pytest.mark.parametrize("fault", ["server", "bad_request", "refused"])
def test_the_first_calls_all_failing_alike_take_a_streak(fault):
    assert failing(fault, 100) == STREAK


def test_prompts_that_are_too_long_say_nothing_of_the_shorter_ones():
    assert failing("context_overflow", 100) is None


@pytest.mark.parametrize("fault", sorted(SERVERS_FAULT))
def test_after_an_answer_a_streak_of_the_servers_own_faults_ends_it(fault):
    streak = Streak()
    streak.answered()
    assert failing(fault, 100, streak) == STREAK


@pytest.mark.parametrize("fault", ["bad_request", "context_overflow", "refused", "empty"])
def test_after_an_answer_faults_of_the_rows_never_do(fault):
    streak = Streak()
    streak.answered()
    assert failing(fault, 100, streak) is None


def test_an_answer_or_another_fault_breaks_a_streak():
    streak = Streak()
    assert failing("server", STREAK - 1, streak) is None
    streak.failed("timeout")
    assert failing("server", STREAK - 1, streak) is None
    streak.answered()
    assert failing("server", STREAK - 1, streak) is None
