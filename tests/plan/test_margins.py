"""What a suite's margins need: whole metrics, slices, clusters, and what nothing is known of."""

import pytest

from llmkit.plan.margins import AMOUNT_UNITS, Rows, count_rows, design_of, margins_of
from llmkit.plans import Spread
from llmkit.stats.sequential.power import powered_n
from llmkit.stats.sequential.sizing import planned_n
from llmkit.suites.gating import gating
from llmkit.suites.load import load_suites
from tests.runs.project import rows as project_rows

PSI = Spread("binary", 0.2, 0.8, 1.0, 100, "here", seen=0.17, within=0.17)


def planned(project, gate, available=1000, *, spreads=None, parts=None, epochs=1, clusters=None):
    suite = project.suite(
        [{**row, "doc": "d"} for row in project_rows(10)], mapped=", slices: [topic]", more=f"gate: {gate}\n"
    )
    (loaded,) = load_suites(suite)
    gatings = gating(loaded)
    rows = Rows(available, clusters, parts or {"topic": {}})
    return margins_of(gatings, spreads or {"exact_match": PSI}, rows, design_of(gatings, rows, epochs))


def test_a_margin_needs_what_the_gates_formula_says(project):
    (m,) = planned(project, "{exact_match: {max_drop: .05}}")
    expected = planned_n(0.05, 0.2)
    assert (m.n_fail, m.n_pass, m.n_max) == (expected.n_fail, expected.n_pass, expected.n)
    assert (m.available, m.resolvable, m.source) == (1000, None, "here")


def test_the_real_power_of_enough_samples_is_about_80_percent(project):
    (m,) = planned(project, "{exact_match: {max_drop: .05}}")
    assert 0.77 <= m.pass_at_no_change <= 0.87
    assert m.fail_at_twice >= 0.95


def test_too_few_samples_have_the_smallest_margin_that_they_decide(project):
    (m,) = planned(project, "{exact_match: {max_drop: .05}}", 200)
    assert 0.05 < m.resolvable < 0.2
    assert planned_n(m.resolvable, 0.2).n == pytest.approx(200, abs=1)
    assert m.pass_at_no_change < 0.5


def test_few_units_are_raised_to_their_real_power(project):
    rare = Spread("binary", 0.008, 0.99, 1.0, 100, "here", seen=0.0)
    (m,) = planned(project, "{exact_match: {max_drop: .05}}", spreads={"exact_match": rare})
    assert m.n_max == powered_n(0.05, 0.008, runs=1000).n >= planned_n(0.05, 0.008).n


def test_a_slices_figures_are_those_of_its_smallest_part(project):
    found = planned(
        project, "{exact_match: {max_drop: .05, slices: {topic: .1}}}", parts={"topic": {"odd": 600, "even": 400}}
    )
    assert [(m.slice, m.part, m.available) for m in found] == [(None, None, 1000), ("topic", "even", 400)]


def test_what_nothing_is_known_of_gets_the_gates_own_number(project):
    cost, latency = planned(project, "{cost: {max_rise: .2}, latency_p95: {max_rise: .25}}")
    assert (cost.n_max, cost.n_fail, cost.relative) == (AMOUNT_UNITS, None, True)
    assert "unknown" in cost.note
    assert latency.n_max == AMOUNT_UNITS


def test_an_amount_that_varies_more_than_its_mean_needs_more_than_the_gates_own_number(project):
    wide = Spread("graded", 4.0, 1.2, 1.0, 500, "here", seen=4.0)
    (m,) = planned(project, "{latency_p95: {max_rise: .2}}", spreads={"latency_p95": wide})
    least = (1.644854 + 0.841621) ** 2 * 4.0 / 0.2**2  # one look, nothing for a collapse
    assert m.n_max > least > AMOUNT_UNITS


def test_epochs_that_average_noise_out_need_fewer_samples(project):
    (once,) = planned(project, "{exact_match: {max_drop: .05}}")
    (often,) = planned(project, "{exact_match: {max_drop: .05}}", epochs=4)
    assert often.n_max < once.n_max
    assert often.pass_at_no_change is None  # means of epochs are graded: nothing is simulated


def test_units_are_clusters_where_there_are_any(project):
    whole = Spread("binary", 0.2, 0.8, 5.0, 100, "here", seen=0.17)
    (m,) = planned(project, "{exact_match: {max_drop: .05}}", 1000, clusters=200, spreads={"exact_match": whole})
    (alone,) = planned(project, "{exact_match: {max_drop: .05}}")
    assert m.n_max == pytest.approx(5 * alone.n_max, rel=0.05)


def test_rows_are_counted_with_their_clusters_and_parts(project):
    data = [{**row, "doc": f"d{n // 4}"} for n, row in enumerate(project_rows(10))]
    (suite,) = load_suites(project.suite(data, mapped=", cluster: doc, slices: [topic]"))
    found = count_rows(suite.samples(), clustered=True, slices=suite.slice_names)
    assert (found.rows, found.clusters, found.members) == (10, 3, 10 / 3)
    assert found.parts["topic"] == {"even": 5, "odd": 5}
    assert found.scaled(100).parts["topic"] == {"even": 50, "odd": 50}
    assert found.scaled(100).clusters == 30
