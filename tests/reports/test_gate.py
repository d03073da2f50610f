"""A gate at a terminal."""

import io
import math
import re
from dataclasses import replace

import pytest
from rich.cells import cell_len
from rich.console import Console

from llmkit.reports import verdicts as words
from llmkit.reports.gate import gate_table, print_gate
from llmkit.verdicts import Change, Needs, Spent
from tests.reports import verdicts as v
from tests.reports.records import printed

FAILING = """\
gate  origin/main (merge base 3f9c2a1) → working tree at 81bd0c2, with uncommitted changes

FAIL  sums  suites/sums.yaml
  prompt changed: prompts/sums.prompty:3-5,9: 2 lines

                verdict          head − base [90 % interval]   margin   base       head       n     look   won/lost/tied
  exact_match   FAIL             -0.21 [-0.31, -0.11]          0.02     0.95       0.74       150   2/8    2/33/115
  cost          pass (warning)   +6.5 % [+3.1 %, +9.8 %]       20 %     $0.00123   $0.00131   600   3/8    8/5/587
  exact_match: a drop is proven, of at least 0.113; the margin is 0.02
  exact_match: stopped early, which favours large differences: -0.21 as observed, -0.18 adjusted (median-unbiased)
  cost: a rise is proven, of at least 3.1 %, but within the margin: one of 20 % is ruled out

  planned: at most 1,200 samples, of 1,319 in the data; spread: A/A run 20261121-0900-aaaa
  150 of 1,200 samples seen, look 2 of 8: stopping early saved 1,200 calls ($1.34)
  A pair counts where both sides have a score; failures are a metric of their own
  base: openai/gpt-4o-mini · 450 calls · $0.5535 paid · 150 stored answers · run 20261122-0800-b4se
  head: openai/gpt-4o-mini · 600 calls · $0.7860 paid · 2 failed · run 20261122-0800-h34d
  exact_match  exact_match|case:mixed|v:1  (exact walk; Tango score)
  cost         (ratio of means)

  35 samples flipped; the worst 1:
    row-12  exact_match 1 → 0
      asked  What is 2 + 2?
      right  4
      base   The answer is [-4-].
      head   The answer is {+5+}.

  compare them: llmkit compare 20261122-0800-b4se 20261122-0800-h34d

not reached: capitals
seed 7 · error rate 5 % for either verdict · 41.2 s
FAIL: 1 suite failed (exit 1)
"""


def shown(report, width=130, **options):
    return printed(gate_table(report), width, **options)


def with_metric(metric, verdict="undecided", **more):
    return v.report(v.suite(verdict, (metric,), **more))


def test_the_whole_of_a_failure():
    assert shown(v.FAILING) == FAILING


def test_a_narrow_terminal_has_each_metric_on_lines_of_its_own():
    text = shown(v.FAILING, 80, force_terminal=True, color_system=None)
    assert "  exact_match  FAIL  -0.21 [-0.31, -0.11]  margin 0.02\n" in text
    assert "    0.95 → 0.74  n=150  look 2/8  won/lost/tied 2/33/115\n" in text


@pytest.mark.parametrize("width", [40, 80, 120])
@pytest.mark.parametrize("report", v.ALL)
def test_no_line_is_wider_than_the_console_or_ends_in_spaces(report, width):
    lines = shown(report, width, force_terminal=True, color_system=None).splitlines()
    assert max(map(cell_len, lines)) <= width
    assert not [line for line in lines if line != line.rstrip()]


def test_colours_add_nothing_to_the_text():
    coloured = shown(v.FAILING, force_terminal=True, color_system="standard", legacy_windows=False)
    assert "\x1b[" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == FAILING


def test_into_a_pipe_long_lines_stay_whole():
    stream = io.StringIO()
    print_gate(v.SHORT, Console(file=stream, width=60))
    assert any("up to 14 % for 3). A new run, with" in line for line in stream.getvalue().splitlines())


def test_a_pass_within_the_margin_warns():
    text = shown(v.PASSING)
    assert "PASS (with a warning)  sums" in text
    assert "cost: a rise is proven, of at least 3.1 %, but within the margin: one of 20 % is ruled out\n" in text
    assert text.endswith("PASS: 1 suite passed (exit 0)\n")


