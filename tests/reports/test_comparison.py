"""A comparison at a terminal."""

from dataclasses import replace

import pytest

from llmkit.comparisons import Answered
from llmkit.reports.comparison import comparison_table, print_comparison
from llmkit.reports.table import MOST_SLICES
from tests.reports.comparisons import FLIPS, SAME, WHOLE, WORSE, comparison, metric
from tests.reports.records import printed

AT_120 = """\
a  20261122-0503-k3f9  sums · openai/gpt-4o-mini
b  20261122-0504-a1b2  sums · openai/gpt-4o · 3 of 203 failed
   differ in model: openai/gpt-4o-mini → openai/gpt-4o · prompt
   203 pairs of sample and epoch · 2 in a alone

sums  a → b   b − a [95 % interval]   p, two-sided
  exact_match   0.850 → 0.700       -0.150 [-0.213, -0.087]      p <0.0001 (mcnemar-exact)         ▼ b is worse
                b won 5, lost 35, tied 160 · n=200 · failed 0 in a, 3 in b: left out on both sides
  wer           0.312 → 0.255       -0.057 [-0.080, -0.034]      p 0.0012 (paired-randomisation)   ▲ b is better
                b won 80, lost 40, tied 83 · n=203
  f1            0.8010 → 0.8050     +0.0040 [-0.0121, +0.0202]   p 0.63 (sign-flip)                no difference shown
                b won 20, lost 18, tied 162 · n=200
  bleu          unknown: its statistics were not exported
                b won 9, lost 8, tied 183 · n=200

sums · exact_match by topic  a → b   b − a [95 % interval]   p, two-sided
  add        0.900 → 0.800   -0.100 [-0.210, +0.020]   p 0.04, 0.08 by Holm (mcnemar-exact)       no difference shown
             b won 2, lost 12, tied 86 · n=100
  multiply   0.800 → 0.600   -0.200 [-0.310, -0.080]   p 0.0004, 0.0008 by Holm (mcnemar-exact)   ▼ b is worse
             b won 3, lost 23, tied 74 · n=100

An answer's  a → b   b / a [interval]
  cost, mean            $0.0012 → $0.0009   × 0.75 [0.71, 0.79]   n=200
  output tokens, mean   45.2 → 30.1         × 0.67 [0.60, 0.74]   n=200
  latency, median       unknown: the answers of b come from the cache

Flipped in exact_match: 40 samples differ; the worst loss, then the greatest gain
  s7  exact_match 1 → 0
    asked  What is 7+1?
    right  8
    a      The sum is [-8-]  (took '8')
    b      The sum is {+9+}  (took '9')
  s 8  exact_match 0 → 1
    asked  What is 8+1?
    right  9
    a      ten
    b      9
  one in full: llmkit runs show 20261122-0503-k3f9 --sample s7
  or  in full: llmkit runs show 20261122-0504-a1b2 --sample s7

Signatures
  exact_match  metric:exact_match|v:1|ci:tango|test:mcnemar-exact|seed:0
  wer          metric:wer|v:1|ci:influence-t|test:paired-randomisation|seed:0
  f1           metric:f1|v:1|ci:t|test:sign-flip|seed:0
  bleu         metric:bleu|v:1|ci:none|test:none|seed:0
note: only a has chrf
"""

METRICS_AT_80 = """\
sums  a → b   b − a [95 % interval]   p, two-sided
  exact_match   ▼ b is worse
    0.850 → 0.700   -0.150 [-0.213, -0.087]   p <0.0001 (mcnemar-exact)
    b won 5, lost 35, tied 160 · n=200 · failed 0 in a, 3 in b: left out on both
      sides
  wer           ▲ b is better
"""


def test_the_whole_of_two_runs():
    assert printed(comparison_table(WHOLE), 120) == AT_120


def test_figures_stand_below_their_metric_where_the_width_is_small():
    assert METRICS_AT_80 in printed(comparison_table(WHOLE), 80)


@pytest.mark.parametrize("width", [20, 40, 60, 80, 100, 120, 200])
def test_no_word_is_lost_at_any_width(width):
    def words(text):
        return sorted("".join(text.split()))

    assert words(printed(comparison_table(comparison(WORSE)), width)) == words(
        printed(comparison_table(comparison(WORSE)), 200)
    )
    assert max(map(len, printed(comparison_table(comparison(WORSE)), width).splitlines())) <= width


def test_what_was_forced_stands_at_the_top():
    text = printed(comparison_table(replace(WHOLE, forced=("data: 3f9c ≠ 81bd", "f1: signature: a ≠ b"))), 120)
    assert "FORCED: these runs are not comparable: data: 3f9c ≠ 81bd; f1: signature: a ≠ b" in text.split("\n\n")[0]


def test_a_file_and_a_run_that_did_not_end_say_so():
    found = comparison(
        SAME, a=replace(WHOLE.a, stored=False, name="a.jsonl", status=None), b=replace(WHOLE.b, status="budget")
    )
    lines = printed(comparison_table(found), 120).splitlines()
    assert lines[0].endswith("· file a.jsonl · ending unknown")
    assert " · budget · 3 of 203 failed" in lines[1]


def test_signatures_can_be_left_out():
    assert "Signatures" not in printed(comparison_table(WHOLE, signatures=False), 120)


def test_answers_cannot_move_the_cursor_or_add_lines():
    evil = replace(FLIPS[0], sample_id="x\x1b[2J\ny", question="q\x1b]0;t\x07", b=Answered("a\rb\x1b[1A", 0.0))
    text = printed(comparison_table(comparison(WORSE, flips=(evil,), flipped=1)), 120)
    assert "\x1b" not in text
    assert "\r" not in text
    assert "x\\x1b[2J\\ny" in text


def test_names_of_others_cannot_either():
    found = comparison(metric("m\x1b[2J", 0.5, 0.6, (0.01, 0.2)), differs=("a: \x1b[1A",), notes=("\x1b[0m",))
    assert "\x1b" not in printed(comparison_table(found), 120)


def test_a_terminal_shows_the_first_slices_and_a_pipe_all(capsys):
    from rich.console import Console

    parts = {f"part{i}": SAME for i in range(MOST_SLICES + 3)}
    found = comparison(replace(WORSE, slices={"topic": parts}))
    text = printed(comparison_table(found), 120, force_terminal=True, no_color=True)
    assert f"part{MOST_SLICES}" not in text
    assert "and 3 more: --json" in text
    print_comparison(found, Console(width=120))
    assert f"part{MOST_SLICES + 2}" in capsys.readouterr().out
