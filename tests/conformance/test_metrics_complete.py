"""No file of metric vectors is silently left out."""

from pathlib import Path

from tests.conformance.conftest import Vectors

RUN = {
    "agreement.json": "test_metrics_together",
    "bertscore.json": "test_metrics_bertscore",
    "bleu.json": "test_metrics_sacrebleu",
    "cer.json": "test_metrics_error_rates",
    "chrf.json": "test_metrics_sacrebleu",
    "extractive_match_lighteval.json": "test_metrics_math",
    "ifeval_instructions.json": "test_metrics_ifeval",
    "math_equiv_hendrycks.json": "test_metrics_math",
    "math_equiv_math_verify.json": "test_metrics_math",
    "metric_cases_lighteval.json": "test_metrics_lighteval",
    "pass_at_k.json": "test_metrics_together",
    "rouge.json": "test_metrics_rouge",
    "sentence_bleu.json": "test_metrics_sacrebleu",
    "significance_wmt17.json": "test_statistics_paired",
    "ter.json": "test_metrics_sacrebleu",
    "ter_tokenizer.json": "test_metrics_sacrebleu",
    "wer.json": "test_metrics_error_rates",
    "wer_sclite_csrnab.json": "test_metrics_error_rates",
}


def test_every_file_is_run(vectors: Vectors) -> None:
    assert vectors.files("metrics") == {*RUN}


def test_by_a_test_that_names_it() -> None:
    for file, module in RUN.items():
        assert file in Path(__file__).with_name(f"{module}.py").read_text(encoding="utf-8"), file
