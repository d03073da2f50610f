"""The document of --json."""

import json
import math
from dataclasses import replace

import jsonschema
import pytest

from llmkit.reports.document import document, document_schema
from llmkit.types import Interval
from tests.reports.records import HOSTED, LOCAL, THIRD, metric, run


def test_the_whole_document_of_one_run():
    one = run(
        metrics=[
            metric(
                "em",
                0.5,
                (0.25, 0.75),
                4,
                1,
                0.4,
                wrong_in=(0.1, 0.7),
                slices={"topic": {"add": metric("em", 1.0, None, 1)}},
            )
        ],
        faults={"provider/timeout": (2, "no answer in 60 s")},
        params={"temperature": 0.5},
        origins={"model": "-m", "temperature": "suite sums.yaml:9"},
    )
    leaf = {"failed": 0, "value_failures_wrong": None, "ci_failures_wrong": None, "signature": "em|case:exact|v:1"}
    assert json.loads(json.dumps(document([one]), allow_nan=False)) == {
        "runs": [
            {
                "run_id": "r1",
                "suite": "quickstart",
                "model": "local/smol",
                "status": "completed",
                "samples": {"total": 60, "completed": 60, "failed": 0, "truncated": 0, "from_cache": 0},
                "metrics": {
                    "em": {
                        "value": 0.5,
                        "ci": [0.25, 0.75],
                        "n": 4,
                        "failed": 1,
                        "value_failures_wrong": 0.4,
                        "ci_failures_wrong": [0.1, 0.7],
                        "signature": "em|case:exact|v:1",
                        "ci_method": "wilson",
                        "confidence": 0.95,
                        "slices": {
                            "topic": {
                                "add": {"value": 1.0, "ci": None, "n": 1, "ci_method": None, "confidence": None, **leaf}
                            }
                        },
                    }
                },
                "usage": {
                    "input_tokens": 12345,
                    "output_tokens": 678,
                    "cached_tokens": 0,
                    "reasoning_tokens": 0,
                    "calls": 60,
                    "http_attempts": 60,
                    "lost_attempts": 0,
                },
                "cost_usd": 0.0123,
                "cached_cost_usd": 0.0,
                "lost_cost_usd": 0.0,
                "wall_s": 41.23,
                "started_at": "2026-11-22T05:03:12Z",
                "digest": "d1",
                "faults": {"provider/timeout": {"count": 2, "example": "no answer in 60 s"}},
                "stopped_by": None,
                "params": {"temperature": 0.5},
                "origins": {"model": "-m", "temperature": "suite sums.yaml:9"},
            }
        ]
    }


def test_the_document_keeps_to_its_schema():
    shown = json.loads(json.dumps(document([LOCAL, HOSTED, THIRD]), allow_nan=False))
    schema = document_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(shown, schema)
    del shown["runs"][0]["digest"]
    with pytest.raises(jsonschema.ValidationError, match="digest"):
        jsonschema.validate(shown, schema)


def test_no_runs_is_an_empty_list():
    assert document([]) == {"runs": []}


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_json_cannot_hold_is_null(bad):
    broken = replace(metric("em", bad, None, wrong=bad), interval=Interval(bad, 1.0, "t"))
    shown = document([run(metrics=[broken])])["runs"][0]["metrics"]["em"]
    assert (shown["value"], shown["ci"], shown["value_failures_wrong"]) == (None, None, None)
    json.dumps(shown, allow_nan=False)


def test_unknown_stays_unknown():
    shown = document([HOSTED])["runs"][0]
    assert shown["cost_usd"] is None
    assert shown["usage"]["output_tokens"] is None
