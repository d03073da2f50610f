"""Scorers: pure functions of an answer and its references, each with a signature."""

from llmkit.scoring.base import CorpusScorer, Item, MetricKind, Prepares, Scorer
from llmkit.scoring.registry import check_names, create, known, option_schemas, parse

__all__ = [
    "CorpusScorer",
    "Item",
    "MetricKind",
    "Prepares",
    "Scorer",
    "check_names",
    "create",
    "known",
    "option_schemas",
    "parse",
]
