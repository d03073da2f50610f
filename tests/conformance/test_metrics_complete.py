"""No file of metric vectors is silently left out."""

from tests.conformance.conftest import Vectors

RUN = {
    "bertscore.json": "test_metrics_bertscore",
    "bleu.json": "test_metrics_sacrebleu",
    "cer.json": "test_metrics_error_rates",
    "chrf.json": "test_metrics_sacrebleu",
    "extractive_match_lighteval.json": "test_metrics_math",
    "math_equiv_hendrycks.json": "test_metrics_math",
    "math_equiv_math_verify.json": "test_metrics_math",
    "ifeval_instructions.json": "test_metrics_ifeval",
    "metric_cases_lighteval.json": "test_metrics_lighteval",
    "rouge.json": "test_metrics_rouge",
    "sentence_bleu.json": "test_metrics_sacrebleu",
    "significance_wmt17.json": "test_statistics_paired",
    "ter.json": "test_metrics_sacrebleu",
    "ter_tokenizer.json": "test_metrics_sacrebleu",
    "wer.json": "test_metrics_error_rates",
    "wer_sclite_csrnab.json": "test_metrics_error_rates",
}
DEFERRED = {
    "agreement.json": "agreement between annotators, no scorer",
    "pass_at_k.json": "answers that must be run as code, a later issue (the estimator itself: statistics/passk.json)",
}


def test_every_file_is_run_or_listed(vectors: Vectors) -> None:
    assert vectors.files("metrics") == {*RUN, *DEFERRED}
    assert not {*RUN} & {*DEFERRED}
