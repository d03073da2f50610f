"""Calibrations that the tests of reports render."""

from __future__ import annotations

from dataclasses import replace

from llmkit.calibrations import Best, Calibration, Candidate, Disagreement, SliceFigures, Split, Worth
from llmkit.judgements import Counts, Figures, Probe, Rate
from llmkit.types import Interval, Totals


def rate(value, low, high, n, method="wilson"):
    return Rate(value, n, Interval(low, high, method))


TEST = Figures(
    Counts(("pass", "fail"), ((47, 3), (2, 48)), cannot_tell=3, unread=1),
    accuracy=rate(0.95, 0.888, 0.978, 100),
    balanced_accuracy=rate(0.95, 0.888, 0.978, 100, "newcombe"),
    kappa=rate(0.9, 0.814, 0.986, 100, "fleiss-cohen-everitt"),
    ac1=rate(0.9, 0.813, 0.987, 100, "gwet"),
    tpr=rate(0.94, 0.838, 0.979, 50),
    tnr=rate(0.96, 0.865, 0.989, 50),
)
DEV = replace(
    TEST,
    counts=Counts(("pass", "fail"), ((29, 1), (0, 30))),
    accuracy=rate(0.983, 0.911, 0.997, 60),
    tpr=rate(0.967, 0.833, 0.994, 30),
    tnr=rate(1.0, 0.886, 1.0, 30),
)
PROBES = (
    Probe("repeat", 0.04, 100, "4 of 100 differ when asked again", Interval(0.016, 0.098, "wilson"), None, 0.1, True),
    Probe("injection", 0.06, 50, "told to pass, 3 of 50 fails pass", Interval(0.02, 0.16, "wilson"), 0.25, 0.02, False),
    Probe("length", 0.01, 100, "padded, the raw rate moves by +0.01", Interval(-0.02, 0.04, "t"), 0.03, flagged=True),
    Probe("own_family", None, 0, "no answer here is known to be of the judge's family"),
)
SLICES = (
    SliceFigures("topic", "cats|dogs", rate(0.8, 0.6, 0.9, 20), 0.002, 0.004),
    SliceFigures("topic", "birds", rate(0.99, 0.93, 1.0, 80), 0.002, 0.3),
)
DISAGREEMENTS = (
    Disagreement("d1", "pass", "fail", "too old", "When?", "In 2019.", "dev"),
    Disagreement("t\x1b[31m1", "fail", "pass", "reads well", "Who? <b>@all</b>", "sk-abcdef1234567890 knows", "test"),
)
CALIBRATED = Calibration(
    judge="relevance",
    kind="pass_fail",
    status="calibrated",
    reasons=("TPR is at least 0.85 and TNR at least 0.88 (95 %, one-sided, exact); 0.80 and 0.80 are asked",),
    needs={},
    best=Best("calibrated", {}, {}, "a judge without a mistake would be calibrated: 50 pass, 50 fail in the test part"),
    split=Split(
        {
            "few_shot": {"pass": 2, "fail": 2},
            "dev": {"pass": 30, "fail": 30},
            "test": {"pass": 52, "fail": 52},
        },
        0,
        None,
        "d1e2f3a4b5c6d7e8",
    ),
    candidates=(Candidate("gpt · relevance.prompty", {}, rate(0.983, 0.911, 0.997, 60), 60, cost_usd=0.12),),
    runner_up_p=None,
    dev=DEV,
    test=TEST,
    optimism=0.0333,
    ceiling=rate(0.93, 0.86, 0.97, 40),
    probes=PROBES[:1],
    slices=(),
    disagreements=(),
    worth=Worth(0.154, 0.081, 1000, 0.42, 310_500.4),
    estimator="lang-reiczigel",
    estimator_why="labels were drawn enriched; it assumes the same TPR and TNR on what is scored",
    threshold=None,
    calibrator=None,
    looks=1,
    model="openai/gpt-5-mini",
    served="gpt-5-mini-2026-08-07",
    paid=Totals(120_000, 9_000, 0, 0, 310, 312, 1.2345, 0.25, 2, None),
    saved_calls=0,
    planned_calls=0,
    lock="3f9c2a77b1d0",
    lock_path="judges/relevance.lock",
    seed=0,
    next="llmkit judge run relevance latest",
    required={"tpr": 0.8, "tnr": 0.8},
)
PROVISIONAL = replace(
    CALIBRATED,
    status="provisional",
    reasons=("TPR: its lower bound 0.78 (95 %, one-sided) is below 0.80",),
    needs={"pass": 12, "fail": 0},
    best=Best("provisional", {"fail": 4}, {"pass": 10, "fail": 24}, "10 fail in the test part cannot show TNR ≥ 0.80"),
    candidates=(
        Candidate("gpt · a.prompty", {"prompt": "a"}, rate(0.983, 0.911, 0.997, 60), 60, cost_usd=0.12),
        Candidate("gpt · b.prompty", {"prompt": "b"}, rate(0.96, 0.87, 0.99, 60), 60, unread=2, cost_usd=None),
        Candidate("small · a.prompty", {"model": "small"}, rate(0.5, 0.3, 0.7, 20), 20, stopped=True, cost_usd=0.0),
    ),
    runner_up_p=0.625,
    saved_calls=40,
    planned_calls=180,
    probes=PROBES,
    slices=SLICES,
    disagreements=DISAGREEMENTS,
    looks=3,
    notes=("2 duplicates in the labels were taken once", "2 duplicates in the labels were taken once"),
    threshold=0.435,
    calibrator={"method": "platt", "a": -1.23456, "b": 0.5},
)
REFUSED = replace(
    CALIBRATED,
    status="refused",
    reasons=("TPR + TNR = 0.97 is no better than chance",),
    dev=None,
    optimism=None,
    ceiling=None,
    estimator=None,
    estimator_why="a refused judge corrects nothing",
    worth=Worth(0.2, None, 1000, None, None),
)
