"""lighteval's cases of log-likelihoods, as far as they compare choices; test_metrics_lighteval has the others."""

from typing import Any

import pytest

from llmkit.scoring import Item, create
from llmkit.types import Score, TokenLogprob
from tests.conformance.conftest import Vectors

FILE = "metrics/metric_cases_lighteval.json"
REJECTED = {
    "loglikelihood_acc/11": "three choices tie, and upstream takes the first, which is right; here a tie is wrong",
}


def value(case: dict[str, Any], **options: Any) -> float:
    document = case["doc"]
    entries = tuple(
        TokenLogprob(text, logprob)
        for text, logprob in zip(document["choices"], case["model_response"]["logprobs"], strict=True)
    )
    gold = document["gold_index"]
    references = tuple(str(index) for index in (gold if isinstance(gold, list) else [gold]))
    (score,) = create("likelihood", {"target": "index0", **options}).score([Item("", references, logprobs=entries)])
    assert isinstance(score, Score), score
    return score.value


def run(key: str, case: dict[str, Any]) -> dict[str, float]:
    if key.startswith("recall_at_k/"):
        k = case["metric_params"]["k"]
        return {f"recall:k={k}": value(case, top=k)}
    return {"acc": value(case)}


def covered(vectors: Vectors) -> dict[str, dict[str, Any]]:
    groups = ("loglikelihood_acc", "recall_at_k")
    return {key: case for key, case in vectors.cases(FILE).items() if key.partition("/")[0] in groups}


def test_cases(vectors: Vectors) -> None:
    cases = covered(vectors)
    assert len(cases) == 16
    for key, case in cases.items():
        if key not in REJECTED:
            assert run(key, case) == pytest.approx(case["expected_output"], abs=case["tolerance"]), key


def test_rejected_cases_disagree_and_for_the_reason_given(vectors: Vectors) -> None:
    cases = covered(vectors)
    for key in REJECTED:
        assert run(key, cases[key]) != pytest.approx(cases[key]["expected_output"], abs=cases[key]["tolerance"])
        assert len(set(cases[key]["model_response"]["logprobs"])) == 1
