"""``llmkit score``: what it says, what it exits with, and what the other commands make of its run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import ROWS, Cli

GIVEN: list[dict[str, Any]] = [
    {"id": "fr", "answer": "Paris", "capital": "Paris", "continent": "Europe", "country": "France"},
    {"id": "it", "answer": "Milan", "capital": "Rome", "continent": "Europe", "country": "Italy"},
    {"id": "jp", "answer": "Tokyo", "capital": "Tokyo", "continent": "Asia", "country": "Japan"},
    {"id": "pe", "answer": "Lima", "capital": "Lima", "continent": "America", "country": "Peru"},
]
OWN = ("--scorer", "exact_match", "--target", "capital")


@pytest.fixture(autouse=True)
def given(project: Path) -> Path:
    """Four predictions, one wrong."""
    path = project / "given.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in GIVEN))
    return path


def test_a_file_is_scored_and_shown_as_a_run(cli: Cli) -> None:
    said = cli("score", "given.jsonl", *OWN, "--slice", "where=continent", "--prompt", "country")
    assert said.code == 0
    assert "exact_match   0.75 [0.30, 0.95]  n=4" in said.out
    assert "predictions · exact_match by where" in said.out
    assert "model from given.jsonl" in said.out
    assert "$0 paid · 0 calls · 0 tokens in, 0 out" in said.out
    assert "llmkit: given.jsonl: 4 answers in 4 rows\n" in said.err
    shown = cli("runs", "show", "--sample", "it").out
    assert "Italy" in shown and "Milan" in shown and "unknown tokens in, unknown out · cost unknown" in shown


def test_an_answer_of_the_file_is_never_from_the_cache(cli: Cli) -> None:
    cli("score", "given.jsonl", *OWN)
    cli("score", "given.jsonl", *OWN)
    assert "from the cache" not in cli("runs", "show", "--sample", "it").out
    assert cli("runs", "show", "--sample", "it", "--as", "json").json["from_cache"] is False


def test_wrong_programs_are_counted_by_the_sort_of_their_reasons(cli: Cli, project: Path) -> None:
    answers = ["def one(): return 1", "def one(: return 1", "def one(): return 2"]
    rows = [{"id": str(n), "answer": text, "test_list": ["assert one() == 1"]} for n, text in enumerate(answers)]
    (project / "code.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    said = cli("score", "code.jsonl", "--scorer", "{code: {shape: mbpp}}")
    assert "    code: 2 wrong: syntax error 1, wrong result 1\n" in said.out
    assert "    see them: llmkit runs show " in said.out and " --wrong\n" in said.out
    shown = cli("runs", "show", "--wrong")
    assert shown.out.splitlines()[::2] == ["sample 1 · epoch 1", "sample 2 · epoch 1"]
    assert "  code: 0  assert one() == 1 (2 was given)\n" in shown.out
    assert cli("runs", "show", "--json").json["runs"][0]["reasons"] == {"code": {"syntax error": 1, "wrong result": 1}}


def test_json_holds_the_run_and_what_the_file_holds(cli: Cli, given: Path) -> None:
    rows = [*GIVEN[1:], {**GIVEN[0], "answer": None}, {"answer": "x"}]
    given.write_text("".join(json.dumps(row) + "\n" for row in rows) + "{broken\n")
    said = cli("score", "given.jsonl", *OWN, "--json")
    assert said.code == 4  # more than 2 % of the rows have no answer
    (run,) = said.json["runs"]
    assert run["samples"] == {"total": 6, "completed": 3, "failed": 3, "truncated": 0, "from_cache": 0}
    assert (run["cost_usd"], run["usage"]["calls"]) == (0.0, 0)
    found = said.json["predictions"]
    assert (found["rows"], found["answers"]) == (6, 4)
    assert found["missing"] == {
        "no answer": {"count": 1, "first": "given.jsonl:4"},
        "cannot be read": {"count": 1, "first": "given.jsonl:6"},
        "no id": {"count": 1, "first": "given.jsonl:5"},
    }
    assert "llmkit: given.jsonl:4: 1 × no answer\n" in said.err


def test_a_suite_brings_scorers_and_right_answers(cli: Cli, project: Path) -> None:
    (project / "out.csv").write_text("name,said\npe,Lima\nfr,Paris\nxx,?\nit,Rome\n")
    said = cli("score", "out.csv", "--suite", "capitals.yaml", "--answer", "said", "--id", "name", "-m", "mine")
    assert "exact_match   1.00" in said.out
    assert "out.csv:4: 1 × an id that the suite does not have\n" in said.err
    assert "rows.jsonl:3: 1 × no prediction of this row of the suite\n" in said.err
    assert said.code == 4
    said = cli("score", "out.csv", "--suite", "capitals.yaml", "--answer", "said", "--id", "name", "--limit", "2")
    assert said.code == 0
    said = cli(
        "score", "out.csv", "--suite", "capitals.yaml", "--answer", "said", "--id", "name", "--limit", "2",
        "--scorer", "includes", "--json",
    )  # fmt: skip
    assert list(said.json["runs"][0]["metrics"]) == ["includes"]


def test_thresholds_hold_as_in_eval(cli: Cli) -> None:
    assert cli("score", "given.jsonl", *OWN, "--min-point", "exact_match=0.7").code == 0
    assert cli("score", "given.jsonl", *OWN, "--min-point", "exact_match=0.8").code == 1
    assert cli("score", "given.jsonl", *OWN, "--min", "exact_match=0.7").code == 3
    assert cli("score", "given.jsonl", *OWN, "--min", "exact=0.7").code == 2


def test_two_files_are_compared_and_one_rescored(cli: Cli, project: Path) -> None:
    right = [{**row, "answer": row["capital"]} for row in ROWS]
    (project / "better.jsonl").write_text("".join(json.dumps(row) + "\n" for row in right))
    cli("score", "given.jsonl", *OWN)
    cli("score", "better.jsonl", *OWN)
    found = cli("compare", "latest~1", "latest", "--json").json
    metric = found["metrics"]["exact_match"]
    assert (metric["a"], metric["b"], metric["won"], metric["lost"]) == (0.75, 1.0, 1, 0)
    said = cli("rescore", "latest~1", "--scorer", "{exact_match: {ignore_case: true}}")
    assert "case:folded" in said.out
    assert cli("runs", "export", "latest", "--format", "inspect").code == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "no scorer is named"),
        (("--scorer", "exact_mach"), "Did you mean 'exact_match'?"),
        (("--scorer", "exact_match"), "none is named. Name its field with --target FIELD"),
        (
            ("--scorer", "exact_match", "--target", "capitol"),
            "given.jsonl:1: the rows have no field 'capitol', which --target names. Did you mean 'capital'?",
        ),
        ((*OWN, "--slice", "where=continant"), "'continant', which --slice names. Did you mean 'continent'?"),
        ((*OWN, "--answer", "anser"), "Did you mean 'answer'?"),
        ((*OWN, "--data", "rows.jsonl"), "--data replaces the data of a suite"),
        (("--suite", "capitals.yaml", "--target", "capital"), "the suite says what --target would"),
        (("--suite", "capitols.yaml"), "Did you mean 'capitals.yaml'?"),
        ((*OWN, "--pass-k", "0"), "no k's"),
    ],
)
def test_a_misuse_is_one_line_and_makes_no_run(cli: Cli, project: Path, arguments: tuple[str, ...], words: str) -> None:
    said = cli("score", "given.jsonl", *arguments)
    assert (said.code, said.out) == (2, "")
    assert words in said.err
    assert said.err.count("\n") == 1
    assert not (project / ".llmkit").exists()


def test_several_answers_to_a_row_give_pass_at_k(cli: Cli, given: Path) -> None:
    rows = [{**row, "answer": [row["answer"], row["capital"]]} for row in GIVEN]
    given.write_text("".join(json.dumps(row) + "\n" for row in rows))
    said = cli("score", "given.jsonl", *OWN, "--pass-k", "1,2")
    assert "exact_match_pass@2   1.00" in said.out
    assert "given.jsonl: 8 answers in 4 rows, 2 a row" in said.err
