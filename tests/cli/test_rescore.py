"""``llmkit rescore``: stored answers, scored anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Cli


@pytest.fixture(autouse=True)
def run_id(project: Path, cli: Cli) -> str:
    """One stored run: three right answers, one wrong."""
    found: str = cli("eval", "capitals.yaml", "--json").json["runs"][0]["run_id"]
    return found


def test_without_a_scorer_the_runs_own_are_asked_again(cli: Cli, run_id: str) -> None:
    said = cli("rescore", run_id, "--json")
    (run,) = said.json["runs"]
    assert said.code == 0
    assert run["run_id"] != run_id
    assert (run["metrics"]["exact_match"]["value"], run["metrics"]["exact_match"]["n"]) == (0.75, 4)
    assert run["usage"]["calls"] == 0


def test_the_table_shows_the_new_metric(cli: Cli) -> None:
    said = cli("rescore", "latest", "--scorer", "includes")
    assert "includes   0.75 [0.30, 0.95]  n=4" in said.out
    assert "metric:includes|" in said.out


def test_options_of_a_scorer_are_yaml(cli: Cli) -> None:
    said = cli("rescore", "latest", "--scorer", "{regex: {pattern: '^C', name: starts_with_c}}", "--json")
    assert said.json["runs"][0]["metrics"]["starts_with_c"]["value"] == 0.25


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("latest", "--scorer", "exact_mach"), "Did you mean 'exact_match'?"),
        (("latest", "--scorer", "{numeric: {tolerence: 1}}"), "Did you mean 'tolerance'?"),
        (("latest", "--scorer", "{numeric: "), "--scorer"),
        (("20990101-000000-ffff",), "unknown run '20990101-000000-ffff'"),
    ],
)
def test_a_misuse_is_one_line_and_makes_no_run(cli: Cli, arguments: tuple[str, ...], words: str) -> None:
    said = cli("rescore", *arguments)
    assert (said.code, said.out) == (2, "")
    assert words in said.err
    assert said.err.count("\n") == 1
    assert len(cli("runs", "list", "--json").json["runs"]) == 1
