"""What a suite's margins need: whole metrics, slices, clusters, and what nothing is known of."""

import pytest

from llmkit.plan.margins import AMOUNT_UNITS, Block, Rows, count_rows, design_of, margins_of
from llmkit.plans import Spread
from llmkit.stats.sequential.power import powered_n
from llmkit.stats.sequential.ratio import RUNAWAY
from llmkit.stats.sequential.rises import quantile_floor, ratio_floor
from llmkit.stats.sequential.sizing import metric_power, planned_n
from llmkit.stats.sequential.tango import least_margin as least_ruled_out
from llmkit.suites.gating import LARGEST_RISE, gating
from llmkit.suites.load import load_suites
from tests.runs.project import rows as project_rows

PSI = Spread("binary", 0.2, 0.8, 1.0, 100, "here", seen=0.17, within=0.17)


def planned(project, gate, available=1000, *, spreads=None, parts=None, epochs=1, clusters=None, unequal=1.0):
    suite = project.suite(
        [{**row, "doc": "d"} for row in project_rows(10)], mapped=", slices: [topic]", more=f"gate: {gate}\n"
    )
    (loaded,) = load_suites(suite)
    gatings = gating(loaded)
    of = {value: Block(n, n) for value, n in (parts or {}).items()}
    rows = Rows(Block(available, clusters or available, unequal), clusters is not None, {"topic": of})
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
    found = planned(project, "{exact_match: {max_drop: .05, slices: {topic: .1}}}", parts={"odd": 600, "even": 400})
    assert [(m.slice, m.part, m.available) for m in found] == [(None, None, 1000), ("topic", "even", 400)]


def test_what_nothing_is_known_of_gets_the_gates_own_number(project):
    cost, latency = planned(project, "{cost: {max_rise: .2}, latency_p95: {max_rise: .25}}")
    assert (cost.n_max, cost.n_fail, cost.relative) == (AMOUNT_UNITS, None, True)
    assert "unknown" in cost.note
    assert latency.n_max == AMOUNT_UNITS


def test_what_nothing_is_known_of_gets_no_fewer_than_its_rule_needs(project):
    cost, latency = planned(project, "{cost: {max_rise: .02}, latency_p99: {max_rise: .25}}")
    assert cost.n_max == ratio_floor(0.02) > AMOUNT_UNITS
    assert latency.n_max == max(AMOUNT_UNITS, quantile_floor(0.99))


def test_an_amount_that_varies_more_than_its_mean_needs_more_than_the_gates_own_number(project):
    wide = Spread("graded", 4.0, 1.2, 1.0, 500, "here", seen=4.0)
    (m,) = planned(project, "{latency_p95: {max_rise: .2}}", spreads={"latency_p95": wide})
    least = (1.644854 + 0.841621) ** 2 * 4.0 / 0.2**2  # one look, nothing for a collapse
    assert m.n_max > least > AMOUNT_UNITS


@pytest.mark.parametrize("name", ["cost", "latency_mean"])
def test_a_cost_that_hardly_varies_needs_the_units_that_show_runaway_answers(project, name):
    steady = Spread("graded", 1e-4, 1.0, 1.0, 100, "here", seen=1e-4)
    (m,) = planned(project, f"{{{name}: {{max_rise: .2}}}}", 5, spreads={name: steady})
    assert (m.n_max, m.n_pass) == (66, 66)
    assert RUNAWAY * least_ruled_out(5, 1.8232) <= m.resolvable <= LARGEST_RISE


def test_every_metric_and_every_part_must_pass_and_is_planned_so(project):
    margins = "{exact_match: {max_drop: .1, slices: {topic: .1}}}"
    whole, part = planned(project, margins, spreads={"exact_match": PSI}, parts={"odd": 500, "even": 500})
    power = metric_power(3)
    assert whole.n_pass == planned_n(0.1, 0.2, power=power, share=1 / 2).n_pass
    assert part.n_fail == planned_n(0.1, 0.2, power=power, share=1 / 4).n_fail


def test_clusters_of_unequal_size_need_more(project):
    (alike,), (other,) = (
        planned(project, "{exact_match: {max_drop: .05}}", 1000, clusters=200, unequal=unequal) for unequal in (1, 2)
    )
    assert other.n_max == pytest.approx(2 * alike.n_max, abs=1)
    assert other.resolvable > alike.resolvable if alike.resolvable else other.resolvable is not None


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
    unequal = 3 * (16 + 16 + 4) / 10**2
    assert (found.rows, found.clusters, found.whole) == (10, 3, Block(10, 3, unequal))
    of_part = Block(5, 3, 3 * (4 + 4 + 1) / 5**2)
    assert found.parts["topic"] == {"even": of_part, "odd": of_part}
    assert found.scaled(100).parts["topic"]["even"] == Block(50, 30, of_part.unequal)
    assert found.scaled(100).whole == Block(100, 30, unequal)
