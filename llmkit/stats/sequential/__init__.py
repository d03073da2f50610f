"""The gate's statistics: a paired comparison that is looked at several times and has three verdicts."""

from llmkit.stats.sequential.measures import (
    CorpusDifference,
    CorrectedDifference,
    Difference,
    Measure,
    QuantileRise,
    RatioOfMeans,
    Series,
    unit_span,
    units,
)
from llmkit.stats.sequential.reading import Reading
from llmkit.stats.sequential.trial import Trial

__all__ = [
    "CorpusDifference",
    "CorrectedDifference",
    "Difference",
    "Measure",
    "QuantileRise",
    "RatioOfMeans",
    "Reading",
    "Series",
    "Trial",
    "unit_span",
    "units",
]
