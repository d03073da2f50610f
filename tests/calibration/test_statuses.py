"""What a calibration calls judges of known accuracy: a smaller copy of benchmarks/judge_statuses.py.

With no error in so many seeds a rate of 1 % is not proven; the benchmark's 500 are for that.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def simulation() -> ModuleType:
    path = ROOT / "benchmarks" / "judge_statuses.py"
    if not path.exists():
        pytest.skip("the simulations lie in a checkout's benchmarks/")
    spec = importlib.util.spec_from_file_location("judge_statuses", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["judge_statuses"] = module
    spec.loader.exec_module(module)
    return module


def test_the_best_of_fifty_coins_is_never_calibrated(simulation: ModuleType) -> None:
    judge = simulation.judge()
    coins = {"labels": 100, "passing": 0.5, "candidates": 50, "tpr": 0.5, "tnr": 0.5}

    assert "calibrated" not in {simulation.status(judge, seed, **coins) for seed in range(8)}


def test_a_good_judge_on_200_balanced_labels_is_mostly_calibrated(simulation: ModuleType) -> None:
    judge = simulation.judge()
    good = {"labels": 200, "passing": 0.5, "candidates": 2, "tpr": 0.95, "tnr": 0.95}
    said = [simulation.status(judge, seed, **good) for seed in range(25)]

    assert said.count("calibrated") >= 20
    assert "refused" not in said
