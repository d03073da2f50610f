"""llmkit's statistics against reference packages, case by case."""

import itertools
import json
import os
from pathlib import Path

import numpy as np
import pytest

from llmkit.stats.bootstrap import bca, percentile, replicates
from llmkit.stats.mean import clustered_se, design_effect
from llmkit.stats.proportion import binomial_tail, clopper_pearson, jeffreys, newcombe, wilson

VECTORS = Path(os.environ.get("LLMKIT_VECTORS", "../shared/vectors")) / "statistics"

HERE = {"proportion_ci.json", "clustered_se.json", "bootstrap.json"}
PAIRED = {"paired_tests.json", "power.json", "passk.json", "bias.json"}  # in test_statistics_paired
SEQUENTIAL = {"gate.json"}  # in test_gate
AGREEMENT = {"kappa.json", "alpha.json", "ac1.json", "alt_test.json", "annotators.json"}  # in test_statistics_agreement
CORRECTION = {"rogan_gladen.json", "ppi.json", "proposed_estimators.json"}  # in test_statistics_correction
CALIBRATION = {"calibration.json", "correlation.json", "bradley_terry.json"}  # in test_statistics_calibration
REAL = {"realdata.json"}  # in test_statistics_realdata
RUN = HERE | PAIRED | SEQUENTIAL | AGREEMENT | CORRECTION | CALIBRATION | REAL

pytestmark = pytest.mark.skipif(not VECTORS.is_dir(), reason="no conformance vectors: set LLMKIT_VECTORS")


def cases(name):
    path = VECTORS / name
    found = json.loads(path.read_text())["cases"] if path.is_file() else []
    return [pytest.param(case, id=case["id"]) for case in found]


def assert_close(case, **computed):
    expected = {key: case["expected"][key] for key in computed}
    assert computed == pytest.approx(expected, abs=case["tolerance"], rel=0)


def one_interval(method):
    def check(case):
        given = case["inputs"]
        interval = method(given["k"], given["n"], 1 - given["alpha"])
        assert_close(case, low=interval.low, high=interval.high)

    return check


def difference(case):
    given = case["inputs"]
    interval = newcombe(given["k1"], given["n1"], given["k2"], given["n2"], 1 - given["alpha"])
    assert_close(case, low=interval.low, high=interval.high)


def one_sided(case):
    given = case["inputs"]
    k, n, confidence = given["k"], given["n"], 2 * given["confidence"] - 1
    assert_close(
        case,
        p_value=binomial_tail(k, n, given["p0"]),
        clopper_pearson_lower=clopper_pearson(k, n, confidence).low,
        wilson_lower=wilson(k, n, confidence).low,
    )


PROPORTIONS = {
    "wilson": one_interval(wilson),
    "clopper_pearson": one_interval(clopper_pearson),
    "jeffreys": one_interval(jeffreys),
    "newcombe_diff_independent": difference,
    "one_sided_lower_bound_and_p": one_sided,
}


@pytest.mark.parametrize("case", cases("proportion_ci.json"))
def test_proportion(case):
    PROPORTIONS[case["method"]](case)


@pytest.mark.parametrize("case", cases("clustered_se.json"))
def test_clustered_standard_error(case):
    values = np.array(case["inputs"]["scores"], dtype=float)
    clusters = np.unique(case["inputs"]["clusters"], return_inverse=True)[1]
    assert_close(
        case,
        mean=values.mean(),
        se_iid=clustered_se(values, corrected=True),
        se_clustered=clustered_se(values, clusters),
        se_clustered_corrected=clustered_se(values, clusters, corrected=True),
        deff=design_effect(values, clusters),
    )


def mean(totals):
    return totals[..., 0] / totals[..., 1]


@pytest.mark.parametrize("case", cases("bootstrap.json"))
def test_bootstrap(case):
    given = case["inputs"]
    x = np.array(given["x"])
    rows = np.stack([x, np.ones(len(x))], axis=1)
    if case["method"] == "bootstrap_bca_mean":
        interval = bca(rows, mean, confidence=given["confidence"], resamples=given["n_resamples"], seed=1)
        assert_close(case, low=interval.low, high=interval.high)
    elif case["method"] == "bootstrap_percentile_mean":
        drawn = replicates(rows, mean, resamples=given["n_resamples"], seed=1)
        low, high = percentile(drawn, given["confidence"])
        assert_close(case, low=low, high=high)
    else:
        drawn = np.array(list(itertools.product(x, repeat=len(x)))).mean(axis=1)
        low, high = percentile(drawn, given["confidence"])
        if case["method"] == "bootstrap_basic_mean_exhaustive":  # the percentile bounds, mirrored in the estimate
            low, high = 2 * x.mean() - high, 2 * x.mean() - low
        assert_close(case, mean=x.mean(), low=low, high=high, standard_error=drawn.std(ddof=1))


def test_every_file_is_run():
    assert {path.name for path in VECTORS.glob("*.json")} == RUN


def test_every_file_that_is_run_holds_cases():
    assert all(cases(name) for name in RUN)
