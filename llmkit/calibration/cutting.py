"""From a judge's probabilities to verdicts: where to cut, and what the probabilities are worth. Learnt on dev only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from llmkit.judgements import Verdict
from llmkit.stats.calibration.errors import brier, expected_calibration_error
from llmkit.stats.calibration.isotonic import Isotonic, isotonic
from llmkit.stats.calibration.platt import Platt, platt
from llmkit.stats.calibration.thresholds import best_threshold

ENOUGH_FOR_ISOTONIC = 200
"""Dev items from which the step function is taken: with fewer it follows the noise, and Platt's curve errs less
(A. Niculescu-Mizil and R. Caruana, "Predicting good probabilities with supervised learning", ICML 2005, section 5)."""
PLACES = 6


@dataclass(frozen=True, slots=True)
class Cut:
    """What dev taught.

    Attributes:
        threshold: The probability from which on the verdict is ``pass``; None where no cut does better than chance.
        calibrator: ``{"method": "platt", "a": …, "b": …}`` or ``{"method": "isotonic", "x": […], "y": […]}``; None
            where nothing can be learnt.
    """

    threshold: float | None = None
    calibrator: Mapping[str, Any] | None = None


def learn(labels: Sequence[str], verdicts: Sequence[Verdict]) -> Cut:
    """Choose the cut of the best balanced accuracy, and fit the curve from probability to frequency.

    Args:
        labels: ``pass`` or ``fail``, one an item of the dev part.
        verdicts: With a probability, where the judge gave one.
    """
    pairs = [(v.probability, float(label == "pass")) for label, v in zip(labels, verdicts, strict=True)]
    known = [(p, y) for p, y in pairs if p is not None]
    scores, truth = np.array([p for p, _ in known]), np.array([y for _, y in known])
    if len({*truth.tolist()}) < 2 or len({*scores.tolist()}) < 2:
        return Cut()
    cut = best_threshold(scores, truth)
    if len(known) < ENOUGH_FOR_ISOTONIC:
        curve = platt(scores, truth)
        said: dict[str, Any] = {"method": "platt", "a": round(curve.a, PLACES), "b": round(curve.b, PLACES)}
    else:
        steps = isotonic(scores, truth)
        said = {
            "method": "isotonic",
            "x": [round(float(x), PLACES) for x in steps.x],
            "y": [round(float(y), PLACES) for y in steps.y],
        }
    return Cut(None if cut is None else round(cut.threshold, PLACES), {**said, "n": len(known)})


def applied(threshold: float | None, verdict: Verdict) -> Verdict:
    """Return the verdict that a cut makes of a probability; as it is where there is none of either."""
    if threshold is None or verdict.probability is None or verdict.state != "verdict":
        return verdict
    label = "pass" if verdict.probability >= threshold else "fail"
    return replace(verdict, label=label, value=float(label == "pass"), votes=(label,))


def with_errors(
    calibrator: Mapping[str, Any] | None, labels: Sequence[str], verdicts: Sequence[Verdict]
) -> Mapping[str, Any] | None:
    """Return the calibrator with its errors on the test part: ECE and Brier score, raw and calibrated."""
    if calibrator is None:
        return None
    known = [(v.probability, y) for y, v in zip(labels, verdicts, strict=True) if v.probability is not None]
    if not known:
        return calibrator
    raw = np.array([p for p, _ in known])
    truth = np.array([float(y == "pass") for _, y in known])
    better = curve_of(calibrator).calibrated(raw)
    errors = {
        "test_n": len(known),
        "ece_raw": round(expected_calibration_error(raw, truth), PLACES),
        "ece": round(expected_calibration_error(better, truth), PLACES),
        "brier_raw": round(brier(raw, truth), PLACES),
        "brier": round(brier(better, truth), PLACES),
    }
    return {**calibrator, **errors}


def curve_of(calibrator: Mapping[str, Any]) -> Platt | Isotonic:
    """Return the curve that a lock keeps."""
    if calibrator["method"] == "platt":
        return Platt(calibrator["a"], calibrator["b"])
    return Isotonic(tuple(calibrator["x"]), tuple(calibrator["y"]))
