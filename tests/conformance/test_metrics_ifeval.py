"""IFEval: the verdicts that its reference implementation gave in its own tests, and its data."""

import json
import os
from pathlib import Path

import pytest

from llmkit.scoring.ifeval.kinds import KINDS, followed
from llmkit.types import Score
from tests.conformance.conftest import ROOT, Vectors
from tests.scoring.ask import score

# Upstream's tests name the classes otherwise than its data do.
NAMES = {
    "detectable_format:exact_number_bullet_points": "detectable_format:number_bullet_lists",
    "detectable_format:minimum_number_highlighted_sections": "detectable_format:number_highlighted_sections",
    "keywords:include_keywords": "keywords:existence",
    "keywords:keyword_frequency": "keywords:frequency",
    "length_constraint:number_words": "length_constraints:number_words",
    "length_constraint:number_paragraphs": "length_constraints:number_paragraphs",
}
REJECTED: dict[str, str] = {}


def test_every_recorded_verdict(vectors: Vectors) -> None:
    cases = vectors.cases("metrics/ifeval_instructions.json")
    differ = {}
    for key, case in cases.items():
        kind = NAMES.get(case["instruction_id"], case["instruction_id"])
        found = followed(kind, case["response"], case["kwargs"] or {})
        if found != case["followed"]:
            differ[key] = (kind, case["response"], found)
    assert len(cases) == 58
    assert {key: differ[key] for key in differ.keys() - REJECTED.keys()} == {}
    assert REJECTED.keys() <= differ.keys(), "a rejected case holds"


@pytest.fixture(scope="module")
def rows() -> list[dict[str, object]]:
    path = Path(os.environ.get("LLMKIT_DATA") or ROOT / "../shared/data").resolve() / "benchmarks/ifeval.jsonl"
    if not path.is_file():
        pytest.skip(f"no {path}; set LLMKIT_DATA to the folder that holds benchmarks/")
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_every_row_of_the_data_can_be_checked(rows: list[dict[str, object]]) -> None:
    kinds: set[str] = set()
    for row in rows:
        found = score("instructions", "An answer, of two lines.\nIt follows little.", row=row)
        assert isinstance(found, Score), found
        ids = row["instruction_id_list"]
        assert isinstance(ids, list)
        kinds.update(ids)
    assert len(rows) == 541
    assert len(kinds) == 25
    assert kinds <= KINDS.keys()
