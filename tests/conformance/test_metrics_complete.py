"""No file of metric vectors is silently left out."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.conftest import Vectors

# File → the module that runs it, and how many cases it has.
RUN = {
    "agreement.json": ("test_metrics_together", 3),
    "bertscore.json": ("test_metrics_bertscore", 6),
    "bleu.json": ("test_metrics_sacrebleu", 19),
    "cer.json": ("test_metrics_error_rates", 24),
    "chrf.json": ("test_metrics_sacrebleu", 18),
    "extractive_match_lighteval.json": ("test_metrics_math", 137),
    "ifeval_instructions.json": ("test_metrics_ifeval", 58),
    "math_equiv_hendrycks.json": ("test_metrics_math", 11),
    "math_equiv_math_verify.json": ("test_metrics_math", 179),
    "metric_cases_lighteval.json": ("test_metrics_lighteval", 124),
    "pass_at_k.json": ("test_metrics_together", 3),
    "rouge.json": ("test_metrics_rouge", 20),
    "sentence_bleu.json": ("test_metrics_sacrebleu", 12),
    "significance_wmt17.json": ("test_statistics_paired", 20),
    "ter.json": ("test_metrics_sacrebleu", 5),
    "ter_tokenizer.json": ("test_metrics_sacrebleu", 9),
    "wer.json": ("test_metrics_error_rates", 30),
    "wer_sclite_csrnab.json": ("test_metrics_error_rates", 34),
}


def test_every_file_is_run_with_all_its_cases(vectors: Vectors) -> None:
    found = {name: len(vectors.cases(f"metrics/{name}")) for name in vectors.files("metrics")}
    assert found == {file: count for file, (_, count) in RUN.items()}


@pytest.mark.parametrize("file", RUN)
def test_by_a_test_that_reads_it(file: str) -> None:
    module = Path(__file__).with_name(f"{RUN[file][0]}.py")
    assert f"metrics/{file}" in {*read_by(ast.parse(module.read_text(encoding="utf-8")))}


def read_by(module: ast.Module) -> Iterator[str]:
    """Yield what ``vectors.load`` and ``vectors.cases`` are given or a folder is joined with, also by a constant."""
    constants: dict[str, ast.expr] = {
        target.id: node.value
        for node in module.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(module):
        match node:
            case ast.Call(ast.Attribute(ast.Name("vectors"), "load" | "cases"), [read]) | ast.BinOp(_, ast.Div(), read):
                said = constants.get(read.id, read) if isinstance(read, ast.Name) else read
                if isinstance(said, ast.Constant) and isinstance(said.value, str):
                    yield said.value


def test_a_file_that_is_only_named_is_not_read() -> None:
    named = (
        """"metrics/a.json"\nX = "metrics/b.json"  # metrics/c.json\nvectors.load("metrics/d.json")\nvectors.cases(X)"""
    )
    assert [*read_by(ast.parse(named))] == ["metrics/d.json", "metrics/b.json"]
