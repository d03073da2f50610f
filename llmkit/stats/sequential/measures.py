"""The rules that a gating metric can have."""

from llmkit.stats.sequential.corpus import CorpusDifference
from llmkit.stats.sequential.corrected import CorrectedDifference
from llmkit.stats.sequential.difference import Difference
from llmkit.stats.sequential.evidence import Evidence, Measure
from llmkit.stats.sequential.quantile import QuantileRise
from llmkit.stats.sequential.ratio import RatioOfMeans
from llmkit.stats.sequential.series import Series, unit_span, units

__all__ = [
    "CorpusDifference",
    "CorrectedDifference",
    "Difference",
    "Evidence",
    "Measure",
    "QuantileRise",
    "RatioOfMeans",
    "Series",
    "unit_span",
    "units",
]
