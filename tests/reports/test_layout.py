"""What a table calls its columns."""

from dataclasses import replace

from llmkit.reports.layout import column_names, told_apart
from tests.reports.records import run


def called(run_id, alias=None, *, model="vllm/m", suite="s"):
    return replace(run(run_id, suite=suite, model=model), alias=alias)


def test_a_column_is_called_by_its_model():
    assert column_names([called("r1", "fast")]) == {"r1": "vllm/m"}


def test_configurations_of_one_model_are_called_by_their_aliases():
    found = column_names([called("r1"), called("r2", "ngram"), called("r3", "other", model="openai/x")])
    assert found == {"r1": "vllm/m", "r2": "ngram", "r3": "openai/x"}


def test_over_several_suites_a_configuration_has_one_name():
    runs = [
        called("r1", "plain"),
        called("r2", "plain", suite="t"),
        called("r3", "ngram"),
        called("r4", "ngram", suite="t"),
    ]
    assert column_names(runs) == {"r1": "plain", "r2": "plain", "r3": "ngram", "r4": "ngram"}


def test_one_that_a_suite_has_twice_is_told_apart_by_its_run():
    assert column_names([called("r1", "a"), called("r2", "a")]) == {"r1": "vllm/m (r1)", "r2": "vllm/m (r2)"}


def test_a_model_under_one_name_keeps_it():
    assert told_apart([("m", "a"), ("m", "a"), ("n", None)]) == {("m", "a"): "m", ("n", None): "n"}
