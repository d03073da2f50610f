"""The document of a gate's --json."""

import json
import math
from dataclasses import fields, replace

import jsonschema
import pytest

from llmkit.reports.gate_document import gate_document, gate_schema
from llmkit.verdicts import MetricVerdict, Planned, SuiteVerdict
from tests.reports import verdicts as v


def read(report):
    return json.loads(json.dumps(gate_document(report), allow_nan=False))


@pytest.mark.parametrize("report", v.ALL)
def test_every_report_is_what_the_schema_says(report):
    jsonschema.Draft202012Validator(gate_schema()).validate(read(report))


def test_the_schema_takes_no_other_verdict_of_types():
    broken = read(v.FAILING)
    broken["suites"][0]["metrics"][0]["n"] = "many"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(broken, gate_schema())


def test_a_metric_has_its_n_interval_and_signature():
    (metric, _) = read(v.FAILING)["suites"][0]["metrics"]
    assert metric == {
        "metric": "exact_match",
        "slice": None,
        "verdict": "fail",
        "within_margin": False,
        "margin": 0.02,
        "relative": False,
        "higher_is_better": True,
        "base": 0.95,
        "head": 0.74,
        "difference": -0.21,
        "ci": [-0.31, -0.113],
        "ci_method": "repeated",
        "confidence": 0.9,
        "adjusted": -0.18,
        "ruled_out": None,
        "n": 150,
        "look": 2,
        "gains": 2,
        "losses": 33,
        "ties": 115,
        "reason": None,
        "needs": None,
        "method": "exact walk; Tango score",
        "signature": "exact_match|case:mixed|v:1",
        "judged": None,
    }


def test_infinite_bounds_are_null_each_on_its_own():
    metric = replace(v.UNDECIDED, ruled_out=math.inf)
    metric = replace(metric, interval=replace(metric.interval, low=-math.inf))
    (shown,) = read(v.report(v.suite("undecided", (metric,))))["suites"][0]["metrics"]
    assert shown["ci"] == [None, 0.022]
    assert shown["ruled_out"] is None


def test_what_is_unknown_is_null():
    shown = read(v.SHORT)["suites"][0]["metrics"][1]
    assert (shown["base"], shown["difference"], shown["ci"]) == (None, None, None)
    assert read(v.EVIL)["suites"][0]["head"]["cost_usd"] is None


def test_missing_answers_are_all_there():
    assert len(read(v.OFFLINE)["suites"][0]["missing"]) == 34


def test_a_warning_and_what_is_new_are_there():
    assert read(v.WARNED)["suites"][0]["warning"].startswith("head alone has no usable answer")
    assert [read(report)["suites"][0]["new"] for report in (v.WARNED, v.NEW)] == [False, True]


def test_a_flip_has_both_answers_in_full():
    (flip,) = read(v.FAILING)["suites"][0]["flips"]
    assert flip["base"] == {"text": "The answer is 4.", "value": 1.0, "extracted": None, "failure": None}
    assert flip["head"]["text"] == "The answer is 5."


def test_no_field_of_the_records_is_forgotten():
    suite = read(v.FAILING)["suites"][0]
    assert len(suite) == len(fields(SuiteVerdict))
    assert len(suite["planned"]) == len(fields(Planned))
    # an interval is three fields
    assert len(suite["metrics"][0]) == len(fields(MetricVerdict)) + 2
