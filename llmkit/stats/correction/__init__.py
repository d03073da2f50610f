"""The true rate behind a judge's verdicts. Which estimator holds follows from how the labels were sampled."""

from llmkit.stats.confusion import Confusion
from llmkit.stats.correction.allocation import Allocation, allocate
from llmkit.stats.correction.counts import Corrected
from llmkit.stats.correction.exact import FEW, exact_corrected
from llmkit.stats.correction.lang_reiczigel import lang_reiczigel, lang_reiczigel_bounds
from llmkit.stats.correction.post_stratified import post_stratified, post_stratified_bounds
from llmkit.stats.correction.ppi import PredictionPowered, ppi_mean, tuned_weight
from llmkit.stats.correction.rogan_gladen import rogan_gladen

__all__ = [
    "FEW",
    "Allocation",
    "Confusion",
    "Corrected",
    "PredictionPowered",
    "allocate",
    "exact_corrected",
    "lang_reiczigel",
    "lang_reiczigel_bounds",
    "post_stratified",
    "post_stratified_bounds",
    "ppi_mean",
    "rogan_gladen",
    "tuned_weight",
]
