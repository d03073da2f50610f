"""How a plan reads at a terminal and in a pipe."""

import pytest

from llmkit.plans import MarginPlan, MetricPlan, Noise, NoiseFloor, Outlay, Reach, Spread, SuitePlan
from llmkit.reports.plan import plans_table
from llmkit.types import Interval
from tests.reports.records import printed

SPREAD = Spread("binary", 0.22, 0.8, 1.0, 200, "A/A run 20261122-0503, 200 samples", seen=0.17, within=0.17)
METRIC = MetricPlan("exact_match", SPREAD, (Reach(1, 0.0871, 0.113, 1710), Reach(2, 0.062, 0.0771, 856)))
ENOUGH = MarginPlan("exact_match", 0.2, False, 40, 60, 60, 200, "here", None, 0.83, 0.99)
SHORT = MarginPlan("exact_match", 0.05, False, 154, 582, 582, 200, "here", 0.0872, 0.41, 0.925)
COST = MarginPlan("cost", 0.2, True, None, None, 400, 200, "nothing is known", note="its spread is unknown")
OUTLAYS = (Outlay("one run", 200, 0.0249, 0.0047, 41.2), Outlay("A/A run", 400, None, None, None))
PLAN = SuitePlan(
    "sums", "openai/adder", 200, 200, 1, 0.8, 0.03, (METRIC,), (ENOUGH,), OUTLAYS,
    basis="400 past calls in 2 runs", notes=("spreads are planned with their upper 80 % limit",), next="llmkit gate",
)  # fmt: skip
NOISE = Noise(
    "exact_match", 0.74, 0.73, 200, 34, 0.17, Interval(0.124, 0.228, "wilson"), 0.412, -0.01,
    Interval(-0.07, 0.05, "tango"), 0.057, 200, 0.05, 0.043, "exact_match|v:1", asked=200,
)  # fmt: skip
FLOOR = NoiseFloor("20261122-0503", ("r1", "r2"), 200, 166, (0, 0), 0.0094, (NOISE,))
QUIET = Noise(
    "exact_match", 0.74, 0.74, 200, 0, 0.0, Interval(0.0, 0.0188, "wilson"), 0.0, 0.0,
    Interval(-0.02, 0.02, "tango"), 0.0, 200, 0.05, 0.0, "exact_match|v:1", asked=200,
)  # fmt: skip


def replaced(record, **fields):
    import dataclasses

    return dataclasses.replace(record, **fields)


def table(plan=PLAN, width=140, **options):
    return printed(plans_table([plan]), width=width, **options)


def line(text, start):
    return next(each for each in text.splitlines() if each.strip().startswith(start))


def test_each_epoch_says_what_compare_sees_what_a_gate_decides_and_what_the_effect_needs():
    lines = table().splitlines()
    assert lines[0] == "sums on openai/adder  200 samples, each asked once"
    assert lines[1].split("   ")[0].strip() == "what can be seen"
    assert [w.strip() for w in lines[2].split("   ") if w.strip()] == [
        "exact_match", "1", "±0.087", "margin 0.113", "1,710",
    ]  # fmt: skip
    assert [w.strip() for w in lines[3].split("   ") if w.strip()] == ["2", "±0.062", "margin 0.0771", "856"]


def test_a_margin_says_what_both_verdicts_need_and_the_real_power():
    text = table(replaced(PLAN, margins=(ENOUGH, SHORT, COST)))
    assert line(text, "exact_match   0.2").split() == [
        "exact_match",
        "0.2",
        "40",
        "60",
        "60",
        "200",
        "83",
        "%",
        "99",
        "%",
    ]
    assert "200 samples are too few for 0.05; the smallest margin that they decide is 0.0872" in text
    assert line(text, "cost          20 %").split()[3:6] == ["unknown", "unknown", "400"]
    assert "cost: its spread is unknown" in text


def test_where_no_margin_can_be_decided_it_says_so():
    text = table(replaced(PLAN, margins=(replaced(SHORT, available=2, resolvable=None),)))
    assert "2 samples decide no margin at all" in text


def test_what_is_unknown_stays_unknown_and_says_what_would_make_it_known():
    text = table(replaced(PLAN, basis=None, unknown="the price of openai/adder is not known"))
    assert line(text, "A/A run").split()[2:] == ["400", "unknown", "unknown", "unknown"]
    assert "the worst case is unknown: the price of openai/adder is not known" in text
    assert "llmkit eval --limit 20" in text


def test_the_assumptions_name_their_source():
    text = table()
    assert "22 % of the samples score differently (17 % seen): A/A run 20261122-0503, 200 samples" in text
    other = replaced(METRIC, spread=replaced(SPREAD, notes=("of other data",), deff=2.5))
    text = table(replaced(PLAN, metrics=(other,)), width=200)
    assert "clusters multiply the variance by 2.5 (of other data)" in text


def test_the_next_command_stands_last():
    assert table().rstrip().splitlines()[-1] == "  Next: llmkit gate"


def test_the_noise_floor_says_what_a_fixed_tolerance_would_do():
    text = table(replaced(PLAN, noise=FLOOR), width=300)
    assert "200 pairs of answers, 83 % of them word for word the same" in text
    assert "34 of 200, 17 % [12 %, 23 %]" in text
    assert "-0.01 [-0.07, 0.05]" in text
    assert "on 200 samples, identical prompts differ by up to 0.057 (95 %)" in text
    assert "a fixed tolerance of 0.05 fails identical prompts 4.3 % of the time, and misses" in text
    assert "llmkit's gate fails them at most 5 % of the time" in text


def test_with_epochs_the_count_and_the_share_are_both_of_askings():
    noise = replaced(NOISE, n=90, flips=53, asked=180, psi=0.294, psi_interval=Interval(0.22, 0.37, "cluster-wilson"))
    text = table(replaced(PLAN, noise=replaced(FLOOR, metrics=(noise,))), width=300)
    assert "53 of 180, 29 % [22 %, 37 %]" in text


def test_a_model_without_noise_is_called_so_with_what_is_not_ruled_out():
    text = table(replaced(PLAN, noise=replaced(FLOOR, metrics=(QUIET,))), width=300)
    assert "no score differed" in text
    assert "Up to 1.9 % may yet differ (95 %)" in text
    assert "fixed tolerance" not in text


def test_an_incomplete_run_and_failures_are_said():
    text = table(replaced(PLAN, noise=replaced(FLOOR, complete=False, failed=(2, 1))))
    assert "not complete" in text
    assert "without an answer: 2 in arm 1, 1 in arm 2" in text


def test_shares_of_the_mean_are_written_as_such():
    cost = replaced(NOISE, metric="cost", relative=True, a=2.5e-5, b=2.4e-5, psi=None, psi_interval=None, floor=0.034)
    text = table(replaced(PLAN, noise=replaced(FLOOR, metrics=(replaced(cost, sd=0.25, tolerance=0.2),))), width=300)
    assert "25 %" in text
    assert "identical prompts differ by up to 3.4 %" in text
    assert "a fixed tolerance of 20 % fails" in text


@pytest.mark.parametrize("width", [40, 60, 80])
def test_a_narrow_terminal_gets_one_figure_a_line_and_nothing_is_lost(width):
    text = table(replaced(PLAN, margins=(SHORT,), noise=FLOOR), width=width, force_terminal=True, color_system=None)
    assert all(len(each) <= width for each in text.splitlines())
    assert "samples to fail  154" in text


def test_names_from_files_move_no_cursor():
    assert "\x1b" not in table(replaced(PLAN, suite="su\x1b[2Jms", next="llmkit \x1b[31mgate"))
