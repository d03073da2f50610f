"""The public names are exactly these. A name that is added or lost here is a decision."""

from __future__ import annotations

import inspect

import pytest

import llmkit

PUBLIC = [
    "Attempt",
    "BadRow",
    "CalibrateOptions",
    "Calibration",
    "Comparison",
    "Completion",
    "Context",
    "DocumentError",
    "Failure",
    "Format",
    "GenerateOptions",
    "GenerationFailed",
    "Grammar",
    "Interval",
    "Issue",
    "Judge",
    "Ledger",
    "LlmkitError",
    "Message",
    "MetricDifference",
    "MetricResult",
    "ModelRef",
    "Native",
    "Options",
    "Parsed",
    "Prompt",
    "Provider",
    "ProviderError",
    "Request",
    "Result",
    "RunResult",
    "Sample",
    "SampleResult",
    "Score",
    "Scorer",
    "Store",
    "Suite",
    "Usage",
    "UsageError",
    "Verdict",
    "__version__",
    "agenerate",
    "calibrate",
    "calibrate_async",
    "compare",
    "evaluate",
    "evaluate_async",
    "generate",
    "load_judge",
    "load_prompt",
    "load_suites",
    "make_suite",
    "read_samples",
]


def test_the_exported_names_are_pinned() -> None:
    assert llmkit.__all__ == PUBLIC


def test_the_exported_names_are_sorted() -> None:
    assert llmkit.__all__ == sorted(llmkit.__all__)


@pytest.mark.parametrize("name", PUBLIC)
def test_every_exported_name_exists_and_is_documented(name: str) -> None:
    thing = getattr(llmkit, name)
    if inspect.isclass(thing) or inspect.isfunction(thing):
        assert inspect.getdoc(thing)


def test_dir_lists_the_exported_names() -> None:
    assert set(PUBLIC) <= set(dir(llmkit))


def test_a_misspelt_name_says_which_is_near() -> None:
    with pytest.raises(AttributeError, match="evaluate"):
        llmkit.evalute  # noqa: B018


def test_evaluate_takes_suites_models_options_and_hooks() -> None:
    assert list(inspect.signature(llmkit.evaluate).parameters) == ["suites", "models", "options", "hooks"]
