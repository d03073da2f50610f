"""The document of ``llmkit compare --json``."""

import json
import math
from dataclasses import replace

import jsonschema
import pytest

from llmkit.reports.comparison_document import comparison_document, comparison_schema
from llmkit.reports.document import document, document_schema
from llmkit.types import Interval
from tests.reports.comparisons import AMOUNTS, FLIPS, SAME, WHOLE, WORSE, comparison
from tests.reports.records import LOCAL


def plain(thing):
    return json.loads(json.dumps(thing, allow_nan=False))


def test_a_metric_has_every_figure():
    shown = plain(comparison_document(comparison(WORSE)))["metrics"]["exact_match"]
    part = shown.pop("slices")["topic"]["add"]
    assert shown == {
        "a": 0.85, "b": 0.7, "difference": pytest.approx(-0.15), "ci": [-0.2134, -0.0866], "ci_method": "tango",
        "confidence": 0.95, "p_value": 0.00002, "test": "mcnemar-exact", "n": 200, "clusters": None, "won": 5,
        "lost": 35, "tied": 160, "failed_a": 0, "failed_b": 3, "higher_is_better": True,
        "signature": "metric:exact_match|v:1", "signature_a": None, "unknown": None,
    }  # fmt: skip
    assert (part["p_value"], part["p_adjusted"]) == (0.04, 0.08)


def test_flips_hold_their_texts_whole():
    long = replace(FLIPS[0], question="q" * 5000)
    (shown,) = plain(comparison_document(comparison(SAME, flips=(long,), flipped=9)))["flips"]
    assert shown["question"] == "q" * 5000
    assert shown["b"] == {"text": "The sum is 9", "value": 0.0, "extracted": "9", "failure": None}


def test_amounts_say_why_they_are_unknown():
    shown = plain(comparison_document(comparison(SAME, amounts=AMOUNTS)))["amounts"]
    assert shown[0]["ci"] == [0.71, 0.79]
    assert (shown[2]["a"], shown[2]["unknown"]) == (None, "the answers of b come from the cache")


def test_the_document_keeps_to_its_schema():
    shown, schema = plain(comparison_document(WHOLE)), comparison_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(shown, schema)
    del shown["metrics"]["f1"]["ci"]
    with pytest.raises(jsonschema.ValidationError, match="ci"):
        jsonschema.validate(shown, schema)


def test_an_evaluations_document_holds_comparisons_only_where_there_are_some():
    both = plain(document([LOCAL], [WHOLE]))
    jsonschema.validate(both, document_schema())
    assert both["comparisons"] == [plain(comparison_document(WHOLE))]
    assert "comparisons" not in document([LOCAL])


def test_what_json_cannot_hold_is_null():
    odd = replace(SAME, a=math.nan, interval=Interval(-math.inf, 0.1, "t"), p_value=math.nan)
    shown = plain(comparison_document(comparison(odd)))["metrics"]["f1"]
    assert (shown["a"], shown["ci"], shown["p_value"]) == (None, None, None)


def test_what_was_forced_noted_and_set_otherwise_is_kept():
    shown = plain(comparison_document(replace(WHOLE, forced=("data: x ≠ y",))))
    assert (shown["forced"], shown["notes"]) == (["data: x ≠ y"], ["only a has chrf"])
    assert shown["differs"] == ["model: openai/gpt-4o-mini → openai/gpt-4o", "prompt"]
