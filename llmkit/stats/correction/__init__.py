"""The true rate behind a judge's verdicts. Which estimator holds follows from how the labels were sampled."""

from llmkit.stats.confusion import Confusion
from llmkit.stats.correction.allocation import Allocation, allocate
from llmkit.stats.correction.chosen import (
    ELSEWHERE,
    SAME,
    Correction,
    corrected_rate,
    corrected_rate_bounds,
    no_correction,
)
from llmkit.stats.correction.counts import Corrected
from llmkit.stats.correction.differential import Differential, differential_error
from llmkit.stats.correction.exact import FEW, exact_corrected, exact_corrected_bounds
from llmkit.stats.correction.lang_reiczigel import lang_reiczigel, lang_reiczigel_bounds
from llmkit.stats.correction.post_stratified import post_stratified, post_stratified_bounds
from llmkit.stats.correction.post_stratified_mean import post_stratified_mean
from llmkit.stats.correction.ppi import PredictionPowered, ppi_mean, tuned_weight
from llmkit.stats.correction.rogan_gladen import rogan_gladen
from llmkit.stats.correction.weighted import Trials, effective_confusion, effective_labels, effective_trials

__all__ = [
    "ELSEWHERE",
    "FEW",
    "SAME",
    "Allocation",
    "Confusion",
    "Corrected",
    "Correction",
    "Differential",
    "PredictionPowered",
    "Trials",
    "allocate",
    "corrected_rate",
    "corrected_rate_bounds",
    "differential_error",
    "effective_confusion",
    "effective_labels",
    "effective_trials",
    "exact_corrected",
    "exact_corrected_bounds",
    "lang_reiczigel",
    "lang_reiczigel_bounds",
    "no_correction",
    "post_stratified",
    "post_stratified_bounds",
    "post_stratified_mean",
    "ppi_mean",
    "rogan_gladen",
    "tuned_weight",
]
