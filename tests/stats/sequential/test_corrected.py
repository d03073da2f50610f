"""A gate on a judged metric decides on what verdicts say of the truth, the labels' uncertainty inside."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmkit.stats.confusion import Confusion
from llmkit.stats.proportion import clopper_pearson
from llmkit.stats.quantiles import normal_cdf
from llmkit.stats.sequential import CorrectedDifference, Difference, Series, Trial
from llmkit.stats.sequential.corrected import Youden, corrected_bound, raw_margin, youden_bounds
from llmkit.stats.sequential.judged_power import World, draw_labels, rules_out_many, simulate_judged
from llmkit.stats.sequential.schedule import schedule
from llmkit.stats.sequential.sizing import planned_n

LABELS = Confusion(90, 10, 8, 92)
PERFECT = Confusion(10**9, 0, 0, 10**9)
ALPHA = 0.05


def at_most(share, limit, runs):
    return share <= limit + 3 * math.sqrt(limit * (1 - limit) / runs)


def pairs(lost, gained, n):
    head = np.r_[np.zeros(lost), np.ones(gained), np.ones(n - lost - gained)]
    base = np.r_[np.ones(lost), np.zeros(gained), np.ones(n - lost - gained)]
    order = np.random.default_rng(lost * 1000 + gained).permutation(n)
    return base[order], head[order]


def last_look(lost, gained, n):
    base, head = pairs(lost, gained, n)
    return Series(base, head, n, (n,)), schedule((n,), n, alpha=ALPHA, final=True)


def evidence(labels, lost, gained, n=500, margin=0.1, **fields):
    series, plan = last_look(lost, gained, n)
    return CorrectedDifference("judged", margin, labels, **fields).look(series, plan, plan, (1,))


def test_the_difference_is_the_verdicts_over_tpr_and_tnr_less_one():
    found = evidence(LABELS, 60, 20)
    assert found.estimate == pytest.approx(-40 / 500 / LABELS.youden)
    assert (found.losses, found.gains, found.ties) == (60, 20, 420)
    assert found.low < found.estimate < found.high


def test_a_judge_that_never_errs_is_a_plain_gate():
    series, plan = last_look(25, 20, 500)
    judged = CorrectedDifference("judged", 0.05, PERFECT).look(series, plan, plan, (1,))
    plain = Difference("judged", 0.05).look(series, plan, plan, (1,))
    assert (judged.passes, judged.fails, judged.losses) == (plain.passes, plain.fails, plain.losses)
    assert [judged.estimate, judged.low, judged.high] == pytest.approx(
        [plain.estimate, plain.low, plain.high], abs=1e-6
    )


def test_a_drop_that_verdicts_shrink_below_the_margin_does_not_pass():
    """x a judge at .80/.80, is a true one of .12: the plain gate at .1 passes it half of the time."""
    weak = Confusion(160, 40, 40, 160)
    series, plan = last_look(60, 35, 1000)
    assert Difference("raw", 0.05).rules_out(series, plan)
    assert not CorrectedDifference("judged", 0.05, weak).rules_out(series, plan)
    assert CorrectedDifference("judged", 0.1, weak).rules_out(series, plan)


def test_fewer_labels_rule_out_less():
    many, few = (evidence(Confusion(9 * k, k, k, 9 * k), 20, 20).ruled_out for k in (100, 2))
    assert many < few
    none = evidence(Confusion(2, 1, 1, 2), 0, 0)
    assert (none.passes, none.fails, none.ruled_out) == (False, False, None)


def test_a_drop_is_proven_by_the_verdicts_where_labels_show_a_judge_better_than_chance():
    assert evidence(LABELS, 60, 10).fails
    assert not evidence(Confusion(2, 1, 1, 2), 60, 10).fails


def test_where_less_is_better_a_rise_is_the_worsening():
    found, mirrored = evidence(LABELS, 20, 60, higher_is_better=False), evidence(LABELS, 60, 20)
    assert (found.passes, found.fails) == (mirrored.passes, mirrored.fails)
    assert found.estimate == pytest.approx(-mirrored.estimate)
    assert (found.low, found.high) == pytest.approx((-mirrored.high, -mirrored.low))


counts = st.integers(0, 60)
labels = st.builds(lambda a, b, c, d: Confusion(a + b + 1, b, c, c + d + 1), *[st.integers(0, 80)] * 4)


@given(labels, counts, counts, st.integers(150, 400), st.floats(0.02, 0.4))
def test_interval_and_verdicts_are_of_one_mind(cells, lost, gained, n, margin):
    found = evidence(cells, lost, gained, n, margin)
    assert found.passes == (found.ruled_out is not None and found.ruled_out <= margin + 1e-9)
    assert found.low is None or found.low <= found.estimate + 1e-9
    assert found.high is None or found.high >= found.estimate - 1e-9
    if found.fails:
        assert found.high is not None
        assert found.high <= 0


@given(labels, counts, counts, st.integers(130, 400), st.floats(0.02, 0.4))
def test_what_is_simulated_is_what_decides(cells, lost, gained, n, margin):
    series, plan = last_look(lost, gained, n)
    decided = CorrectedDifference("judged", margin, cells).rules_out(series, plan)
    youden = youden_bounds(cells, plan.z[-1])
    many = rules_out_many(
        np.array([lost]), np.array([gained]), n, plan.z[-1], margin, np.array([youden.value]), np.array([youden.low])
    )
    assert many.tolist() == [decided]


@given(st.floats(-0.5, 0.5), st.floats(0.001, 0.4), st.floats(0.3, 1), st.floats(0.01, 0.25))
def test_the_bound_of_the_ratio_solves_movers_equation(drop, reach, value, spread):
    youden = Youden(value, value - spread, min(1.0, value + spread))
    bound = corrected_bound(drop, drop + reach, youden)
    assert bound >= min(drop / value, 1.0) - 1e-9
    if -0.999 < bound < 0.999:
        side = spread if bound > 0 else youden.high - value
        assert drop - bound * value + math.hypot(reach, bound * side) == pytest.approx(0, abs=1e-8)


def test_the_index_is_bounded_by_what_tpr_and_tnr_may_be():
    found, each = youden_bounds(LABELS, 1.8), 2 * normal_cdf(1.8) - 1
    tpr, tnr = clopper_pearson(90, 100, each), clopper_pearson(92, 100, each)
    assert found.value == pytest.approx(0.82)
    assert found.low == pytest.approx(0.82 - math.hypot(0.9 - tpr.low, 0.92 - tnr.low))
    assert found.high == pytest.approx(0.82 + math.hypot(tpr.high - 0.9, tnr.high - 0.92))
    assert youden_bounds(LABELS, math.inf) == (found.value, -1.0, 1.0)


@pytest.mark.parametrize("cells", [Confusion(5, 5, 5, 5), Confusion(1, 9, 5, 5), Confusion(10, 0, 0, 0)])
def test_nothing_is_gated_on_a_judge_no_better_than_chance(cells):
    with pytest.raises(ValueError, match="TPR"):
        CorrectedDifference("judged", 0.1, cells)


@pytest.mark.parametrize("margin", [0, 1, -0.1])
def test_a_margin_is_a_share(margin):
    with pytest.raises(ValueError, match="margin"):
        CorrectedDifference("judged", margin, LABELS)


def test_a_trial_that_stops_early_says_what_is_not_biased_by_it():
    base, head = pairs(80, 10, 800)
    trial = Trial([CorrectedDifference("judged", 0.05, LABELS)], n_max=800)
    while (n := trial.next_count()) is not None:
        done = tuple(count for count in trial.counts if count <= n)
        found = trial.look({"judged": Series(base[:n], head[:n], n, done)})
    reading = trial.readings["judged"]
    assert found == "fail"
    assert reading.n < 800
    assert reading.estimate < reading.adjusted < 0
    assert reading.method == "exact-walk+tango+labels"


def test_averages_over_epochs_are_corrected_too():
    random = np.random.default_rng(3)
    base, head = (random.binomial(4, 0.8, 600) / 4 for _ in range(2))
    plan = schedule((600,), 600, alpha=ALPHA, final=True)
    found = CorrectedDifference("judged", 0.1, LABELS).look(Series(base, head, 600, (600,)), plan, plan, (1,))
    assert found.method == "sign-flip+el+labels"
    assert found.passes


RUNS = 1_000


def drawn_labels(world, labels, positives):
    return draw_labels(world, labels, np.full(RUNS, positives), np.random.default_rng(1))


@pytest.mark.parametrize("judge", [(0.75, 0.75), (0.75, 0.95), (0.95, 0.85)])
@pytest.mark.parametrize(("m", "share", "n", "margin"), [(50, 0.5, 200, 0.1), (100, 0.8, 500, 0.1)])
def test_a_true_drop_of_the_margin_passes_in_5_percent_at_most(judge, m, share, n, margin):
    """A smaller copy of benchmarks/judged_gate.py; each trial has labels of its own."""
    world = World(*judge, drop=margin)
    cells = drawn_labels(world, m, round(m * share))
    assert at_most(simulate_judged(world, cells, margin, n).ever_passed.mean(), ALPHA, RUNS)


def test_no_drop_fails_in_5_percent_at_most_and_passes_at_the_planned_n():
    world, margin = World(0.9, 0.9), 0.1
    labels = Confusion(90, 10, 10, 90)
    n = planned_n(raw_margin(margin, labels), sum(world.moves())).n
    drawn = simulate_judged(world, drawn_labels(world, 200, 100), margin, n)
    assert at_most(drawn.ever_failed.mean(), ALPHA, RUNS)
    assert 0.76 < drawn.passed.mean() < 0.9


def test_a_gate_on_raw_verdicts_would_pass_a_drop_of_the_margin_far_too_often():
    world = World(0.8, 0.8, drop=0.1)
    raw = simulate_judged(world, np.tile([10**9, 0, 0, 10**9], (RUNS, 1)), 0.1, 1000)
    assert raw.ever_passed.mean() > 0.4


def test_a_judge_that_likes_heads_style_less_is_no_drop_and_yet_proven_one():
    """Why errors are compared on both sides: TPR .8 in place of .9 at equal truth."""
    world = World(0.9, 0.9, tpr_head=0.8)
    cells = drawn_labels(world, 200, 100)
    assert simulate_judged(world, cells, 0.1, 1000).ever_failed.mean() > 0.5


def test_labels_that_say_nothing_plan_no_margin():
    assert raw_margin(0.1, Confusion(2, 1, 1, 2)) is None
    assert raw_margin(0.1, PERFECT) == pytest.approx(0.1, abs=1e-4)
    assert raw_margin(0.1, LABELS) < 0.1 * LABELS.youden
