"""rouge-score's own test cases (checked upstream against ROUGE-1.5.5), and another implementation's."""

from typing import Any

import pytest

from llmkit.scoring import Item, create
from tests.conformance.conftest import Vectors

REJECTED = {
    "pltrdy": "the package rouge of pltrdy counts otherwise: it splits at spaces alone, takes n-grams as sets, and its "
    "rouge-l unites subsequences over sentences; llmkit's figure is rouge-score's, and the signature says so",
}


def rouge(answer: str, *references: str, **options: Any) -> float:
    return create("rouge", options).score([Item(answer, references)])[0].value


def test_rouge_score(vectors: Vectors) -> None:
    for case in vectors.load("metrics/rouge.json")["cases"]["google"]:
        for measure, expected in case["expected"].items():
            options = {"type": case["type"], "use_stemmer": case.get("stemmer", False), "measure": measure}
            value = rouge(case["prediction"], case["target"], **options)
            assert value == pytest.approx(expected, abs=case.get("tolerance", 1e-7)), (case, measure)


def test_the_best_of_several_references(vectors: Vectors) -> None:
    for case in vectors.load("metrics/rouge.json")["cases"]["google_multi"]:
        for kind, expected in case["expected"].items():
            value = rouge(case["prediction"], *case["targets"], type=kind, measure=case["field"])
            assert value == pytest.approx(expected, abs=1e-7)


def test_rejected_cases_disagree_still(vectors: Vectors) -> None:
    for case in vectors.load("metrics/rouge.json")["cases"]["pltrdy"]:
        ours = [rouge(case["hyp"], case["ref"], type=kind) for kind in ("rouge1", "rouge2", "rougeL")]
        theirs = [case["scores"][kind]["f"] for kind in ("rouge-1", "rouge-2", "rouge-l")]
        assert ours != pytest.approx(theirs, abs=1e-4)


def test_no_group_of_cases_is_left_out(vectors: Vectors) -> None:
    assert set(vectors.load("metrics/rouge.json")["cases"]) == {"google", "google_multi", *REJECTED}
