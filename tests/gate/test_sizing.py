"""How many units a gate may ask."""

import pytest

from llmkit.gate.order import shuffled
from llmkit.gate.sizing import needs_of, size_of
from llmkit.plan.reach import Design
from llmkit.plans import Spread
from llmkit.runs.store import Store
from llmkit.scoring import parse
from llmkit.stats.sequential.sizing import planned_n
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
    whole = size(store, suite_of(9000, {"exact_match": {"max_drop": 0.1}})).wanted
    sliced = size(store, suite_of(9000, {"exact_match": {"max_drop": 0.1, "slices": {"topic": 0.1}}})).wanted
    assert sliced == pytest.approx(10 * whole, rel=0.02)


def test_clusters_are_counted_as_units(store):
    found = size(store, suite_of(1000, {"exact_match": {"max_drop": 0.05}}, clusters="doc"))
    assert found.n_max == 200
    assert found.design.members == 5


def test_an_undecided_metric_is_told_samples_and_margin():
    needs = needs_of(EXACT, 0.05, binary(0.3), 60, 60, ONE)
    assert needs.samples == planned_n(0.05, 0.3).n
    assert 0.05 < needs.margin < 1
    assert needs.epochs is None


def test_epochs_are_offered_where_the_data_are_too_few_and_noise_is_the_cause():
    needs = needs_of(EXACT, 0.05, graded(0.3, within=0.3), 500, 500, ONE)
    assert needs.samples > 500
    assert needs.epochs in (2, 4, 8, 16)
