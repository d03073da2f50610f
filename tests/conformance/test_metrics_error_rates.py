"""Word and character error rates: jiwer's and evaluate's cases, and real recognisers' output scored by NIST sclite."""

import itertools
import re
from typing import Any

import numpy as np
import pytest

from llmkit.scoring import Item, create
from tests.conformance.conftest import Vectors


def rate(name: str, answers: list[str], references: list[str], **options: Any) -> float:
    scorer = create(name, options)
    items = [Item(text, (reference,)) for text, reference in zip(answers, references, strict=True)]
    return float(scorer.corpus_value(np.sum([score.stats for score in scorer.score(items)], axis=0)))


def listed(texts: str | list[str]) -> list[str]:
    return [texts] if isinstance(texts, str) else texts


def test_wer(vectors: Vectors) -> None:
    """The cases' mer, wip and wil are other metrics, which llmkit does not have."""
    for key, case in vectors.cases("metrics/wer.json").items():
        answers, references = listed(case["hyp"]), listed(case["ref"])
        if case["contiguous"]:
            answers, references = [" ".join(answers)], [" ".join(references)]
        assert rate("wer", answers, references) == pytest.approx(case["expected"]["wer"], abs=1e-9), key


REJECTED = {
    "hf_evaluate/6": "evaluate joins all sentences, stripped and with no space between them, into one; llmkit sums "
    "the counts of the samples",
}


def test_cer(vectors: Vectors) -> None:
    for key, case in vectors.cases("metrics/cer.json").items():
        if key in REJECTED:
            continue
        value = rate("cer", listed(case["hyp"]), listed(case["ref"]))
        assert value == pytest.approx(case["expected"], abs=1e-6), key


def test_the_rejected_case_disagrees_for_the_reason_given(vectors: Vectors) -> None:
    case = vectors.cases("metrics/cer.json")["hf_evaluate/6"]
    assert rate("cer", case["hyp"], case["ref"]) != pytest.approx(case["expected"], abs=1e-6)
    joined = ["".join(text.strip() for text in texts) for texts in (case["hyp"], case["ref"])]
    assert rate("cer", joined[:1], joined[1:]) == pytest.approx(case["expected"], abs=1e-6)


def alternatives(reference: str) -> tuple[str, ...]:
    """Write out sclite's ``{ A / B }``, in which ``@`` is no word."""
    pieces = re.split(r"\{([^{}]*)\}", reference)
    ways = [[piece] if place % 2 == 0 else piece.split("/") for place, piece in enumerate(pieces)]
    return tuple(" ".join(" ".join(way).replace("@", " ").split()) for way in itertools.product(*ways))


def levenshtein(left: list[str], right: list[str]) -> int:
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        before, row[0] = row[0], i
        for j, b in enumerate(right, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (a != b))
    return row[-1]


def test_wer_on_recognisers_output(vectors: Vectors) -> None:
    """The file holds 34 of the 51 sentences that sclite's totals are of, so the totals are bounds, not targets."""
    document = vectors.load("metrics/wer_sclite_csrnab.json")
    scorer = create("wer", {"ignore_case": True})
    sums: dict[str, np.ndarray] = {}
    for case in document["cases"]:
        references = alternatives(case["ref"])
        (score,) = scorer.score([Item(case["hyp"], references)])
        words = case["hyp"].casefold().split()
        by_hand = min(
            (levenshtein(target, words) / len(target), levenshtein(target, words), len(target))
            for target in (reference.casefold().split() for reference in references)
        )
        assert (score.value, *score.stats) == pytest.approx(by_hand), case["id"]
        speaker = case["id"][:3].lower()
        sums[speaker] = sums.get(speaker, 0) + np.array(score.stats)
    assert len(document["cases"]) == 34
    for speaker, (errors, words) in sums.items():
        assert errors <= document["expected"][speaker]["err"]
        assert words <= document["expected"][speaker]["words"]
