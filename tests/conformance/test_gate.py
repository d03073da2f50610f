"""The gate's statistics against reference values, case by case."""

import json
import os
import re
from pathlib import Path

import numpy as np
import pytest

from llmkit.stats.sequential.boundary import boundary, spent_levels
from llmkit.stats.sequential.likelihood import el_z
from llmkit.stats.sequential.measures import Difference, Series
from llmkit.stats.sequential.signs import critical_losses, critical_losses_many
from llmkit.stats.sequential.sizing import planned_n
from llmkit.stats.sequential.spending import hwang_shih_decani, obrien_fleming, pocock
from llmkit.stats.sequential.tango import tango_bound, tango_z
from llmkit.stats.sequential.trial import Trial

VECTORS = Path(os.environ.get("LLMKIT_VECTORS", "../shared/vectors")) / "statistics"

pytestmark = pytest.mark.skipif(not VECTORS.is_dir(), reason="no conformance vectors: set LLMKIT_VECTORS")


def cases(method):
    path = VECTORS / "gate.json"
    found = json.loads(path.read_text())["cases"] if path.is_file() else []
    return [pytest.param(case, id=case["id"]) for case in found if case["method"] == method]


def spending(name):
    gamma = re.fullmatch(r"HSD gamma=(.+)", name)
    return hwang_shih_decani(float(gamma[1])) if gamma else {"LD-OBF": obrien_fleming, "LD-Pocock": pocock}[name]


def close(case, computed):
    return computed == pytest.approx(case["expected"][only(case)], abs=case["tolerance"], rel=0)


def only(case):
    (key,) = case["expected"]
    return key


@pytest.mark.parametrize("case", cases("gate_boundary"))
def test_boundary(case):
    given, expected = case["inputs"], case["expected"]
    levels = spent_levels(given["fractions"], given["alpha_one_sided"], spending(given["spending"]))
    assert levels == pytest.approx(expected["cum_alpha"], abs=case["tolerance"], rel=0)
    assert boundary(given["fractions"], levels) == pytest.approx(expected["z"], abs=case["tolerance"], rel=0)


@pytest.mark.parametrize("case", cases("gate_tango_z"))
def test_tango_z(case):
    assert close(case, tango_z(**case["inputs"]))


@pytest.mark.parametrize("case", cases("gate_tango_bound"))
def test_tango_bound(case):
    given = case["inputs"]
    assert close(case, tango_bound(given["losses"], given["gains"], given["n"], given["z_crit"], given["w"]))


@pytest.mark.parametrize("case", cases("gate_el_z"))
def test_likelihood_z(case):
    parts = (part.split(" x ") for part in case["inputs"]["d"].split(", "))
    d = np.concatenate([np.full(int(times), float(value)) for times, value in parts])
    assert close(case, el_z(d, case["inputs"]["margin"], case["inputs"]["w"]))


@pytest.mark.parametrize("case", cases("gate_fail_dp"))
def test_critical_losses(case):
    given, expected = case["inputs"], case["expected"]["critical_losses"]
    levels = spent_levels(given["fractions"], given["alpha"], spending(given["spending"]))
    assert list(critical_losses(given["cum_discordant"], levels)) == expected
    assert critical_losses_many(np.array([given["cum_discordant"]]), levels).tolist() == [expected]


@pytest.mark.parametrize("case", cases("gate_planned_n"))
def test_planned_n(case):
    given, expected = case["inputs"], case["expected"]
    sizes = planned_n(
        given["margin"],
        given["discordance"],
        alpha=given["alpha"],
        power=given["power_plug_in"],
        inflation=given["inflation"],
    )
    assert (sizes.n_fail, sizes.n_pass, sizes.n) == (expected["n_fail"], expected["n_pass"], expected["n"])


@pytest.mark.parametrize("case", cases("gate_decision"))
def test_decision(case):
    given, expected = case["inputs"], case["expected"]
    index = range(given["n_max"])
    lost = np.array([meets(given["loss_at"], i) for i in index])
    gained = ~lost & np.array([meets(given["gain_at"], i) for i in index])
    base, head = lost.astype(float), gained.astype(float)
    measure = Difference("exact_match", given["margin"])
    trial, counts = Trial([measure], n_max=given["n_max"], looks=given["looks"], alpha=given["alpha"]), ()
    while (count := trial.next_count()) is not None:
        counts = (*counts, count)
        verdict = trial.look({measure.name: Series(base[:count], head[:count], count, counts)})
    reading = trial.readings[measure.name]
    assert (verdict.upper(), reading.look, reading.n) == (expected["verdict"], expected["look"], expected["n_used"])
    assert reading.drop_proven == (verdict == "fail" or expected.get("within_margin", False))


def meets(rule, i):
    """Read ``never``, ``i%10==3`` and ``else i%10==3``."""
    if rule == "never":
        return False
    modulus, rest = re.fullmatch(r"(?:else )?i%(\d+)==(\d+)", rule).groups()
    return i % int(modulus) == int(rest)


def test_every_case_is_run():
    kinds = ("boundary", "tango_z", "tango_bound", "el_z", "fail_dp", "planned_n", "decision")
    run = sum(len(cases(f"gate_{kind}")) for kind in kinds)
    assert run == len(json.loads((VECTORS / "gate.json").read_text())["cases"]) > 0
