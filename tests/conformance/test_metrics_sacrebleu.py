"""sacrebleu's own test cases for BLEU, chrF and TER."""

from typing import Any

import numpy as np
import pytest

from llmkit.scoring import Item, create
from llmkit.types import Score
from tests.conformance.conftest import Vectors


def items(case: dict[str, Any]) -> list[Item]:
    """sacrebleu's references are streams, one reference of each sentence in each."""
    return [Item(text, tuple(references)) for text, *references in zip(case["hyps"], *case["refs"], strict=True)]


def corpus(name: str, options: dict[str, Any], samples: list[Item]) -> float:
    scorer = create(name, options)
    scores = scorer.score(samples)
    assert all(isinstance(score, Score) for score in scores), scores
    return float(scorer.corpus_value(np.sum([score.stats for score in scores], axis=0)))


def sentence(name: str, options: dict[str, Any], text: str, *references: str) -> float:
    return create(name, options).score([Item(text, references)])[0].value


RAW = {"tokenize": "none", "smooth_method": "floor", "smooth_value": 0.01}


def test_bleu_of_a_corpus(vectors: Vectors) -> None:
    cases = vectors.load("metrics/bleu.json")["cases"]
    for case in cases["raw_corpus_bleu"]:
        assert corpus("bleu", RAW, items(case)) / 100 == pytest.approx(case["expected"], abs=1e-8)
    for case in cases["corpus_bleu"]:
        assert corpus("bleu", case["options"], items(case)) == pytest.approx(case["expected"], abs=1e-6)
    for case in cases["effective_order_raw"]:
        options = {**RAW, "effective_order": True}
        assert corpus("bleu", options, items(case)) / 100 == pytest.approx(case["expected"], abs=1e-8)


def test_bleu_orders(vectors: Vectors) -> None:
    for case in vectors.load("metrics/bleu.json")["cases"]["max_ngram_order"]:
        assert f"{corpus('bleu', {'max_ngram_order': case['order']}, items(case)):.2f}" == case["expected_2dp"]


def test_bleu_statistics(vectors: Vectors) -> None:
    for case in vectors.load("metrics/bleu.json")["cases"]["statistics"]:
        (score,) = create("bleu", {"tokenize": "none"}).score(items(case))
        assert score.stats == (6.0, 8.0, *case["counts"], *case["totals"])


def test_bleu_from_statistics(vectors: Vectors) -> None:
    cases = vectors.load("metrics/bleu.json")["cases"]
    for case in [*cases["compute_from_statistics"], *cases["degenerate"]]:
        smooth = {"smooth_method": case.get("smooth", "none"), "smooth_value": case.get("smooth_value")}
        stats = np.array([case["sys_len"], case["ref_len"], *case["counts"], *case["totals"]], dtype=float)
        value = create("bleu", smooth).corpus_value(stats)
        assert value / 100 == pytest.approx(case["expected"], abs=1e-8)


def test_bleu_smoothing_offset(vectors: Vectors) -> None:
    for case in vectors.load("metrics/bleu.json")["cases"]["smoothing_offset"]:
        for offset, expected in ((0.1, case["expected_with_offset_0_1"]), (0.0, case["expected_with_offset_0"])):
            options = {"tokenize": "none", "smooth_method": "floor", "smooth_value": offset}
            assert corpus("bleu", options, items(case)) / 100 == pytest.approx(expected, abs=1e-8)


def test_sentence_bleu(vectors: Vectors) -> None:
    for case in vectors.cases("metrics/sentence_bleu.json").values():
        options = {key: case[key] for key in ("smooth_method", "smooth_value", "lowercase", "tokenize")}
        assert sentence("bleu", options, case["hyp"], case["ref"]) == pytest.approx(case["expected"], abs=1e-3)


def test_chrf(vectors: Vectors) -> None:
    for key, case in vectors.cases("metrics/chrf.json").items():
        options = {"beta": case["beta"], "eps_smoothing": case.get("eps_smoothing", False)}
        options["whitespace"] = not case.get("remove_whitespace", True)
        if key.startswith("sentence/"):
            value = sentence("chrf", options, case["hyp"], *case["refs"])
        else:
            value = corpus("chrf", options, items(case))
        assert value == pytest.approx(case["expected"], abs=1e-4), key


def test_ter(vectors: Vectors) -> None:
    for key, case in vectors.cases("metrics/ter.json").items():
        # The upstream test rounds to three decimals of the fraction for the one long case.
        assert corpus("ter", {}, items(case)) == pytest.approx(100 * case["expected"], abs=0.05), key


TER_TOKENIZER = {
    "test_cases_default": {},
    "test_cases_no_punct": {"no_punct": True},
    "test_cases_norm": {"normalized": True},
    "test_cases_asian": {"normalized": True, "asian_support": True},
}


def test_ter_tokens(vectors: Vectors) -> None:
    for key, case in vectors.cases("metrics/ter_tokenizer.json").items():
        assert create("ter", TER_TOKENIZER[key.partition("/")[0]]).tokens(case["input"]) == case["expected"], key


def test_no_group_of_cases_is_left_out(vectors: Vectors) -> None:
    groups = {"raw_corpus_bleu", "corpus_bleu", "effective_order_raw", "max_ngram_order", "statistics"}
    groups |= {"compute_from_statistics", "degenerate", "smoothing_offset"}
    assert set(vectors.load("metrics/bleu.json")["cases"]) == groups
    assert set(vectors.load("metrics/ter_tokenizer.json")["cases"]) == set(TER_TOKENIZER)