def test_what_a_pass_does_not_cover_stands_right_below_it():
    text = shown(v.WARNED)
    assert text.splitlines()[2:4] == [
        "PASS (with a warning)  sums  suites/sums.yaml",
        "  warning: head alone has no usable answer in 75 pairs, base alone in 0",
    ]
    failing = v.report(replace(v.FAILING.suites[0], warning="head answers less"))
    assert "\nFAIL  sums  suites/sums.yaml\n  warning: head answers less\n" in shown(failing)


def test_a_slice_stands_under_its_metric_by_name_and_value():
    assert "\n  exact_match · topic add   pass" in shown(v.PASSING)


def test_too_little_evidence_says_what_is_ruled_out_and_what_would_decide():
    text = shown(v.SHORT, 200)
    assert text.count("NOT ENOUGH EVIDENCE") == 2
    assert "exact_match: a drop above 0.064 is ruled out; the margin is 0.02\n" in text
    assert (
        "exact_match: a new run needs 1,204 samples; this one had 50, the data has 50; or 4 epochs of what there is;"
        " the smallest margin that so many can decide is 0.12\n"
    ) in text
    assert (
        "1,204 samples would decide every margin; with 50, the smallest that can be decided: exact_match 0.12" in text
    )
    assert text.endswith("NOT ENOUGH EVIDENCE: 1 suite undecided (exit 3)\n")


def test_too_little_evidence_says_that_running_it_again_is_none():
    said = "Running this gate again until it passes is not evidence: every run spends its error rate anew"
    assert f"{said} (5 % for one, up to 14 % for 3)" in shown(v.SHORT, 200)
    assert f"{said} (1 % for one, up to 3 % for 3)" in shown(replace(v.SHORT, alpha=0.01), 200)
    assert "A new run, with rows or epochs added where the data has too few: llmkit gate --fresh.\n" in shown(
        v.SHORT, 300
    )
    assert "Running this gate again" not in shown(v.FAILING)
    assert "Running this gate again" not in shown(v.NEW)


@pytest.mark.parametrize(
    ("needs", "said"),
    [
        (Needs(None, None), "no number of samples would decide this margin\n"),
        (
            Needs(40, None),
            "the drop is probably between 0 and the margin; near its half, four times as many samples decide\n",
        ),
        (
            Needs(80, 0.05, available=1319),
            "a new run needs 80 samples; this one had 50, the data has 1,319; the smallest margin that",
        ),
    ],
)
def test_what_would_decide(needs, said):
    assert f"exact_match: {said}" in shown(with_metric(replace(v.UNDECIDED, needs=needs)), 200)


def test_what_a_slice_needs_is_held_against_its_own_part_of_the_data():
    part = replace(v.UNDECIDED, slice=("topic", "add"), needs=Needs(80, None, available=60, of_all=240))
    said = "a new run needs 80 samples of topic=add; this one had 50, the data has 60 (so many would be in 240 samples"
    assert f"exact_match · topic add: {said} like these)\n" in shown(with_metric(part), 200)


def test_a_bound_that_cannot_be_had_is_infinite_and_rules_out_nothing():
    metric = v.verdict(verdict="undecided", interval=(-math.inf, 0.02), n=5, ruled_out=math.inf)
    text = shown(with_metric(metric))
    assert "+0.005 [-∞, +0.020]" in text
    assert "no drop is ruled out; the margin is 0.02" in text


def test_what_is_unknown_is_unknown_and_says_why():
    text = shown(v.SHORT, 200)
    assert re.search(r"latency_p95 +undecided +unknown +25 % +unknown +unknown +0 +– +–\n", text)
    assert "latency_p95: some answers are of an earlier run" in text


def test_an_error_rate_rises():
    metric = v.verdict("wer", "fail", difference=0.2, interval=(0.113, 0.31), higher_is_better=False)
    assert "wer: a rise is proven, of at least 0.113; the margin is 0.02" in shown(with_metric(metric, "fail"))


