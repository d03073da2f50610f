"""LLM evaluation and structured generation whose numbers hold up.

    import llmkit

    results = llmkit.evaluate("suites/arithmetic.yaml", "openai/gpt-4o-mini")
    results[0].metrics["exact_match"].value

    answer = llmkit.generate("Name a colour.", model="openai/gpt-4o-mini", format="choice:red,green,blue")
    answer.value, answer.cost_usd

The names load what they need on first use, so ``import llmkit`` itself costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from llmkit.calibration.calibrate import calibrate, calibrate_async
    from llmkit.calibration.options import CalibrateOptions
    from llmkit.calibrations import Calibration
    from llmkit.comparisons import Comparison, MetricDifference
    from llmkit.errors import DocumentError, LlmkitError, ProviderError, UsageError
    from llmkit.generation.generate import agenerate, generate
    from llmkit.generation.options import GenerateOptions
    from llmkit.generations import Attempt, GenerationFailed, Issue, Ledger, Result
    from llmkit.judgements import Verdict
    from llmkit.judges.judge import Judge
    from llmkit.judges.load import load_judge
    from llmkit.paired.compare import compare
    from llmkit.prompts import Prompt, load_prompt
    from llmkit.providers.base import ModelRef, Provider
    from llmkit.runs.evaluate import evaluate, evaluate_async
    from llmkit.runs.export import read_samples
    from llmkit.runs.options import Options
    from llmkit.runs.store import Store
    from llmkit.scoring.base import Scorer
    from llmkit.structured.format import Context, Format, Grammar, Native, Parsed
    from llmkit.suites.inline import make_suite
    from llmkit.suites.load import load_suites
    from llmkit.suites.suite import Suite
    from llmkit.types import (
        BadRow,
        Completion,
        Failure,
        Interval,
        Message,
        MetricResult,
        Request,
        RunResult,
        Sample,
        SampleResult,
        Score,
        Usage,
    )
    from llmkit.version import __version__

_FROM = {
    "llmkit.calibration.calibrate": ("calibrate", "calibrate_async"),
    "llmkit.calibration.options": ("CalibrateOptions",),
    "llmkit.calibrations": ("Calibration",),
    "llmkit.comparisons": ("Comparison", "MetricDifference"),
    "llmkit.errors": ("DocumentError", "LlmkitError", "ProviderError", "UsageError"),
    "llmkit.generation.generate": ("agenerate", "generate"),
    "llmkit.generation.options": ("GenerateOptions",),
    "llmkit.generations": ("Attempt", "GenerationFailed", "Issue", "Ledger", "Result"),
    "llmkit.judgements": ("Verdict",),
    "llmkit.judges.judge": ("Judge",),
    "llmkit.judges.load": ("load_judge",),
    "llmkit.paired.compare": ("compare",),
    "llmkit.prompts": ("Prompt", "load_prompt"),
    "llmkit.providers.base": ("ModelRef", "Provider"),
    "llmkit.runs.evaluate": ("evaluate", "evaluate_async"),
    "llmkit.runs.export": ("read_samples",),
    "llmkit.runs.options": ("Options",),
    "llmkit.runs.store": ("Store",),
    "llmkit.scoring.base": ("Scorer",),
    "llmkit.structured.format": ("Context", "Format", "Grammar", "Native", "Parsed"),
    "llmkit.suites.inline": ("make_suite",),
    "llmkit.suites.load": ("load_suites",),
    "llmkit.suites.suite": ("Suite",),
    "llmkit.types": (
        "BadRow", "Completion", "Failure", "Interval", "Message", "MetricResult", "Request", "RunResult", "Sample",
        "SampleResult", "Score", "Usage",
    ),
    "llmkit.version": ("__version__",),
}  # fmt: skip
_MODULE = {name: module for module, names in _FROM.items() for name in names}

__all__ = [
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


def __getattr__(name: str) -> Any:
    if name not in _MODULE:
        from llmkit.errors import nearest

        raise AttributeError(f"llmkit has no {name!r}. {nearest(name, __all__)}")
    value = getattr(import_module(_MODULE[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
