"""What a suite may say of needles."""

import pytest
from pydantic import ValidationError

from llmkit.samples.needle.spec import NeedleData


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"lengths": []}, "lengths"),
        ({"lengths": [100, 100]}, "lengths names one twice"),
        ({"depths": [10, 10.0]}, "depths names one twice"),
        ({"lengths": [15]}, "greater than or equal to 16"),
        ({"depths": [101]}, "less than or equal to 100"),
        ({"kind": "multi_needle", "needles": 1}, "two needles or more"),
        ({"kind": "facts", "depths": [0]}, "kind: facts writes its own documents; remove depths"),
        ({"questions": ["count"]}, "questions belong to kind: facts"),
        ({"tokenizer": "gpt"}, "no tokenizer is called 'gpt'; write model, hf:OWNER/NAME"),
        ({"deepths": [0]}, "deepths"),
    ],
)
def test_a_mistake_is_named(fields, message):
    with pytest.raises(ValidationError, match=message):
        NeedleData.model_validate({"generate": "needle", "lengths": [100], **fields})


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("single", (1, 0, "words")),
        ("numbers", (1, 0, "numbers")),
        ("uuid", (1, 0, "uuid")),
        ("multi_needle", (4, 0, "numbers")),
        ("multi_key", (1, 8, "numbers")),
    ],
)
def test_a_kind_brings_its_own_counts(kind, said):
    data = NeedleData.model_validate({"generate": "needle", "lengths": [100], "kind": kind})
    assert (data.asked, data.others, data.sort) == said
