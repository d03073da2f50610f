"""Two engines' speed, from the rows of both sides: what makes the ratio, and what makes it unknown."""

from dataclasses import replace

import numpy as np
import pytest

from llmkit.paired.pairing import pair
from llmkit.paired.speed import speed
from llmkit.variants import Pace
from tests.paired.sides import row, side

PACE = Pace(calls=40, busy_s=10.0, in_flight=4.0, input_tokens=400, output_tokens=800)
COUNT = 40


def rows(seconds, count=COUNT, **more):
    """Answers of 10 to 29 tokens that take ``seconds`` a token, a little more or less."""
    return [
        row(f"s{i}", 1, **{"output_tokens": 10.0 + i % 20, "latency_s": seconds * (10 + i % 20) * (1 + i % 3 / 10),
                           "said": 1} | {name: of(i) if callable(of) else of for name, of in more.items()})
        for i in range(count)
    ]  # fmt: skip


def compared(a, b, *, models=("vllm/m", "vllm/m"), stored=(True, True), paces=(PACE, PACE)):
    sides = [side(of, model=model, stored=kept) for of, model, kept in zip((a, b), models, stored, strict=True)]
    for (source, _), pace in zip(sides, paces, strict=True):
        source.pace = lambda pace=pace: pace
    return speed(*sides, pair(sides[0][1], sides[1][1]), confidence=0.95, seed=0)


def test_the_ratio_is_that_of_tokens_a_second_of_the_answers_own_time():
    found = compared(rows(0.02), rows(0.01))
    assert (found.ratio, found.n, found.reads, found.unknown) == (pytest.approx(2.0), COUNT, False, None)
    assert found.b_each == pytest.approx(2 * found.a_each)


def test_its_interval_covers_it():
    random = np.random.default_rng(0)
    b = [replaced._replace(latency_s=replaced.latency_s * random.lognormal(0, 0.2)) for replaced in rows(0.01)]
    found = compared(rows(0.02), b)
    assert found.interval.low < found.ratio < found.interval.high


@pytest.mark.parametrize("models", [("openai/m", "vllm/m"), ("vllm/m", "scripted/m")])
def test_a_service_has_no_speed_of_its_own(models):
    assert compared(rows(0.02), rows(0.01), models=models) is None


def test_another_engine_is_compared_too():
    assert compared(rows(0.02), rows(0.01), models=("local/m.gguf", "vllm/m")).ratio == pytest.approx(2.0)


def test_answers_from_the_cache_are_left_out_and_counted():
    found = compared(rows(0.02), rows(0.01, fresh=lambda i: i >= 15))
    assert (found.n, found.cached, found.unknown) == (COUNT - 15, (0, 15), None)


def test_where_all_answers_of_a_side_come_from_the_cache_there_is_no_ratio():
    found = compared(rows(0.02), rows(0.01, fresh=False), paces=(PACE, None))
    assert (found.ratio, found.unknown, found.cached) == (None, "the answers of b come from the cache", (0, COUNT))


def test_where_answers_write_nothing_the_tokens_of_prompts_count():
    reading = {"output_tokens": 0.0, "input_tokens": lambda i: 100.0 + i}
    found = compared(rows(0.02, **reading), rows(0.01, **reading))
    assert (found.reads, found.ratio) == (True, pytest.approx(2.0))


def test_tokens_that_are_not_told_make_no_ratio():
    found = compared(rows(0.02, output_tokens=None), rows(0.01))
    assert (found.ratio, found.n, found.unknown) == (None, 0, "no pair has tokens and seconds on both sides")


def test_a_file_does_not_tell_how_many_calls_were_in_flight():
    found = compared(rows(0.02), rows(0.01), stored=(True, False), paces=(PACE, None))
    assert found.ratio == pytest.approx(2.0)
    assert found.unknown == "how many calls were in flight is not known of b, a file"


@pytest.mark.parametrize(("in_flight", "alike"), [(4.0, True), (5.0, True), (5.1, False), (3.1, False)])
def test_speeds_compare_at_about_as_many_calls_in_flight(in_flight, alike):
    assert compared(rows(0.02), rows(0.01), paces=(PACE, replace(PACE, in_flight=in_flight))).alike == alike