def test_latencies_are_times():
    metric = v.verdict("latency_p95", relative=True, base=0.81, head=1.62, difference=1.0, interval=(0.5, 1.5))
    assert re.search(r"\+100\.0 % \[\+50\.0 %, \+150\.0 %\] +2 % +810 ms +1\.6 s", shown(with_metric(metric)))


def test_what_a_sample_costs_has_three_digits_however_little_it_is():
    metric = replace(v.COST, base=0.0000192, head=1.5)
    assert re.search(r"20 % +\$0\.0000192 +\$1\.50", shown(with_metric(metric, "pass")))


def test_an_adjusted_estimate_that_is_the_same_is_not_said():
    assert "median-unbiased" not in shown(with_metric(replace(v.FAILED, adjusted=-0.2101), "fail"))


def test_an_early_stop_whose_saving_nobody_can_price_says_so():
    text = shown(v.report(v.suite(saved_calls=1, saved_usd=None)))
    assert "look 3 of 8: stopping early saved 1 call (what they would have cost is unknown)\n" in text


def test_what_the_last_look_decides_saved_nothing():
    assert "saved" not in shown(v.SHORT)


def test_a_gate_that_something_else_ended_says_by_what_and_saved_nothing():
    text = shown(v.report(v.suite("undecided", (v.UNDECIDED,), stopped_by="the cost cap of $0.50")))
    assert "  stopped by: the cost cap of $0.50\n" in text
    assert "The same command with a higher --max-cost goes on: it takes the answers so far from the cache.\n" in text
    assert "Running this gate again" not in text
    assert "stopping early saved" not in text


def test_where_no_look_was_reached_there_is_nothing_to_compare():
    text = shown(v.report(v.suite("undecided", (v.UNKNOWN,), look=0, n=0)))
    assert "  0 of 1,200 samples seen, no look was reached\n" in text
    assert "llmkit compare" not in text


def test_pairs_that_count_less_than_they_seem_are_counted():
    text = shown(v.PASSING)
    assert "  2 pairs without a score on both sides\n" in text
    assert "  12 pairs share a request on both sides, and so an answer\n" in text


def test_costs_that_are_unknown_are_not_nothing():
    text = shown(v.report(v.suite(head=Spent(1, 1, 0, None, "r", "a/b"))))
    assert "  head: a/b · 1 call · cost unknown · 1 stored answer · run r\n" in text


def test_a_side_whose_every_call_was_refused_has_no_new_answer():
    text = shown(v.report(v.suite("undecided", (), head=Spent(0, 0, 10, None, "r", "a/b"), exit_code=4)))
    assert "  head: a/b · no new answer · cost unknown · 10 failed · run r\n" in text
    assert "higher --max-cost" not in text


def test_nothing_reached():
    text = shown(v.UNTOUCHED)
    assert text.endswith("PASS: nothing that differs reaches a gated suite (capitals); no call was made (exit 0)\n")
    assert "no suite is gated" in shown(v.report(untouched=()))


def test_a_list_shows_the_plan_and_its_worst_case():
    text = shown(v.LISTED)
    assert text.count("PLAN  sums") == 2
    assert "  at most 2,400 calls on both sides (300 answers are there already), for at most $1.25\n" in text
    assert "  at most 2,400 calls on both sides; what they cost is unknown: no price of openai/own is known\n" in text
    assert text.endswith("at most 4,800 calls in all, at a cost that is unknown. Nothing was asked.\n")
    assert "PASS" not in text
    one = replace(v.LISTED, suites=v.LISTED.suites[:1])
    assert shown(one).endswith("at most 2,400 calls in all, for at most $1.25. Nothing was asked.\n")
    assert "nothing would be asked" in shown(replace(v.LISTED, suites=()))


def test_a_suite_without_a_base_says_why_there_is_no_comparison():
    text = shown(v.NEW)
    assert "\nNOT COMPARED  sums" in text
    assert "  new suite: base has nothing to compare with\n" in text
    assert "llmkit compare" not in text
    assert text.endswith("NOT COMPARED: 1 suite not compared (exit 0)\n")
    both = v.report(v.NEW.suites[0], v.PASSING.suites[0], verdict="pass")
    assert shown(both).endswith("PASS: 1 of 2 suites not compared, 1 of 2 suites passed (exit 0)\n")


