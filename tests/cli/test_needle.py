"""Needles from the command line: the heat map, overflow, resuming, comparing, and what is said of a mistake."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Cli

SUITE = """\
version: 1
data: {generate: needle, kind: numbers, lengths: [200, 400], depths: [0, 100]}
map: {id: id, references: answers, slices: [length, depth, cell]}
messages: [{role: user, content: "{{context}} {{question}}"}]
scorers: [needle]
params: {max_tokens: 8}
"""
ECHO = ("-m", "scripted/echo")


@pytest.fixture
def suite(project: Path) -> Path:
    (project / "grid.yaml").write_text(SUITE)
    return project / "grid.yaml"


def test_a_run_shows_its_heat_map(cli: Cli, suite: Path) -> None:
    said = cli("eval", "grid.yaml", *ECHO)
    assert said.code == 0
    assert "depth ↓  length →  200" in said.out
    assert "a length is the tokens of the context by scripted:4 bytes" in said.err
    assert cli("runs", "show").out == said.out


def test_overflow_is_a_failure_of_its_own_kind_and_ends_nothing(cli: Cli, suite: Path) -> None:
    said = cli("eval", "grid.yaml", *ECHO, "-M", "faults_at=1:context_overflow", "--max-failures", "1", "--json")
    (run,) = said.json["runs"]
    assert run["samples"]["completed"] == 3
    assert run["metrics"]["needle"]["overflowed"] == 1
    first, *others = run["heat_maps"][0]["cells"]
    assert (first["value"], first["n"], first["failed"], first["overflowed"]) == (None, 0, 1, 1)
    assert [cell["value"] for cell in others] == [1, 1, 1]
    assert run["faults"]["provider/context_overflow"]["count"] == 1
    assert "1 overflow" in cli("runs", "show").out


def test_it_is_asked_once(cli: Cli, suite: Path) -> None:
    said = cli("eval", "grid.yaml", *ECHO, "-M", "faults_at=1:context_overflow", "--max-failures", "1", "--json")
    assert said.json["runs"][0]["usage"]["http_attempts"] == 3


def test_the_page_is_written_whole_and_not_over_another(cli: Cli, suite: Path) -> None:
    assert cli("eval", "grid.yaml", *ECHO).code == 0
    assert cli("runs", "show", "--html", "map.html").code == 0
    assert Path("map.html").read_text().startswith("<!doctype html>")
    refused = cli("runs", "show", "--html", "map.html")
    assert (refused.code, "there already" in refused.err) == (2, True)
    assert cli("runs", "show", "--html", "map.html", "--force").code == 0


def test_a_run_without_a_grid_has_no_page(cli: Cli, project: Path) -> None:
    assert cli("eval", "capitals.yaml").code == 0
    refused = cli("runs", "show", "--html", "map.html")
    assert refused.code == 2
    assert "has no heat map" in refused.err
    assert not Path("map.html").exists()


def test_a_dry_run_counts_and_asks_nothing(cli: Cli, suite: Path) -> None:
    said = cli("eval", "grid.yaml", *ECHO, "--dry-run", "--json")
    assert said.code == 0
    assert "4" in said.out
    assert cli("runs", "list", "--json").json["runs"] == []


def test_the_same_again_comes_from_the_cache_and_a_rescore_needs_no_rows(cli: Cli, suite: Path) -> None:
    first = cli("eval", "grid.yaml", *ECHO, "--json").json["runs"][0]
    again = cli("eval", "grid.yaml", *ECHO, "--json").json["runs"][0]
    assert again["digest"] == first["digest"]
    assert again["samples"]["from_cache"] == 4
    suite.unlink()
    rescored = cli("rescore", "latest", "--scorer", "{needle: {count: all}}", "--json").json
    assert "heat_maps" in json.dumps(rescored)


def test_a_run_that_was_stopped_goes_on_with_the_same_rows(cli: Cli, suite: Path) -> None:
    stopped = cli("eval", "grid.yaml", *ECHO, "-M", "faults_at=1:auth", "--json").json["runs"][0]
    assert stopped["status"] == "failed"
    assert stopped["samples"]["completed"] < 4
    went_on = cli("eval", "grid.yaml", *ECHO, "--resume", "--json").json["runs"][0]
    assert (went_on["run_id"], went_on["samples"]["completed"]) == (stopped["run_id"], 4)


def test_a_run_does_not_go_on_with_other_rows(cli: Cli, suite: Path) -> None:
    cli("eval", "grid.yaml", *ECHO, "-M", "faults_at=1:auth")
    suite.write_text(SUITE.replace("kind: numbers", "kind: numbers, seed: 1"))
    refused = cli("eval", "grid.yaml", *ECHO, "--resume")
    assert refused.code == 2
    assert "fingerprints.data" in refused.err


def test_other_tokenizers_make_other_rows_and_compare_says_so(cli: Cli, suite: Path) -> None:
    assert cli("eval", "grid.yaml", *ECHO).code == 0
    suite.write_text(SUITE.replace("kind: numbers", "kind: numbers, tokenizer: 'characters:4'"))
    assert cli("eval", "grid.yaml", "-m", "scripted/constant").code == 0
    said = cli("compare", "latest~1", "latest")
    assert said.code == 2
    assert "(needle numbers in synthetic, tokens by scripted:4 bytes ≠ " in said.err
    assert "tokens by characters:4)" in said.err


def test_the_haystack_is_the_users_file(cli: Cli, suite: Path) -> None:
    Path("story.jsonl").write_text("".join(json.dumps({"text": f"Line {n} of a story."}) + "\n" for n in range(400)))
    assert (
        cli("eval", "grid.yaml", *ECHO, "--data", "story.jsonl", "--json").json["runs"][0]["samples"]["completed"] == 4
    )
    assert "Line 0 of a story." in cli("runs", "show", "--sample", "200-100-1").out


def test_a_model_that_says_nothing_of_its_tokens_is_asked_with_a_named_tokenizer(
    cli: Cli, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "test")
    asked = ("eval", "needle", "-m", "anthropic/claude", "--dry-run", "--limit", "1")
    refused = cli(*asked)
    assert (refused.code, "Name one with --tokenizer" in refused.err) == (2, True)
    assert cli(*asked, "--tokenizer", "characters:4").code == 0
    said = cli("eval", "needle", *ECHO, "--limit", "1", "--tokenizer", "characters:4")
    assert "by characters:4 (an approximation)" in said.err
    assert "--tokenizer: no tokenizer is called 'gpt2'" in cli(*asked, "--tokenizer", "gpt2").err
    assert "has no lengths to count" in cli("eval", "capitals.yaml", "--tokenizer", "characters:4").err
    assert "llmkit eval needle -m provider/model --tokenizer characters:4" in cli("suites", "needle").out


def test_a_text_too_short_for_a_built_in_suite_says_where_its_lengths_stand(cli: Cli, project: Path) -> None:
    Path("short.txt").write_text("Only this.")
    said = cli("eval", "needle", *ECHO, "--data", "short.txt")
    assert said.code == 2
    assert "or repeat: true, at " in said.err and "needle.yaml:" in said.err and "or in a copy of it" in said.err


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("numbers", "numbrs"), "grid.yaml:2: "),
        (("depths: [0, 100]", "dephts: [0]"), "'depths'"),
        (("lengths: [200, 400]", "lengths: [20]"), "20 tokens are too few to hold"),
        (
            ("kind: numbers", "kind: numbers, haystack: short.txt"),
            "short.txt: the haystack has 3 tokens, and the longest",
        ),
        (("kind: numbers", "kind: numbers, tokenizer: none.json"), "the tokenizer '"),
        (("kind: numbers", "kind: numbers, tokenizer: gpt2"), "no tokenizer is called 'gpt2'"),
    ],
)
def test_a_mistake_is_one_line(cli: Cli, suite: Path, change: tuple[str, str], message: str) -> None:
    Path("short.txt").write_text("Only this.")
    suite.write_text(SUITE.replace(*change))
    said = cli("eval", "grid.yaml", *ECHO)
    assert said.code in (2, 4)
    assert message in said.err
    assert said.err.strip().count("\n") == 0
    assert "Traceback" not in said.err


@pytest.mark.parametrize(
    ("name", "limit", "columns", "rows"),
    [
        ("needle", "9", ["500", "1000", "2000"], ["0%", "50%", "100%"]),
        ("needle_facts", "10", ["1000", "2000"], ["compare", "count", "missing", "one_fact", "two_hops"]),
    ],
)
def test_the_built_in_suites_show_a_whole_grid_with_no_network(
    cli: Cli, project: Path, name: str, limit: str, columns: list[str], rows: list[str]
) -> None:
    (run,) = cli("eval", name, "-m", "scripted/constant", "--limit", limit, "--json").json["runs"]
    (found,) = run["heat_maps"]
    assert (found["columns"], found["rows"]) == (columns, rows)
    assert {cell["n"] for cell in found["cells"]} == {1}
    assert len(found["cells"]) == int(limit)
