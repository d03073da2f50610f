"""Two engines' speed, at a terminal, in Markdown and as JSON."""

import io
from dataclasses import replace

from rich.console import Console

from llmkit.reports.comparison_document import comparison_document
from llmkit.reports.comparison_markdown import comparison_markdown
from llmkit.reports.speed_document import speed_document
from llmkit.reports.variant import speed_lines
from llmkit.speculation import Speculation
from llmkit.types import Interval
from llmkit.variants import Pace, Speed
from tests.reports.comparisons import comparison, metric

PLAIN = Pace(calls=60, busy_s=20.0, in_flight=7.9, input_tokens=6000, output_tokens=2848)
NGRAM = Pace(60, 14.1, 7.6, 6000, 2844, Speculation(240, 960, 585, (200, 170, 120, 95)))
SPEED = Speed(PLAIN, NGRAM, 18.2, 25.5, 1.4, Interval(1.31, 1.52, "bca", 0.95), 60)


def text(speed):
    console = Console(file=io.StringIO(), width=120)
    for line in speed_lines(speed):
        console.print(line)
    return console.file.getvalue()


def test_a_terminal_shows_both_sides_and_what_drafting_came_to():
    assert text(SPEED).splitlines() == [
        "Speed  a → b   of own engines; the interval is over samples, not over repetitions",
        "  tokens a second           142 → 202                 1.42 times",
        "  calls, and in flight      60, 7.9 → 60, 7.6",
        "  of an answer's own time   18.2 → 25.5               1.40 [1.31, 1.52] times, n=60",
        "  drafted tokens accepted   – → 0.61 (585 of 960)",
        "  tokens a step             – → 3.44",
        "  accepted by place         – → 0.83 0.71 0.50 0.40",
    ]


def test_another_number_of_calls_in_flight_is_no_comparison():
    assert "not comparable: another number of calls was in flight" in text(
        replace(SPEED, b=replace(NGRAM, in_flight=2))
    )


def test_a_side_from_the_cache_has_no_speed_and_the_command_that_measures_is_said():
    said = text(Speed(PLAIN, None, unknown="the answers of b come from the cache"))
    assert "142 → unknown" in said
    assert "the answers of b come from the cache; to measure, ask both anew" in said
    assert "--no-cache --fresh" in said


def test_where_nothing_is_written_prompts_are_counted():
    one, two = (replace(side, output_tokens=0, speculation=None) for side in (PLAIN, NGRAM))
    assert "prompt tokens a second    300 → 426" in text(Speed(one, two, 38.0, 55.0, 1.4, n=60, reads=True))


def test_a_side_that_was_partly_cached_says_of_how_many_answers():
    said = text(replace(SPEED, cached=(0, 1200)))
    assert "of a 0 and of b 1,200 answers come from the cache, and count for nothing here; to" in said


def test_a_file_has_a_ratio_and_no_calls_in_flight():
    why = "how many calls were in flight is not known of a, a file"
    said = text(replace(SPEED, a=None, unknown=why))
    assert "– → 60, 7.6" in said
    assert "1.40 [1.31, 1.52] times" in said
    assert why in said
    assert speed_document(replace(SPEED, a=None, unknown=why))["comparable"] is False


def test_unknown_tokens_are_unknown():
    said = text(Speed(replace(PLAIN, output_tokens=None), replace(NGRAM, speculation=None)))
    assert "tokens a second        unknown → 202" in said
    assert "a does not tell of every answer how many tokens it has" in said


def test_markdown_and_json_say_the_same():
    compared = replace(comparison(metric("exact_match", 0.5, 0.6)), speed=SPEED)
    markdown = comparison_markdown(compared)
    assert "| tokens a second | 142 | 202 | 1.42 times |" in markdown
    document = comparison_document(compared)["speed"]
    assert document == speed_document(SPEED)
    assert (document["a"]["output_tokens_per_s"], document["ratio"], document["ci"]) == (142.4, 1.4, (1.31, 1.52))
    assert document["b"]["speculation"]["acceptance_rate"] == 585 / 960
    assert document["comparable"] is True
