"""The judges that a project's suites score with are found without loading a suite."""

from __future__ import annotations

from pathlib import Path

import pytest

from llmkit.suites.judged import judges_named
from tests.judges.project import project


@pytest.mark.parametrize(
    "text",
    [
        "name: s\nscorers:\n- exact_match\n- judge: relevance\n",
        "name: s\nscorers:\n- f1\n- {judge: {judge: ../judges/relevance.yaml, name: good}}\n",
        '{"scorers": ["exact_match",\n\n{"judge": "relevance"}]}',
    ],
)
def test_a_judge_is_named_by_name_or_path(tmp_path: Path, text: str) -> None:
    path = project(tmp_path)
    suite = tmp_path / "suites" / "s.yaml"
    suite.parent.mkdir()
    suite.write_text(text)
    ((found, where),) = judges_named(tmp_path).items()
    assert found == path.resolve()
    assert where.startswith(f"{suite}:")


def test_what_is_no_suite_of_ones_own_names_none(tmp_path: Path) -> None:
    project(tmp_path)
    named = "scorers: [{judge: relevance}]\n"
    for name in (".hidden/s.yaml", "node_modules/s.yaml", "s.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(named)
    for name, text in (("a", "scorers: [judge]"), ("b", "x: [\nscorers: {judge: 1}"), ("c", named.replace("rel", "x"))):
        (tmp_path / f"{name}.yaml").write_text(text)
    (tmp_path / "d.yaml").write_bytes(b"\xff scorers: [{judge: relevance}]")
    assert judges_named(tmp_path) == {}
