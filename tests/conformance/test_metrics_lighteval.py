"""lighteval's test cases, as far as they concern these scorers; what is left out is listed with the reason."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from llmkit.scoring import Item, create
from llmkit.types import Failure
from tests.conformance.conftest import Vectors

TRANSPOSED = (
    "upstream hands sacrebleu one reference stream a sample instead of one stream of all, so that only the first "
    "answer is scored, against the references of all samples"
)
REJECTED = {
    **{f"chrf/{number}": TRANSPOSED for number in (1, 2, 3, 4)},
    **{f"chrf_plus/{number}": TRANSPOSED for number in (1, 2)},
    **{f"ter/{number}": TRANSPOSED for number in (1, 3)},
    "chrf_plus/3": TRANSPOSED + "; the expected 15.0 ± 10 is a guess beside that (5.7 computed)",
}
OTHER = {
    "avg_at_k": "an average over k answers to one sample: epochs, not a scorer",
    "avg_at_k_math": "mathematical equivalence, a later issue",
    "bits_per_byte": "log-likelihoods",
    "expr_gold_metric": "mathematical equivalence, a later issue",
    "f1_score_macro": "classification over a corpus, a later issue",
    "f1_score_micro": "classification over a corpus, a later issue",
    "g_pass_at_k": "pass@k, a later issue",
    "loglikelihood_acc": "log-likelihoods",
    "maj_at_k": "a vote over k answers to one sample, a later issue",
    "mcc": "classification over a corpus, a later issue",
    "mrr": "log-likelihoods",
    "multi_f1_numeric": "classification over a corpus, a later issue",
    "pass_at_k": "pass@k, a later issue",
    "pass_at_k_letters": "pass@k, a later issue",
    "pass_at_k_math": "pass@k and mathematical equivalence, later issues",
    "recall_at_k": "log-likelihoods",
    "truthfulqa_mc_metrics": "log-likelihoods",
    "word_perplexity": "log-likelihoods",
}


def gold(document: dict[str, Any]) -> tuple[str, ...]:
    index = document["gold_index"]
    return tuple(document["choices"][i] for i in (index if isinstance(index, list) else [index]))


def one(case: dict[str, Any], name: str, **options: Any) -> float:
    scorer = create(name, options)
    (score,) = scorer.score([Item(case["model_response"]["text"][0], gold(case["doc"]))])
    return float(scorer.corpus_value(np.array(score.stats))) / 100 if scorer.kind == "corpus" else score.value


def samples(case: dict[str, Any]) -> list[Item]:
    pairs = zip(case["docs"], case["model_responses"], strict=True)
    return [Item(response["text"][0], gold(document)) for document, response in pairs]


def corpus(items: list[Item], name: str, **options: Any) -> float:
    scorer = create(name, options)
    return float(scorer.corpus_value(np.sum([score.stats for score in scorer.score(items)], axis=0)))


def whole(name: str, **options: Any) -> Callable[[dict[str, Any]], dict[str, float]]:
    return lambda case: {"": corpus(samples(case), name, **options)}


def rouge(*types: str, scale: int = 1) -> Callable[[dict[str, Any]], dict[str, float]]:
    return lambda case: {kind: scale * one(case, "rouge", type=kind) for kind in types}


def single(key: str, name: str, **options: Any) -> Callable[[dict[str, Any]], dict[str, float]]:
    return lambda case: {key: one(case, name, **options)}


def drop(case: dict[str, Any]) -> dict[str, float]:
    return {"em": one(case, "exact_match"), "f1": one(case, "f1")}


# NLTK's sentence BLEU, which upstream uses for bleu_1 and bleu_4, does not smooth and keeps all orders.
RUN = {
    "bert_score": single("result", "bertscore"),
    "bleu": whole("bleu"),
    "bleu_1": single("bleu_1", "bleu", max_ngram_order=1, smooth_method="none"),
    "bleu_4": single("bleu_4", "bleu", smooth_method="none"),
    "chrf": whole("chrf"),
    "chrf_plus": whole("chrf", word_order=2),
    "drop": drop,
    "exact_match": single("em", "exact_match"),
    "f1_score": single("f1", "f1", normalize="whitespace"),
    "rouge1": rouge("rouge1"),
    "rouge2": rouge("rouge2"),
    "rougeL": rouge("rougeL"),
    "rougeLsum": rouge("rougeLsum"),
    "rouge_t5": rouge("rouge1", "rouge2", "rougeL", "rougeLsum", scale=100),
    "ter": whole("ter"),
}


def expected(case: dict[str, Any]) -> dict[str, float]:
    value = case["expected_output"]
    return value if isinstance(value, dict) else {"": value}


def test_metric_cases(vectors: Vectors) -> None:
    ran = 0
    for key, case in vectors.cases("metrics/metric_cases_lighteval.json").items():
        group = key.partition("/")[0]
        if group in OTHER or key in REJECTED:
            continue
        if group == "bert_score":
            pytest.importorskip("onnxruntime", reason="needs the extra [bertscore]")
        assert RUN[group](case) == pytest.approx(expected(case), abs=case["tolerance"]), key
        ran += 1
    assert ran == 54 - len(REJECTED)


def test_rejected_cases_disagree_and_for_the_reason_given(vectors: Vectors) -> None:
    cases = vectors.cases("metrics/metric_cases_lighteval.json")
    for key in REJECTED:
        case, name = cases[key], key.partition("/")[0]
        options = {"word_order": 2} if name == "chrf_plus" else {}
        scorer = "ter" if name == "ter" else "chrf"
        items = samples(case)
        everything = tuple(reference for item in items for reference in item.references)
        transposed = corpus([Item(items[0].text, everything)], scorer, **options)
        assert corpus(items, scorer, **options) != pytest.approx(case["expected_output"], abs=case["tolerance"])
        assert transposed == pytest.approx(case["expected_output"], abs=max(case["tolerance"], 0.05)), key


def test_every_case_is_run_or_listed(vectors: Vectors) -> None:
    cases = vectors.cases("metrics/metric_cases_lighteval.json")
    assert {key.partition("/")[0] for key in cases} == {*RUN, *OTHER}
    assert not {*RUN} & {*OTHER}
    assert {*REJECTED} <= {*cases}


MATHS = "mathematical equivalence, a later issue"
EXTRACTIVE_OTHER = {
    "test_complex_math_expressions": MATHS,
    "test_latex_notation": MATHS,
    "test_latex_notation_math": MATHS,
    "test_math_extraction_additional_cases": MATHS,
    "test_math_extraction_edge_cases": MATHS,
    "test_math_numina_cases": MATHS,
    "test_matrix_extraction": MATHS,
    "test_relations_math": MATHS,
    "test_sets_handling": MATHS,
}
DECIMAL_COMMA = {"1000,99", "Soucis : 2,74 $ a.."}  # upstream guesses the mark; here the suite says it


def test_extractive_match(vectors: Vectors) -> None:
    ran = set()
    for key, case in vectors.cases("metrics/extractive_match_lighteval.json").items():
        ran.add(case["test"])
        if case["test"] in EXTRACTIVE_OTHER:
            continue
        letters = case["test"] == "test_extraction_abc"
        options = {"decimal": ","} if case["pred"] in DECIMAL_COMMA else {}
        (score,) = create("choice" if letters else "numeric", options).score([Item(case["pred"], (case["gold"],))])
        # Upstream scores 0 what it cannot parse; here that is a failure.
        assert (0 if isinstance(score, Failure) else score.value) == case["expected"], (key, case, score)
    assert ran == {*EXTRACTIVE_OTHER, "test_extraction_abc", "test_number_extraction", "test_simple_fraction_notation"}