def test_a_reason_that_a_change_says_already_is_said_once():
    change = Change("suite", "added", "suites/sums.yaml", v.NEW.suites[0].reason)
    assert shown(v.report(replace(v.NEW.suites[0], changes=(change,)))).count("base has nothing to compare with") == 1


def test_a_base_that_cannot_be_read_is_too_little_evidence():
    unread = replace(v.NEW.suites[0], new=False, exit_code=3, reason="base's prompt cannot be read")
    text = shown(v.report(unread))
    assert "\nNOT ENOUGH EVIDENCE  sums" in text
    assert text.endswith("NOT ENOUGH EVIDENCE: 1 suite undecided (exit 3)\n")
    text = shown(v.report(replace(unread, exit_code=0), on_inconclusive="warn"))
    assert "NOT COMPARED" not in text
    assert text.endswith("1 suite undecided; undecided counts as warn (--on-inconclusive) (exit 0)\n")


def test_answers_that_offline_lacks_are_listed_up_to_twenty_and_counted():
    text = shown(v.OFFLINE)
    assert "  34 answers are missing, and --offline makes no calls (side, sample, epoch):\n    head row-00 1\n" in text
    assert "    head row-19 1\n    and 14 more\n" in text
    assert "row-20" not in text


@pytest.mark.parametrize(
    ("meaning", "code", "said"),
    [
        (None, 3, "undecided (exit 3)"),
        ("fail", 1, "undecided; undecided counts as fail (--on-inconclusive) (exit 1)"),
        ("warn", 0, "undecided; undecided counts as warn (--on-inconclusive) (exit 0)"),
    ],
)
def test_what_undecided_means_to_the_caller_is_said(meaning, code, said):
    report = replace(v.SHORT, on_inconclusive=meaning, exit_code=code)
    assert shown(report).endswith(f"NOT ENOUGH EVIDENCE: 1 suite {said}\n")


def test_several_suites_are_counted_by_their_verdicts():
    report = v.report(v.FAILING.suites[0], v.PASSING.suites[0], v.SHORT.suites[0], v.SHORT.suites[0])
    said = "FAIL: 1 of 4 suites failed, 2 of 4 suites undecided, 1 of 4 suites passed (exit 3)\n"
    assert shown(report).endswith(said)


def test_a_suite_that_broke_says_so():
    assert "NOT ENOUGH EVIDENCE, something broke  sums" in shown(v.report(v.suite("undecided", (), exit_code=4)))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (Change("params", "changed", None, "temperature: 0 → 0.7"), "params changed: temperature: 0 → 0.7"),
        (Change("prompt", "renamed", "b.prompty", "", "a.prompty"), "prompt renamed: a.prompty → b.prompty"),
        (
            Change("judge", "changed", "judges/a.yaml", "rubric", lines=((2, 2),), asks=False),
            "judge changed: judges/a.yaml:2: rubric: both sides are judged anew",
        ),
    ],
)
def test_what_changed(change, said):
    assert f"\n  {said}\n" in shown(v.report(v.suite(changes=(change,))))


def test_of_many_changes_the_first_are_shown():
    text = shown(v.report(v.suite(changes=(v.CHANGE,) * 33)))
    assert text.count("prompt changed") == 20
    assert "and 13 more changes: --json" in text


def test_nothing_in_a_report_is_obeyed():
    text = shown(v.EVIL, 200, force_terminal=True, color_system=None)
    assert not set(text) & {"\x1b", "\x07"}
    assert text.count("[red]x[/red]") >= 20


def test_what_retries_cost_is_dollars_and_its_margin_a_share_of_cost():
    found = replace(v.COST, metric="again", base=0.0, head=0.00000273, margin=0.1, signature="metric:retry_cost|v:1")
    assert words.amount(found, found.margin) == "10 % of cost"
    assert [words.side(found, value) for value in (found.base, found.head)] == ["$0", "$0.00000273"]
    assert words.amount(v.COST, 0.1) == "10 %"
