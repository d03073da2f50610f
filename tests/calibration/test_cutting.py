"""Probabilities become verdicts at a cut that dev chose, and frequencies by a curve that dev fitted."""

from __future__ import annotations

import numpy as np
import pytest

from llmkit.calibration.cutting import ENOUGH_FOR_ISOTONIC, Cut, applied, curve_of, learn, with_errors
from llmkit.judgements import Verdict


def said(probability: float | None) -> Verdict:
    label = None if probability is None else "pass" if probability >= 0.5 else "fail"
    return Verdict("verdict" if label else "unread", label, probability=probability)


def overconfident(n: int, seed: int = 0) -> tuple[list[str], list[Verdict]]:
    """A judge that says .9 where 7 of 10 pass, and .6 where 2 of 10 do."""
    rng = np.random.default_rng(seed)
    high = rng.random(n) < 0.5
    passes = rng.random(n) < np.where(high, 0.7, 0.2)
    return ["pass" if p else "fail" for p in passes], [said(0.9 if h else 0.6) for h in high]


def test_the_cut_lies_between_what_passes_and_what_fails() -> None:
    cut = learn(["fail", "fail", "pass", "pass"], [said(0.6), said(0.7), said(0.9), said(0.95)])

    assert cut.threshold == pytest.approx(0.8)


def test_a_verdict_moves_to_the_other_side_of_the_cut() -> None:
    moved = applied(0.8, said(0.7))

    assert (moved.label, moved.value, moved.votes) == ("fail", 0.0, ("fail",))


def test_what_is_no_verdict_stays_none() -> None:
    assert applied(0.8, said(None)) == said(None)


@pytest.mark.parametrize(
    ("labels", "probabilities"), [(["pass"] * 3, [0.1, 0.5, 0.9]), (["pass", "fail", "pass"], [0.5, 0.5, 0.5])]
)
def test_one_class_or_one_probability_teaches_nothing(labels: list[str], probabilities: list[float]) -> None:
    assert learn(labels, [said(p) for p in probabilities]) == Cut()


@pytest.mark.parametrize(("n", "method"), [(ENOUGH_FOR_ISOTONIC - 1, "platt"), (ENOUGH_FOR_ISOTONIC, "isotonic")])
def test_few_labels_get_platts_curve_and_many_the_step_function(n: int, method: str) -> None:
    cut = learn(*overconfident(n))

    assert cut.calibrator is not None
    assert (cut.calibrator["method"], cut.calibrator["n"]) == (method, n)


@pytest.mark.parametrize("n", [150, 400])
def test_a_calibrated_probability_is_nearer_to_the_frequency(n: int) -> None:
    cut = learn(*overconfident(n))
    errors = with_errors(cut.calibrator, *overconfident(400, seed=1))

    assert errors is not None
    assert errors["test_n"] == 400
    assert errors["ece"] < 0.1 < errors["ece_raw"]
    assert errors["brier"] < errors["brier_raw"]


def test_the_stored_curve_is_the_fitted_one() -> None:
    calibrator = {"method": "isotonic", "x": [0.2, 0.8], "y": [0.1, 0.5]}

    assert curve_of(calibrator).calibrated([0.2, 0.5, 0.9]).tolist() == pytest.approx([0.1, 0.3, 0.5])
