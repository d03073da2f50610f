"""How many units a gate may ask."""

from dataclasses import replace

import pytest

from llmkit.gate.measures import gated, weights
from llmkit.gate.order import shuffled
from llmkit.gate.sizing import needs_of, size_of
from llmkit.plan.margins import Block, Rows, count_rows, design_of, margins_of
from llmkit.plan.reach import Design, sizes
from llmkit.plans import Spread
from llmkit.runs.store import Store
from llmkit.scoring import parse
from llmkit.stats.sequential.sizing import metric_power, planned_n
from llmkit.suites import make_suite
from llmkit.suites.gating import Gating, gating

EXACT = Gating("exact_match", "score", 0.05, True, parse("exact_match", "test"))
ONE = Design(epochs=1, power=0.82)


def binary(psi, **more):
    return Spread("binary", psi, 0.8, 1.0, 100, "test", **{"seen": psi, **more})


def graded(variance, **more):
    return Spread("graded", variance, 0.8, 1.0, 100, "test", **{"seen": variance, **more})


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "store") as opened:
        yield opened


def suite_of(count, gate, clusters=None):
    rows = [
        {"q": f"{n}", "target": "x", "topic": "rare" if n % 10 == 0 else "often", "doc": n // 5} for n in range(count)
    ]
    return make_suite(
        "s", rows, messages=[{"role": "user", "content": "{{q}}"}], scorers=["exact_match"], gate=gate,
        slices=["topic"], cluster=clusters,
    )  # fmt: skip


def size(store, suite, comparison="c"):
    return size_of(store, suite, "scripted/echo", gating(suite), shuffled(suite.samples(), 0), 1, comparison)


def test_a_gate_wants_what_the_plan_says_where_nothing_is_known(store):
    found = size(store, suite_of(5000, {"exact_match": {"max_drop": 0.05}}))
    assert found.wanted == found.n_max == planned_n(0.05, 0.5).n
    assert "assumed" in found.source


def test_a_data_set_that_is_too_small_says_what_it_can_decide(store):
    found = size(store, suite_of(100, {"exact_match": {"max_drop": 0.05}}))
    assert found.n_max == 100 < found.wanted
    least = found.resolvable["exact_match"]
    assert planned_n(least, 0.5).n <= 100 < planned_n(least * 0.98, 0.5).n


def test_a_rare_slice_asks_for_more_of_the_whole(store):
    found = size(store, suite_of(9000, {"exact_match": {"max_drop": 0.1, "slices": {"topic": 0.1}}}))
    of_part = planned_n(0.1, 0.5, power=metric_power(3), share=1 / 4).n  # one metric and two parts must all pass
    assert found.wanted == pytest.approx(10 * of_part, rel=0.02)


def test_a_slice_that_is_too_small_says_what_it_can_decide(store):
    found = size(store, suite_of(1000, {"exact_match": {"max_drop": 0.1, "slices": {"topic": 0.1}}}))
    assert list(found.resolvable) == ["exact_match topic=rare"]
    assert 0.1 < found.resolvable["exact_match topic=rare"] < 0.5


def test_the_plan_the_listing_and_the_gate_share_alpha_alike(store):
    gate = {"exact_match": {"max_drop": 0.1, "slices": {"topic": 0.1}}, "failures": {"max_rise": 0.05}}
    suite = suite_of(300, gate)
    found = size(store, suite)
    measures = gated(gating(suite), shuffled(suite.samples(), 0).units)
    shares = weights(measures)
    rows = count_rows(suite.samples(), clustered=False, slices=suite.slice_names)
    assert found.design == design_of(gating(suite), rows, 1)
    assert found.design.power == metric_power(len(measures)) == metric_power(4)
    for measure in measures:
        assert shares[measure.name] == pytest.approx(found.design_at(measure.part).share)


def test_clusters_are_counted_as_units(store):
    found = size(store, suite_of(1000, {"exact_match": {"max_drop": 0.05}}, clusters="doc"))
    assert found.n_max == 200
    assert (found.design.members, found.design.unequal) == (5, 1)


def test_clusters_of_unequal_size_are_worth_fewer(store):
    def wanted(size_of_cluster):
        rows = [{"q": f"{d} {n}", "target": "x", "doc": d} for d in range(2000) for n in range(size_of_cluster(d))]
        gate = {"exact_match": {"max_drop": 0.05}}
        messages = [{"role": "user", "content": "{{q}}"}]
        return size(store, make_suite("s", rows, messages=messages, scorers=["exact_match"], gate=gate, cluster="doc"))

    alike, other = wanted(lambda d: 5), wanted(lambda d: 9 if d % 2 else 1)
    assert (other.design.members, other.design.unequal) == (5, pytest.approx(1 + (4 / 5) ** 2))
    assert other.wanted == pytest.approx(1.64 * alike.wanted, abs=1)


def test_an_undecided_metric_is_told_samples_and_margin():
    needs = needs_of(EXACT, 0.05, binary(0.3), 60, ONE, Block(60, 60))
    assert needs.samples == planned_n(0.05, 0.3).n
    assert 0.05 < needs.margin < 1
    assert (needs.epochs, needs.available, needs.of_all) == (None, 60, None)


def test_epochs_are_offered_where_the_data_are_too_few_and_noise_is_the_cause():
    needs = needs_of(EXACT, 0.05, graded(0.3, within=0.3), 500, ONE, Block(500, 500))
    assert needs.samples > 500
    assert needs.epochs in (2, 4, 8, 16)


@pytest.mark.parametrize("unequal", [1.0, 1.7, 4.0])
def test_clusters_of_unequal_size_need_more_and_decide_less(unequal):
    design = Design(members=5.0, unequal=unequal)
    needs = needs_of(EXACT, 0.05, graded(0.2), 60, design, Block(5000, 1000, unequal))
    assert needs.samples == pytest.approx(unequal * sizes(0.05, graded(0.2), Design(members=5.0)).n / 5, abs=2)
    assert needs.margin > needs_of(EXACT, 0.05, graded(0.2), 600, design, Block(5000, 1000, unequal)).margin


def test_what_a_slice_needs_is_of_its_part_and_beside_it_what_the_whole_would_have_to_be():
    needs = needs_of(EXACT, 0.06, binary(0.1), 40, ONE, Block(40, 40), Block(160, 160))
    assert needs.samples == planned_n(0.06, 0.1).n > 160
    assert (needs.available, needs.of_all) == (40, 4 * needs.samples)


def test_a_slice_is_offered_epochs_by_its_own_samples_and_not_by_all_of_them():
    noisy = graded(0.1, within=0.1)
    needs = needs_of(EXACT, 0.06, noisy, 150, ONE, Block(150, 150), Block(600, 600))
    assert 150 < needs.samples < 600
    assert needs.epochs == 2


JUDGED = replace(EXACT, shrink=0.75)


def test_a_judged_metric_is_planned_with_the_margin_that_is_left_of_it_in_the_verdicts():
    needs = needs_of(JUDGED, 0.08, binary(0.3), 60, ONE, Block(60, 60))
    plain = needs_of(EXACT, 0.06, binary(0.3), 60, ONE, Block(60, 60))
    assert needs.samples == plain.samples
    assert needs.margin == pytest.approx(plain.margin / 0.75, rel=0.01)


def test_a_judged_metrics_smallest_margin_is_its_own_and_not_the_verdicts():
    rows = Rows(Block(200, 200))
    (judged,) = margins_of([replace(JUDGED, margin=0.08)], {"exact_match": binary(0.3)}, rows, ONE, simulated=False)
    (plain,) = margins_of([replace(EXACT, margin=0.06)], {"exact_match": binary(0.3)}, rows, ONE, simulated=False)
    assert (judged.margin, judged.n_max) == (0.08, plain.n_max)
    assert judged.resolvable == pytest.approx(plain.resolvable / 0.75, rel=0.01)


def test_a_judge_that_hides_nearly_all_leaves_no_margin_that_could_be_decided():
    assert needs_of(replace(EXACT, shrink=0.05), 0.08, binary(0.3), 60, ONE, Block(60, 60)).margin is None


def test_a_cost_needs_what_its_rule_does():
    cost = Gating("cost", "cost", 0.2)
    needs = needs_of(cost, 0.2, graded(0.0), 19, ONE, Block(400, 400))
    assert needs.samples == 66
    assert 0.5 < needs.margin < 1
