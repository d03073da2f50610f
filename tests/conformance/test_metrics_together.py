"""What several answers, or several raters, say together: cases of HumanEval's and of NLTK's estimators."""

from typing import Any

import pytest

from llmkit.errors import NoIsolationError
from llmkit.sandbox.choose import AUTOMATIC, probe
from llmkit.scoring import Item, create
from llmkit.stats.agreement.alpha import krippendorff_alpha
from llmkit.stats.agreement.categories import categories_of, tally
from llmkit.stats.passk import pass_at_k
from llmkit.types import Score
from tests.conformance.conftest import Vectors


def right(texts: list[str], row: dict[str, Any], **options: Any) -> int:
    scorer = create("code", {"timeout": 1.5, "extract": "whole", **options})
    return sum(
        isinstance(score, Score) and score.value == 1 for score in scorer.score([Item(t, (), row) for t in texts])
    )


def test_pass_at_k_of_programs(vectors: Vectors) -> None:
    if all(isinstance(probe(name), NoIsolationError) for name in AUTOMATIC):
        pytest.skip("no isolation on this machine")
    cases = vectors.load("metrics/pass_at_k.json")["cases"]
    assert set(cases) == {"human_eval_example", "hf_code_eval"}
    for case in cases["human_eval_example"]:
        texts = [sample["completion"] for sample in case["samples"]]
        passed = right(texts, case["problem"], shape="humaneval")
        assert float(pass_at_k(len(texts), passed, 1)) == pytest.approx(case["expected"]["pass@1"])
    for case in cases["hf_code_eval"]:
        for test, texts in zip(case["tests"], case["candidates"], strict=True):
            passed = right(texts, {"test_list": [test]}, shape="mbpp")
            assert float(pass_at_k(len(texts), passed, 1)) == case["expected"]["pass@1"]


def test_alpha_of_raters(vectors: Vectors) -> None:
    cases = vectors.load("metrics/agreement.json")["cases"]
    for case in cases:
        assert case["metric"] == "krippendorff_alpha_nominal"
        items: dict[str, list[str]] = {}
        for _, item, label in case["data"]:
            items.setdefault(item, []).append(label)
        scale = categories_of(sorted({label for _, _, label in case["data"]}))
        found = krippendorff_alpha(tally(list(items.values()), scale))
        assert found == pytest.approx(case["expected"], abs=1e-7), case["test"]
    assert len(cases) == 3
