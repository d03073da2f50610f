"""What a judge's file may not say is told with its own line."""

from __future__ import annotations

from pathlib import Path

import pytest

from llmkit.documents import parse_yaml, validate
from llmkit.errors import DocumentError
from llmkit.judges.spec import JudgeSpec

HEAD = "version: 1\nname: q\ncriterion: g.md\nmodel: scripted/m\nprompt: p.prompty\n"


def refused(text: str) -> str:
    with pytest.raises(DocumentError) as failed:
        validate(JudgeSpec, parse_yaml(HEAD + text, path=Path("q.yaml")))
    return str(failed.value)


@pytest.mark.parametrize(
    ("kind", "bound", "said"),
    [
        ("pass_fail", "kappa_lower", "is for graded and choices; pass_fail has tpr_lower and tnr_lower"),
        ("pass_fail", "agreement_lower", "is for pairwise; pass_fail has tpr_lower and tnr_lower"),
        ("{graded: {min: 1, max: 5}}", "tpr_lower", "is for pass_fail; graded has kappa_lower"),
        ("{choices: {A: 1, B: 0}}", "agreement_lower", "is for pairwise; choices has kappa_lower"),
        ("pairwise", "tnr_lower", "is for pass_fail; pairwise has agreement_lower"),
    ],
)
def test_a_bound_that_nobody_would_look_at_is_refused(kind: str, bound: str, said: str) -> None:
    text = f"kind: {kind}\naccept:\n  max_flip: .2\n  {bound}: .95\n"
    assert refused(text) == f"q.yaml:9: accept.{bound} {said}"


@pytest.mark.parametrize(
    ("method", "said"),
    [
        ("reason: before\n  swap: true", "q.yaml:9: method.swap is for kind: pairwise"),
        ("logprobs: true\n  samples: 3", "q.yaml:9: method.samples is 1 with logprobs"),
        ("logprobs: true\n  reason: after", "q.yaml:9: method.reason after is as none with logprobs"),
    ],
)
def test_a_method_that_does_not_fit_is_told_with_its_line(method: str, said: str) -> None:
    assert said in refused(f"kind: pass_fail\nmethod:\n  {method}\n")
