"""bert-score's own test cases: its rescaled figures follow from its raw ones and the published baseline.

The figures are those of roberta-large, whose weights are 1.4 GB and not here. What llmkit makes of a model is held
against bert-score itself, on models that are here, in tests/scoring/contextual/test_transformer.py.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from llmkit.scoring import create
from llmkit.scoring.contextual.layers import recommended
from llmkit.scoring.contextual.matching import Figures, Pair, match
from llmkit.scoring.contextual.rescale import Baseline, read_baseline
from tests.conformance.conftest import Vectors

# Rescaled case → the case with the raw figures that it is made of.
RESCALED = {"test_idf_score_rescale": "test_idf_score"}
REJECTED = {
    "test_idf_score_rescale_fast_tokenizer": "rescaled figures of another tokenizer, whose raw figures are not given",
    "test_multi_refs_working": "has no figures, and the file does not hold its references",
}
# Their precision and recall need weights that are not here; the F1 that is made of them does not.
RAW = ("test_score", "test_idf_score", "test_score_en_sci")
PUBLISHED = 1e-6  # the figures are of 32 bits


@pytest.fixture
def cases(vectors: Vectors) -> dict[str, Any]:
    return {case["test"]: case for case in vectors.load("metrics/bertscore.json")["cases"]}


@pytest.fixture
def baseline(vectors: Vectors, tmp_path: Path) -> Baseline:
    """The row as it stands in bert-score's file."""
    said = vectors.load("metrics/bertscore.json")
    path = tmp_path / "roberta-large.tsv"
    path.write_text(f"{','.join(said['baseline_header'])}\n{','.join(said['baseline_layer17'])}\n", encoding="utf-8")
    return read_baseline(path, 17)


def figures(case: dict[str, Any]) -> Figures:
    return np.array([case["P"], case["R"], case["F"]]).T


@pytest.mark.parametrize(("rescaled", "raw"), RESCALED.items())
def test_rescaling(rescaled: str, raw: str, cases: dict[str, Any], baseline: Baseline) -> None:
    assert baseline.rescale(figures(cases[raw])) == pytest.approx(figures(cases[rescaled]), abs=PUBLISHED)


def test_the_rescaled_figures_of_another_tokenizer_do_not_follow(cases: dict[str, Any], baseline: Baseline) -> None:
    (rejected,) = [name for name in REJECTED if "rescale" in name]
    ours = baseline.rescale(figures(cases["test_idf_score"]))
    assert ours != pytest.approx(figures(cases[rejected]), abs=PUBLISHED)


def pair(precision: float, recall: float) -> Pair:
    """Return texts of these figures: one token on one side is as like two others as the larger one and the mean say."""
    most, mean = max(precision, recall), min(precision, recall)
    one = np.array([[1.0, 0.0]])
    cosines = np.array([most, 2 * mean - most])
    two = np.stack([cosines, np.sqrt(1 - cosines**2)], axis=1)
    whole, half = np.ones(1), np.full(2, 0.5)
    return Pair(one, two, whole, half) if precision >= recall else Pair(two, one, half, whole)


@pytest.mark.parametrize("name", RAW)
def test_f1_follows_from_precision_and_recall(name: str, cases: dict[str, Any]) -> None:
    published = figures(cases[name])
    found = match([pair(precision, recall) for precision, recall, _ in published])
    assert found == pytest.approx(published, abs=1e-6)


def test_the_case_of_several_references_has_none_to_run(vectors: Vectors, cases: dict[str, Any]) -> None:
    assert vectors.load("metrics/bertscore.json")["multi_refs"] is None
    assert not {"P", "R", "F"} & {*cases["test_multi_refs_working"]}


@pytest.mark.parametrize("name", ["test_score", "test_idf_score", *RESCALED])
def test_the_layer_is_the_one_that_is_taken_where_none_is_named(name: str, cases: dict[str, Any]) -> None:
    options = cases[name]["options"]
    assert recommended(options["model_type"]) == options["num_layers"]
    commit = "722cf37b1afa9454edce342e7895e588b6ff1d59"
    assert "|layer:17|" in create("bertscore", {"model": options["model_type"], "revision": commit}).signature


def test_no_case_is_left_out(cases: dict[str, Any]) -> None:
    assert set(cases) == {*RAW, *RESCALED, *REJECTED}
